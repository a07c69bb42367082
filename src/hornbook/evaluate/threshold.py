"""Knowing what one does not know: a threshold on the lowest token probability along a greedy answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hornbook.tasks.score import Score, wilson


@dataclass(frozen=True, slots=True)
class Answered:
    """A greedy answer: the lowest probability of a token in it, and whether it says itself that it does not know."""

    confidence: float
    refuses: bool

    def is_kept(self, threshold: float) -> bool:
        """Whether the answer is given; it is refused when it refuses itself or is below the threshold."""
        return not self.refuses and self.confidence >= threshold


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold that was chosen on calibration answers, and the share of stated answers it keeps there."""

    value: float
    aimed_frac: float
    kept_frac: float
    num_calibration: int

    def told(self) -> str:
        """How it was fixed, for a protocol."""
        kept = f"{100 * self.kept_frac:.1f} % of {self.num_calibration} stated answers"
        return f"threshold {self.value:.4f}, fixed on questions of their own, where it keeps {kept}"


def choose(stated: Sequence[Answered], keep_frac: float, margin_errors: float, num_test: int) -> Threshold:
    """The highest threshold that keeps enough of the stated calibration answers.

    Enough is `keep_frac` and `margin_errors` standard errors of the difference between this split and one of
    `num_test` answers, so that the promise also holds on other questions. 0 when even that keeps too few.
    """
    spread = math.sqrt(keep_frac * (1 - keep_frac) * (1 / max(1, len(stated)) + 1 / max(1, num_test)))
    aimed = min(1.0, keep_frac + margin_errors * spread)
    needed = max(1, math.ceil(aimed * len(stated) - 1e-9))
    confidences = sorted((a.confidence for a in stated if not a.refuses), reverse=True)
    value = confidences[needed - 1] if len(confidences) >= needed else 0.0
    kept = sum(answer.is_kept(value) for answer in stated) / max(1, len(stated))
    return Threshold(value, aimed, kept, len(stated))


def area_score(name: str, stated: Sequence[Answered], unstated: Sequence[Answered]) -> Score:
    """How well confidence tells stated from unstated, whatever the threshold."""
    area = area_under_curve([_certainty(a) for a in stated], [_certainty(a) for a in unstated])
    low, high = area_interval(area, len(stated), len(unstated))
    return Score(
        name,
        area,
        low,
        high,
        num_cases=len(stated) + len(unstated),
        unit="area under the curve",
        baseline=0.5,
        protocol="chance that a stated answer is more certain than an unstated one; certainty is the lowest token "
        "probability of the greedy answer, 0 for a refusal; interval of Hanley and McNeil",
    )


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
    return 0.0 if answer.refuses else answer.confidence
