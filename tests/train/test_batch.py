import pytest
import small
import torch


def test_micro_batches_are_the_rows_in_order() -> None:
    batch = next(small.source(batch_rows=5).batches(None))
    parts = list(batch.split(2))
    assert [p.ids_BT.shape[0] for p in parts] == [2, 2, 1]
    for name in ("ids_BT", "targets_BT", "weights_BT", "segments_BT"):
        assert torch.equal(torch.cat([getattr(p, name) for p in parts]), getattr(batch, name))
    assert all(p.cursor == batch.cursor for p in parts)


@pytest.mark.parametrize("rows", [0, 5, 9])
def test_one_micro_batch_is_the_batch(rows: int) -> None:
    batch = next(small.source(batch_rows=5).batches(None))
    (only,) = batch.split(rows)
    assert torch.equal(only.ids_BT, batch.ids_BT) and only.num_tokens == batch.num_tokens == 5 * 64


def test_a_batch_without_segments_moves_and_splits() -> None:
    from dataclasses import replace

    batch = replace(next(small.source().batches(None)), segments_BT=None)
    moved = batch.to(torch.device("meta"))
    assert moved.ids_BT.is_meta and moved.segments_BT is None and next(batch.split(1)).segments_BT is None
