"""Bytes out of plain, gzip and zstd files, with what is damaged reported instead of passed over in silence."""

import codecs
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from hornbook.data.files.encodings import HEAD_BYTES, announced

CHUNK_BYTES = 1 << 18
ZSTD_CHUNK_BYTES = 1 << 14
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}


@dataclass(slots=True)
class Damage:
    """What was wrong with a stream: empty when nothing was. `transcoded`: it was not UTF-8 and is given as such."""

    found: str = ""
    transcoded: bool = False


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


def as_utf8(blocks: Iterator[bytes], damage: Damage) -> Iterator[bytes]:
    """The same blocks, in UTF-8 when the first one shows that they are UTF-16 or UTF-32."""
    first = next(blocks, b"")
    codec = announced(first[:HEAD_BYTES])
    damage.transcoded = bool(codec)
    blocks = chain([first], blocks)
    return _transcoded(blocks, codec) if codec else blocks


def _transcoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8")
    yield decoder.decode(b"", True).encode("utf-8")
