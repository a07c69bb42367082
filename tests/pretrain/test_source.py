import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.core.errors import DataError
from hornbook.pretrain import source as sources
from hornbook.pretrain.source import Fill, TokenSource, fill, open_shard
from hornbook.train.packing import row_arrays


def targets_of(source: TokenSource, epoch: int) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for window in range(source.num_windows):
        for ids, targets, weights, _ in source.window_rows(epoch, window):
            real = weights > 0
            found.update(zip(ids[real].tolist(), targets[real].tolist(), strict=True))
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(2, 90), min_size=1, max_size=40), st.integers(8, 40), st.integers(1, 9))
def test_an_epoch_is_every_target_once(lengths: list[int], row_tokens: int, window: int) -> None:
    docs = [np.arange(100 * n, 100 * n + length) for n, length in enumerate(lengths)]
    wanted = Counter((int(a), int(b)) for d in docs for a, b in itertools.pairwise(d))
    source = TokenSource(small.shard(docs), row_tokens=row_tokens, batch_rows=2, pad_id=0, seed=1)
    before = sources.WINDOW_DOCS
    sources.WINDOW_DOCS = window
    try:
        assert targets_of(source, 0) == targets_of(source, 1) == wanted
    finally:
        sources.WINDOW_DOCS = before


@pytest.mark.parametrize("window", [7, 2048])
def test_any_cursor_goes_on_exactly(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    """Over epoch and window borders: batches after a cursor are those of the straight run."""
    monkeypatch.setattr(sources, "WINDOW_DOCS", window)
    straight = small.source(num_docs=40).batches(None)
    batches = [next(straight) for _ in range(40)]
    assert batches[-1].cursor["epoch"] >= 2
    for at in range(0, 40, 3):
        again = small.source(num_docs=40).batches(dict(batches[at].cursor))
        for batch in batches[at + 1 : at + 4]:
            other = next(again)
            assert other.cursor == batch.cursor
            for name in ("ids_BT", "targets_BT", "weights_BT", "segments_BT"):
                assert (getattr(other, name) == getattr(batch, name)).all()


def test_orders_differ_by_epoch_and_seed_only() -> None:
    source, other = small.source(), small.source()
    other.seed = 8
    assert (source.order(0) == small.source().order(0)).all()
    assert (source.order(0) != source.order(1)).any() and (source.order(0) != other.order(0)).any()
    assert sorted(source.order(1).tolist()) == list(range(200))


def test_fill_by_hand() -> None:
    """A row of four places with documents of 3 and 1, one of two and two of padding: contexts 9 + 1 + 4 + 4 over 8."""
    made = [row_arrays([piece(3), piece(1)], 4, 0), row_arrays([piece(2)], 4, 0)]
    assert fill(made) == Fill(padding_frac=0.25, context_tokens=18 / 8)


def piece(num_targets: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(1, num_targets + 2), np.ones(num_targets, dtype=np.float32)


def test_rows_begin_with_a_document(tmp_path: Path) -> None:
    for ids, *_ in small.source().window_rows(0, 0):
        assert ids[0] == small.BOS


def test_shards_on_disk(tmp_path: Path) -> None:
    artifact = small.tokens_artifact(tmp_path / "tokens")
    docs, _ = small.documents(150, 3)
    shard = open_shard(artifact.path, "train")
    assert len(shard) == 150 and all((shard.document(i) == d).all() for i, d in enumerate(docs))
    assert shard.num_bytes.tolist() == [len(d) - 2 for d in docs]
    np.save(artifact.path / "validation.offsets.npy", np.zeros(1, dtype=np.int64))
    with pytest.raises(DataError, match="validation part has no documents"):
        open_shard(artifact.path, "validation")
