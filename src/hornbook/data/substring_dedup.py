"""Stage data.substring_dedup: cut passages of 50 and more tokens that stand elsewhere too, word for word."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import Document, from_table
from hornbook.core.settings import StrictSettings
from hornbook.data import funnel
from hornbook.data.copies.repeats import (
    Unit,
    anchors,
    covered,
    tokens,
    window_keys,
    windows_with,
    without,
)
from hornbook.data.copies.signatures import chunks
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import passes
from hornbook.shards.meeting import answers, meet, num_partitions, send
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents"}
WRITES = "documents"
VERSION = 2

RULES = {
    "substring_dedup.cut": "passages of min_tokens or more that stand elsewhere word for word (edit: passages). "
    "Source: Lee et al. 2021, ExactSubstr",
    "substring_dedup.empty": "fewer than min_left tokens were left (value: how many)",
}
PARTITION_BYTES = 40_000_000


class Settings(StrictSettings):
    """How long a repeat must be, and which of its copies stays."""

    min_tokens: int = pydantic.Field(default=50, ge=2, le=10_000)
    """Shortest passage that counts as a repeat."""
    unit: Unit = "words"
    """What a token is: `words` (runs of letters, digits and of all that is not ASCII, as curly quotes are; every other
    punctuation mark is one too; spaces, tabs and line ends do not count, case does), or `bytes` (of UTF-8; 100 of them
    are about 50 tokens of a vocabulary)."""
    copies: Literal["later", "all"] = "later"
    """Which copies go: `later` keeps the first of the corpus, `all` cuts the first too (Lee et al.)."""
    min_left: int = pydantic.Field(default=1, ge=1)
    """A document that was cut and has fewer tokens left is dropped."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Find anchors that repeat, then the windows around them that do, then cut what they cover."""
    walk = passes(inputs["documents"], out, f"data.substring_dedup {VERSION} {settings.model_dump_json()}")
    partitions = num_partitions(walk.num_bytes, PARTITION_BYTES)
    common = (settings, partitions)
    walk.look(anchor_shard, "anchors", common)
    meet(walk.notes, "anchor", walk.names, partitions, walk.job)
    walk.look(window_shard, "windows", common, walk.numbered())
    meet(walk.notes, "window", walk.names, partitions, walk.job, words=2)
    walk.rewrite(cut_shard, "substring-dedup", settings, walk.numbered())


def anchor_shard(work: Workspace, inputs: dict[str, str], common: tuple[Settings, int]) -> dict[str, Any]:
    """The anchors of one Parquet file, and how many each document has."""
    import numpy as np

    settings, partitions = common
    keys = [np.zeros(0, np.uint64)]
    counts = [np.zeros(0, np.int64)]
    for documents in chunks(Path(inputs["file"]), ["id", "text"]):
        found = tokens([document.text for document in documents], settings.unit)
        positions, hashes = anchors(found, settings.min_tokens)
        keys.append(hashes)
        counts.append(np.diff(np.searchsorted(positions, found.offsets)))
        work.advance(len(documents))
    send(work, "anchor", np.concatenate(keys), partitions)
    with work.output(f"{work.name}.per_document.npy").open("wb") as file:
        np.save(file, np.concatenate(counts))
    return {"in": sum(len(count) for count in counts)}


def window_shard(work: Workspace, inputs: dict[str, Any], common: tuple[Settings, int]) -> dict[str, Any]:
    """The windows around repeated anchors in one Parquet file: keys, positions in their document, how many each has."""
    import numpy as np

    settings, partitions = common
    folder = Path(inputs["work"])
    repeated = answers(folder, "anchor", work.name, int(inputs["number"]))[:, 0] > 1
    per_document = np.load(folder / f"{work.name}.per_document.npy")
    ends = np.cumsum(per_document)
    keys, places = [np.zeros((0, 2), np.uint64)], [np.zeros(0, np.int32)]
    counts = np.zeros(len(per_document), np.int64)
    row = 0
    for documents in chunks(Path(inputs["file"]), ["id", "text"]):
        flags = [repeated[ends[r] - per_document[r] : ends[r]] for r in range(row, row + len(documents))]
        chosen = [number for number, flag in enumerate(flags) if flag.any()]
        if chosen:
            found = tokens([documents[number].text for number in chosen], settings.unit)
            positions, _ = anchors(found, settings.min_tokens)
            hits = positions[np.concatenate([flags[number] for number in chosen])]
            windows = windows_with(found, hits, settings.min_tokens)
            keys.append(window_keys(found, windows, settings.min_tokens))
            sizes = np.diff(np.searchsorted(windows, found.offsets))
            counts[row + np.array(chosen)] = sizes
            places.append((windows - np.repeat(found.offsets[:-1], sizes)).astype(np.int32))
        row += len(documents)
        work.advance(len(documents))
    send(work, "window", np.concatenate(keys), partitions)
    for name, values in (("places", np.concatenate(places)), ("windows", counts)):
        with work.output(f"{work.name}.{name}.npy").open("wb") as file:
            np.save(file, values)
    return {"in": row}


def cut_shard(work: Workspace, inputs: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Write one Parquet file again without its repeated passages."""
    import numpy as np
    import pyarrow.parquet

    folder = Path(inputs["work"])
    found = answers(folder, "window", work.name, int(inputs["number"]))
    gone = found[:, 1] > 0 if settings.copies == "later" else found[:, 0] > 1
    places = np.load(folder / f"{work.name}.places.npy")
    ends = np.concatenate(([0], np.cumsum(np.load(folder / f"{work.name}.windows.npy"))))
    ledger = Ledger(work)
    row = 0
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        for batch in file.iter_batches(batch_size=1024):
            for document in from_table(batch):
                part = slice(int(ends[row]), int(ends[row + 1]))
                _cut(ledger, document, places[part][gone[part]], settings)
                work.advance()
                row += 1
    return ledger.close()


def _cut(ledger: Ledger, document: Document, windows: "np.ndarray", settings: Settings) -> None:
    """Keep a document without what these windows cover."""
    size = num_bytes(document.text)
    runs = covered(windows, settings.min_tokens)
    if not runs:
        ledger.keep(document, size)
        return
    found = tokens([document.text], settings.unit)
    spans = [(int(found.begins[first]), int(found.ends[last - 1])) for first, last in runs]
    text = without(document.text, spans)
    left = len(found.hashes) - sum(last - first for first, last in runs) if text else 0
    ledger.edit({"substring_dedup.cut": len(runs)})
    if left < settings.min_left:
        ledger.drop(document, "substring_dedup.empty", left, size)
    else:
        ledger.keep(replace(document, text=text), size)


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel with samples, for reports."""
    return funnel.blocks(artifact, RULES)
