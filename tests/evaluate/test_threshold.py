"""The threshold is the highest that keeps enough, and is judged elsewhere."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.evaluate.threshold import Answered, Threshold, area_interval, area_score, area_under_curve, choose


def answers(*lowest: float) -> list[Answered]:
    return [Answered(p, False) for p in lowest]


def test_the_highest_that_keeps_enough() -> None:
    stated = answers(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
    chosen = choose(stated, 0.9, 0.0, 10)
    assert (chosen.value, chosen.kept_frac, chosen.aimed_frac) == (0.1, 0.9, 0.9)
    assert choose(stated, 0.5, 0.0, 10).value == 0.5
    assert choose(stated, 1.0, 0.0, 10).value == 0.05


def test_the_margin_is_in_standard_errors_of_both_splits() -> None:
    stated = answers(*(i / 1000 for i in range(1, 201)))
    spread = math.sqrt(0.9 * 0.1 * (1 / 200 + 1 / 50))
    chosen = choose(stated, 0.9, 1.0, 50)
    assert chosen.aimed_frac == pytest.approx(0.9 + spread)
    assert chosen.kept_frac == pytest.approx(math.ceil(200 * (0.9 + spread)) / 200)
    assert choose(stated, 0.9, 99.0, 50).kept_frac == 1.0


def test_answers_that_refuse_are_never_kept() -> None:
    stated = [*answers(0.9, 0.8, 0.7), Answered(0.99, True)]
    assert choose(stated, 0.75, 0.0, 4).value == 0.7
    assert choose(stated, 0.9, 0.0, 4) == Threshold(0.0, 0.9, 0.75, 4)


@settings(deadline=None)
@given(
    st.lists(st.builds(Answered, st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.floats(0.1, 1.0),
)
def test_no_higher_threshold_would_do(stated: list[Answered], keep_frac: float) -> None:
    chosen = choose(stated, keep_frac, 0.0, 10)
    kept = sum(a.is_kept(chosen.value) for a in stated)
    if chosen.value > 0:
        assert kept >= keep_frac * len(stated) - 1e-6
        higher = math.nextafter(chosen.value, 2)
        assert sum(a.is_kept(higher) for a in stated) < keep_frac * len(stated) + 1e-6


def test_kept_and_area_by_hand() -> None:
    stated = answers(0.9, 0.6, 0.3, 0.8)
    unstated = [*answers(0.1, 0.55, 0.2), Answered(0.95, True)]
    assert [a.is_kept(0.6) for a in stated] == [True, True, False, True]
    assert [a.is_kept(0.0) for a in unstated] == [True, True, True, False]
    area = area_score("area", stated, unstated)
    assert area.value == pytest.approx(15 / 16)  # 16 pairs, of which only 0.3 < 0.55 is the wrong way round
    assert (area.num_cases, area.baseline) == (8, 0.5)
    assert "0.5000" in Threshold(0.5, 0.9, 0.925, 40).told() and "92.5 % of 40" in Threshold(0.5, 0.9, 0.925, 40).told()


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_area_is_scikit_learns(positives: list[float], negatives: list[float]) -> None:
    from sklearn.metrics import roc_auc_score

    positives, negatives = [round(p, 2) for p in positives], [round(n, 2) for n in negatives]
    truth = [1] * len(positives) + [0] * len(negatives)
    assert area_under_curve(positives, negatives) == pytest.approx(roc_auc_score(truth, positives + negatives))


def test_interval_of_an_area() -> None:
    low, high = area_interval(0.893, 58, 51)
    # by hand: Q1 = .893 / 1.107 = .806685, Q2 = 1.594898 / 1.893 = .842524
    variance = (0.893 * 0.107 + 57 * (0.893 / 1.107 - 0.893**2) + 50 * (2 * 0.893**2 / 1.893 - 0.893**2)) / (58 * 51)
    assert (low, high) == pytest.approx((0.893 - 1.959964 * variance**0.5, 0.893 + 1.959964 * variance**0.5))
    assert area_interval(1.0, 50, 20)[0] < 0.9 and area_interval(1.0, 50, 20)[1] == 1.0
    assert area_interval(0.5, 0, 3) == (0.0, 1.0)
