"""Bytes out of plain, gzip and zstd files, with what is damaged reported instead of passed over in silence."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from hornbook.data.files.encodings import HEAD_BYTES, announced
from hornbook.data.files.inflate import inflater_of

CHUNK_BYTES = 1 << 18
OUTPUT_BYTES = 1 << 20
MAX_WINDOW_BYTES = 1 << 31
"""What zstd --long=31 needs, in which large archives are packed."""
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
        if compression:
            yield from _inflated(file, compression, damage)
            return
        file.seek(begin)
        while block := file.read(CHUNK_BYTES):
            yield block


def _inflated(file: BinaryIO, compression: str, damage: Damage) -> Iterator[bytes]:
    """Inflate members one after the other. One that breaks or does not end is damage; zeros behind one are padding."""
    block, num_members = b"", 0
    while True:
        block = block or file.read(CHUNK_BYTES)
        if num_members:
            while block and not (block := block.lstrip(b"\0")):
                block = file.read(CHUNK_BYTES)
        if not block:
            return
        member, broken = inflater_of(compression, MAX_WINDOW_BYTES)
        while not member.eof:
            if not block:
                damage.found = f"the compressed data ends early, at byte {file.tell()}"
                return
            try:
                data = member.decompress(block, OUTPUT_BYTES)
            except broken as error:
                damage.found = f"damaged compressed data before byte {file.tell()} ({error})"
                return
            if data:
                yield data
            block = member.unused_data if member.eof else member.unconsumed_tail or file.read(CHUNK_BYTES)
        num_members += 1


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
