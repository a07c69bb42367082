"""Records out of WARC files: member by member, so that damage costs what is damaged and nothing else."""

import io
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from hornbook.data.web.http_body import undo
from hornbook.data.web.members import (
    HEAD_BYTES,
    READ_BYTES,
    SMALL_MEMBER_BYTES,
    Member,
    MemberStream,
    Window,
    begins_record,
    seek_member,
)

HEADER = re.compile(rb"WARC/[01]\.[0-9]+\r?\n(?=(?:WARC-|Content-)[A-Za-z-]+:)")
LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE)
PAGES = ("response", "resource", "conversion")


@dataclass(frozen=True, slots=True)
class Page:
    """One record that holds a page (or what is left of one).

    `position`: where it is in the file; `kind`: "response", "resource", "conversion" (text of a WET file) or
    "metadata" (links and headers, of a WAT file); `flaw`: "" or why it cannot be used, with `found` saying more;
    `charset`: as the server declared it; `language`: as the crawl identified it (WET files; ISO 639-3, "eng,spa").
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
    language: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """A record that is no page: a request, metadata, a revisit."""

    kind: str


def read_warc(
    path: Path,
    compression: str,
    begin: int = 0,
    end: int | None = None,
    max_bytes: int = 1 << 26,
    kinds: tuple[str, ...] = PAGES,
) -> Iterator[Page | Other]:
    """The records whose members start in [begin, end); a page of more than `max_bytes` comes cut, as "too_large".

    `kinds`: of records that count as pages.

    Each gzip member (zstd frame) is inflated on its own; one that breaks off or is damaged gives a flawed Page and
    reading goes on at the next place that looks like the start of a member and inflates to a WARC header.
    A file without compression is read from its beginning to its end.
    """
    with path.open("rb") as file:
        if compression == "":
            yield from _plain_records(file, _Wanted(max_bytes, kinds))
            return
        window = Window(file, begin)
        if not seek_member(window, compression, exact=begin == 0, end=end if begin else None):
            if begin == 0:
                yield Page(0, "response", "", b"", flaw="damaged", found="no WARC record in the whole file")
            return
        while window.buffer:
            if end is not None and window.position >= end and begins_record(window.buffer[:HEAD_BYTES], compression):
                return  # the next range begins with the first member after `end` that can be recognised
            start = window.position
            damaged = yield from _member_records(window, compression, _Wanted(max_bytes, kinds))
            if window.position == start:  # nothing could be inflated
                window.drop(1)
            gap = window.position
            more = seek_member(window, compression, exact=True)
            if window.position > gap and not damaged:
                found = f"{window.position - gap} bytes that begin no record at byte {gap}"
                yield Page(gap << 24, "response", "", b"", flaw="damaged", found=found)
            if not more:
                return


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which records are pages, and how much of one is read."""

    max_bytes: int
    kinds: tuple[str, ...]


def _member_records(window: Window, compression: str, wanted: _Wanted) -> Generator[Page | Other, None, bool]:
    """The records of the member at the window, and a flawed page when it is damaged; returns whether it was."""
    member = Member(window, compression)
    begin = member.begin
    head = member.head(SMALL_MEMBER_BYTES)
    stream = io.BytesIO(head) if member.ended else MemberStream(head, member)
    num_records = 0
    for record in _records(stream, begin, wanted, lambda: member.damage):
        num_records += 1
        yield record
    member.finish()
    if member.damage and num_records == 0:
        yield Page(begin << 24, "response", "", b"", flaw="damaged", found=f"{member.damage} at byte {begin}")
    if member.damage:
        window.drop(min(1, len(window.buffer)))
    return bool(member.damage)


def _records(
    stream: Any, begin: int, wanted: _Wanted, damage: Callable[[], str]
) -> Generator[Page | Other, None, int | None]:
    """Parse the records of one inflated member (or of a whole plain file) with fastwarc.

    A page is held back until what follows it proves that its length was right. Returns where in the stream the
    record began that something was wrong with, None when all was well.
    """
    import fastwarc.warc

    iterator = fastwarc.warc.ArchiveIterator(stream, parse_http=True, auto_decode="none")
    number, at = 0, 0
    held: Page | None = None
    while True:
        position = (begin << 24) + number
        number += 1
        try:
            record = next(iterator)
            if held is not None:
                yield held
                held = None
            at = record.stream_pos
            found = _found(record, position, wanted, damage)
        except StopIteration:
            break
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - panics of native code are no Exceptions
            why = f"{damage() or str(error)[:200]} at byte {begin + at}"
            if held is not None and held.flaw:
                yield held  # what is wrong was said already
            elif held is not None and not _ends_right(stream, at):
                yield replace(held, flaw="damaged", found=f"its length is wrong, or what follows is damaged: {why}")
            else:
                if held is not None:
                    yield held
                yield Page(position, "response", "", b"", flaw="damaged", found=why)
            return at
        if isinstance(found, Page):
            held = found
        else:
            yield found
    if held is not None:
        yield replace(held, flaw="truncated", found=damage()) if damage() and not held.flaw else held
        return at if held.flaw == "truncated" else None
    return None


