"""A checkpoint is opened in the number format and with the threads that are asked for."""

from pathlib import Path

import pytest
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.core.recipe import Machine
from hornbook.evaluate import open_model as opening
from hornbook.evaluate.open_model import open_model
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings
from hornbook.tokenizer.tokenizer import Tokenizer


@pytest.fixture
def folder(tokenizer: Tokenizer, tmp_path: Path) -> Path:
    settings = ModelSettings(
        vocab_size=272, width=16, layers=1, heads=2, kv_heads=1, head_size=8, hidden=16, max_tokens=32
    )
    model = Decoder(settings)
    model.initialise(1, embedding_std=0.3, zero_projections=False)
    checkpoint.save(tmp_path / "model", model, tokenizer.folder, card={})
    return tmp_path / "model"


def test_threads_that_are_asked_for(folder: Path) -> None:
    before = torch.get_num_threads()
    try:
        model = open_model(folder, Machine(threads=1, device="cpu"), batch=3)
        assert torch.get_num_threads() == 1
        assert (model.num_slots, model.dtype, model.context_tokens) == (3, torch.float32, 32)
    finally:
        torch.set_num_threads(before)


def test_otherwise_a_trial_decides(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def choose(step: object) -> int:
        assert callable(step)
        step()
        tried.append(1)
        return 1

    monkeypatch.setattr(opening, "choose_threads", choose)
    open_model(folder, Machine(device="cpu"), batch=2)
    assert tried == [1]
