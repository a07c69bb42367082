"""Which partition a key belongs to: the same one in every process, on every machine."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy


def partition_of(key: str, num_partitions: int) -> int:
    """The partition of a text key, from 0 to `num_partitions` - 1.

    Source: BLAKE2b (RFC 7693); Python's own `hash` differs from process to process.
    """
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % num_partitions


def mix(keys: "numpy.ndarray") -> "numpy.ndarray":
    """Spread 64-bit keys evenly: equal keys stay equal, near keys part.

    `keys`: uint64 of any shape. Source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    """
    import numpy as np

    with np.errstate(over="ignore"):
        x = keys + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def grouped(keys: "numpy.ndarray") -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """The order that brings equal keys together, each group in its own order, and where in it each group begins.

    `keys`: uint64 [n]. A stable argsort, but faster: numpy sorts fast only without keeping the order of equals.

    >>> import numpy
    >>> [part.tolist() for part in grouped(numpy.array([7, 5, 7], numpy.uint64))]
    [[1, 0, 2], [0, 1]]
    """
    import numpy as np

    order = np.argsort(keys)
    ordered = keys[order]
    new = np.ones(len(keys), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    base = (np.cumsum(new) - 1) * len(keys)
    return np.sort(base + order) - base, np.flatnonzero(new)


def partitions_of(keys: "numpy.ndarray", num_partitions: int) -> "numpy.ndarray":
    """The partition of each 64-bit key: equal keys meet in one partition, so a global step can take one at a time."""
    import numpy as np

    return (mix(keys) % np.uint64(num_partitions)).astype(np.int64)
