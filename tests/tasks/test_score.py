"""Scores: intervals against hand-computed numbers."""

import random

import pytest

from hornbook.tasks.score import Score, bootstrap_ratio, share, wilson


@pytest.mark.parametrize(
    ("successes", "cases", "low", "high"),
    # (p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n) with z2 = 3.841459, computed by hand
    [(0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (5, 10, 0.236593, 0.763407), (81, 263, 0.255290, 0.366209)],
)
def test_wilson(successes: int, cases: int, low: float, high: float) -> None:
    assert wilson(successes, cases) == pytest.approx((low, high), abs=2e-5)


def test_wilson_without_cases_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_holds_the_truth_nineteen_times_in_twenty() -> None:
    generator = random.Random(1)
    held = 0
    for _ in range(1000):
        low, high = wilson(sum(generator.random() < 0.9 for _ in range(200)), 200)
        held += low <= 0.9 <= high
    assert 920 <= held <= 980


def test_share_is_the_mean_with_its_interval() -> None:
    score = share("x", [1.0, 0.0, 1.0, 1.0], bar=0.7, baseline=0.1, protocol="by hand")
    assert (score.value, score.num_cases, score.passed) == (0.75, 4, True)
    assert (score.low, score.high) == wilson(3, 4)
    assert score.record()["passed"] is True and score.record()["protocol"] == "by hand"


def test_bars_have_a_side() -> None:
    assert Score("bits", 1.2, 1, 2, 9, bar=1.0).passed is True
    assert Score("bits", 1.2, 1, 2, 9, bar=1.0, lower_is_better=True).passed is False
    assert Score("bits", 1.2, 1, 2, 9).passed is None


def test_bootstrap_of_a_constant_ratio_has_no_width() -> None:
    assert bootstrap_ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], seed=1) == pytest.approx((2.0, 2.0), abs=1e-12)


def test_bootstrap_is_named_and_seeded() -> None:
    generator = random.Random(2)
    tops, bottoms = [[generator.uniform(1, 9) for _ in range(60)] for _ in range(2)]
    first = bootstrap_ratio(tops, bottoms, seed=3)
    assert first == bootstrap_ratio(tops, bottoms, seed=3)
    assert first != bootstrap_ratio(tops, bottoms, seed=4)
    assert first[0] < sum(tops) / sum(bottoms) < first[1]