def _ends_right(stream: Any, at: int) -> bool:
    """Whether the record that begins at `at` is followed by two line ends, as it must be (where one can look)."""
    if isinstance(stream, MemberStream):
        return False
    stream.seek(at)
    head = stream.read(1 << 16)
    end = head.find(b"\r\n\r\n")
    length = LENGTH.search(head, 0, end + 2)
    if length is None:
        return False
    stream.seek(at + end + 4 + int(length[1]))
    return stream.read(4) == b"\r\n\r\n"


def _found(record: Any, position: int, wanted: _Wanted, damage: Callable[[], str]) -> Page | Other:
    """What a record is: a page, a flawed one when it lacks what every record must have, or something else."""
    kind = str(record.record_type)
    headers = record.headers
    names = [name.lower() for name, _ in headers.items()]
    length = (headers.get("Content-Length") or "").strip()
    has_length = names.count("content-length") == 1 and length.isdigit()
    if kind in ("unknown", "no_type") and (damage() or not headers.get("WARC-Type") or not has_length):
        found = damage() or "the record lacks WARC-Type or Content-Length, or its lines end wrongly"
        return Page(position, "response", "", b"", flaw="damaged", found=found)
    if kind not in wanted.kinds or (kind == "resource" and _is_crawlers_own(record)):
        return Other(kind)
    if not has_length or names.count("warc-type") != 1:
        found = f'no usable Content-Length ("{length}"), or the headers of two records in one'
        return Page(position, kind, _url(record), b"", flaw="damaged", found=found)
    return _page(record, position, kind, wanted.max_bytes, damage)


def _url(record: Any) -> str:
    return (record.headers.get("WARC-Target-URI") or "").strip("<> ")


def _is_crawlers_own(record: Any) -> bool:
    """Crawlers store their logs and settings as resources with addresses such as metadata://gnu.org/..."""
    return not _url(record).lower().startswith(("http:", "https:", "ftp:", "file:"))


def _page(record: Any, position: int, kind: str, max_bytes: int, damage: Callable[[], str]) -> Page:
    expected = record.content_length
    data = record.reader.read(max_bytes + 1)
    mime = (record.http_content_type if record.is_http else record.headers.get("Content-Type")) or ""
    http = record.http_headers if record.is_http else None
    flaw, found = "", ""
    if len(data) > max_bytes:
        data, flaw, found = data[:2000], "too_large", str(max(expected, len(data)))
    elif damage():
        flaw, found = "truncated", damage()
    elif len(data) < expected:
        flaw, found = "truncated", f"{len(data)} of {expected} bytes"
    elif http is not None:
        encodings = (http.get("Transfer-Encoding") or "", http.get("Content-Encoding") or "")
        data, flaw, found = undo(data, *encodings, max_bytes) if any(encodings) else (data, "", "")
    return Page(
        position,
        kind,
        _url(record),
        data,
        mime.split(";")[0].strip().lower(),
        (record.http_charset if record.is_http else None) or "",
        http.status_code if http is not None else None,
        flaw,
        found,
        record.headers.get("WARC-Identified-Content-Language") or "",
    )


def _plain_records(file: BinaryIO, wanted: _Wanted) -> Iterator[Page | Other]:
    """The records of a file without compression; after a broken one, on from the next line that begins a record."""
    begin: int | None = 0
    while begin is not None:
        file.seek(begin)
        failed_at = yield from _records(_FromHere(file, begin), begin, wanted, lambda: "")
        begin = None if failed_at is None else _next_header(file, begin + failed_at + 1)


def _next_header(file: BinaryIO, begin: int) -> int | None:
    """Where the next record begins, at `begin` or later."""
    file.seek(begin)
    rest, position = b"", begin
    while block := file.read(READ_BYTES):
        rest += block
        if (found := HEADER.search(rest)) is not None:
            return position + found.start()
        position += max(0, len(rest) - 40)
        rest = rest[-40:]
    return None


class _FromHere:
    """The rest of a file, as a stream that begins at 0."""

    def __init__(self, file: BinaryIO, begin: int) -> None:
        self._file, self._begin = file, begin

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def tell(self) -> int:
        return self._file.tell() - self._begin

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset + (0 if whence else self._begin), whence) - self._begin

    def close(self) -> None:
        return None
