"""A bounded sample of labelled documents: the same one whatever the shards, the workers or interruptions.

Each class keeps the documents whose ids hash lowest. First only ids, addresses and (where the labels need them) texts
are read and places noted (three numbers for each document that its shard would choose); then the texts of the chosen
ones. Memory holds the sample and one shard's places, never the corpus.
"""

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import from_table
from hornbook.core.seed import key
from hornbook.data.learned.fitting import Examples
from hornbook.data.learned.labels import Example, Labeller
from hornbook.data.passes import passes
from hornbook.data.web.addresses import host_of
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Sampling:
    """How much is sampled: `per_class` documents of each of `num_classes`, `max_chars` characters of each text."""

    per_class: int
    num_classes: int
    max_chars: int
    seed: int


def sample_documents(artifact: Artifact, labeller: Labeller, sampling: Sampling, out: Out, label: str) -> Examples:
    """A sample of the labelled documents of an artifact. `label` names the step in notes and progress."""
    job, common = f"{label} 1 {sampling} {labeller}", (labeller, sampling)
    walk = passes(artifact, out, job, label.replace(" ", "-"))
    walk.look(choose_shard, f"{label}: choose", common)
    limits = _limits(walk.folder, walk.shards, sampling)
    jobs: list[Shard] = []
    for shard in walk.shards:
        places = _chosen(walk.folder, shard, limits)
        if places:
            jobs.append(Shard(shard.name, {"file": shard.inputs["file"], "rows": places}))
    run_shards(collect_shard, jobs, walk.notes, label=f"{label}: collect", common=common, job=walk.job)
    return _read_sample(walk.folder, jobs)


def sample_examples(found: Iterable[tuple[Example, int]], sampling: Sampling) -> Examples:
    """A sample of examples that come one by one with the numbers of their classes (-1: left out)."""
    heaps: list[list[tuple[int, str, str]]] = [[] for _ in range(sampling.num_classes)]
    for example, number in found:
        if number >= 0:
            item = (-key(sampling.seed, f"sample/{example.id}"), example.id, example.text[: sampling.max_chars])
            push = heapq.heappush if len(heaps[number]) < sampling.per_class else heapq.heappushpop
            push(heaps[number], item)
    rows = [(text, number, name) for number, heap in enumerate(heaps) for _, name, text in sorted(heap, reverse=True)]
    names = [name for _, _, name in rows]
    return Examples([text for text, _, _ in rows], [number for _, number, _ in rows], names, list(names))


def joined(parts: list[Examples]) -> Examples:
    """Several samples as one, without repeated texts; of equal texts the one of the highest class stays."""
    rows = [
        (text, label, group, name)
        for part in parts
        for text, label, group, name in zip(part.texts, part.labels, part.groups, part.ids, strict=True)
    ]
    rows.sort(key=lambda row: (-row[1], row[3]))
    seen: set[bytes] = set()
    kept: list[tuple[str, int, str, str]] = []
    for row in rows:
        digest = hashlib.blake2b(" ".join(row[0].split()).encode("utf-8", "replace"), digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            kept.append(row)
    return Examples(*(list(column) for column in zip(*kept, strict=True))) if kept else Examples([], [], [], [])


def choose_shard(work: Workspace, inputs: dict[str, str], common: tuple[Labeller, Sampling]) -> dict[str, Any]:
    """Note the places of the documents of one Parquet file that the sample could need [rows: place, key, class]."""
    import numpy as np
    import pyarrow.parquet

    labeller, sampling = common
    columns = ["id", "url", "source", "text"] if labeller.needs_text else ["id", "url", "source"]
    heaps: list[list[tuple[int, int]]] = [[] for _ in range(sampling.num_classes)]
    place = 0
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=1024, columns=there):
            for document in from_table(batch if "text" in there else _without_text(batch)):
                number = labeller.label(document)
                if number >= 0:
                    item = (-key(sampling.seed, f"sample/{document.id}"), place)
                    push = heapq.heappush if len(heaps[number]) < sampling.per_class else heapq.heappushpop
                    push(heaps[number], item)
                place += 1
            work.advance(batch.num_rows)
    rows = [(spot, -negative, number) for number, heap in enumerate(heaps) for negative, spot in heap]
    with work.output(f"{work.name}.chosen.npy").open("wb") as file_out:
        np.save(file_out, np.array(sorted(rows), np.uint64).reshape(-1, 3))
    return {"in": place}


def collect_shard(work: Workspace, inputs: dict[str, Any], common: tuple[Labeller, Sampling]) -> dict[str, Any]:
    """The chosen documents of one Parquet file: beginning of the text, class, host (or id), id."""
    import pyarrow
    import pyarrow.parquet

    labeller, sampling = common
    wanted = set(inputs["rows"])
    rows: list[dict[str, Any]] = []
    place = 0
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        for batch in file.iter_batches(batch_size=1024):
            here = [i for i in range(batch.num_rows) if place + i in wanted]
            for document in from_table(batch.take(pyarrow.array(here, pyarrow.int64()))):
                text = document.text[: sampling.max_chars]
                group = host_of(document.url) or document.id
                rows.append({"text": text, "label": labeller.label(document), "group": group, "id": document.id})
            place += batch.num_rows
    types = [("text", pyarrow.large_string()), ("label", pyarrow.int64())]
    types += [("group", pyarrow.string()), ("id", pyarrow.string())]
    table = pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(types))
    pyarrow.parquet.write_table(table, work.output(f"{work.name}.sample.parquet"), compression="zstd")
    return {"in": 0}


def _without_text(batch: Any) -> Any:
    import pyarrow

    return batch.append_column("text", pyarrow.repeat("", batch.num_rows))


def _limits(folder: Path, shards: list[Shard], sampling: Sampling) -> list[int]:
    """The highest key of each class that is in the sample of the whole; -1 for a class without documents."""
    import numpy as np

    lowest = [np.zeros(0, np.uint64)] * sampling.num_classes
    for shard in shards:
        rows = _places(folder, shard)
        for number, before in enumerate(lowest):
            keys = np.concatenate((before, rows[rows[:, 2] == number, 1]))
            more = len(keys) > sampling.per_class
            lowest[number] = np.partition(keys, sampling.per_class - 1)[: sampling.per_class] if more else keys
    return [int(keys.max()) if len(keys) else -1 for keys in lowest]


def _chosen(folder: Path, shard: Shard, limits: list[int]) -> list[int]:
    """The places of a shard's documents that are in the sample of the whole, in order."""
    import numpy as np

    rows = _places(folder, shard)
    inside = np.zeros(len(rows), bool)
    for number, limit in enumerate(limits):
        if limit >= 0:
            inside |= (rows[:, 2] == number) & (rows[:, 1] <= np.uint64(limit))
    return rows[inside, 0].tolist()


def _places(folder: Path, shard: Shard) -> "np.ndarray":
    """What `choose_shard` noted."""
    import numpy as np

    return np.load(folder / f"{shard.name}.chosen.npy")


def _read_sample(folder: Path, jobs: list[Shard]) -> Examples:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = []
    for job in jobs:
        rows += pyarrow.parquet.read_table(folder / f"{job.name}.sample.parquet").to_pylist()
    return Examples(
        [r["text"] for r in rows], [r["label"] for r in rows], [r["group"] for r in rows], [r["id"] for r in rows]
    )
