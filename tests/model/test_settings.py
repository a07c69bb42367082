"""Formulas against the model that is really built."""

import pydantic
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hornbook.core.errors import SettingsError
from hornbook.core.settings import parse
from hornbook.model.decoder import Decoder
from hornbook.model.kv_cache import KVCache
from hornbook.model.presets import presets
from hornbook.model.settings import ModelSettings


@pytest.mark.parametrize("changes", [{}, {"tied": False}, {"architecture": "llama"}, {"kv_heads": 4}])
def test_parameter_formula_is_the_built_model(settings: ModelSettings, changes: dict[str, object]) -> None:
    settings = settings.model_copy(update=changes)
    assert settings.num_parameters() == sum(weight.numel() for weight in Decoder(settings, seed=None).parameters())


def test_presets_parameters_by_hand() -> None:
    # 8 x (4 x 320 x 320 + 3 x 320 x 864) + 4096 x 320 + 8 x (2 x 320 + 2 x 64) + 320
    assert presets()["story-10m"].num_parameters() == 3_276_800 + 6_635_520 + 1_310_720 + 6_144 + 320


def test_flops_formula_is_what_torch_counts(settings: ModelSettings) -> None:
    num_tokens = 16
    model = Decoder(settings)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, num_tokens, dtype=torch.long))
    counts = {str(op): flops for op, flops in counter.get_flop_counts()["Global"].items()}
    attention = sum(flops for op, flops in counts.items() if "scaled_dot_product" in op)
    matrices = sum(counts.values()) - attention
    heads = 4 * settings.layers * settings.heads * settings.head_size
    assert matrices == num_tokens * 2 * (settings.matrix_parameters() + settings.vocab_size * settings.width)
    causal = num_tokens * settings.forward_flops_per_token(num_tokens) - matrices
    assert causal == num_tokens * heads * (num_tokens + 1) / 2
    assert attention in (0, num_tokens * heads * num_tokens)
    assert settings.flops_per_token(num_tokens) == 3 * settings.forward_flops_per_token(num_tokens)


def test_cache_bytes_are_the_built_cache(settings: ModelSettings) -> None:
    cache = KVCache.empty(settings, num_rows=2, num_tokens=5)
    assert sum(layer.nbytes for layer in (*cache.k, *cache.v)) == 10 * settings.cache_bytes_per_token()


def test_impossible_sizes_are_refused(settings: ModelSettings) -> None:
    with pytest.raises(SettingsError, match=r"heads \(4\) must be a multiple of kv_heads \(3\)"):
        parse(ModelSettings, {**settings.model_dump(), "kv_heads": 3}, "model")
    with pytest.raises(pydantic.ValidationError, match="even"):
        ModelSettings.model_validate({**settings.model_dump(), "head_size": 7})
