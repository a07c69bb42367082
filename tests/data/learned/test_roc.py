import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.learned import roc

LABELS = np.array([1, 0, 1, 1, 0, 0])
SCORES = np.array([0.9, 0.8, 0.7, 0.4, 0.4, 0.1])


def test_a_curve_worked_out_by_hand() -> None:
    curve = roc.roc(LABELS, SCORES)
    third = 1 / 3
    assert curve.fpr == pytest.approx([0, 0, third, third, 2 * third, 1])
    assert curve.tpr == pytest.approx([0, third, third, 2 * third, 1, 1])
    # Of 9 pairs the positive wins 3 + 2 + 1 and ties in one.
    assert curve.auc == pytest.approx(6.5 / 9)


def test_hanley_and_mcneil() -> None:
    """A = .72: Q1 = A/(2-A), Q2 = 2A^2/(1+A), the variance with 3 positives and 3 negatives."""
    a = 6.5 / 9
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = math.sqrt((a * (1 - a) + 2 * (q1 - a * a) + 2 * (q2 - a * a)) / 9)
    curve = roc.roc(LABELS, SCORES)
    assert (curve.low, curve.high) == (pytest.approx(a - 1.959964 * error), 1.0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_the_area_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    from sklearn.metrics import roc_auc_score

    labels, scores = np.array([a for a, _ in rows]), np.array([b for _, b in rows])
    curve = roc.roc(labels, scores)
    if labels.all() or not labels.any():
        assert math.isnan(curve.auc)
    else:
        assert curve.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_thresholds() -> None:
    rows = roc.at_thresholds(LABELS, SCORES, (0.4, 0.75, 0.95))
    assert rows[0] == {
        "threshold": 0.4,
        "precision": 0.6,
        "recall": 1.0,
        "false_positive_rate": pytest.approx(2 / 3),
        "flagged": pytest.approx(5 / 6),
    }
    assert rows[1]["precision"] == 0.5 and rows[1]["recall"] == pytest.approx(1 / 3)
    assert rows[2]["precision"] is None and rows[2]["flagged"] == 0


def test_thresholds_where_positives_are_rarer_than_here() -> None:
    """One positive in a hundred: recall .9 of 1 and a false-positive rate of .1 of 99 are 9 right ones of 108."""
    labels = np.repeat([1, 0], [10, 10])
    scores = np.concatenate((np.repeat([0.9, 0.1], [9, 1]), np.repeat([0.9, 0.1], [1, 9])))
    (row,) = roc.at_thresholds(labels, scores, (0.5,), positive_frac=0.01)
    assert (row["recall"], row["false_positive_rate"]) == (0.9, 0.1)
    assert row["precision"] == pytest.approx(9 / 108) and row["flagged"] == pytest.approx(0.108)
    (row,) = roc.at_thresholds(labels, scores, (0.5,))
    assert (row["precision"], row["flagged"]) == (0.9, 0.5)


def test_calibration_error() -> None:
    said = np.array([0.05, 0.05, 0.95, 0.95, 1.0])
    right = np.array([0, 1, 1, 1, 0])
    rows = roc.reliability(right, said)
    assert rows == [(0.05, 0.5, 2), (pytest.approx(2.9 / 3), pytest.approx(2 / 3), 3)]
    wanted = (2 * 0.45 + 3 * (2.9 / 3 - 2 / 3)) / 5
    assert roc.expected_calibration_error(right, said) == pytest.approx(wanted)


def test_confusion_and_f1() -> None:
    table = roc.confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 4)
    assert table.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert roc.macro_f1(table) == pytest.approx((2 / 3 + 2 / 4 + 0) / 3)  # the fourth class does not occur
