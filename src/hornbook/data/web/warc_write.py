"""WARC records of what was fetched: one gzip member each, as every reader of crawls expects."""

import base64
import gzip
import hashlib
import uuid
from collections.abc import Iterable

RENAMED = ("content-encoding", "transfer-encoding", "content-length")


def member(kind: str, date: str, content_type: str, content: bytes, **fields: str) -> bytes:
    """One record as a gzip member. `date`: UTC, such as 2026-01-31T09:30:00Z; `fields`: further WARC headers, with _
    for -, in lower case.

    Source: ISO 28500:2017 (WARC 1.1), section 5, and annex D on compression by record.
    """
    named = {f"WARC-{name.replace('_', '-').title().replace('Uri', 'URI')}": value for name, value in fields.items()}
    identity = uuid.UUID(bytes=hashlib.blake2b(repr((kind, date, named)).encode() + content, digest_size=16).digest())
    head = {"WARC-Type": kind, "WARC-Record-ID": f"<urn:uuid:{identity}>", "WARC-Date": date, **named}
    head |= {"Content-Type": content_type, "Content-Length": str(len(content))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return gzip.compress(b"WARC/1.1\r\n" + lines.encode() + b"\r\n" + content + b"\r\n\r\n", 6, mtime=0)


def response(
    url: str, date: str, status: int, reason: str, headers: Iterable[tuple[str, str]], body: bytes, **fields: str
) -> bytes:
    """A response record. `body` is decoded, so headers that speak of its encoding or length get `X-Crawler-` before
    them, as in Common Crawl's files, and the length is stated anew.
    """
    kept = [(f"X-Crawler-{n}" if n.lower() in RENAMED else n, value) for n, value in headers]
    lines = "".join(f"{name}: {value}\r\n" for name, value in [*kept, ("Content-Length", str(len(body)))])
    content = f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode("latin-1", "replace") + body
    digest = f"sha1:{base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()}"
    kind = "application/http; msgtype=response"
    return member("response", date, kind, content, target_uri=url, payload_digest=digest, **fields)
