"""Ask about keys of all shards at once with little memory: how often is each key there, and how often before?

Each shard writes its different keys, with how often it has each, parted by hash (`send`), each partition is then looked
at alone (`meet`), and each shard reads the answers back in the order of its keys (`answers`). Memory holds one shard's
keys or one partition, never all: a key that every document has costs a partition one row for each shard.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Out
from hornbook.shards.partition import grouped, partitions_of
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

MAX_PARTITIONS = 4096
"""A shard reads its answers from so many files at most; a corpus of more than so many times `partition_bytes` has
greater partitions."""


def num_partitions(total_bytes: int, partition_bytes: int) -> int:
    """How many partitions keep each near `partition_bytes`; the answers do not depend on it."""
    return min(MAX_PARTITIONS, max(1, -(-total_bytes // partition_bytes)))


def send(work: Workspace, label: str, keys: "np.ndarray", partitions: int) -> None:
    """Write the keys of a shard, uint64 [n] or [n, words of a key], for `meet`."""
    import numpy as np

    rows = (
        keys.reshape(len(keys), -1) if len(keys) else np.zeros((0, 1 if keys.ndim == 1 else keys.shape[1]), np.uint64)
    )
    order, starts = _equal_rows(rows)
    sizes = np.diff(np.append(starts, len(rows)))
    different = rows[order[starts]]
    homes = partitions_of(different[:, 0], partitions)
    by_home = np.argsort(homes.astype(np.uint16), kind="stable")  # numpy sorts 16 bits in one pass
    place = np.empty(len(different), np.uint32)
    place[by_home] = np.arange(len(different))
    own = np.empty((len(rows), 2), np.uint32)
    own[order, 0] = np.repeat(place, sizes)
    own[order, 1] = np.arange(len(rows)) - np.repeat(starts, sizes)
    with work.output(f"{work.name}.{label}.keys").open("wb") as file:
        different[by_home].tofile(file)
    with work.output(f"{work.name}.{label}.times").open("wb") as file:
        sizes[by_home].astype(np.uint32).tofile(file)
    with work.output(f"{work.name}.{label}.own.npy").open("wb") as file:
        np.save(file, own)
    with work.output(f"{work.name}.{label}.counts.npy").open("wb") as file:
        np.save(file, np.bincount(homes, minlength=partitions))


def meet(out: Out, label: str, names: list[str], partitions: int, job: str, words: int = 1) -> None:
    """Let equal keys meet: writes the answers for every partition. `names`: the shards, in the order of the corpus."""
    import numpy as np

    counts = np.zeros((len(names), partitions), np.int64)
    for number, name in enumerate(names):
        counts[number] = np.load(out.path / f"{name}.{label}.counts.npy")
    in_shard, in_partition = (np.cumsum(counts, axis=axis) - counts for axis in (1, 0))
    # [3, shards, partitions]: keys, and how many come before them in the file of their shard and of their partition
    scratch = out.path / f".{label}.table.npy"
    np.save(scratch, np.stack((counts, in_shard, in_partition)))
    scratch.replace(out.path / f"{label}.table.npy")
    shards = [
        Shard(f"{number:04d}", {"partition": number, "names": names, "folder": str(out.path)})
        for number in range(partitions)
    ]
    run_shards(meet_shard, shards, out, label=f"{label}-meet", common=(label, words), job=job, unit="partitions")


def meet_shard(work: Workspace, inputs: dict[str, Any], common: tuple[str, int]) -> dict[str, Any]:
    """The answers for one partition, two uint32 for each key of each shard: as `equal_keys`."""
    import numpy as np

    label, words = common
    number, folder = inputs["partition"], Path(inputs["folder"])
    counts, begins, _ = np.load(folder / f"{label}.table.npy", mmap_mode="r")[:, :, number].tolist()
    parts, times = [np.zeros((0, words), np.uint64)], [np.zeros(0, np.uint32)]
    for name, count, begin in zip(inputs["names"], counts, begins, strict=True):
        if count:
            file = folder / f"{name}.{label}.keys"
            parts.append(np.fromfile(file, np.uint64, count * words, offset=begin * words * 8).reshape(-1, words))
            file = folder / f"{name}.{label}.times"
            times.append(np.fromfile(file, np.uint32, count, offset=begin * 4))
    with work.output(f"{label}.{number:04d}.answers").open("wb") as file_out:
        equal_keys(np.concatenate(parts), np.concatenate(times)).tofile(file_out)
    work.advance()
    return {}


def equal_keys(keys: "np.ndarray", times: "np.ndarray") -> "np.ndarray":
    """For each row of `keys` [n, words], there so many `times`: how often it is there in all, and before; uint32.

    >>> import numpy as np
    >>> equal_keys(np.array([[7], [5], [7], [7]], np.uint64), np.array([1, 9, 1, 2])).tolist()
    [[4, 0], [9, 0], [4, 1], [4, 2]]
    """
    import numpy as np

    order, starts = _equal_rows(keys)
    ends = np.concatenate(([0], np.cumsum(times[order], dtype=np.int64)))
    sizes = np.diff(np.append(starts, len(keys)))
    found = np.empty((len(keys), 2), np.uint32)
    found[order, 0] = np.repeat(np.diff(np.append(ends[starts], ends[-1])), sizes)
    found[order, 1] = ends[:-1] - np.repeat(ends[starts], sizes)
    return found


def _equal_rows(keys: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """The order that brings equal rows of `keys` [n, words] together, each group in its own, and where groups begin."""
    import numpy as np

    order, starts = grouped(keys[:, 0])
    again = np.ones(len(keys), bool)
    again[starts] = False
    later = np.flatnonzero(again)
    if (keys[order[later], 1:] != keys[order[later - 1], 1:]).any():  # equal in the first word alone
        order = np.lexsort((np.arange(len(keys)), *keys.T[::-1]))
        ordered = keys[order]
        starts = np.flatnonzero(np.concatenate(([True], (ordered[1:] != ordered[:-1]).any(axis=1))))
    return order, starts


def answers(folder: Path, label: str, name: str, number: int) -> "np.ndarray":
    """For each key of a shard (its name and number), in the order they were sent: how often it is there in all shards,
    and how often before it; uint32 [n, 2]."""
    import numpy as np

    own = np.load(folder / f"{name}.{label}.own.npy")
    counts, _, begins = np.load(folder / f"{label}.table.npy", mmap_mode="r")[:, number].tolist()
    parts = [np.zeros(0, np.uint32)]
    for partition, (count, begin) in enumerate(zip(counts, begins, strict=True)):
        if count:
            file = folder / f"{label}.{partition:04d}.answers"
            parts.append(np.fromfile(file, np.uint32, 2 * count, offset=begin * 8))
    found = np.concatenate(parts).reshape(-1, 2)[own[:, 0]]
    found[:, 1] += own[:, 1]
    return found
