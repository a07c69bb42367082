import math

import numpy as np
import small
import torch

from hornbook.pretrain.validation import validator, whole_documents

CPU = torch.device("cpu")


def test_bits_per_byte_by_hand() -> None:
    """A model that pays ln 2 for every target: text tokens are one byte each, EOS is not counted: 1 bit per byte."""
    docs, _ = small.documents(30, seed=5)
    measure = validator(small.shard(docs), row_tokens=16, batch_rows=3, pad_id=0, max_tokens=10**6, device=CPU)
    found = measure(lambda ids, targets, segments: torch.full(ids.shape, math.log(2)))
    assert abs(found["validation_bits_per_byte"] - 1.0) < 1e-6


def test_eos_and_padding_cost_nothing() -> None:
    docs, _ = small.documents(30, seed=5)
    measure = validator(small.shard(docs), row_tokens=64, batch_rows=3, pad_id=0, max_tokens=10**6, device=CPU)
    found = measure(lambda ids, targets, segments: ((targets == small.EOS) | (targets == 0)).float())
    assert found["validation_bits_per_byte"] == 0.0


def test_whole_documents_up_to_a_limit() -> None:
    docs = [np.array([1, 20, 21, 2]), np.array([1, 2]), np.array([1, 20, 21, 22, 23, 24, 2]), np.array([1, 30, 2])]
    items, num_bytes = whole_documents(small.shard(docs), 4, 8)
    assert [ids.tolist() for ids, _ in items] == [[1, 20, 21, 2], [1, 2], [1, 20, 21, 22, 23], [23, 24, 2]]
    assert [weights.tolist() for _, weights in items] == [[1, 1, 0], [0], [1, 1, 1, 1], [1, 0]]
    assert num_bytes == 2 + 0 + 5
