"""Bits per byte on documents that were kept out, from their raw bytes."""

from collections.abc import Callable

import numpy as np
import torch

from hornbook.core.units import bits_per_byte
from hornbook.model.decoder import Decoder
from hornbook.pretrain.source import Shard
from hornbook.train.packing import best_fit, pieces, row_arrays

BATCH_ROWS = 8


def validator(
    model: Decoder, shard: Shard, *, row_tokens: int, pad_id: int, max_tokens: int = 40_000
) -> Callable[[], dict[str, float]]:
    """A function that measures bits per byte on the first validation documents, in the training's number format.

    Protocol: document by document, BOS first; the end-of-text token's own cost is left out; documents longer than a
    row are read in row-long pieces. The final report measures again in fp32 (`evaluate.perplexity`).
    """
    chosen, items, tokens = [], [], 0
    for index in range(len(shard)):
        ids = shard.document(index)
        weights = np.ones(len(ids) - 1, dtype=np.float32)
        weights[-1] = 0.0
        chosen.append(index)
        items += pieces(ids, weights, row_tokens)
        tokens += len(ids)
        if tokens >= max_tokens:
            break
    num_bytes = int(shard.num_bytes[chosen].sum())
    packed = best_fit([len(weights) for _, weights in items], row_tokens)
    rows = [row_arrays([items[i] for i in row], row_tokens, pad_id) for row in packed]

    def measure() -> dict[str, float]:
        return {"validation_bits_per_byte": bits_per_byte(_nats(model, rows), num_bytes)}

    return measure


@torch.no_grad()
def _nats(model: Decoder, rows: list[tuple[np.ndarray, ...]]) -> float:
    device = model.embedding.device
    total = 0.0
    for first in range(0, len(rows), BATCH_ROWS):
        parts = zip(*rows[first : first + BATCH_ROWS], strict=True)
        ids, targets, weights, segments = (torch.from_numpy(np.stack(part)).to(device) for part in parts)
        nats = model.token_nats(model.hidden(ids, None, segments), targets)
        total += float((nats.double() * weights).sum())
    return total
