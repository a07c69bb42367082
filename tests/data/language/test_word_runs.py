from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.language.word_runs import RunCounter, merge_top, zipf_exponent

TEXTS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=12), max_size=8)


def brute(texts: list[list[str]], size: int) -> Counter[str]:
    return Counter(" ".join(t[i : i + size]) for t in texts for i in range(len(t) - size + 1))


@given(TEXTS, TEXTS)
def test_counts_are_exact_and_no_run_crosses_a_border(first: list[list[str]], second: list[list[str]]) -> None:
    counter = RunCounter(keep=10_000, merge_words=7)
    counter.add(first)
    counter.add(second)
    for size in (1, 2, 3):
        expected = sorted(brute(first + second, size).items(), key=lambda item: (-item[1], item[0]))
        assert counter.top(size, 10_000) == expected
        assert counter.top(size, 2) == expected[:2]
        assert counter.next_count(size, 2) == (expected[2][1] if len(expected) > 2 else 0)
    assert counter.num_words == sum(map(len, first + second))


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_a_full_table_never_counts_too_much_and_says_how_much_it_may_lack(batches: list[list[list[str]]]) -> None:
    counter = RunCounter(keep=4, merge_words=1)
    for batch in batches:
        counter.add(batch)
    texts = [text for batch in batches for text in batch]
    for size in (1, 2, 3):
        exact = brute(texts, size)
        found = dict(counter.top(size, 1000))
        for run, count in exact.items():
            assert found.get(run, 0) <= count <= found.get(run, 0) + counter.cut[size]
        for most in (0, 1, 3):
            listed = dict(counter.top(size, most))
            border = counter.next_count(size, most)
            assert all(count <= border for run, count in exact.items() if run not in listed)


def test_a_run_that_was_cut_and_comes_back_may_have_occurred_more_often() -> None:
    counter = RunCounter(keep=1, merge_words=1)
    counter.add([["a"] * 9, ["b"] * 3, ["c"] * 2])
    assert counter.top(1, 9) == [("a", 9)] and counter.cut[1] == 3
    counter.add([["b"] * 5])
    assert counter.top(1, 9) == [("a", 9), ("b", 5)]
    assert counter.next_count(1, 1) == 5 + 3 and counter.next_count(1, 2) == 3


def test_a_table_stays_small_when_hardly_anything_repeats() -> None:
    counter = RunCounter(keep=4, merge_words=1)
    counter.add([[str(i) for i in range(100)] + ["1", "2"]])
    assert counter.top(1, 9) == [("1", 2), ("2", 2)] and counter.cut[1] == 1


def test_words_beyond_the_limit_are_in_no_run() -> None:
    counter = RunCounter(keep=100, most_words=2)
    counter.add([["a", "b", "new", "a", "b"]])
    assert counter.top(1, 10) == [("a", 2), ("b", 2)] and counter.top(2, 10) == [("a b", 2)]


def test_lists_are_merged_with_their_bounds() -> None:
    parts = [([("a", 5), ("b", 4)], 3, 0), ([("a", 2)], 1, 0), ([], 0, 0)]
    assert merge_top(parts, 2) == [("a", 7, 0), ("b", 4, 1)]
    parts = [([("a", 5), ("b", 4)], 3, 2), ([("a", 2)], 3, 1)]  # what was cut before a run came back is lacking, too
    assert merge_top(parts, 2) == [("a", 7, 3), ("b", 4, 5)]


def test_zipf_exponent_of_a_known_law() -> None:
    counts = [round(1e9 / rank**1.3) for rank in range(1, 500)]
    assert zipf_exponent(counts) == pytest.approx(1.3, abs=1e-3)
    assert zipf_exponent(np.ones(9).tolist()) is None
