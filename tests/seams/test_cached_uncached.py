"""Reading token by token with a cache gives the logits of reading everything at once."""

import pytest
import torch

from hornbook.model.decoder import Decoder
from hornbook.model.kv_cache import KVCache
from hornbook.model.settings import ModelSettings

SETTINGS = ModelSettings(vocab_size=61, width=24, layers=3, heads=4, kv_heads=2, head_size=8, hidden=40, max_tokens=64)


def built(dtype: torch.dtype) -> Decoder:
    model = Decoder(SETTINGS, compute_dtype=dtype)
    model.initialise(3, embedding_std=0.5, zero_projections=False)
    return model.to(dtype).eval()


@torch.no_grad()
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
@pytest.mark.parametrize("chunks", [(7, 1, 1, 5, 1, 1), (16,), (1,) * 16], ids=["mixed", "whole", "one by one"])
def test_any_split_into_chunks(dtype: torch.dtype, tolerance: float, chunks: tuple[int, ...]) -> None:
    model = built(dtype)
    ids_BT = torch.randint(0, 61, (3, 16), generator=torch.Generator().manual_seed(1))
    whole = model(ids_BT)
    cache, parts, first = KVCache.empty(SETTINGS, 5, 40, dtype), [], 0
    for length in chunks:
        positions_BT = torch.arange(first, first + length).expand(3, length)
        window = cache.window(1, 3, 20, fresh=first == 0)
        parts.append(model(ids_BT[:, first : first + length], positions_BT, cache=window))
        first += length
    assert (torch.cat(parts, dim=1) - whole).abs().max() <= tolerance * whole.abs().max()


@torch.no_grad()
def test_rows_at_different_positions_after_padded_prompts() -> None:
    model = built(torch.float64)
    generator = torch.Generator().manual_seed(2)
    rows = [torch.randint(0, 61, (length,), generator=generator) for length in (3, 9, 6)]
    prompts_BT = torch.zeros(3, 9, dtype=torch.long)
    for row, ids in enumerate(rows):
        prompts_BT[row, : len(ids)] = ids
    cache = KVCache.empty(SETTINGS, 3, 32, torch.float64)
    model(prompts_BT, torch.arange(9).expand(3, 9), cache=cache.window(0, 3, 32, fresh=True))
    for step in range(5):
        new = torch.randint(0, 61, (3, 1), generator=generator)
        positions_BT = torch.tensor([[len(ids)] for ids in rows])
        logits_BTV = model(new, positions_BT, cache=cache)
        rows = [torch.cat((ids, token)) for ids, token in zip(rows, new, strict=True)]
        for row, ids in enumerate(rows):
            assert torch.allclose(logits_BTV[row, 0], model(ids[None])[0, -1], atol=1e-9), step
