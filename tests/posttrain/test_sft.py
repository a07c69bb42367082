from pathlib import Path
from typing import Any

import pytest
import small
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.core.artifact import Artifact, Manifest
from hornbook.core.conversation import Conversation, Message, write_conversations
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import parse
from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel
from hornbook.posttrain import sft
from hornbook.report.blocks import Table
from hornbook.tokenizer.chat import render
from hornbook.tokenizer.tokenizer import Tokenizer

ANSWERS = {"ping": "pong", "left": "right", "up": "down"}


def settings(**changes: Any) -> sft.Settings:
    table = {"row_tokens": 64, "batch_rows": 4, "dtype": "fp32", "epochs": 1.0, "sample_tokens": 4}
    loop = {"compile": False, "log_steps": 5, "optimizer": {"matrix_lr": 0.02, "embedding_lr": 0.02, "muon_fp32": True}}
    return parse(sft.Settings, table | {"loop": loop} | changes, "test")


def base(folder: Path) -> Artifact:
    """An untrained model with a tokenizer of bytes."""
    small.byte_tokenizer(folder / "tokenizer")
    model = small.model(vocab_size=272, max_tokens=64)
    checkpoint.save(folder / "base", model, folder / "tokenizer", card={})
    return Artifact(folder / "base", Manifest(kind="checkpoint"))


def talks(folder: Path, num: int = 120) -> Artifact:
    folder.mkdir()
    made = [
        Conversation(f"c{n}", (Message("user", word), Message("assistant", ANSWERS[word])))
        for n in range(num)
        for word in [list(ANSWERS)[n % 3]]
    ]
    write_conversations(folder / "conversations.jsonl", made)
    return Artifact(folder, Manifest(kind="conversations"))


def test_answers_are_learned_and_end(tmp_path: Path) -> None:
    """After fine-tuning, greedy answers through the engine are the learned ones, ended by the model itself."""
    inputs = {"model": base(tmp_path), "conversations": talks(tmp_path / "talks")}
    out = small.out(tmp_path / "chat")
    sft.run(settings(epochs=8.0, validation_frac=0.1), inputs, out)
    records = [r for r in small.records(out.path) if "validation_nats" in r]
    assert records[-1]["validation_nats"] < 0.1 < 1 < records[0]["validation_nats"]
    assert {s["prompt"] for s in records[-1]["samples"]} <= set(ANSWERS)
    assert out.counts["left_out"] == 0 and out.counts["conversations"] > 90
    tokenizer = Tokenizer.load(out.path)
    model = LocalModel(checkpoint.load(out.path), tokenizer, compiled=False)
    for word, answer in ANSWERS.items():
        ids = render((Message("user", word),), tokenizer, add_generation_prompt=True).ids
        (completion,) = model.generate([Request(tuple(ids), 12, temperature=0.0)])
        assert (completion.text, completion.finish_reason) == (answer, "stop")
    counts = Manifest(kind="checkpoint", counts=out.counts)
    assert isinstance(sft.describe(Artifact(out.path, counts))[0], Table)


def test_prompts_are_not_learned(tmp_path: Path) -> None:
    """One step on a batch whose prompts differ but answers agree: the gradient ignores what the user's tokens cost."""
    inputs = {"model": base(tmp_path), "conversations": talks(tmp_path / "talks", num=30)}
    out = small.out(tmp_path / "chat")
    sft.run(settings(total_tokens=256, validation_frac=0.0), inputs, out)
    first = small.records(out.path)[0]
    assert abs(first["loss"] - torch.log(torch.tensor(272.0)).item()) < 0.05  # uniform at the start, over answers only
    assert out.counts["learned_tokens"] < 0.5 * out.counts["tokens"]


def test_a_partial_table_keeps_finetunings_own_rates() -> None:
    found = parse(sft.Settings, {"loop": {"compile": False, "optimizer": {"momentum": 0.9}}}, "test")
    assert (found.loop.optimizer.matrix_lr, found.loop.schedule.decay_frac) == (0.005, 1.0)


def test_nothing_to_learn_from_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    made = [Conversation("a", (Message("user", "x" * 500), Message("assistant", "y")))]
    write_conversations(tmp_path / "talks" / "conversations.jsonl", made)
    inputs = {"model": base(tmp_path), "conversations": Artifact(tmp_path / "talks", Manifest(kind="conversations"))}
    with pytest.raises(DataError, match="no conversation is left"):
        sft.run(settings(), inputs, small.out(tmp_path / "chat"))
    with pytest.raises(SettingsError, match=r"row_tokens is 128.*reads 64"):
        sft.run(settings(row_tokens=128), inputs, small.out(tmp_path / "chat"))
