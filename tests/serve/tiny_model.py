"""A real checkpoint folder with a small random model that writes on and on: its end tokens are next to impossible."""

from pathlib import Path

import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings
from hornbook.tokenizer.learn import Settings, learn_ranks, write_folder
from hornbook.tokenizer.special import NUM_SPECIAL
from hornbook.tokenizer.tokenizer import Tokenizer

TEXTS = ("the fox and the owl went up the hill ", "a lantern, a coal and the baker 🦊🦉 ", "über ñandú – ça va? ") * 8


def tiny_folder(place: Path, *, context_tokens: int = 256, layers: int = 2, width: int = 32, seed: int = 5) -> Path:
    """Write tokenizer and model under `place`; returns the checkpoint folder."""
    tokenizer_folder, folder = place / "tokenizer", place / "tiny"
    tokenizer_folder.mkdir(parents=True)
    folder.mkdir()
    settings = Settings(vocab_size=300, max_context=context_tokens)
    write_folder(tokenizer_folder, learn_ranks(TEXTS, settings), settings)
    vocab_size = Tokenizer.load(tokenizer_folder).vocab_size
    model = Decoder(
        ModelSettings(
            vocab_size=vocab_size, width=width, layers=layers, heads=4, kv_heads=2, head_size=8, hidden=2 * width,
            max_tokens=context_tokens,
        )
    )  # fmt: skip
    model.initialise(seed, embedding_std=1.0, zero_projections=False)
    with torch.no_grad():
        model.embedding[:NUM_SPECIAL] *= 0.01
    checkpoint.save(folder, model.eval(), tokenizer_folder, card={})
    return folder
