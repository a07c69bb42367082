"""Small WARC files for tests."""

import gzip
import zlib

import zstandard

PAGE = """<!DOCTYPE html><html><head><title>{title}</title><meta charset="utf-8"></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/a">All pages</a></li><li><a href="/b">Imprint</a></li></ul></nav>
<article><h1>{title}</h1>{body}</article>
<footer><p><a href="/c">Cookies</a> | <a href="/t">Terms</a></p></footer></body></html>"""

SENTENCES = (
    "The miller of {0} had three sons and a grey cat that nobody wanted to feed.",
    "One morning the youngest son walked to the market of {0} with the cat in a basket.",
    "He asked every farmer for work, and every farmer of {0} shook his head and went on.",
    "In the evening the cat said that she knew a castle behind the hills of {0}.",
)


def body(name: str) -> list[str]:
    """The paragraphs of a page."""
    return [" ".join(sentence.format(f"{name} {i}") for sentence in SENTENCES) for i in range(3)]


def page(name: str) -> str:
    """An HTML page with navigation, an article and a footer."""
    return PAGE.format(title=f"About {name}", body="".join(f"<p>{p}</p>" for p in body(name)))


def record(kind: str, url: str, payload: bytes, content_type: str = "application/http; msgtype=response") -> bytes:
    """One WARC record."""
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{zlib.crc32(url.encode()):012d}>\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload + b"\r\n\r\n"


def response(url: str, html: bytes | str, status: str = "200 OK", mime: str = "text/html", extra: str = "") -> bytes:
    """A response record with its HTTP head."""
    data = html.encode() if isinstance(html, str) else html
    head = f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n{extra}Content-Length: {len(data)}\r\n\r\n"
    return record("response", url, head.encode() + data)


def members(records: list[bytes]) -> list[bytes]:
    """Each record as a gzip member."""
    return [gzip.compress(r, mtime=0) for r in records]


def frames(records: list[bytes]) -> bytes:
    """Each record as a zstd frame."""
    return b"".join(zstandard.ZstdCompressor().compress(r) for r in records)


def pages(num: int) -> list[bytes]:
    """Response records of `num` pages, each with a request before it."""
    found = [record("warcinfo", "", b"software: test\r\n", "application/warc-fields")]
    for i in range(num):
        url = f"https://village.example/{i}"
        found.append(record("request", url, b"GET / HTTP/1.1\r\n\r\n", "application/http; msgtype=request"))
        found.append(response(url, page(f"village number {i}")))
    return found
