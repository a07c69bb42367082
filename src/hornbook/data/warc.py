"""Records out of WARC files: member by member, so that damage costs what is damaged and nothing else."""

import io
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}
READ_BYTES = 1 << 18
ZSTD_STEP_BYTES = 1 << 14
SMALL_MEMBER_BYTES = 1 << 23
BOMB_BYTES = 64 << 20
BOMB_RATIO = 200
PAGES = ("response", "resource", "conversion")


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


class _Member:
    """The inflated bytes of one compressed member, read as needed. What went wrong is in `damage`."""

    def __init__(self, window: _Window, compression: str) -> None:
        self.window = window
        self.begin = window.position
        self.damage = ""
        self.ended = False
        self.num_out = 0
        self._ready = b""
        self._step = ZSTD_STEP_BYTES if compression == "zstd" else READ_BYTES
        self._limited = compression == "gzip"
        self._inflater, self._broken = _inflater(compression)

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


def _inflater(compression: str) -> tuple[Any, Any]:
    if compression == "gzip":
        return zlib.decompressobj(31), zlib.error
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError


def read_warc(
    path: Path, compression: str, begin: int = 0, end: int | None = None, max_bytes: int = 1 << 26
) -> Iterator[Page | Other]:
    """The records whose members start in [begin, end); a page of more than `max_bytes` comes cut, as "too_large".

    Each gzip member (zstd frame) is inflated on its own; one that breaks off or is damaged gives a flawed Page and
    reading goes on at the next place that looks like the start of a member and inflates to a WARC header.
    A file without compression is read from its beginning to its end.
    """
    with path.open("rb") as file:
        if compression == "":
            yield from _records(file, 0, max_bytes, lambda: "")
            return
        window = _Window(file, begin)
        if not _seek_member(window, compression, exact=begin == 0):
            if begin == 0:
                yield Page(0, "response", "", b"", flaw="damaged", found="no WARC record in the whole file")
            return
        while window.buffer:
            if end is not None and window.position >= end and _begins_record(window.buffer[:4096], compression):
                return  # the next range begins with the first member after `end` that can be recognised
            start = window.position
            damaged = yield from _member_records(window, compression, max_bytes)
            if window.position == start:  # nothing could be inflated
                window.drop(1)
            gap = window.position
            more = _seek_member(window, compression, exact=True)
            if window.position > gap and not damaged:
                found = f"{window.position - gap} bytes that begin no record at byte {gap}"
                yield Page(gap << 24, "response", "", b"", flaw="damaged", found=found)
            if not more:
                return


def _member_records(window: _Window, compression: str, max_bytes: int) -> Generator[Page | Other, None, bool]:
    """The records of the member at the window, and a flawed page when it is damaged; returns whether it was."""
    member = _Member(window, compression)
    begin = member.begin
    head = member.head(SMALL_MEMBER_BYTES)
    stream = io.BytesIO(head) if member.ended else _Stream(head, member)
    num_records = 0
    for record in _records(stream, begin, max_bytes, lambda: member.damage):
        num_records += 1
        yield record
    member.finish()
    if member.damage and num_records == 0:
        yield Page(begin << 24, "response", "", b"", flaw="damaged", found=f"{member.damage} at byte {begin}")
    if member.damage:
        window.drop(min(1, len(window.buffer)))
    return bool(member.damage)


class _Stream:
    """Bytes that were already read, then the rest of a member, as the file object that fastwarc expects.

    It must be able to seek forward: fastwarc passes over the rest of a record that way, and panics otherwise.
    """

    def __init__(self, head: bytes, member: _Member) -> None:
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


def _records(stream: Any, begin: int, max_bytes: int, damage: Callable[[], str]) -> Iterator[Page | Other]:
    """Parse the records of one inflated member (or of a whole plain file) with fastwarc."""
    import fastwarc.warc

    iterator = fastwarc.warc.ArchiveIterator(stream, parse_http=True, auto_decode="all")
    number = 0
    while True:
        position = (begin << 24) + number
        number += 1
        try:
            record = next(iterator)
            kind = str(record.record_type)
            is_page = kind in PAGES and not (kind == "resource" and _is_crawlers_own(record))
            found = _page(record, position, kind, max_bytes, damage) if is_page else Other(kind)
        except StopIteration:
            return
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - panics of native code are no Exceptions
            about = f"{damage() or str(error)[:200]} at byte {begin}"
            yield Page(position, "response", "", b"", flaw="damaged", found=about)
            return
        if isinstance(found, Other) and found.kind in ("unknown", "no_type") and damage():
            yield Page(position, "response", "", b"", flaw="damaged", found=f"{damage()} at byte {begin}")
        else:
            yield found


def _is_crawlers_own(record: Any) -> bool:
    """Crawlers store their logs and settings as resources with addresses such as metadata://gnu.org/..."""
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    return not url.lower().startswith(("http:", "https:", "ftp:", "file:"))


def _page(record: Any, position: int, kind: str, max_bytes: int, damage: Callable[[], str]) -> Page:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    expected = record.content_length
    data = record.reader.read(max_bytes + 1)
    mime = (record.http_content_type if record.is_http else record.headers.get("Content-Type")) or ""
    http = record.http_headers if record.is_http else None
    decoded = http is not None and (http.get("Content-Encoding") or http.get("Transfer-Encoding"))
    flaw, found = "", ""
    if len(data) > max_bytes:
        data, flaw, found = data[:2000], "too_large", str(max(expected, len(data)))
    elif damage():
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
