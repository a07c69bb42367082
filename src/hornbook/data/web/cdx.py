"""The index of a crawl: which records hold a domain's pages, found in a sorted file of hundreds of GB by a few reads.

`cluster.idx` names the first key of every block of about 3,000 lines; a block is one gzip member of a `cdx-NNNNN.gz`
file. Keys are addresses turned round (SURT), so a domain and its subdomains stand together.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from hornbook.core.errors import SettingsError
from hornbook.data.web.http_get import UNESCAPED

PROBE_BYTES = 8192
STEP_BYTES = 1 << 16

Read = Callable[[int, int], bytes]
"""`read(begin, length)` of the index file."""


@dataclass(frozen=True, slots=True)
class Block:
    """One compressed block of index lines."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Capture:
    """One record of the crawl. `digest`: SHA-1 of the body in base 32; `languages`: ISO 639-3, most frequent first."""

    key: str
    timestamp: str
    url: str
    file: str
    offset: int
    length: int
    status: int
    mime: str
    languages: tuple[str, ...]
    digest: str


def key_range(domain: str) -> tuple[str, str]:
    """The keys from which and before which a domain (with its subdomains), or an address's beginning, stands.

    >>> key_range("www.Example.org"), key_range("example.org/Blog/")
    (('org,example)', 'org,example-'), ('org,example)/blog/', 'org,example)/blog0'))
    """
    parts = urlsplit(domain if "//" in domain else f"//{domain}")
    host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    try:
        host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        host = ""
    if not host or any(not (sign.isalnum() or sign in "-._") for sign in host):
        raise SettingsError(f'"{domain}" is no domain', where="data.common_crawl, domains", do='Give "example.org"')
    turned = ",".join(reversed(host.split(".")))
    if parts.path in ("", "/") and not parts.query:
        return f"{turned})", f"{turned}-"  # ")" and "," come before "-"
    place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    begin = f"{turned}){quote(place, safe=UNESCAPED).lower()}"  # as a crawler asks for it
    return begin, begin[:-1] + chr(ord(begin[-1]) + 1)


def find_blocks(read: Read, size_bytes: int, begin: str, end: str) -> Iterator[Block]:
    """The blocks that may hold keys in [begin, end), in order. `read` and `size_bytes`: of cluster.idx.

    A binary search needs about 12 small reads of a real index, then one pass over the lines from there.
    """
    low = _last_line_before(read, size_bytes, begin.encode())
    held: Block | None = None
    for line in _lines(read, size_bytes, low):
        key, file, offset, length = line.split(b"\t")[:4]
        key = key.split(b" ")[0]
        if held is not None and key >= begin.encode():
            yield held
        if key >= end.encode():
            return
        held = Block(file.decode(), int(offset), int(length))
    if held is not None:
        yield held


def _last_line_before(read: Read, size_bytes: int, begin: bytes) -> int:
    """A place at or before the last line whose key is smaller than `begin`: the start of a line."""
    low, high = 0, size_bytes
    while high - low > STEP_BYTES:
        middle = (low + high) // 2
        data = read(middle, PROBE_BYTES)
        start = data.find(b"\n") + 1
        key, tab, _ = data[start:].partition(b"\t")
        if start and tab and middle + start < high and key.split(b" ")[0] < begin:
            low = middle + start
        else:
            high = middle
    return low


def _lines(read: Read, size_bytes: int, begin: int) -> Iterator[bytes]:
    rest = b""
    while begin < size_bytes:
        data = read(begin, STEP_BYTES)
        if not data:
            return
        begin += len(data)
        *lines, rest = (rest + data).split(b"\n")
        yield from (line for line in lines if line.count(b"\t") >= 3)
    if rest.count(b"\t") >= 3:
        yield rest


def read_block(data: bytes, begin: str, end: str) -> Iterator[Capture | str]:
    """The captures of a block with keys in [begin, end); a line that cannot be read comes as it is."""
    try:
        text = gzip.decompress(data).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        yield f"damaged block: {error}"
        return
    for line in text.split("\n"):
        key = line.split(" ", 1)[0]
        if begin <= key < end:
            capture = _capture(line)
            yield line if capture is None else capture


def _capture(line: str) -> Capture | None:
    try:
        key, timestamp, rest = line.split(" ", 2)
        record = json.loads(rest)
        status = str(record.get("status", ""))
        offset, length = int(record["offset"]), int(record["length"])
        if offset < 0 or length < 1:
            return None
        return Capture(
            key,
            timestamp,
            str(record["url"]),
            str(record["filename"]),
            offset,
            length,
            int(status) if status.isdecimal() else 0,
            str(record.get("mime-detected") or record.get("mime", "")),
            tuple(filter(None, str(record.get("languages") or "").split(","))),
            str(record.get("digest", "")).removeprefix("sha1:"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
