"""Bits per byte on documents that were kept out, from their raw bytes, while training goes on."""

import numpy as np
import torch

from hornbook.core.units import bits_per_byte
from hornbook.pretrain.source import Shard
from hornbook.train.loop import Measure
from hornbook.train.measure import FixedRows
from hornbook.train.objective import Surprise
from hornbook.train.packing import Piece, pieces

LEAST_TOKENS, MOST_TOKENS = 4_000, 40_000


def enough_tokens(total_tokens: int) -> int:
    """Tokens to validate on: a hundredth of the run, so that ten validations cost a thirtieth of it.

    >>> enough_tokens(1_500_000), enough_tokens(10_000), enough_tokens(10**9)
    (15000, 4000, 40000)
    """
    return min(MOST_TOKENS, max(LEAST_TOKENS, total_tokens // 100))


def validator(
    shard: Shard,
    *,
    row_tokens: int,
    batch_rows: int,
    pad_id: int,
    max_tokens: int,
    device: torch.device,
    name: str = "validation_bits_per_byte",
) -> Measure:
    """A function that measures bits per byte on the first validation documents, in the training's number format.

    Protocol: document by document, BOS first; the end-of-text token's own cost is left out, and its byte is none;
    documents longer than a row are read in row-long pieces. The report measures again in fp32 (`evaluate.perplexity`).
    `name`: what it is called in the records.
    """
    items, num_bytes = whole_documents(shard, row_tokens, max_tokens)
    rows = FixedRows(items, row_tokens=row_tokens, batch_rows=batch_rows, pad_id=pad_id, device=device)

    def measure(surprise: Surprise) -> dict[str, float]:
        return {name: bits_per_byte(rows.nats(surprise), num_bytes)}

    return measure


def whole_documents(shard: Shard, row_tokens: int, max_tokens: int) -> tuple[list[Piece], int]:
    """Pieces of the first documents, about `max_tokens` altogether, and their raw bytes."""
    items: list[Piece] = []
    tokens = num_bytes = 0
    for index in range(len(shard)):
        ids = shard.document(index)
        weights = np.ones(len(ids) - 1, dtype=np.float32)
        weights[-1] = 0.0
        items += pieces(ids, weights, row_tokens)
        num_bytes += int(shard.num_bytes[index])
        tokens += len(ids)
        if tokens >= max_tokens and num_bytes:
            break
    return items, num_bytes
