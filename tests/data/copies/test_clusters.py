import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.copies.clusters import band_pairs, best_of_each, components, first_of_each, groups


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def pairs(*values: int) -> list[list[int]]:
    return sorted(np.concatenate(band_pairs(keys(*values))).tolist())


def test_pairs_of_a_band_are_those_with_the_first_and_the_three_before() -> None:
    assert pairs(7, 8, 9) == pairs() == []
    assert pairs(7, 5, 7) == [[0, 2]]
    assert pairs(5, 7, 7, 3, 7, 7) == [[1, 2], [1, 4], [1, 5], [2, 4], [2, 5], [4, 5]]
    seven = pairs(*[1] * 7)
    assert [p for p in seven if p[1] == 6] == [[0, 6], [3, 6], [4, 6], [5, 6]] and len(seven) == 1 + 2 + 3 + 4 * 3


@examples(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30))
def test_pairs_join_exactly_the_equal_keys(values: list[int]) -> None:
    labels = components(len(values), np.concatenate(band_pairs(keys(*values))))
    for i in range(len(values)):
        for j in range(i):
            assert (labels[i] == labels[j]) == (values[i] == values[j])


def test_same_hashes_meet_at_the_first() -> None:
    rows = np.array([(1, 5), (1, 6), (2, 5), (1, 5), (2, 5)], np.uint64)
    assert first_of_each(rows).tolist() == [0, 1, 2, 0, 2]
    assert first_of_each(rows[:0]).tolist() == []


def test_components_follow_chains() -> None:
    labels = components(6, np.array([[0, 3], [3, 5], [1, 2]]))
    assert labels[0] == labels[3] == labels[5] and labels[1] == labels[2]
    assert len(set(labels.tolist())) == 3
    assert components(3, np.zeros((0, 2), np.int64)).tolist() == [0, 1, 2]


def test_the_longest_is_kept_and_among_equals_the_lowest_id() -> None:
    labels = np.array([0, 0, 1, 0, 1])
    lengths = np.array([5, 9, 4, 9, 4])
    ids = np.array([1, 7, 9, 3, 2])
    assert best_of_each(labels, lengths, ids).tolist() == [3, 3, 4, 3, 4]


@examples(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2)), max_size=20))
def test_the_best_of_each_by_hand(rows: list[tuple[int, int, int]]) -> None:
    """Highest rank, then lowest id, then first."""
    labels, ranks, ids = (np.array([row[k] for row in rows], float) for k in range(3))
    best = [
        min((-ranks[j], ids[j], j) for j in range(len(rows)) if labels[j] == labels[i])[2] for i in range(len(rows))
    ]
    assert best_of_each(labels, ranks, ids).tolist() == best


def test_groups_begin_with_the_best() -> None:
    labels, ranks = np.array([4, 9, 4, 1, 9, 4]), np.array([1.0, 2.0, 3.0, 9.0, 2.0, 3.0])
    found = groups(labels, ranks, np.array([b"a", b"z", b"y", b"q", b"b", b"x"]))
    assert [group.tolist() for group in found] == [[5, 2, 0], [4, 1]]
    assert groups(labels[:0], ranks[:0], np.zeros(0, "S1")) == []
