"""Packing documents into rows: best fit, nothing lost, nothing doubled, every row begins where a document (or a piece
of a long one) begins.

Source: best-fit decreasing, the packing of Ding et al. 2024 (https://arxiv.org/abs/2404.10830). Deviation: documents
longer than a row are cut into row-long pieces that share one token, so that every target is learned exactly once.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from hornbook.train.batch import Batch

Piece = tuple[np.ndarray, np.ndarray]
"""Ids of length n + 1 (inputs are all but the last, targets all but the first) and n weights of the targets."""


def pieces(ids: np.ndarray, weights: np.ndarray, row_tokens: int) -> list[Piece]:
    """A document of n + 1 ids as pieces of at most `row_tokens` targets; `weights` are of the n targets."""
    return [
        (ids[first : first + row_tokens + 1], weights[first : first + row_tokens])
        for first in range(0, len(ids) - 1, row_tokens)
    ]


def best_fit(lengths: Sequence[int], row_tokens: int) -> list[list[int]]:
    """Indices of items by row: longest first, each into the fullest row that still has room for it.

    >>> best_fit([5, 3, 3, 2, 6], 8)
    [[4, 3], [0, 1], [2]]
    """
    rows: list[list[int]] = []
    free: list[tuple[int, int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        length = lengths[index]
        place = bisect_left(free, (length, -1))
        if place == len(free):
            rows.append([index])
            insort(free, (row_tokens - length, len(rows) - 1))
        else:
            room, row = free.pop(place)
            rows[row].append(index)
            insort(free, (room - length, row))
    return rows


def row_arrays(items: Sequence[Piece], row_tokens: int, pad_id: int) -> tuple[np.ndarray, ...]:
    """One row: ids, targets, weights (fp32) and segments; the rest of the row is padding of weight 0."""
    ids = np.full(row_tokens, pad_id, dtype=np.int64)
    targets = np.full(row_tokens, pad_id, dtype=np.int64)
    weights = np.zeros(row_tokens, dtype=np.float32)
    segments = np.full(row_tokens, len(items), dtype=np.int64)
    at = 0
    for number, (tokens, trained) in enumerate(items):
        end = at + len(trained)
        ids[at:end], targets[at:end] = tokens[:-1], tokens[1:]
        weights[at:end], segments[at:end] = trained, number
        at = end
    return ids, targets, weights, segments


def batch_of(rows: Sequence[tuple[np.ndarray, ...]], cursor: dict[str, Any]) -> Batch:
    """A batch from rows as `row_arrays` makes them."""
    ids, targets, weights, segments = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
    return Batch(ids, targets, weights, segments, cursor)
