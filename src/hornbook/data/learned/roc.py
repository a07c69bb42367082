"""How well scores tell classes apart and whether probabilities mean what they say: ROC, calibration, confusion."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class Roc:
    """A receiver operating characteristic: shares of negatives and positives at or above each threshold.

    `auc`: chance that a positive scores higher than a negative (ties count half); `low`, `high`: its 95 % interval.
    """

    fpr: "np.ndarray"
    tpr: "np.ndarray"
    auc: float
    low: float
    high: float


def roc(labels: "np.ndarray", scores: "np.ndarray") -> Roc:
    """The curve and the area under it. `labels`: true where positive. Without both classes the area is nan.

    Source: interval by Hanley and McNeil 1982, equations 1 and 2.
    """
    import numpy as np

    labels = np.asarray(labels, bool)
    order = np.argsort(-scores, kind="stable")
    ordered, hits = np.asarray(scores)[order], labels[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.zeros(0, np.int64)
    num_pos, num_neg = int(labels.sum()), int((~labels).sum())
    tp, fp = np.cumsum(hits)[last], np.cumsum(~hits)[last]
    fpr = np.concatenate(([0.0], fp / max(1, num_neg)))
    tpr = np.concatenate(([0.0], tp / max(1, num_pos)))
    if not num_pos or not num_neg:
        return Roc(fpr, tpr, math.nan, math.nan, math.nan)
    auc = float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = (auc * (1 - auc) + (num_pos - 1) * (q1 - auc * auc) + (num_neg - 1) * (q2 - auc * auc)) / (
        num_pos * num_neg
    )
    margin = 1.959964 * math.sqrt(max(0.0, variance))
    return Roc(fpr, tpr, auc, max(0.0, auc - margin), min(1.0, auc + margin))


def at_thresholds(
    labels: "np.ndarray",
    probabilities: "np.ndarray",
    thresholds: tuple[float, ...] = THRESHOLDS,
    positive_frac: float | None = None,
) -> list[dict[str, float | None]]:
    """Precision, recall, false-positive rate and share flagged at or above each threshold; None where undefined.

    `positive_frac`: the share of positives that precision and share flagged are said for, where it is not theirs here.
    """
    import numpy as np

    labels = np.asarray(labels, bool)
    num_pos, num_neg = int(labels.sum()), int((~labels).sum())
    weight = 1.0  # of a negative, where a positive has 1
    if positive_frac is not None and num_neg:
        weight = (1 - positive_frac) / positive_frac * num_pos / num_neg
    rows: list[dict[str, float | None]] = []
    for threshold in thresholds:
        flagged = np.asarray(probabilities) >= threshold
        tp, fp = int((flagged & labels).sum()), int((flagged & ~labels).sum())
        rows.append(
            {
                "threshold": threshold,
                "precision": tp / (tp + weight * fp) if tp + weight * fp else None,
                "recall": tp / num_pos if num_pos else None,
                "false_positive_rate": fp / num_neg if num_neg else None,
                "flagged": (tp + weight * fp) / max(1, num_pos + weight * num_neg),
            }
        )
    return rows


def reliability(right: "np.ndarray", probabilities: "np.ndarray", bins: int = 10) -> list[tuple[float, float, int]]:
    """For equal bins of probability: mean probability, share that was right, number; empty bins are left out."""
    import numpy as np

    place = np.minimum((np.asarray(probabilities) * bins).astype(np.int64), bins - 1)
    rows: list[tuple[float, float, int]] = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            rows.append((float(probabilities[inside].mean()), float(right[inside].mean()), int(inside.sum())))
    return rows


def expected_calibration_error(right: "np.ndarray", probabilities: "np.ndarray", bins: int = 10) -> float:
    """Mean distance between stated probability and share that was right, over bins weighted by their number.

    Source: Naeini et al. 2015, equal-width bins.
    """
    rows = reliability(right, probabilities, bins)
    return sum(abs(stated - seen) * num for stated, seen, num in rows) / max(1, sum(num for _, _, num in rows))


def confusion(labels: "np.ndarray", predicted: "np.ndarray", num_classes: int) -> "np.ndarray":
    """How many of each class (rows) were taken for which (columns)."""
    import numpy as np

    flat = np.asarray(labels, np.int64) * num_classes + np.asarray(predicted, np.int64)
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def macro_f1(matrix: "np.ndarray") -> float:
    """Mean of the classes' F1 over the classes that occur in a confusion matrix."""
    import numpy as np

    both = matrix.sum(0) + matrix.sum(1)
    there = both > 0
    return float(np.mean(2 * np.diag(matrix)[there] / both[there])) if there.any() else math.nan
