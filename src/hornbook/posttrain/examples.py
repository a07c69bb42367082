"""Batches from conversations: rendered by the chat format, packed, only answers learned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbook.core.conversation import Conversation
from hornbook.core.seed import array_stream, key
from hornbook.tokenizer.chat import render
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.train.batch import Batch
from hornbook.train.packing import Piece, batch_of, best_fit, row_arrays


@dataclass(frozen=True)
class Split:
    """Conversations to learn from, and those kept out to measure on."""

    train: list[Conversation]
    validation: list[Conversation]


def split(conversations: Sequence[Conversation], validation_frac: float) -> Split:
    """Part by a hash of the id: a conversation always falls on the same side."""
    limit = validation_frac * 2**64
    kept_out = {c.id for c in conversations if key(0, f"posttrain.examples/{c.id}") < limit}
    return Split([c for c in conversations if c.id not in kept_out], [c for c in conversations if c.id in kept_out])


def rendered(conversations: Sequence[Conversation], tokenizer: Tokenizer, row_tokens: int) -> tuple[list[Piece], int]:
    """Ids and target weights of each conversation, and how many were left out because they do not fit a row.

    The weight of a target is 1 where the assistant says it. Conversations with nothing to learn are left out too.
    """
    items: list[Piece] = []
    for conversation in conversations:
        made = render(conversation.messages, tokenizer)
        weights = np.asarray(made.train[1:], dtype=np.float32)
        if len(weights) <= row_tokens and weights.any():
            items.append((np.asarray(made.ids, dtype=np.int64), weights))
    return items, len(conversations) - len(items)


class ExampleSource:
    """Endless epochs over rendered conversations; each epoch in a new order. Rows never split a conversation."""

    def __init__(self, items: Sequence[Piece], *, row_tokens: int, batch_rows: int, pad_id: int, seed: int) -> None:
        self.items, self.row_tokens, self.batch_rows = items, row_tokens, batch_rows
        self.pad_id, self.seed = pad_id, seed

    def batches(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """Batches after `cursor` (None = from the start)."""
        start = cursor or {"epoch": 0, "row": 0}
        epoch, first = start["epoch"], start["row"]
        rows: list[tuple[np.ndarray, ...]] = []
        while True:
            packed = self.epoch_rows(epoch)
            for index in range(first, len(packed)):
                rows.append(row_arrays([self.items[i] for i in packed[index]], self.row_tokens, self.pad_id))
                if len(rows) == self.batch_rows:
                    yield batch_of(rows, {"epoch": epoch, "row": index + 1})
                    rows = []
            epoch, first = epoch + 1, 0

    def epoch_rows(self, epoch: int) -> list[list[int]]:
        """Item numbers of every row of an epoch. Lengths tie often, so the order before packing decides neighbours."""
        generator = array_stream(self.seed, "posttrain.examples", epoch)
        order = generator.permutation(len(self.items))
        packed = best_fit([len(self.items[i][1]) for i in order], self.row_tokens)
        rows = [[int(order[i]) for i in row] for row in packed]
        return [rows[i] for i in generator.permutation(len(rows))]
