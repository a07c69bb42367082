"""The members of a compressed WARC file: inflated one by one, and found again after damage."""

import io
from typing import BinaryIO

from hornbook.data.files.inflate import MAGIC, inflater_of

READ_BYTES = 1 << 18
STEP_BYTES = 1 << 16
OUTPUT_BYTES = 1 << 20
HEAD_BYTES = 4096
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

    def fill_to(self, num_bytes: int) -> None:
        """Read until there are so many bytes, or no more."""
        while len(self.buffer) < num_bytes and self.fill():
            pass

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
        window, inflater = self.window, self._inflater
        if not window.buffer and not window.fill():
            self._stop("the member ends early")
            return
        block = window.buffer[:STEP_BYTES]
        try:
            data = inflater.decompress(block, OUTPUT_BYTES)
        except self._broken as error:
            self._stop(f"damaged compressed data ({error})")
            return
        # At the end of a stream zlib names what follows twice, as unused data and as unconsumed tail.
        window.drop(len(block) - len(inflater.unused_data if inflater.eof else inflater.unconsumed_tail))
        self._ready = data
        self.num_out += len(data)
        if inflater.eof:
            self.ended = True
        elif self.num_out > BOMB_BYTES and self.num_out > BOMB_RATIO * max(1, window.position - self.begin):
            self._stop(f"a compression bomb ({self.num_out} bytes and more)")

    def _stop(self, found: str) -> None:
        self.damage = found
        self.ended = True
        self._ready = b""


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


def seek_member(window: Window, compression: str, exact: bool, end: int | None = None) -> bool:
    """Move the window to the next start of a member that holds WARC records. False when the file has no more of them,
    or none before `end`.

    `exact`: a member that starts right here is taken without a second look (the usual case).
    """
    magic = MAGIC[compression]
    window.fill_to(HEAD_BYTES)
    if exact and window.buffer.startswith(magic):
        return True
    at = 0
    while end is None or window.position < end:
        at = window.buffer.find(magic, at)
        if at < 0:
            window.drop(max(0, len(window.buffer) - len(magic) + 1))
            at = 0
            if not window.fill():
                window.drop(len(window.buffer))
                return False
            continue
        window.fill_to(at + HEAD_BYTES)
        if begins_record(window.buffer[at : at + HEAD_BYTES], compression):
            window.drop(at)
            return True
        at += 1
        if at > READ_BYTES:  # so that the buffer stays small where many places look like one
            window.drop(at)
            at = 0
    return False


def begins_record(data: bytes, compression: str) -> bool:
    """Whether a member begins here and what it holds begins like a WARC record."""
    inflater, broken = inflater_of(compression)
    try:
        return inflater.decompress(data, 64)[:64].lstrip().startswith(b"WARC/")
    except broken:
        return False
