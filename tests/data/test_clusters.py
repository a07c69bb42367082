import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.clusters import band_pairs, best_of_each, components, same_groups


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_pairs_of_a_band_are_star_and_chain() -> None:
    assert band_pairs(keys(7, 8, 9)).tolist() == []
    assert band_pairs(keys(7, 5, 7)).tolist() == [[0, 2]]
    assert band_pairs(keys(5, 7, 7, 3, 7, 7)).tolist() == [[1, 2], [1, 4], [1, 5], [2, 4], [4, 5]]
    assert band_pairs(keys()).tolist() == []


@examples(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30))
def test_pairs_join_exactly_the_equal_keys(values: list[int]) -> None:
    labels = components(len(values), band_pairs(keys(*values)))
    for i in range(len(values)):
        for j in range(i):
            assert (labels[i] == labels[j]) == (values[i] == values[j])


def test_same_hashes_meet_at_the_first() -> None:
    high, low = keys(1, 1, 2, 1, 2), keys(5, 6, 5, 5, 5)
    assert same_groups(high, low).tolist() == [0, 1, 2, 0, 2]


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
