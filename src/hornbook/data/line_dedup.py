"""Stage data.line_dedup: cut menus, headers and footers that the pages of a site share, and lines seen elsewhere."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document, from_table
from hornbook.core.settings import StrictSettings
from hornbook.data import funnel
from hornbook.data.copies.furniture import (
    FORMULAS,
    edge_keys,
    edges,
    hash_key,
    is_part,
    is_prose,
    line_key,
    protected_keys,
    zones,
)
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import passes
from hornbook.data.web.addresses import host_of
from hornbook.shards.meeting import answers, meet, num_partitions, send
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents"}
WRITES = "documents"
VERSION = 2

RULES = {
    "line_dedup.furniture": "lines at the head or tail of a page that many pages of its site have (edit: lines). "
    "Source: in the spirit of CCNet (Wenzek et al. 2020), counted by site and place instead of everywhere",
    "line_dedup.everywhere": "lines that other documents have too (edit: lines). Source: CCNet (Wenzek et al. 2020), "
    "Dolma (Soldaini et al. 2024), exact counts instead of a Bloom filter",
    "line_dedup.empty": "nothing was left of the document (value: lines that were cut)",
}
PARTITION_BYTES = 200_000_000
NUM_SHOWN = 40
LONG_WORD_CHARS = 20
"""A line with more characters for each of the words it may have is too long to be looked at."""


class Settings(StrictSettings):
    """What makes a line a site's furniture. Run it after `data.dedup`: copies of a page share all of its lines.

    Lines are compared by their letters in lower case, with numbers (and dates beside numbers) taken as equal.
    """

    furniture: bool = True
    """Cut menus, headers and footers: lines of many pages of the same host (without an address: of the same source)."""
    min_pages: int = pydantic.Field(default=5, ge=2)
    """Pages of the site that must have the line."""
    min_frac: float = pydantic.Field(default=0.2, gt=0, le=1)
    """Share of the site's pages that must have it."""
    min_prose_pages: int = pydantic.Field(default=20, ge=2)
    """Pages that must have it when it reads like prose (a sentence, a title), which is also cut only where other
    furniture parts it from the text."""
    min_prose_frac: float = pydantic.Field(default=0.6, gt=0, le=1)
    """Share of pages that must have it then."""
    own_lines: int = pydantic.Field(default=3, ge=0)
    """Furniture has at most so many lines of the page's own text above it, or below it."""
    max_words: int = pydantic.Field(default=60, ge=1)
    """Longer lines are never furniture."""
    protect: tuple[str, ...] = FORMULAS
    """Lines that are never furniture; chapter numbers never are."""
    everywhere: Literal["off", "first", "all"] = "off"
    """Cut long lines that stand in several documents, whatever their site: `first` keeps them in the first document,
    unless they are furniture there, `all` cuts every copy. Repeats inside one document stay."""
    everywhere_docs: int = pydantic.Field(default=2, ge=2)
    """Documents that must have the line."""
    everywhere_words: int = pydantic.Field(default=10, ge=1)
    """Words that the line must have."""


@dataclass(frozen=True)
class _Page:
    """A document's lines with their keys, its site, the keys to ask about, and the numbers of its long lines by key."""

    lines: list[str]
    keys: list[str]
    site: str
    asked: list[str]
    long: dict[str, list[int]]


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Send the keys of all lines, let them meet, then write every shard without what is shared."""
    walk = passes(inputs["documents"], out, f"data.line_dedup {VERSION} {settings.model_dump_json()}")
    partitions = num_partitions(walk.num_bytes, PARTITION_BYTES)
    walk.look(send_shard, "lines", (settings, partitions))
    for label in ("site", "edge", "long"):
        meet(walk.notes, label, walk.names, partitions, walk.job)
    lines: Counter[str] = Counter()
    for found in walk.rewrite(cut_shard, "line-dedup", settings, walk.numbered()):
        lines.update(dict(found["lines"]))
    shown = sorted(lines.items(), key=lambda item: (-item[1], item[0]))[:NUM_SHOWN]
    write_json(out.path / "lines.json", [[*name.split("\n", 1), n] for name, n in shown])


def send_shard(work: Workspace, inputs: dict[str, str], common: tuple[Settings, int]) -> dict[str, Any]:
    """The keys of one Parquet file: its documents' sites, their edge lines by site, their long lines."""
    import numpy as np

    settings, partitions = common
    found: dict[str, list[int]] = {"site": [], "edge": [], "long": []}
    for document in _documents(Path(inputs["file"])):
        page = _page(document, settings)
        found["site"].append(hash_key(page.site))
        found["edge"] += [hash_key(page.site, key) for key in page.asked]
        found["long"] += [hash_key(key) for key in page.long]
        work.advance()
    for label, keys in found.items():
        send(work, label, np.array(keys, np.uint64), partitions)
    return {"in": len(found["site"])}


