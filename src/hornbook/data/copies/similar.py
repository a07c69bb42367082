"""Groups of documents that are alike: pairs that the bands propose, verified by their shingles; who goes, who stays.

Memory: one band of keys, labels and ranks (about 60 bytes a document), two sets of shingles. The rest is on disk.
"""

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Out
from hornbook.data.copies.clusters import NEIGHBOURS, band_pairs, components, groups
from hornbook.data.copies.shingles import jaccard, shingles
from hornbook.data.copies.signatures import chunks
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

MAX_ROUNDS = 100
"""So many copies of one group are kept at most before the rest, alike to none of them, is kept too."""
MAX_REMEMBERED = 4_000_000
"""Pairs found to be different that are remembered, so that they are compared once."""
MAX_OPEN = 200
FEW_DOCS = 30_000
"""Fewer documents than this are not worth starting workers for."""


class Sets:
    """The sorted shingles of documents, read one by one from the files of their shards (8 bytes a shingle)."""

    def __init__(self, folder: Path, names: list[str], starts: "np.ndarray", numbers: "np.ndarray") -> None:
        """`starts`: the number of each shard's first document and of the one after the last; `numbers`: who has one."""
        import numpy as np

        self._files = [folder / f"{name}.shingles" for name in names]
        self._open: OrderedDict[int, int] = OrderedDict()
        self._numbers = numbers
        self._home = np.searchsorted(starts, numbers, side="right") - 1
        sizes = [np.load(folder / f"{name}.sizes.npy") for name in names]
        begins = [np.cumsum(size) - size for size in sizes]
        self._sizes, self._begins = np.concatenate(sizes), np.concatenate(begins)

    def __getitem__(self, number: int) -> "np.ndarray":
        import numpy as np

        at = int(np.searchsorted(self._numbers, number))
        data = os.pread(self._handle(int(self._home[at])), 8 * int(self._sizes[at]), 8 * int(self._begins[at]))
        return np.frombuffer(data, np.uint64)

    def close(self) -> None:
        """Close the files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _handle(self, shard: int) -> int:
        if shard not in self._open:
            if len(self._open) >= MAX_OPEN:
                os.close(self._open.popitem(last=False)[1])
            self._open[shard] = os.open(self._files[shard], os.O_RDONLY)
        self._open.move_to_end(shard)
        return self._open[shard]


def alike(
    out: Out, shards: list[Shard], starts: "np.ndarray", alone: "np.ndarray", words: int, threshold: float, job: str
) -> tuple["np.ndarray", Sets]:
    """A label for each document: connected components over the pairs whose similarity is at least `threshold`.

    `alone`: numbers of the documents to look at. Returns the labels and the shingles for `settle`.
    """
    import numpy as np

    names = [shard.name for shard in shards]
    num_documents = int(starts[-1])
    wanted, num_bands = _propose(out.path, names, alone, num_documents)
    numbers = np.flatnonzero(wanted)
    borders = np.searchsorted(numbers, starts)
    jobs: list[Shard] = []
    for number, shard in enumerate(shards):
        rows = numbers[borders[number] : borders[number + 1]] - starts[number]
        _save(out.path / f"{shard.name}.rows.npy", rows)
        jobs.append(replace(shard, inputs=shard.inputs | {"rows": str(out.path / f"{shard.name}.rows.npy")}))
    few = replace(out, machine=out.machine.model_copy(update={"workers": 1})) if len(numbers) < FEW_DOCS else out
    run_shards(shingle_shard, jobs, few, label="shingles", common=words, job=job)
    sets = Sets(out.path, names, starts, numbers)
    labels, different = np.arange(num_documents), np.zeros(0, np.uint64)
    with out.log.task("compare", total=num_bands, unit="bands") as task:
        for band in range(num_bands):
            for part in range(NEIGHBOURS + 1):  # what the first of a bucket joins need not be compared again
                pairs = np.load(out.path / f"pairs.{band:03d}.{part}.npy", mmap_mode="r")
                labels, different = _join(labels, pairs, sets, threshold, different)
            task.advance()
    return labels, sets


def _propose(folder: Path, names: list[str], alone: "np.ndarray", num_documents: int) -> tuple["np.ndarray", int]:
    """Write the candidate pairs of each band; says which documents are in one, and how many bands there are."""
    import numpy as np

    wanted = np.zeros(num_documents, bool)
    num_bands = len(np.load(folder / f"{names[0]}.bands.npy", mmap_mode="r"))
    for band in range(num_bands):
        keys = np.concatenate([np.load(folder / f"{name}.bands.npy", mmap_mode="r")[band] for name in names])
        for part, pairs in enumerate(band_pairs(keys[alone])):
            wanted[alone[pairs.reshape(-1)]] = True
            _save(folder / f"pairs.{band:03d}.{part}.npy", alone[pairs])
    return wanted, num_bands


def _save(file: Path, values: "np.ndarray") -> None:
    import numpy as np

    with file.open("wb") as out:
        np.save(out, values)


def _join(
    labels: "np.ndarray", pairs: "np.ndarray", sets: Sets, threshold: float, different: "np.ndarray"
) -> tuple["np.ndarray", "np.ndarray"]:
    """Join what the pairs of one band prove to be alike; pairs already joined, or known to differ, are not compared."""
    import numpy as np

    num = np.uint64(len(labels))
    open_pairs = np.array(pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]], np.uint64)
    codes = np.unique(open_pairs[:, 0] * num + open_pairs[:, 1])
    codes = codes[~np.isin(codes, different, assume_unique=True)]
    if not len(codes):
        return labels, different
    similar = np.zeros(len(codes), bool)
    last, last_set = -1, np.zeros(0, np.uint64)
    for index in range(len(codes)):
        a, b = divmod(int(codes[index]), len(labels))
        if a != last:
            last, last_set = a, sets[a]
        similar[index] = jaccard(last_set, sets[b]) >= threshold
    if len(different) + len(codes) <= MAX_REMEMBERED:
        different = np.union1d(different, codes[~similar])
    if similar.any():
        found = codes[similar]
        joined = labels[np.stack((found // num, found % num), axis=1).astype(np.int64)]
        labels = components(len(labels), joined)[labels]
    return labels, different


def settle(
    labels: "np.ndarray",
    ranks: "np.ndarray",
    ids: "np.ndarray",
    sets: Sets,
    least: float,
    found: Callable[[int, float, int], None],
) -> None:
    """Tell for each copy that goes its similarity to the copy that stays.

    The best of a group stays and what is alike to it by `least` goes; of the rest, alike to it only through others, the
    best stays again, and so on. `found`: called with number, similarity, number of the kept copy.
    """
    for group in groups(labels, ranks, ids):
        left = group.tolist()
        for _ in range(MAX_ROUNDS):
            kept, rest = left[0], left[1:]
            kept_set, left = sets[kept], []
            for number in rest:
                similarity = jaccard(kept_set, sets[number])
                if similarity >= least:
                    found(number, similarity, kept)
                else:
                    left.append(number)
            if not left:
                break


def shingle_shard(work: Workspace, inputs: dict[str, Any], words: int) -> dict[str, Any]:
    """The sorted, different shingles of some rows of one Parquet file, and how many each row has."""
    import numpy as np

    wanted = np.load(inputs["rows"])
    sizes: list[int] = []
    position = 0
    with work.output(f"{work.name}.shingles").open("wb") as out:
        for documents in chunks(Path(inputs["file"]), ["id", "text"]) if len(wanted) else ():
            here = wanted[(wanted >= position) & (wanted < position + len(documents))] - position
            position += len(documents)
            hashes, offsets = shingles([documents[row].text for row in here.tolist()], words)
            parts = [np.zeros(0, np.uint64)]
            for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
                ordered = np.sort(hashes[begin:end])
                parts.append(ordered[np.concatenate((ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]))])
                sizes.append(len(parts[-1]))
            np.concatenate(parts).tofile(out)
            work.advance(len(here))
    with work.output(f"{work.name}.sizes.npy").open("wb") as out:
        np.save(out, np.array(sizes, np.int64))
    return {"in": len(sizes)}
