"""A small decoder whose every weight matters (fresh ones have zero output projections)."""

import pytest
import torch

from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings


@pytest.fixture
def settings() -> ModelSettings:
    return ModelSettings(vocab_size=61, width=24, layers=3, heads=4, kv_heads=2, head_size=8, hidden=40, max_tokens=64)


@pytest.fixture
def decoder(settings: ModelSettings) -> Decoder:
    """fp64, so that tests can ask for 1e-9."""
    model = Decoder(settings, compute_dtype=torch.float64)
    model.initialise(3, embedding_std=0.5, zero_projections=False)
    return model.double().eval()
