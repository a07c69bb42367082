"""The decoder's own promises; parity with transformers is in tests/seams/test_hf_parity.py."""

import pytest
import torch

from hornbook.model.decoder import Decoder, RMSNorm
from hornbook.model.kv_cache import KVCache
from hornbook.model.settings import ModelSettings


def test_rms_norm_by_hand() -> None:
    norm = RMSNorm(2, eps=0.5)
    norm.weight.data = torch.tensor([1.0, 10.0])
    # mean square of (3, 4) is 12.5; plus .5 is 13, whose root divides both
    assert torch.allclose(norm(torch.tensor([3.0, 4.0])), torch.tensor([3.0, 40.0]) / 13**0.5, atol=1e-6)


def test_the_future_changes_nothing(decoder: Decoder) -> None:
    ids_BT = torch.arange(12)[None]
    other = ids_BT.clone()
    other[0, 7:] = 50
    assert torch.equal(decoder(ids_BT)[0, :7], decoder(other)[0, :7])
    assert not torch.allclose(decoder(ids_BT)[0, 7:], decoder(other)[0, 7:])


def test_fresh_model_predicts_uniformly_and_same_seed_same_weights(settings: ModelSettings) -> None:
    first, again, other = Decoder(settings, seed=1), Decoder(settings, seed=1), Decoder(settings, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.embedding, other.embedding)
    assert first.layers[0].attention.out.weight.count_nonzero() == 0
    assert first.layers[0].attention.q_norm.weight[0].item() == pytest.approx(1.2)
    assert first.layers[0].mlp.gate_up.weight.std().item() == pytest.approx(24**-0.5, rel=0.05)
    assert first.embedding.std().item() == pytest.approx(0.005, rel=0.1)


def test_untied_head_and_llama_have_what_they_need(settings: ModelSettings) -> None:
    model = Decoder(settings.model_copy(update={"tied": False, "architecture": "llama"}))
    assert model.head is not None and model.layers[0].attention.q_norm is None
    assert model.unembed(torch.ones(1, 1, 24)).shape == (1, 1, 61)
    assert torch.allclose(model.unembed(torch.ones(1, 1, 24))[0, 0], model.head.sum(1), atol=1e-6)


def test_matrix_parts_name_every_hidden_matrix_and_its_rows(decoder: Decoder) -> None:
    parts = decoder.matrix_parts()
    weights = dict(decoder.named_parameters())
    assert parts["layers.1.attention.qkv.weight"] == (32, 16, 16)
    assert parts["layers.1.mlp.gate_up.weight"] == (40, 40)
    assert set(parts) == {name for name, weight in weights.items() if weight.dim() == 2} - {"embedding"}
    assert all(sum(rows) == weights[name].shape[0] for name, rows in parts.items())


def test_explicit_dtype_keeps_masters_and_returns_wide_logits(settings: ModelSettings) -> None:
    model = Decoder(settings, compute_dtype=torch.bfloat16)
    model.initialise(0, zero_projections=False)
    ids_BT = torch.arange(8)[None]
    x_BTD = model.hidden(ids_BT)
    assert x_BTD.dtype == torch.bfloat16 and model.unembed(x_BTD).dtype == torch.float32
    model.token_nats(x_BTD, ids_BT).sum().backward()
    assert all(weight.dtype == weight.grad.dtype == torch.float32 for weight in model.parameters())


def test_positions_in_packed_rows_restart_by_themselves(decoder: Decoder) -> None:
    ids_BT = torch.arange(10)[None]
    segments_BT = torch.tensor([[0] * 4 + [1] * 6])
    given = decoder(ids_BT, torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3, 4, 5]]), segments_BT)
    assert torch.equal(decoder(ids_BT, segments_BT=segments_BT), given)


def test_a_cached_call_without_positions_is_refused(decoder: Decoder, settings: ModelSettings) -> None:
    with pytest.raises(ValueError, match="positions_BT"):
        decoder(torch.tensor([[1]]), cache=KVCache.empty(settings, 1, 4, torch.float64))
