"""Draws against distributions worked out by hand, and independence of the neighbours."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.engine.interface import Request
from hornbook.engine.sampling import draw, likeliest, random_numbers

P = (0.4, 0.3, 0.2, 0.1)
LOGITS = torch.tensor([[math.log(P[2]), math.log(P[0]), math.log(P[3]), math.log(P[1])]])
"""Ids 1, 3, 0, 2 from likeliest to least likely."""


def request(**changes: object) -> Request:
    return Request(ids=(1,), max_tokens=1, **changes)  # type: ignore[arg-type]


def shares(**changes: object) -> list[float]:
    """Share of each id over a grid of numbers, which is its probability."""
    num = 1000
    rows = LOGITS.expand(num, 4)
    ids = draw(rows, [request(**changes)] * num, [(index + 0.5) / num for index in range(num)])
    return [ids.count(index) / num for index in range(4)]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, (0.2, 0.4, 0.1, 0.3)),
        ({"top_k": 2}, (0, 4 / 7, 0, 3 / 7)),
        ({"top_k": 9}, (0.2, 0.4, 0.1, 0.3)),
        ({"top_p": 0.69}, (0, 4 / 7, 0, 3 / 7)),
        ({"top_p": 0.71}, (2 / 9, 4 / 9, 0, 3 / 9)),
        ({"top_p": 0.01}, (0, 1, 0, 0)),
        ({"min_p": 0.49}, (2 / 9, 4 / 9, 0, 3 / 9)),
        ({"min_p": 1.0}, (0, 1, 0, 0)),
        ({"top_k": 3, "top_p": 0.75}, (0, 4 / 7, 0, 3 / 7)),
        ({"temperature": 0.5}, (4 / 30, 16 / 30, 1 / 30, 9 / 30)),
        ({"temperature": 0.5, "min_p": 0.3}, (0, 16 / 25, 0, 9 / 25)),
    ],
)
def test_shares_are_the_filtered_distribution(changes: dict[str, object], wanted: tuple[float, ...]) -> None:
    assert shares(**changes) == pytest.approx(wanted, abs=2e-3)


def test_an_impossible_token_is_never_drawn() -> None:
    logits = torch.tensor([[-math.inf, 0.0, -math.inf]])
    for number in (0.0, 1 - 2**-53):
        assert draw(logits, [request()], [number]) == [1]
        assert draw(logits, [request(top_p=0.5)], [number]) == [1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.5, 1.0, 2.0]),
            st.sampled_from([0, 1, 5]),
            st.sampled_from([1.0, 0.8]),
            st.sampled_from([0.0, 0.2]),
            st.floats(0, 1, exclude_max=True),
        ),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 1000),
)
def test_neighbours_never_change_a_draw(rows: list[tuple[float, int, float, float, float]], seed: int) -> None:
    logits = torch.randn(len(rows), 300, generator=torch.Generator().manual_seed(seed))
    requests = [request(temperature=t, top_k=k, top_p=p, min_p=m) for t, k, p, m, _ in rows]
    together = draw(logits, requests, [row[4] for row in rows])
    alone = [draw(logits[i : i + 1], [requests[i]], [rows[i][4]])[0] for i in range(len(rows))]
    assert together == alone


def test_seeds_name_streams() -> None:
    assert random_numbers(request(seed=3)).random() == random_numbers(request(seed=3)).random()
    assert random_numbers(request(seed=3)).random() != random_numbers(request(seed=4)).random()
    assert random_numbers(request()).random() != random_numbers(request()).random()


def test_likeliest_are_sorted_and_log_probabilities() -> None:
    found = likeliest(LOGITS[0], LOGITS.logsumexp(-1).item(), 2)
    assert list(found) == [1, 3]
    assert list(found.values()) == pytest.approx([math.log(0.4), math.log(0.3)], abs=1e-6)
