"""The body of an HTTP answer as a crawler stored it: chunks joined, compression undone, damage said aloud."""

import io
import re
import zlib
from collections.abc import Callable
from typing import Any

from hornbook.data.files.inflate import MAGIC, inflater_of

CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
GZIP = ("gzip", "x-gzip")
AS_IS = ("", "identity", "none")
FIRST_BYTES = 1 << 12
STEP_BYTES = 1 << 16


def undo(data: bytes, transfer: str, content: str, max_bytes: int) -> tuple[bytes, str, str]:
    """The body behind `Transfer-Encoding` and `Content-Encoding`; then "" or a flaw and what was found.

    Archives often keep these headers on bodies that were decoded before they were stored (Common Crawl does it under
    other names, older and smaller crawlers do not): a body that is plainly not what its header says stays as it is.
    Flaws: "truncated" (its end is missing), "damaged", "too_large" (more than `max_bytes` when inflated).
    """
    flaw = found = ""
    if "chunked" in transfer.lower():
        data, flaw, found = _joined(data)
    names = content.lower().split(",") + [n for n in transfer.lower().split(",") if n.strip() != "chunked"]
    for name in reversed([name.strip() for name in names]):
        if flaw and flaw != "truncated":
            break
        if name in AS_IS or not data:
            continue
        data, flaw2, found2 = _inflated(data, name, max_bytes)
        flaw, found = (flaw2, found2) if flaw2 == "too_large" or not flaw else (flaw, found)
    return data, flaw, found


def _joined(data: bytes) -> tuple[bytes, str, str]:
    """Chunks put together (RFC 9112, section 7.1). A body that does not begin with a chunk is taken as it is."""
    if CHUNK_HEAD.match(data) is None:
        return data, "", ""
    parts: list[bytes] = []
    position = 0
    while (head := CHUNK_HEAD.match(data, position)) is not None:
        size = int(head[1], 16)
        begin, end = head.end(), head.end() + size
        if size == 0:
            return b"".join(parts), "", ""
        parts.append(data[begin:end])
        position = end + (2 if data[end : end + 2] == b"\r\n" else 1 if data[end : end + 1] == b"\n" else 0)
        if end >= len(data):
            break
    body = b"".join(parts)
    if position >= len(data) or b"\n" not in data[position : position + 100]:
        return body, "truncated", f"the chunked body ends after {len(body)} bytes without its last chunk"
    return body, "damaged", f"a bad chunk after {len(body)} bytes of the body"


def _inflated(data: bytes, name: str, max_bytes: int) -> tuple[bytes, str, str]:
    """One compression undone."""
    found = None
    if name in GZIP or name == "zstd":
        kind = "zstd" if name == "zstd" else "gzip"
        if data.startswith(MAGIC[kind]):
            found = _by_members(data, lambda: inflater_of(kind), MAGIC[kind], max_bytes)
    elif name == "deflate":  # many servers send the raw stream
        found = _by_members(data, lambda: (zlib.decompressobj(15), zlib.error), None, max_bytes)
        found = found or _by_members(data, lambda: (zlib.decompressobj(-15), zlib.error), None, max_bytes)
    elif name == "br":
        found = _by_brotli(data, max_bytes)
    if found is not None:
        return found
    if CONTROLS.search(data[:1000]) is None:
        return data, "", ""  # text under a false label
    return data, "damaged", f'the body is not the "{name}" that its header says'


def _by_members(
    data: bytes, new: Callable[[], tuple[Any, type[Exception]]], magic: bytes | None, max_bytes: int
) -> tuple[bytes, str, str] | None:
    """What a decompressor makes of the data, and of all that follows and begins with `magic`; None for nothing."""
    parts: list[bytes] = []
    size = at = 0
    while True:
        member, broken = new()
        part, complaint, at = _fed(member, data, at, max_bytes - size, broken)
        parts.append(part)
        size += len(part)
        if complaint or size > max_bytes or not member.eof or magic is None or not data.startswith(magic, at):
            break
    body = b"".join(parts)
    if size > max_bytes:
        return body[:2000], "too_large", f"more than {max_bytes}"
    if complaint:
        return (body, "damaged", f"damaged compressed body after {size} bytes ({complaint})") if body else None
    if not member.eof:
        return body, "truncated", f"the compressed body ends early, after {size} bytes"
    return body, "", ""


def _by_brotli(data: bytes, max_bytes: int) -> tuple[bytes, str, str] | None:
    """What a reader gives, in steps, so that a small body cannot fill the memory."""
    from fastwarc.stream_io import BrotliReader

    if CONTROLS.search(data[:1000]) is None and data.lstrip()[:1] in (b"<", b"{"):
        return None
    reader = BrotliReader(io.BytesIO(data))
    parts: list[bytes] = []
    size = 0
    try:
        while size <= max_bytes and (part := reader.read(1 << 18)):
            parts.append(part)
            size += len(part)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - panics of native code are no Exceptions
        return b"".join(parts), "damaged", f"damaged br body after {size} bytes ({str(error)[:100]})"
    if size > max_bytes:
        return b"".join(parts)[:2000], "too_large", f"more than {max_bytes}"
    return b"".join(parts), "", ""


def _fed(member: Any, data: bytes, at: int, max_bytes: int, broken: type[Exception]) -> tuple[bytes, str, int]:
    """What a decompressor makes of the data from `at` on (it stops when that is more than allowed), its complaint, and
    where it ended. It is fed in growing steps, because there may be many small members."""
    parts: list[bytes] = []
    size, step = 0, FIRST_BYTES
    while at < len(data) and not member.eof and size <= max_bytes:
        block = data[at : at + step]
        try:
            parts.append(member.decompress(block, max_bytes + 1 - size))
        except broken as error:
            return b"".join(parts), str(error), at
        size += len(parts[-1])
        at += len(block) - len(member.unused_data if member.eof else member.unconsumed_tail)
        step = min(2 * step, STEP_BYTES)
    return b"".join(parts), "", at
