import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.shares import apportion, scarcest_total, shortfall, tempered

names = st.sampled_from(["a", "b", "c", "d", "e"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, int], dict[str, float], dict[str, float]]:
    chosen = draw(st.lists(names, min_size=1, unique=True))
    sizes = {name: draw(st.integers(1, 10**9)) for name in chosen}
    raw = {name: draw(st.floats(0.01, 10.0)) for name in chosen}
    shares = {name: value / sum(raw.values()) for name, value in raw.items()}
    return sizes, shares, {name: draw(st.floats(0.1, 8.0)) for name in chosen}


@given(cases(), st.floats(0.001, 10.0))
def test_limits_hold_and_nothing_is_lost(case: tuple[dict[str, int], dict[str, float], dict[str, float]], f: float):
    """The total is met where limits allow, no domain passes its limit, and open domains keep their proportions."""
    sizes, shares, limits = case
    total = f * sum(sizes.values())
    found = apportion(sizes, shares, limits, total)
    most = {name: sizes[name] * limits[name] for name in sizes}
    got = {name: portion.wanted_bytes for name, portion in found.items()}
    assert math.isclose(sum(got.values()), min(total, sum(most.values())), rel_tol=1e-9)
    assert all(got[name] <= most[name] * (1 + 1e-9) for name in sizes)
    ratios = [got[n] / shares[n] for n in sizes if got[n] < most[n] * (1 - 1e-9)]
    assert all(math.isclose(r, ratios[0], rel_tol=1e-9) for r in ratios)
    assert not ratios or all(got[n] / shares[n] <= ratios[0] * (1 + 1e-9) for n in sizes)


@given(cases())
def test_the_scarcest_decides_and_then_shares_are_exact(
    case: tuple[dict[str, int], dict[str, float], dict[str, float]],
):
    sizes, shares, limits = case
    total = scarcest_total(sizes, shares, limits)
    found = apportion(sizes, shares, limits, total)
    assert all(math.isclose(found[n].wanted_bytes, shares[n] * total, rel_tol=1e-9) for n in sizes)
    assert shortfall(found, total) == [] and total <= sum(sizes.values())


def test_by_hand():
    """Asked 60/30/10 of 1,000 where a has 100 and two epochs: a gives 200, the other 800 fall 3 to 1."""
    sizes = {"a": 100, "b": 900, "c": 900}
    found = apportion(sizes, {"a": 0.6, "b": 0.3, "c": 0.1}, dict.fromkeys(sizes, 2.0), 1000)
    assert {n: round(p.wanted_bytes, 6) for n, p in found.items()} == {"a": 200.0, "b": 600.0, "c": 200.0}
    assert [round(found[n].epochs, 4) for n in "abc"] == [2.0, 0.6667, 0.2222]
    assert shortfall(found, 1000) == ['"a": 60.0 % asked, 20.0 % possible at 2 epochs']


def test_a_second_round_may_fill_another():
    """When a's rest makes b overflow too, c takes what both leave."""
    sizes = {"a": 10, "b": 20, "c": 1000}
    found = apportion(sizes, {"a": 0.5, "b": 0.3, "c": 0.2}, dict.fromkeys(sizes, 1.0), 60)
    assert [found[n].wanted_bytes for n in "abc"] == pytest.approx([10, 20, 30])


def test_weight_zero_gives_nothing():
    found = apportion({"a": 10, "b": 10}, {"a": 0.0, "b": 1.0}, {"a": 4.0, "b": 4.0}, 100)
    assert found["a"].wanted_bytes == 0 and found["b"].wanted_bytes == 40
    assert scarcest_total({"a": 0, "b": 10}, {"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 1.0}) == 10


def test_temperature_from_natural_to_uniform():
    sizes = {"a": 8100, "b": 900, "none": 0}
    assert tempered(sizes, 1.0) == {"a": 0.9, "b": 0.1, "none": 0.0}
    assert tempered(sizes, 0.0) == {"a": 0.5, "b": 0.5, "none": 0.0}
    assert tempered(sizes, 0.5) == {"a": 0.75, "b": 0.25, "none": 0.0}
