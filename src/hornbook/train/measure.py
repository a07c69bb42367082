"""Measuring a model on fixed rows with the forward pass that training uses, in batches of the same shape."""

from collections.abc import Sequence

import numpy as np
import torch

from hornbook.train.objective import Surprise
from hornbook.train.packing import Piece, batch_of, best_fit, row_arrays


class FixedRows:
    """Packed pieces that are read again and again. The last batch is filled with empty rows.

    Batches have the shape of training's, so that a compiled forward is used as it is.
    """

    def __init__(
        self, items: Sequence[Piece], *, row_tokens: int, batch_rows: int, pad_id: int, device: torch.device
    ) -> None:
        packed = best_fit([len(weights) for _, weights in items], row_tokens)
        rows = [row_arrays([items[i] for i in row], row_tokens, pad_id) for row in packed]
        rows += [row_arrays([], row_tokens, pad_id)] * (-len(rows) % batch_rows)
        self.num_rows = len(packed)
        self.weight = float(sum(np.sum(weights, dtype=np.float64) for _, weights in items))
        self._batches = [batch_of(rows[i : i + batch_rows], {}) for i in range(0, len(rows), batch_rows)]
        self._device = device

    def nats(self, surprise: Surprise) -> float:
        """Summed surprise over the targets that count, added in fp64."""
        total = 0.0
        for batch in self._batches:
            here = batch.to(self._device)
            nats_BT = surprise(here.ids_BT, here.targets_BT, here.segments_BT).detach()
            total += float((nats_BT.double() * here.weights_BT).sum())
        return total
