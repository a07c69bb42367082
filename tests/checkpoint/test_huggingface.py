"""Configs and weight names; the logits are compared with transformers in tests/seams/test_hf_parity.py."""

from typing import Any

import pytest
import torch

from hornbook.checkpoint import huggingface
from hornbook.core.errors import CheckpointError
from hornbook.model.decoder import Decoder


def test_config_there_and_back(model: Decoder) -> None:
    for changes in ({}, {"architecture": "llama", "tied": False, "rope_theta": 500_000.0, "norm_eps": 1e-5}):
        settings = model.settings.model_copy(update=changes)
        assert huggingface.settings_from(huggingface.config_of(settings, {}), "here") == settings


def test_rope_base_is_found_wherever_it_was_written(model: Decoder) -> None:
    config = huggingface.config_of(model.settings, {})
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": 77.0}
    assert huggingface.settings_from(config, "").rope_theta == 77.0
    del config["rope_parameters"]
    config["rope_theta"] = 78.0
    assert huggingface.settings_from(config, "").rope_theta == 78.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_type": "qwen2"}, "biases"),
        ({"model_type": "gemma3"}, 'model type is "gemma3"'),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, 'scaled \\("llama3"\\)'),
        ({"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}}, 'scaled \\("linear"\\)'),
        ({"use_sliding_window": True}, "sliding window"),
        ({"quantization_config": {"bits": 4}}, "quantised"),
        ({"num_key_value_heads": 3}, "multiple of kv_heads"),
        ({"hidden_size": "wide"}, "make no model"),
    ],
)
def test_what_the_decoder_cannot_do_is_refused(model: Decoder, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        huggingface.settings_from(huggingface.config_of(model.settings, {}) | changes, "config.json")


def test_missing_unknown_and_misshapen_weights_are_named(model: Decoder) -> None:
    weights = huggingface.weights_of(model)
    fresh = Decoder(model.settings, seed=None)
    with pytest.raises(CheckpointError, match=r"1 weights missing, model\.norm\.weight"):
        huggingface.fill(fresh, {name: w for name, w in weights.items() if name != "model.norm.weight"}, "")
    with pytest.raises(CheckpointError, match=r"unknown, model\.layers\.0\.self_attn\.q_proj\.bias"):
        huggingface.fill(fresh, weights | {"model.layers.0.self_attn.q_proj.bias": torch.zeros(32)}, "")
    with pytest.raises(CheckpointError, match=r"down_proj.weight has shape \(32, 47\)"):
        huggingface.fill(fresh, weights | {"model.layers.0.mlp.down_proj.weight": torch.zeros(32, 47)}, "")


def test_a_tied_head_that_was_stored_all_the_same_is_ignored(model: Decoder) -> None:
    weights = huggingface.weights_of(model)
    assert "lm_head.weight" not in weights
    fresh = Decoder(model.settings, seed=None)
    huggingface.fill(fresh, weights | {"lm_head.weight": weights["model.embed_tokens.weight"]}, "")
    assert torch.equal(fresh.embedding, model.embedding)


def test_fused_matrices_are_split_in_order(model: Decoder) -> None:
    weights = huggingface.weights_of(model)
    fused = model.layers[1].attention.qkv.weight
    assert torch.equal(weights["model.layers.1.self_attn.q_proj.weight"], fused[:32])
    assert torch.equal(weights["model.layers.1.self_attn.k_proj.weight"], fused[32:48])
    assert torch.equal(weights["model.layers.1.self_attn.v_proj.weight"], fused[48:])
    assert torch.equal(weights["model.layers.1.mlp.up_proj.weight"], model.layers[1].mlp.gate_up.weight[48:])
