"""Knowing what one does not know: a threshold on the lowest token probability along a greedy answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hornbook.tasks.score import Score, share, wilson


@dataclass(frozen=True, slots=True)
class Answered:
    """A greedy answer: the lowest probability of a token in it, and whether it says itself that it does not know."""

    lowest: float
    refuses: bool

    def is_kept(self, threshold: float) -> bool:
        """Whether the answer is given; it is refused when it refuses itself or is below the threshold."""
        return not self.refuses and self.lowest >= threshold


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold that was chosen on calibration answers, and the share of stated answers it keeps there."""

    value: float
    aimed_frac: float
    kept_frac: float


def choose(stated: Sequence[Answered], keep_frac: float, margin_errors: float, num_test: int) -> Threshold:
    """The highest threshold that keeps enough of the stated calibration answers.

    Enough is `keep_frac` and `margin_errors` standard errors of the difference between this split and one of
    `num_test` answers, so that the promise also holds on other questions. 0 when even that keeps too few.
    """
    spread = math.sqrt(keep_frac * (1 - keep_frac) * (1 / max(1, len(stated)) + 1 / max(1, num_test)))
    aimed = min(1.0, keep_frac + margin_errors * spread)
    needed = max(1, math.ceil(aimed * len(stated) - 1e-9))
    probabilities = sorted((a.lowest for a in stated if not a.refuses), reverse=True)
    value = probabilities[needed - 1] if len(probabilities) >= needed else 0.0
    kept = sum(answer.is_kept(value) for answer in stated) / max(1, len(stated))
    return Threshold(value, aimed, kept)


def judge(
    name: str,
    threshold: Threshold,
    stated: Sequence[Answered],
    unstated: Sequence[Answered],
    keep_frac: float,
    bar: float | None,
) -> list[Score]:
    """On questions of their own: the share of unstated facts refused, of stated ones answered, and the area."""
    how = (
        f"greedy; refused when it says so or its least likely token is below {threshold.value:.4f}; the threshold was "
        f"fixed on other questions, of whose stated answers it keeps {100 * threshold.kept_frac:.1f} %"
    )
    without = sum(not a.is_kept(0.0) for a in unstated) / max(1, len(unstated))
    area = area_under_curve([_certainty(a) for a in stated], [_certainty(a) for a in unstated])
    low, high = area_interval(area, len(stated), len(unstated))
    return [
        share(
            name,
            [float(not a.is_kept(threshold.value)) for a in unstated],
            baseline=without,
            bar=bar,
            protocol=f"{how}; baseline: without a threshold",
        ),
        share(f"{name}_stated_kept", [float(a.is_kept(threshold.value)) for a in stated], bar=keep_frac, protocol=how),
        Score(
            f"{name}_area",
            area,
            low,
            high,
            num_cases=len(stated) + len(unstated),
            unit="area under the curve",
            baseline=0.5,
            protocol="chance that a stated answer is more certain than an unstated one; certainty is the lowest token "
            "probability, 0 for a refusal; interval of Hanley and McNeil",
        ),
    ]


def area_under_curve(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Chance that a positive ranks above a negative, ties half (Mann-Whitney).

    >>> area_under_curve([0.9, 0.5], [0.5, 0.1])
    0.875
    """
    if not positives or not negatives:
        return 0.5
    above = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return above / (len(positives) * len(negatives))


def area_interval(area: float, num_positives: int, num_negatives: int) -> tuple[float, float]:
    """95 % interval of an area under the curve; Wilson's where the area is 0 or 1.

    Source: Hanley and McNeil 1982, equation 2.
    """
    if num_positives == 0 or num_negatives == 0:
        return 0.0, 1.0
    if area in (0.0, 1.0):
        fewer = min(num_positives, num_negatives)
        return wilson(area * fewer, fewer)
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area) + (num_positives - 1) * (q1 - area**2) + (num_negatives - 1) * (q2 - area**2)
    half = 1.959964 * math.sqrt(max(0.0, variance) / (num_positives * num_negatives))
    return max(0.0, area - half), min(1.0, area + half)


def _certainty(answer: Answered) -> float:
    return 0.0 if answer.refuses else answer.lowest
