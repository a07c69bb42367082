"""Ask about keys of all shards at once with little memory: how often is each key there, and how often before?

Each shard writes its keys parted by hash (`send`), each partition is then looked at alone (`meet`), and each shard
reads the answers back in the order of its keys (`answers`). Memory holds one shard's keys or one partition, never all.
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

MAX_PARTITIONS = 512


def num_partitions(total_bytes: int, partition_bytes: int) -> int:
    """How many partitions keep each near `partition_bytes`; the answers do not depend on it."""
    return min(MAX_PARTITIONS, max(1, -(-total_bytes // partition_bytes)))


def send(work: Workspace, label: str, keys: "np.ndarray", partitions: int) -> None:
    """Write the keys of a shard, uint64 [n] or [n, words of a key], for `meet`."""
    import numpy as np

    rows = (
        keys.reshape(len(keys), -1) if len(keys) else np.zeros((0, 1 if keys.ndim == 1 else keys.shape[1]), np.uint64)
    )
    homes = partitions_of(rows[:, 0], partitions)
    order = np.argsort(homes, kind="stable")
    counts = np.bincount(homes, minlength=partitions)
    with work.output(f"{work.name}.{label}.keys").open("wb") as file:
        rows[order].tofile(file)
    with work.output(f"{work.name}.{label}.order.npy").open("wb") as file:
        np.save(file, order.astype(np.uint32 if len(order) < 2**32 else np.int64))
    with work.output(f"{work.name}.{label}.counts.npy").open("wb") as file:
        np.save(file, counts)


def meet(out: Out, label: str, names: list[str], partitions: int, job: str, words: int = 1) -> None:
    """Let equal keys meet: writes the answers for every partition. `names`: the shards, in the order of the corpus."""
    import numpy as np

    counts = [np.load(out.path / f"{name}.{label}.counts.npy") for name in names]
    scratch = out.path / f".{label}.counts.npy"
    np.save(scratch, np.stack(counts) if counts else np.zeros((0, partitions), np.int64))
    scratch.replace(out.path / f"{label}.counts.npy")
    shards = [
        Shard(f"{number:04d}", {"partition": number, "names": names, "folder": str(out.path)})
        for number in range(partitions)
    ]
    run_shards(meet_shard, shards, out, label=f"{label}-meet", common=(label, words), job=job, unit="partitions")


def meet_shard(work: Workspace, inputs: dict[str, Any], common: tuple[str, int]) -> dict[str, Any]:
    """The answers for one partition, two uint32 for each key: keys equal to it, and those of them that come before."""
    import numpy as np

    label, words = common
    number, folder = inputs["partition"], Path(inputs["folder"])
    counts = np.load(folder / f"{label}.counts.npy")
    begins = counts[:, :number].sum(axis=1)
    parts = [np.zeros((0, words), np.uint64)]
    for name, begin, count in zip(inputs["names"], begins.tolist(), counts[:, number].tolist(), strict=True):
        if count:
            file = folder / f"{name}.{label}.keys"
            parts.append(np.fromfile(file, np.uint64, count * words, offset=begin * words * 8).reshape(-1, words))
    with work.output(f"{label}.{number:04d}.answers").open("wb") as file_out:
        equal_keys(np.concatenate(parts)).tofile(file_out)
    work.advance()
    return {}


def equal_keys(keys: "np.ndarray") -> "np.ndarray":
    """For each row of `keys` [n, words]: how many rows are equal to it, and how many of those come before it; uint32.

    >>> import numpy as np
    >>> equal_keys(np.array([[7], [5], [7], [7]], np.uint64)).tolist()
    [[3, 0], [1, 0], [3, 1], [3, 2]]
    """
    import numpy as np

    order, starts = grouped(keys[:, 0])
    ordered = keys[order]
    first = np.repeat(starts, np.diff(np.concatenate((starts, [len(keys)]))))
    if (ordered != ordered[first]).any():  # equal in the first word alone
        order = np.lexsort((np.arange(len(keys)), *keys.T[::-1]))
        ordered = keys[order]
        starts = np.flatnonzero(np.concatenate(([True], (ordered[1:] != ordered[:-1]).any(axis=1))))
    sizes = np.diff(np.concatenate((starts, [len(keys)])))
    found = np.empty((len(keys), 2), np.uint32)
    found[order, 0] = np.repeat(sizes, sizes)
    found[order, 1] = np.arange(len(keys)) - np.repeat(starts, sizes)
    return found


def answers(folder: Path, label: str, name: str, number: int) -> "np.ndarray":
    """What `meet` found for the keys of one shard (its name and number), in the order they were sent: uint32 [n, 2]."""
    import numpy as np

    order = np.load(folder / f"{name}.{label}.order.npy")
    counts = np.load(folder / f"{label}.counts.npy")
    begins = counts[:number].sum(axis=0)
    found = np.empty((len(order), 2), np.uint32)
    at = 0
    for partition in np.flatnonzero(counts[number]).tolist():
        size = int(counts[number, partition])
        file = folder / f"{label}.{partition:04d}.answers"
        values = np.fromfile(file, np.uint32, 2 * size, offset=int(begins[partition]) * 8)
        found[order[at : at + size]] = values.reshape(-1, 2)
        at += size
    return found
