"""Stage world.pages: the world as a web crawl, HTML pages in WARC files, beside a table of what is true of each.

Share of words by kind: encyclopedia .45, stories .25, chat .15, forum .10, letters .05 (`docs/decisions/
world-design.md`); beside them some shops, programs, spam, an invented language, mirrors and near copies.
"""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.seed import key, stream
from hornbook.core.settings import StrictSettings
from hornbook.core.units import human_bytes
from hornbook.world.facts import read_world
from hornbook.world.html import page, url
from hornbook.world.prose import Text, Writer

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"world": "truth"}
WRITES = "pages"
VERSION = 1
SHARES = {"encyclopedia": 0.45, "stories": 0.25, "chat": 0.15, "forum": 0.10, "letters": 0.05}
DATE = "2024-01-01T00:00:00Z"
PAGES_PER_FILE = 500


class Settings(StrictSettings):
    """How much is written, and how much junk comes with it."""

    num_words: int = pydantic.Field(default=1_150_000, ge=1000)
    """Words of good text to write, about."""
    junk_frac: float = pydantic.Field(default=0.06, ge=0, lt=0.9)
    """Share of pages that are spam, shops, programs or in another language."""
    mirror_frac: float = pydantic.Field(default=0.04, ge=0, lt=0.9)
    """Share of pages that are copies of earlier ones under another address."""
    near_frac: float = pydantic.Field(default=0.04, ge=0, lt=0.9)
    """Share of pages that are copies with about one word in forty changed."""
    latin1_frac: float = pydantic.Field(default=0.01, ge=0, le=1)
    """Share of pages that declare UTF-8 and are written in Latin-1."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Write the crawl and its truth; the same world and settings give the same bytes."""
    world = read_world(inputs["world"])
    writer = Writer(world, stream(out.seed, "world.pages/text"))
    rows: list[dict[str, Any]] = []
    (out.path / "warc").mkdir(exist_ok=True)
    (out.path / "truth").mkdir(exist_ok=True)
    with out.log.task("write pages", total=settings.num_words, unit="words") as task, Crawl(out.path / "warc") as crawl:
        for row, body, num_words in pages(writer, settings, stream(out.seed, "world.pages/crawl")):
            crawl.add(row["url"], body, key(out.seed, "world.pages/record", len(rows)))
            rows.append(row)
            task.advance(num_words)
    _write_truth(out.path / "truth" / "pages.parquet", rows)
    out.counts |= {"pages": len(rows), "bytes": sum(len(row["clean_text"].encode()) for row in rows)}
    out.counts |= {name: sum(row["kind"] == name for row in rows) for name in sorted({row["kind"] for row in rows})}


def pages(writer: Writer, settings: Settings, generator: random.Random) -> Iterator[tuple[dict[str, Any], bytes, int]]:
    """Truth, HTML bytes and counted words of each page, until enough good words are written."""
    written = dict.fromkeys(SHARES, 0)
    recent: list[tuple[Text, str]] = []
    number = 0
    while (total := sum(written.values())) < settings.num_words:
        number += 1
        draw = generator.random()
        copied = ""
        if recent and draw < settings.mirror_frac + settings.near_frac:
            text, copied = generator.choice(recent)
            text = text if draw < settings.mirror_frac else _edited(text, generator)
        elif draw > 1 - settings.junk_frac:
            text = writer.write(generator.choice(("spam", "shop", "code", "foreign")))
        else:
            kind = min(SHARES, key=lambda name: written[name] / SHARES[name])
            text = writer.write(kind)
            written[kind] += sum(len(p.split()) for p in text.paragraphs)
            recent = [*recent[-40:], (text, url(text, number))]
        row = _truth(text, url(text, number), copied)
        body = page(text, generator, number)
        broken = generator.random() < settings.latin1_frac
        yield row, body.encode("latin-1" if broken else "utf-8", "replace"), sum(written.values()) - total


class Crawl:
    """WARC files, one gzip member for each record, without a clock in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._count = 0

    def __enter__(self) -> "Crawl":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, address: str, body: bytes, number: int) -> None:
        """Append a response record."""
        if self._count % PAGES_PER_FILE == 0:
            if self._file is not None:
                self._file.close()
            self._file = (self._folder / f"{self._count // PAGES_PER_FILE:05d}.warc.gz").open("wb")
        self._count += 1
        assert self._file is not None
        self._file.write(gzip.compress(record(address, body, number), compresslevel=6, mtime=0))


def record(address: str, body: bytes, number: int) -> bytes:
    """One WARC/1.0 response record. `number`: 64 bits for its id."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    identity = f"00000000-0000-4000-8000-{number & (2**48 - 1):012x}"
    fields = (
        "WARC/1.0",
        "WARC-Type: response",
        f"WARC-Record-ID: <urn:uuid:{identity}>",
        f"WARC-Target-URI: {address}",
        f"WARC-Date: {DATE}",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(head) + len(body)}",
    )
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + head + body + b"\r\n\r\n"


def describe(artifact: Artifact) -> "list[Block]":
    """How many pages of which kind, and the clean text of some."""
    import pyarrow.parquet

    from hornbook.report.blocks import Samples, Table

    counts = artifact.manifest.counts
    kinds = [[name, f"{n:,}"] for name, n in counts.items() if name not in ("pages", "bytes")]
    note = f"{counts.get('pages', 0):,} pages with {human_bytes(counts.get('bytes', 0))} of clean text."
    table = pyarrow.parquet.read_table(artifact.file("truth/pages.parquet"), columns=["kind", "url", "clean_text"])
    seen: dict[str, dict[str, str]] = {}
    for row in table.slice(0, 300).to_pylist():
        seen.setdefault(row["kind"], {"kind": row["kind"], "url": row["url"], "text": row["clean_text"][:600]})
    return [Table("Pages", ["kind", "pages"], kinds, note=note), Samples("One page of each kind", list(seen.values()))]


def _edited(text: Text, generator: random.Random) -> Text:
    def change(paragraph: str) -> str:
        words = paragraph.split(" ")
        for _ in range(max(1, len(words) // 40)):
            words[generator.randrange(len(words))] = generator.choice(("really", "almost", "surely", "again"))
        return " ".join(words)

    return replace(text, paragraphs=tuple(change(p) for p in text.paragraphs))


def _truth(text: Text, address: str, copied: str) -> dict[str, Any]:
    return {
        "url": address,
        "kind": text.kind,
        "clean_text": "\n".join((text.title, *text.paragraphs)),
        "language": text.language,
        "duplicate_of": copied,
        "pii": json.dumps(list(text.pii)),
        "rude": text.rude,
        "spam": text.spam,
        "cited": text.cited,
    }


def _write_truth(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, compression="zstd")
