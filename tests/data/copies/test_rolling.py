import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.copies.rolling import BASES, KEPT_POWERS, Rolling


@examples(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=25), st.sampled_from(BASES))
def test_equal_stretches_hash_equal_and_others_do_not(values: list[int], base: int) -> None:
    rolling = Rolling(np.array(values, np.uint64), base)
    stretches = [(a, b) for a in range(len(values) + 1) for b in range(a, len(values) + 1)]
    hashes = rolling.hashes(np.array([a for a, _ in stretches]), np.array([b for _, b in stretches])).tolist()
    seen = dict(zip(hashes, (tuple(values[a:b]) for a, b in stretches), strict=True))
    assert all(seen[h] == tuple(values[a:b]) for h, (a, b) in zip(hashes, stretches, strict=True))
    assert len(seen) == len({tuple(values[a:b]) for a, b in stretches})


def test_the_greatest_value_counts_too() -> None:
    rolling = Rolling(np.array([2**64 - 1] * 3, np.uint64))
    assert len(set(rolling.hashes(np.array([0, 0, 0, 0]), np.array([0, 1, 2, 3])).tolist())) == 4


def test_a_long_sequence_far_from_its_beginning() -> None:
    size = KEPT_POWERS + 200_000
    size -= size % 1000
    values = np.arange(size, dtype=np.uint64) % np.uint64(1000)
    found = Rolling(values).hashes(np.array([0, size - 1000, 1]), np.array([1000, size, 1001])).tolist()
    assert found[0] == found[1] != found[2]
    assert Rolling(values[:1000]).hashes(np.array([0]), np.array([1000])).tolist() == found[:1]
