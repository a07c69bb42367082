"""Groups of documents that are alike: pairs that the bands propose, verified by their shingles; who goes, who stays.

Memory: one band of keys, labels and ranks (about 60 bytes a document), two sets of shingles, a sample of those of one
bucket. The rest is on disk.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hornbook.core.artifact import Out
from hornbook.data.copies.clusters import NEIGHBOURS, band_pairs, components, groups
from hornbook.data.copies.shingles import jaccard, shingles
from hornbook.data.copies.signatures import chunks
from hornbook.shards.partition import grouped, mix
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

MAX_ROUNDS = 100
"""So many documents that stay are compared with all that is left of their group."""
SKETCH = 8
"""Least shingles of a document by which the rest of a greater group meets: copies share most of them."""
MAX_REMEMBERED = 4_000_000
"""Pairs found to be different that are remembered, so that they are compared once."""
MAX_OPEN = 200
FEW_DOCS = 30_000
"""Fewer documents than this are not worth starting workers for."""
SAMPLED = 64
"""Shingles of each document of a crowd that are looked at for what few of the crowd have."""
CROWD_DOCS = 20_000
"""Documents of a crowd that are looked at together: bounds memory (about 3 kB each)."""


class Sets:
    """The sorted shingles of documents, read one by one from the files of their shards (8 bytes a shingle)."""

    def __init__(self, folder: Path, names: list[str], starts: "np.ndarray", numbers: "np.ndarray") -> None:
        """`starts`: the number of each shard's first document and of the one after the last; `numbers`: who has one."""
        import numpy as np

        self._files = [folder / f"{name}.shingles" for name in names]
        self._open: OrderedDict[int, BinaryIO] = OrderedDict()
        self._numbers = numbers
        self._home = np.searchsorted(starts, numbers, side="right") - 1
        sizes = [np.load(folder / f"{name}.sizes.npy") for name in names]
        begins = [np.cumsum(size) - size for size in sizes]
        self._sizes, self._begins = np.concatenate(sizes), np.concatenate(begins)

    def __getitem__(self, number: int) -> "np.ndarray":
        import numpy as np

        at = int(np.searchsorted(self._numbers, number))
        file = self._file(int(self._home[at]))
        file.seek(8 * int(self._begins[at]))
        return np.frombuffer(file.read(8 * int(self._sizes[at])), np.uint64)

    def close(self) -> None:
        """Close the files."""
        while self._open:
            self._open.popitem()[1].close()

    def _file(self, shard: int) -> BinaryIO:
        if shard not in self._open:
            if len(self._open) >= MAX_OPEN:
                self._open.popitem(last=False)[1].close()
            self._open[shard] = self._files[shard].open("rb", buffering=0)
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
            parts = [out.path / f"pairs.{band:03d}.{part}.npy" for part in range(NEIGHBOURS + 1)]
            for part in parts:  # what the first of a bucket joins need not be compared again
                labels, different = _join(labels, np.load(part, mmap_mode="r"), sets, threshold, different)
            hidden = crowd_pairs(np.load(parts[0], mmap_mode="r"), labels, sets, band)
            labels, different = _join(labels, hidden, sets, threshold, different)
            task.advance()
    return labels, sets


def _propose(folder: Path, names: list[str], alone: "np.ndarray", num_documents: int) -> tuple["np.ndarray", int]:
    """Write the candidate pairs of each band; says which documents are in one, and how many bands there are."""
    import numpy as np

    wanted = np.zeros(num_documents, bool)
    num_bands = len(np.load(folder / f"{names[0]}.bands.npy", mmap_mode="r"))
    for band in range(num_bands):
        # copies: a view would hold its file open, and the files are as many as the shards
        bands = [np.array(np.load(folder / f"{name}.bands.npy", mmap_mode="r")[band]) for name in names]
        keys = np.concatenate(bands)
        for part, pairs in enumerate(band_pairs(keys[alone])):
            wanted[alone[pairs.reshape(-1)]] = True
            _save(folder / f"pairs.{band:03d}.{part}.npy", alone[pairs])
    return wanted, num_bands


def _save(file: Path, values: "np.ndarray") -> None:
    import numpy as np

    with file.open("wb") as out:
        np.save(out, values)


def crowd_pairs(stars: "np.ndarray", labels: "np.ndarray", sets: Sets, band: int) -> "np.ndarray":
    """Pairs of one band that share shingles which few documents of their bucket have, where not all were compared.

    Pages of one template meet in its buckets, too many for every two to be compared; two that share more than the
    template are found by that. `stars`: the pairs with the first of each bucket. Joined documents are looked at once.
    """
    import numpy as np

    found = [np.zeros((0, 2), np.int64)]
    firsts, begins, sizes = np.unique(stars[:, 0], return_index=True, return_counts=True)
    for crowd in np.flatnonzero(sizes > NEIGHBOURS + 1).tolist():
        begin = int(begins[crowd])
        members = np.append(firsts[crowd], stars[begin : begin + int(sizes[crowd]), 1])
        members = np.sort(members[np.unique(labels[members], return_index=True)[1]])
        for part in range(0, len(members) - 1, CROWD_DOCS):
            found.append(_sharing(members[part : part + CROWD_DOCS], sets, band))
    return np.concatenate(found)


def _sharing(members: "np.ndarray", sets: Sets, band: int) -> "np.ndarray":
    """Neighbours among the documents (numbers, ascending) that have the same shingle, for shingles that few have.

    Of each the SAMPLED least shingles above a number that differs from band to band are looked at; what more than half
    of the documents have belongs to their template.
    """
    import numpy as np

    above = mix(np.array(band, np.uint64))
    samples: list[np.ndarray] = []
    for number in members.tolist():
        own = sets[number]
        first = int(np.searchsorted(own, above))
        samples.append(own.take(np.arange(first, first + min(SAMPLED, len(own))), mode="wrap"))
    owners = np.repeat(members, [len(sample) for sample in samples])
    order, starts = grouped(np.concatenate(samples))
    sizes = np.diff(np.append(starts, len(order)))
    few = np.repeat(sizes <= max(2, len(members) // 2), sizes)
    few[starts] = False
    later = np.flatnonzero(few)
    return np.stack((owners[order[later - 1]], owners[order[later]]), axis=1)


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
    best stays again, and so on; after MAX_ROUNDS each is compared with a few of the best that it resembles. `found`:
    called with number, similarity, number of the kept copy.
    """
    for group in groups(labels, ranks, ids):
        left = group.tolist()
        for _ in range(MAX_ROUNDS):
            if not left:
                break
            kept, rest = left[0], left[1:]
            kept_set, left = sets[kept], []
            for number in rest:
                similarity = jaccard(kept_set, sets[number])
                if similarity >= least:
                    found(number, similarity, kept)
                else:
                    left.append(number)
        _settle_rest(left, sets, least, found)


def _settle_rest(left: list[int], sets: Sets, least: float, found: Callable[[int, float, int], None]) -> None:
    """The same for documents too many for rounds: each meets the first to have one of its least shingles."""
    holders: dict[int, int] = {}
    for number in left:
        own = sets[number]
        sketch = own[:SKETCH].tolist()
        near = {holders[shingle] for shingle in sketch if shingle in holders}
        similarity, kept = max(((jaccard(sets[other], own), other) for other in near), default=(-1.0, -1))
        if similarity >= least:
            found(number, similarity, kept)
        else:
            for shingle in sketch:
                holders.setdefault(shingle, number)


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
