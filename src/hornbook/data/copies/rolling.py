"""Hashes of any stretch of a sequence in constant time, from one pass over it."""

from functools import cache
from typing import TYPE_CHECKING

from hornbook.shards.partition import mix

if TYPE_CHECKING:
    import numpy as np

BASES = (0x100000001B3, 0x9E3779B97F4A7C15 | 1)
"""Odd numbers: they have an inverse modulo 2^64."""
KEPT_POWERS = 1 << 20
"""8 MB for each base and its inverse."""


class Rolling:
    """Prefix sums of a sequence, from which the hash of each of its stretches follows.

    Source: Karp and Rabin 1987, with the polynomial modulo 2^64 instead of a prime (numpy wraps for free) and the
    result mixed; the values must be spread hashes, or bytes, where stretches of bytes are short.
    """

    def __init__(self, values: "np.ndarray", base: int = BASES[0]) -> None:
        """`values`: uint64 or uint8 numbers of the sequence."""
        import numpy as np

        self._inverse = _powers(pow(base, -1, 2**64), len(values) + 1)
        self._sums = np.zeros(len(values) + 1, np.uint64)
        with np.errstate(over="ignore"):
            np.cumsum((values + np.uint64(1)) * _powers(base, len(values) + 1)[: len(values)], out=self._sums[1:])

    def hashes(self, starts: "np.ndarray", ends: "np.ndarray") -> "np.ndarray":
        """A 64-bit hash of the values from each start to before each end, the same wherever the stretch stands."""
        import numpy as np

        with np.errstate(over="ignore"):
            sums = (self._sums[ends] - self._sums[starts]) * self._inverse[starts]
            return mix(sums + (ends - starts).astype(np.uint64) * np.uint64(BASES[0]))


def _powers(base: int, num: int) -> "np.ndarray":
    """1, base, base², ... modulo 2^64: so many; from a table that is kept, unless they are very many."""
    return _table(base)[:num] if num <= KEPT_POWERS else _make(base, num)


@cache
def _table(base: int) -> "np.ndarray":
    return _make(base, KEPT_POWERS)


def _make(base: int, num: int) -> "np.ndarray":
    import numpy as np

    powers = np.full(num, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, out=powers)
