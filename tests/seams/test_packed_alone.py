"""Documents in one row never see each other: packed = alone, forward and backward."""

import pytest
import torch

from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings

LENGTHS = (5, 1, 9, 3)


def built(dtype: torch.dtype) -> Decoder:
    settings = ModelSettings(
        vocab_size=61, width=24, layers=3, heads=4, kv_heads=2, head_size=8, hidden=40, max_tokens=64
    )
    model = Decoder(settings, compute_dtype=dtype)
    model.initialise(3, embedding_std=0.5, zero_projections=False)
    return model.to(dtype)


def documents() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return [torch.randint(0, 61, (length,), generator=generator) for length in LENGTHS]


def packed() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    ids_BT = torch.cat(documents())[None]
    segments_BT = torch.cat([torch.full((length,), index) for index, length in enumerate(LENGTHS)])[None]
    positions_BT = torch.cat([torch.arange(length) for length in LENGTHS])[None]
    return ids_BT, segments_BT, positions_BT


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_logits(dtype: torch.dtype, tolerance: float) -> None:
    model = built(dtype)
    ids_BT, segments_BT, positions_BT = packed()
    together = model(ids_BT, positions_BT, segments_BT)[0]
    alone = torch.cat([model(ids[None])[0] for ids in documents()])
    assert (together - alone).abs().max() <= tolerance * alone.abs().max()


def test_gradients() -> None:
    model = built(torch.float64)
    ids_BT, segments_BT, positions_BT = packed()
    targets_BT = ids_BT.roll(1, dims=1)
    weights = list(model.parameters())
    together = torch.autograd.grad(
        model.token_nats(model.hidden(ids_BT, positions_BT, segments_BT), targets_BT).sum(), weights
    )
    alone = [torch.zeros_like(weight) for weight in weights]
    for ids, targets in zip(documents(), targets_BT[0].split(LENGTHS), strict=True):
        nats = model.token_nats(model.hidden(ids[None]), targets[None]).sum()
        for total, part in zip(alone, torch.autograd.grad(nats, weights), strict=True):
            total += part
    for one, other in zip(together, alone, strict=True):
        assert (one - other).abs().max() <= 1e-9 * max(1.0, other.abs().max().item())


def test_a_changed_document_changes_no_other() -> None:
    model = built(torch.float32)
    ids_BT, segments_BT, positions_BT = packed()
    other = ids_BT.clone()
    other[0, 6:15] = 0
    before, after = (model(ids, positions_BT, segments_BT)[0] for ids in (ids_BT, other))
    assert torch.equal(before[:6], after[:6]) and torch.equal(before[15:], after[15:])
    assert not torch.equal(before[6:15], after[6:15])