def _documents(file: Path) -> Any:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(batch_size=1024):
            yield from from_table(batch)


def _page(document: Document, settings: Settings) -> _Page:
    lines = document.text.split("\n")
    keys = edge_keys(lines, LONG_WORD_CHARS * settings.max_words)
    long: dict[str, list[int]] = {}
    if settings.everywhere != "off":
        for number, line in enumerate(lines):
            if len(line.split()) >= settings.everywhere_words and (key := line_key(line)):
                long.setdefault(key, []).append(number)
    site = host_of(document.url) or document.source
    return _Page(lines, keys, site, edges(keys) if settings.furniture else [], long)


def cut_shard(work: Workspace, inputs: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Write one Parquet file again without the lines that are furniture or elsewhere."""
    folder, number = Path(inputs["work"]), int(inputs["number"])
    sites, edge, long = (answers(folder, label, work.name, number) for label in ("site", "edge", "long"))
    protect = protected_keys(settings.protect)
    ledger = Ledger(work)
    cut_lines: Counter[str] = Counter()
    at_edge = at_long = 0
    for row, document in enumerate(_documents(Path(inputs["file"]))):
        page = _page(document, settings)
        num_on = edge[at_edge : at_edge + len(page.asked), 0]
        at_edge += len(page.asked)
        elsewhere = long[at_long : at_long + len(page.long)]
        at_long += len(page.long)
        furniture, prose = _furniture(page, num_on, int(sites[row, 0]), settings, protect)
        cut = zones(page.keys, furniture, prose, settings.own_lines)
        repeated = _repeated(page, elsewhere, settings) - cut
        cut_lines.update(f"{page.site}\n{page.lines[n].strip()[:120]}" for n in cut if page.keys[n])
        _write(ledger, document, page.lines, cut, repeated)
        work.advance()
    return ledger.close() | {"lines": cut_lines.most_common(NUM_SHOWN)}


def _furniture(
    page: _Page, num_on: "np.ndarray", num_pages: int, settings: Settings, protect: frozenset[str]
) -> tuple[set[str], set[str]]:
    """The keys of a page's lines that enough pages of its site have, and those of them that read like prose."""
    often = {key: n for key, n in zip(page.asked, num_on.tolist(), strict=True) if n >= settings.min_pages}
    found: set[str] = set()
    prose: set[str] = set()
    for line, key in zip(page.lines, page.keys, strict=True):
        if key not in often or key in protect or is_part(key) or len(line.split()) > settings.max_words:
            continue
        pages, share = settings.min_pages, settings.min_frac
        if is_prose(line):
            prose.add(key)
            pages, share = settings.min_prose_pages, settings.min_prose_frac
        if often[key] >= max(pages, share * num_pages):
            found.add(key)
    return found, prose


def _repeated(page: _Page, elsewhere: "np.ndarray", settings: Settings) -> set[int]:
    """The numbers of long lines that other documents have."""
    column, least = (1, 1) if settings.everywhere == "first" else (0, 2)
    gone = (elsewhere[:, 0] >= settings.everywhere_docs) & (elsewhere[:, column] >= least)
    return {n for numbers, yes in zip(page.long.values(), gone.tolist(), strict=True) if yes for n in numbers}


def _write(ledger: Ledger, document: Document, lines: list[str], cut: set[int], repeated: set[int]) -> None:
    size = num_bytes(document.text)
    if not cut and not repeated:
        ledger.keep(document, size)
        return
    counts = {"line_dedup.furniture": len(cut), "line_dedup.everywhere": len(repeated)}
    ledger.edit({rule: n for rule, n in counts.items() if n})
    text = "\n".join(line for n, line in enumerate(lines) if n not in cut and n not in repeated).strip("\n")
    if text.strip():
        ledger.keep(replace(document, text=text), size)
    else:
        ledger.drop(document, "line_dedup.empty", len(cut) + len(repeated), size)


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel with samples, and the lines that were cut most often."""
    import json

    from hornbook.report.blocks import Table

    rows = json.loads(artifact.file("lines.json").read_text("utf-8"))
    blocks = funnel.blocks(artifact, RULES)
    if rows:
        note = "Of each shard the most frequent are counted."
        blocks.append(Table("Furniture that was cut most", ["site", "line", "times"], rows, note))
    return blocks
