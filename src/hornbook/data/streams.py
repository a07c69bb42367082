"""Bytes out of plain, gzip and zstd files, with what is damaged reported instead of passed over in silence."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

CHUNK_BYTES = 1 << 18
ZSTD_CHUNK_BYTES = 1 << 14
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(slots=True)
class Damage:
    """What was wrong with a stream: empty when nothing was."""

    found: str = ""


def compression_of(path: Path) -> str:
    """`gzip`, `zstd` or "" by the name's last suffix."""
    return COMPRESSIONS.get(path.suffix.lower(), "")


def chunks(path: Path, compression: str, damage: Damage, begin: int = 0) -> Iterator[bytes]:
    """The file's bytes, inflated. After a damaged place nothing more comes, and `damage` says what was found.

    `begin`: where to start (plain files only). A gzip file is a chain of members and each must end properly: Python's
    gzip module raises in the middle of a record, most readers stop without a word.
    """
    with path.open("rb") as file:
        if compression == "":
            file.seek(begin)
            while block := file.read(CHUNK_BYTES):
                yield block
        elif compression == "gzip":
            yield from _inflated(file, lambda: zlib.decompressobj(31), zlib.error, CHUNK_BYTES, damage)
        else:
            import zstandard

            new = zstandard.ZstdDecompressor().decompressobj
            yield from _inflated(file, new, zstandard.ZstdError, ZSTD_CHUNK_BYTES, damage)


def _inflated(
    file: BinaryIO, new: Callable[[], Any], broken: type[Exception], step: int, damage: Damage
) -> Iterator[bytes]:
    """Inflate members one after the other; a member that breaks or does not end is damage."""
    pending, member, started = b"", new(), False
    while True:
        block = pending or file.read(step)
        if not block:
            if started:
                damage.found = f"the compressed data ends early, at byte {file.tell()}"
            return
        try:
            data = member.decompress(block)
        except broken as error:
            if started or file.tell() - len(block) == 0:
                damage.found = f"damaged compressed data before byte {file.tell()} ({error})"
            return  # padding after the last member is no damage
        started = True
        if data:
            yield data
        pending = b""
        if member.eof:
            pending, member, started = member.unused_data, new(), False


def decode(data: bytes) -> tuple[str, str]:
    """Text from bytes, and which repair it needed: "" (none), "transcoded" or "replaced".

    UTF-8 when it is valid. Otherwise: bytes that are UTF-8 but for a few places (at most one in 100 characters, beside
    well-formed multi-byte characters) keep what is good, the rest becomes U+FFFD; anything else is decoded in the
    encoding that resiliparse detects (the web's reading: latin-1 means windows-1252).
    """
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8-sig", "replace")
    num_bad = text.count("\ufffd")
    num_wide = len(text) - len(text.encode("ascii", "ignore")) - num_bad
    if num_bad * 100 <= len(text) and num_wide >= num_bad:
        return text, "replaced"
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    encoding = detect_encoding(data) or "cp1252"
    decoded = bytes_to_str(data, encoding, errors="replace")
    return decoded, "replaced" if "\ufffd" in decoded else "transcoded"


def bom_encoding(head: bytes) -> str:
    """The encoding that a byte order mark announces (UTF-16), else ""."""
    return next((name for bom, name in BOMS if head.startswith(bom)), "")


def as_utf8(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The same text in UTF-8, block by block."""
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8")
    yield decoder.decode(b"", True).encode("utf-8")
