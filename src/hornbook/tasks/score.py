"""Scores: a value with its interval, how many cases it rests on, and how it was measured."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hornbook.core.seed import array_stream


@dataclass(frozen=True)
class Score:
    """One number that a reader can trust.

    `low` and `high`: 95 % interval; `baseline`: the same measure without skill; `bar`: what was promised, and
    `lower_is_better` which side of it is good.
    """

    name: str
    value: float
    low: float
    high: float
    num_cases: int
    unit: str = ""
    baseline: float | None = None
    bar: float | None = None
    protocol: str = ""
    lower_is_better: bool = False

    @property
    def passed(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.lower_is_better else self.value >= self.bar

    def record(self) -> dict[str, Any]:
        """As it is written into `scores.json`."""
        return asdict(self) | {"passed": self.passed}


def wilson(successes: float, num_cases: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share.

    Source: Wilson 1927, the score interval; it behaves near 0 and 1 where the usual one does not.

    >>> tuple(round(x, 4) for x in wilson(81, 263))
    (0.2553, 0.3662)
    """
    if num_cases == 0:
        return 0.0, 1.0
    share, n = successes / num_cases, num_cases
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_ratio(
    tops: Sequence[float], bottoms: Sequence[float], seed: int, draws: int = 1000
) -> tuple[float, float]:
    """95 % percentile interval of sum(tops) / sum(bottoms) when the pairs are drawn again with replacement."""
    import numpy as np

    top, bottom = np.asarray(tops, dtype=np.float64), np.asarray(bottoms, dtype=np.float64)
    generator = array_stream(seed, "tasks.score/bootstrap")
    found = np.empty(draws)
    for index in range(draws):
        chosen = generator.integers(0, len(top), len(top))
        found[index] = top[chosen].sum() / max(bottom[chosen].sum(), 1e-300)
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def share(name: str, grades: Sequence[float], **about: Any) -> Score:
    """The mean of grades between 0 and 1, with Wilson's interval."""
    total = sum(grades)
    low, high = wilson(total, len(grades))
    return Score(name, total / max(1, len(grades)), low, high, len(grades), unit="share", **about)
