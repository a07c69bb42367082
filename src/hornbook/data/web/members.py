"""The members of a compressed WARC file: inflated one by one, and found again after damage."""

import io
import zlib
from typing import Any, BinaryIO

MAGIC = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}
READ_BYTES = 1 << 18
ZSTD_STEP_BYTES = 1 << 14
SMALL_MEMBER_BYTES = 1 << 23
BOMB_BYTES = 64 << 20
BOMB_RATIO = 200


class Window:
    """A file seen through a growing and shrinking buffer; `position` is the place in the file of its first byte."""

    def __init__(self, file: BinaryIO, position: int) -> None:
        self.file = file
        self.position = position
        self.buffer = b""
        file.seek(position)

    def fill(self) -> bool:
        """Read more; False at the end of the file."""
        block = self.file.read(READ_BYTES)
        self.buffer += block
        return bool(block)

    def drop(self, num_bytes: int) -> None:
        """Forget the first bytes."""
        self.buffer = self.buffer[num_bytes:]
        self.position += num_bytes


class Member:
    """The inflated bytes of one compressed member, read as needed. What went wrong is in `damage`."""

    def __init__(self, window: Window, compression: str) -> None:
        self.window = window
        self.begin = window.position
        self.damage = ""
        self.ended = False
        self.num_out = 0
        self._ready = b""
        self._step = ZSTD_STEP_BYTES if compression == "zstd" else READ_BYTES
        self._limited = compression == "gzip"
        self._inflater, self._broken = inflater_of(compression)

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._ready and not self.ended:
            self._more()
        part, self._ready = self._ready[:size], self._ready[size:]
        return part

    def head(self, limit_bytes: int) -> bytes:
        """The member's first bytes; all of them when it is smaller than the limit. May be called once, first."""
        parts = []
        size = 0
        while not self.ended and size < limit_bytes:
            self._more()
            parts.append(self._ready)
            size += len(self._ready)
            self._ready = b""
        return b"".join(parts)

    def finish(self) -> None:
        """Pass over the rest, so that the window stands after this member."""
        while not self.ended:
            self._more()
            self._ready = b""

    def _more(self) -> None:
        """Inflate one step."""
        window = self.window
        if not window.buffer and not window.fill():
            self._stop("the member ends early")
            return
        block = window.buffer[: self._step]
        try:
            if self._limited:
                data = self._inflater.decompress(block, READ_BYTES * 4)
                # At the end of a stream zlib names what follows twice, as unused data and as unconsumed tail.
                rest = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
                used = len(block) - len(rest)
            else:
                data = self._inflater.decompress(block)
                used = len(block) - len(self._inflater.unused_data)
        except self._broken as error:
            self._stop(f"damaged compressed data ({error})")
            return
        window.drop(used)
        self._ready = data
        self.num_out += len(data)
        if self._inflater.eof:
            self.ended = True
        elif self.num_out > BOMB_BYTES and self.num_out > BOMB_RATIO * max(1, window.position - self.begin):
            self._stop(f"a compression bomb ({self.num_out} bytes and more)")

    def _stop(self, found: str) -> None:
        self.damage = found
        self.ended = True
        self._ready = b""


def inflater_of(compression: str) -> tuple[Any, Any]:
    """What inflates one member, and the exception with which it complains of damage."""
    if compression == "gzip":
        return zlib.decompressobj(31), zlib.error
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError


class MemberStream:
    """Bytes that were already read, then the rest of a member, as the file object that fastwarc expects.

    It must be able to seek forward: fastwarc passes over the rest of a record that way, and panics otherwise.
    """

    def __init__(self, head: bytes, member: Member) -> None:
        self._head = io.BytesIO(head)
        self._member = member
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        size = READ_BYTES if size < 0 else size
        part = self._head.read(size) or self._member.read(size)
        self._position += len(part)
        return part

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        target = offset + (self._position if whence == 1 else 0)
        while self._position < target and self.read(min(READ_BYTES, target - self._position)):
            pass
        return self._position

    def close(self) -> None:
        return None


def seek_member(window: Window, compression: str, exact: bool) -> bool:
    """Move the window to the next start of a member that holds WARC records. False at the end of the file.

    `exact`: a member that starts right here is taken without a second look (the usual case).
    """
    magic = MAGIC[compression]
    while True:
        while len(window.buffer) < 4096 and window.fill():
            pass
        if exact and window.buffer.startswith(magic):
            return True
        exact = False
        found = window.buffer.find(magic)
        if found < 0:
            window.drop(max(0, len(window.buffer) - len(magic) + 1))
            if not window.fill():
                window.drop(len(window.buffer))
                return False
            continue
        window.drop(found)
        while len(window.buffer) < 4096 and window.fill():
            pass
        if begins_record(window.buffer[:4096], compression):
            return True
        window.drop(1)


def begins_record(data: bytes, compression: str) -> bool:
    """Whether a member begins here and what it holds begins like a WARC record."""
    inflater, broken = inflater_of(compression)
    try:
        head = inflater.decompress(data, 64) if compression == "gzip" else inflater.decompress(data)
    except broken:
        return False
    return head[:64].lstrip().startswith(b"WARC/")
