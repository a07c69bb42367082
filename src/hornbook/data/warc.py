"""Records out of WARC files: member by member, so that damage costs what is damaged and nothing else."""

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}
READ_BYTES = 1 << 18
ZSTD_STEP_BYTES = 1 << 14
SMALL_MEMBER_BYTES = 1 << 23
BOMB_BYTES = 64 << 20
BOMB_RATIO = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One record that holds a page (or what is left of one).

    `position`: where it is in the file; `kind`: "response", "resource" or "conversion" (text of a WET file);
    `flaw`: "" or why it cannot be used, with `found` saying more; `charset`: as the server declared it.
    """

    position: int
    kind: str
    url: str
    data: bytes
    mime: str = ""
    charset: str = ""
    status: int | None = None
    flaw: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """A record that is no page: a request, metadata, a revisit."""

    kind: str


class _Window:
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


class _Member(io.RawIOBase):
    """The inflated bytes of one compressed member, read as needed. What went wrong is in `damage`."""

    def __init__(self, window: _Window, compression: str) -> None:
        super().__init__()
        self.window = window
        self.begin = window.position
        self.damage = ""
        self.ended = False
        self.num_out = 0
        self._ready = b""
        self._step = ZSTD_STEP_BYTES if compression == "zstd" else READ_BYTES
        self._limited = compression == "gzip"
        self._inflater, self._broken = _inflater(compression)

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._ready and not self.ended:
            self._more()
        part = self._ready[: len(target)]
        target[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)

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
                used = len(block) - len(self._inflater.unconsumed_tail) - len(self._inflater.unused_data)
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


def _inflater(compression: str) -> tuple[Any, Any]:
    if compression == "gzip":
        return zlib.decompressobj(31), zlib.error
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError


def read_warc(path: Path, compression: str, begin: int = 0, end: int | None = None) -> Iterator[Page | Other]:
    """The records whose members start in [begin, end).

    Each gzip member (zstd frame) is inflated on its own; one that breaks off or is damaged gives a flawed Page and
    reading goes on at the next place that looks like the start of a member and inflates to a WARC header.
    A file without compression is read from its beginning to its end.
    """
    with path.open("rb") as file:
        if compression == "":
            yield from _records(file, 0, lambda: "")
            return
        window = _Window(file, begin)
        if not _seek_member(window, compression, exact=begin == 0):
            if begin == 0:
                yield Page(0, "response", "", b"", flaw="damaged", found="no WARC record in the whole file")
            return
        while window.buffer and (end is None or window.position < end):
            start = window.position
            yield from _member_records(window, compression)
            if window.position == start:  # nothing could be inflated
                window.drop(1)
            if not _seek_member(window, compression, exact=True):
                return


def _member_records(window: _Window, compression: str) -> Iterator[Page | Other]:
    """The records of the member at the window, and a flawed page when it is damaged."""
    member = _Member(window, compression)
    begin = member.begin
    head = member.head(SMALL_MEMBER_BYTES)
    if member.ended:
        stream: BinaryIO = io.BytesIO(head)
    else:
        stream = io.BufferedReader(_Chain(head, member), READ_BYTES)  # type: ignore[assignment]
    num_records = 0
    for record in _records(stream, begin, lambda: member.damage):
        num_records += 1
        yield record
    member.finish()
    if member.damage and num_records == 0:
        yield Page(begin, "response", "", b"", flaw="damaged", found=f"{member.damage} at byte {begin}")
    if member.damage:
        window.drop(min(1, len(window.buffer)))


class _Chain(io.RawIOBase):
    """Bytes that were already read, then the rest of a member."""

    def __init__(self, head: bytes, member: _Member) -> None:
        super().__init__()
        self._head = head
        self._member = member

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._head:
            return self._member.readinto(target)
        part = self._head[: len(target)]
        target[: len(part)] = part
        self._head = self._head[len(part) :]
        return len(part)


def _seek_member(window: _Window, compression: str, exact: bool) -> bool:
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
        if _begins_record(window.buffer[:4096], compression):
            return True
        window.drop(1)


def _begins_record(data: bytes, compression: str) -> bool:
    inflater, broken = _inflater(compression)
    try:
        head = inflater.decompress(data, 64) if compression == "gzip" else inflater.decompress(data)
    except broken:
        return False
    return head[:64].lstrip().startswith(b"WARC/")


def _records(stream: BinaryIO, begin: int, damage: Callable[[], str]) -> Iterator[Page | Other]:
    """Parse the records of one inflated member (or of a whole plain file) with fastwarc."""
    import fastwarc.warc

    number = 0
    try:
        for record in fastwarc.warc.ArchiveIterator(stream, parse_http=True, auto_decode="all"):
            kind = str(record.record_type)
            position = (begin << 24) + number
            number += 1
            if kind in ("response", "resource", "conversion"):
                yield _page(record, position, kind, damage)
            elif kind in ("unknown", "no_type"):
                if damage():
                    yield Page(position, "response", "", b"", flaw="damaged", found=f"{damage()} at byte {begin}")
                else:
                    yield Other("not a WARC record")
            else:
                yield Other(kind)
    except (OSError, ValueError, EOFError) as error:
        found = f"{damage() or error} at byte {begin}"
        yield Page((begin << 24) + number, "response", "", b"", flaw="damaged", found=found)


def _page(record: Any, position: int, kind: str, damage: Callable[[], str]) -> Page:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    expected = record.content_length
    try:
        data = record.reader.read()
    except (OSError, ValueError, EOFError) as error:
        return Page(position, kind, url, b"", flaw="damaged", found=str(damage() or error))
    mime = (record.http_content_type if record.is_http else record.headers.get("Content-Type")) or ""
    http = record.http_headers if record.is_http else None
    decoded = http is not None and (http.get("Content-Encoding") or http.get("Transfer-Encoding"))
    flaw, found = "", ""
    if damage():
        flaw, found = "truncated", damage()
    elif not decoded and len(data) < expected:
        flaw, found = "truncated", f"{len(data)} of {expected} bytes"
    return Page(
        position,
        kind,
        url,
        data,
        mime.split(";")[0].strip().lower(),
        (record.http_charset if record.is_http else None) or "",
        http.status_code if http is not None else None,
        flaw,
        found,
    )
