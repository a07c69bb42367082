"""Batches from token shards: every epoch a new order of documents, packed into rows, resumable anywhere.

The order of epoch e is a seeded permutation of the documents; windows of it are packed best-fit and their rows
shuffled. The cursor is (epoch, window, row): three numbers, whatever the size of the corpus.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.core.errors import DataError
from hornbook.core.seed import array_stream
from hornbook.train.batch import Batch
from hornbook.train.packing import batch_of, best_fit, pieces, row_arrays

WINDOW_DOCS = 2048


@dataclass(frozen=True)
class Shard:
    """One part (train or validation) of a tokens artifact, memory-mapped."""

    ids: np.ndarray
    offsets: np.ndarray
    num_bytes: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def document(self, index: int) -> np.ndarray:
        """Ids of a document: BOS, text, EOS."""
        return self.ids[self.offsets[index] : self.offsets[index + 1]].astype(np.int64)


@dataclass(frozen=True)
class Fill:
    """`padding_frac`: share of places that are padding; `context_tokens`: length of the document (or piece of one)
    that a place sees, averaged over places."""

    padding_frac: float
    context_tokens: float


def fill(rows: Sequence[tuple[np.ndarray, ...]]) -> Fill:
    """How full rows are (as `row_arrays` makes them) and how far their places see."""
    places = seen = real = 0
    for _, _, weights, segments in rows:
        lengths = np.unique(segments, return_counts=True)[1]
        places += len(segments)
        seen += int((lengths * lengths).sum())
        real += int(np.count_nonzero(weights))
    return Fill(1 - real / places, seen / places)


def open_shard(folder: Path, part: str) -> Shard:
    """Open a part of a tokens artifact. Raises DataError when it is empty."""
    facts = json.loads((folder / "tokens.json").read_text())
    offsets = np.load(folder / f"{part}.offsets.npy")
    if len(offsets) < 2:
        raise DataError(f"the {part} part has no documents", where=str(folder))
    ids = np.memmap(folder / f"{part}.bin", dtype=facts["dtype"], mode="r")
    return Shard(ids, offsets, np.load(folder / f"{part}.bytes.npy"))


class TokenSource:
    """Endless epochs over a shard, as batches of `batch_rows` rows of `row_tokens`."""

    def __init__(self, shard: Shard, *, row_tokens: int, batch_rows: int, pad_id: int, seed: int) -> None:
        self.shard, self.row_tokens, self.batch_rows = shard, row_tokens, batch_rows
        self.pad_id, self.seed = pad_id, seed
        self._order: tuple[int, np.ndarray] | None = None

    def batches(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """Batches after `cursor` (None = from the start)."""
        rows: list[tuple[np.ndarray, ...]] = []
        for row, place in self.rows(cursor):
            rows.append(row)
            if len(rows) == self.batch_rows:
                yield batch_of(rows, place)
                rows = []

    def rows(self, cursor: dict[str, Any] | None) -> Iterator[tuple[tuple[np.ndarray, ...], dict[str, int]]]:
        """Rows after `cursor` without end, each with the cursor that goes on after it."""
        start = cursor or {"epoch": 0, "window": 0, "row": 0}
        epoch, window, row = start["epoch"], start["window"], start["row"]
        while True:
            rows = self.window_rows(epoch, window)
            for index in range(row, len(rows)):
                yield rows[index], {"epoch": epoch, "window": window, "row": index + 1}
            row, window = 0, window + 1
            if window >= self.num_windows:
                epoch, window = epoch + 1, 0

    def window_rows(self, epoch: int, window: int) -> list[tuple[np.ndarray, ...]]:
        """The rows of one window of an epoch, in their order."""
        chosen = self.order(epoch)[window * WINDOW_DOCS : (window + 1) * WINDOW_DOCS]
        items = []
        for index in chosen:
            ids = self.shard.document(int(index))
            items += pieces(ids, np.ones(len(ids) - 1, dtype=np.float32), self.row_tokens)
        packed = best_fit([len(weights) for _, weights in items], self.row_tokens)
        shuffled = array_stream(self.seed, f"pretrain.source/rows/{epoch}", window).permutation(len(packed))
        return [row_arrays([items[i] for i in packed[row]], self.row_tokens, self.pad_id) for row in shuffled]

    def order(self, epoch: int) -> np.ndarray:
        """The documents of an epoch, in their order."""
        if self._order is None or self._order[0] != epoch:
            name = "pretrain.source/documents"
            self._order = (epoch, array_stream(self.seed, name, epoch).permutation(len(self.shard)))
        return self._order[1]

    def first_rows(self) -> "Fill":
        """How the first window of documents fills its rows."""
        return fill(self.window_rows(0, 0))

    @property
    def num_windows(self) -> int:
        """Windows in an epoch."""
        return -(-len(self.shard) // WINDOW_DOCS)
