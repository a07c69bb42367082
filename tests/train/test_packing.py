import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.train.packing import batch_of, best_fit, pieces, row_arrays


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 16), max_size=60))
def test_every_item_is_in_exactly_one_row_and_rows_fit(lengths: list[int]) -> None:
    rows = best_fit(lengths, 16)
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[i] for i in row) <= 16 for row in rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 16), max_size=40))
def test_best_fit_decreasing_by_brute_force(lengths: list[int]) -> None:
    """Longest first, each into the fullest row with room: looked up row by row."""
    free: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [i for i, room in enumerate(free) if room >= length]
        if fitting:
            free[min(fitting, key=lambda i: free[i])] -= length
        else:
            free.append(16 - length)
    assert sorted(free) == sorted(16 - sum(lengths[i] for i in row) for row in best_fit(lengths, 16))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(2, 70), min_size=1, max_size=30), st.integers(4, 20))
def test_no_target_is_lost_or_doubled(lengths: list[int], row_tokens: int) -> None:
    """Every (token, next token) pair of every document comes out once, with its weight; nothing else has weight."""
    docs, start = [], 1
    for length in lengths:
        docs.append(np.arange(start, start + length))
        start += length
    items = [piece for d in docs for piece in pieces(d, (d[1:] % 2).astype(np.float32), row_tokens)]
    found = []
    for row in best_fit([len(w) for _, w in items], row_tokens):
        ids, targets, weights, segments = row_arrays([items[i] for i in row], row_tokens, 0)
        real = ids > 0
        assert (targets[real] == ids[real] + 1).all() and not weights[~real].any()
        assert (weights[real] == targets[real] % 2).all()
        assert set(segments[real].tolist()) == set(range(len(row))) and (segments[~real] == len(row)).all()
        assert (np.diff(segments) >= 0).all()
        found += ids[real].tolist()
    assert sorted(found) == sorted(i for d in docs for i in d[:-1].tolist())


def test_a_long_document_by_hand() -> None:
    """Nine ids in rows of four: targets 2-5, 6-9; the piece after the first begins with the id before its target."""
    made = pieces(np.arange(1, 10), np.ones(8, dtype=np.float32), 4)
    assert [ids.tolist() for ids, _ in made] == [[1, 2, 3, 4, 5], [5, 6, 7, 8, 9]]


def test_a_batch_of_rows_by_hand() -> None:
    piece = (np.array([1, 7, 2]), np.array([1.0, 0.0], dtype=np.float32))
    batch = batch_of([row_arrays([piece, piece], 5, 9), row_arrays([], 5, 9)], {"row": 2})
    assert batch.ids_BT.tolist() == [[1, 7, 1, 7, 9], [9] * 5]
    assert batch.targets_BT.tolist() == [[7, 2, 7, 2, 9], [9] * 5]
    assert batch.weights_BT.tolist() == [[1, 0, 1, 0, 0], [0] * 5]
    assert batch.segments_BT is not None and batch.segments_BT.tolist() == [[0, 0, 1, 1, 2], [0] * 5]
    assert batch.cursor == {"row": 2}
