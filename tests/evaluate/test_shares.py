"""Intervals that know which cases belong together; distinct answers; bits beside a floor."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.evaluate.shares import distinct_share, effective_cases, grouped_share, mean_bits
from hornbook.tasks.score import wilson


def test_independent_cases_have_wilsons_interval() -> None:
    grades = [1.0] * 81 + [0.0] * 182
    found = grouped_share("a", grades, [str(i) for i in range(263)], bar=0.3)
    assert (found.low, found.high) == wilson(81, 263)
    assert (found.value, found.num_cases, found.unit, found.passed) == (81 / 263, 263, "share", True)


def test_repeated_cases_count_once() -> None:
    grades = [1.0, 0.0, 1.0, 1.0] * 10
    groups = [str(i) for i in range(40)]
    once = grouped_share("a", grades, groups)
    twice = grouped_share("a", grades * 2, groups * 2)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=0.01)
    assert twice.num_cases == 80


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 0.5]), st.sampled_from("abcde")), min_size=1, max_size=40))
def test_effective_cases_lie_between_groups_and_cases(cases: list[tuple[float, str]]) -> None:
    grades, groups = [g for g, _ in cases], [n for _, n in cases]
    assert len(set(groups)) - 1e-9 <= effective_cases(grades, groups) <= len(cases) + 1e-9


def test_the_interval_covers_as_it_says() -> None:
    """Groups of three cases that agree two times out of three: the truth lies inside about as often as it should."""
    rng = random.Random(5)
    hits = alone = 0
    for _ in range(500):
        truths = [rng.random() < 0.7 for _ in range(50)]
        grades = [float(t if rng.random() < 0.67 else rng.random() < 0.7) for t in truths for _ in range(3)]
        found = grouped_share("a", grades, [str(i) for i in range(50) for _ in range(3)])
        low, high = wilson(sum(grades), 150)
        hits += found.low <= 0.7 <= found.high
        alone += low <= 0.7 <= high
    assert 0.93 <= hits / 500 <= 0.98
    assert alone / 500 < 0.9, "taken as independent they would promise too much"


def test_nothing_at_all_and_one_group() -> None:
    assert (grouped_share("a", [], []).low, grouped_share("a", [], []).high) == (0.0, 1.0)
    assert grouped_share("a", [1.0] * 9, ["x"] * 9).low == wilson(1, 1)[0]


def test_distinct_answers() -> None:
    found = distinct_share("d", ["A fox.", "a  fox", "An owl", "", ""], 0.9)
    assert (found.value, found.num_cases, found.passed) == (0.6, 5, False)


def test_bits_beside_the_floor() -> None:
    found = mean_bits("b", [20.0, 22.0, 24.0], [19.0, 20.0, 21.0], 1)
    assert (found.value, found.baseline, found.lower_is_better, found.unit) == (22.0, 20.0, True, "bits")
    assert 20.0 <= found.low < 22.0 < found.high <= 24.0
    assert "2^-2.00 = 0.250" in found.protocol
