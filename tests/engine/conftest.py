"""A small random model over bytes: ids 0-4 are special, 5 + b is byte b."""

import pytest
import torch

from hornbook.engine.local import LocalModel
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings


class ByteTokenizer:
    """What the engine asks of a tokenizer."""

    vocab_size, pad_id, bos_id, eos_id, end_of_turn_id = 261, 0, 1, 2, 4

    def token_bytes(self, identity: int) -> bytes:
        return bytes([identity - 5]) if identity >= 5 else b"<special>"

    def is_special(self, identity: int) -> bool:
        return identity < 5


@pytest.fixture
def decoder() -> Decoder:
    settings = ModelSettings(
        vocab_size=261, width=32, layers=2, heads=4, kv_heads=2, head_size=8, hidden=48, max_tokens=200
    )
    model = Decoder(settings)
    model.initialise(5, embedding_std=0.3, zero_projections=False)
    return model


@pytest.fixture
def local(decoder: Decoder) -> LocalModel:
    return LocalModel(decoder, ByteTokenizer(), num_slots=4, compiled=False)  # type: ignore[arg-type]


@pytest.fixture
def scripted(local: LocalModel, monkeypatch: pytest.MonkeyPatch) -> object:
    """Make the model say a fixed sequence of ids after any prompt, greedily."""

    def script(ids: list[int]) -> LocalModel:
        def logits_after(num_tokens: torch.Tensor) -> torch.Tensor:
            logits = torch.full((num_tokens.shape[0], 261), -10.0)
            for row, num in enumerate(num_tokens.tolist()):
                logits[row, ids[num - 1] if 0 < num <= len(ids) else 2] = 10.0
            return logits

        def run(ids_B: torch.Tensor, positions_B: torch.Tensor, *_: object) -> tuple[torch.Tensor, ...]:
            logits = logits_after(positions_B + 1)
            return logits, logits.logsumexp(-1), logits.argmax(-1)

        monkeypatch.setattr(local.steps, "run", run)
        monkeypatch.setattr(local, "read_prompt", lambda ids, cache, slot: logits_after(torch.tensor([len(ids)])))
        return local

    return script
