"""Saving, loading, and every way a folder can be wrong."""

import errno
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hornbook.checkpoint import folder as checkpoint
from hornbook.core.errors import CheckpointError
from hornbook.model.decoder import Decoder


@pytest.fixture
def saved(tmp_path: Path, model: Decoder, tokenizer_folder: Path) -> Path:
    checkpoint.save(tmp_path / "saved", model, tokenizer_folder, card={"name": "story"})
    return tmp_path / "saved"


def test_loaded_weights_are_the_saved_ones_bit_for_bit(saved: Path, model: Decoder) -> None:
    again = checkpoint.load(saved)
    assert again.settings == model.settings == checkpoint.settings_of(saved)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_the_folder_is_complete_and_nothing_else_is_left(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == [
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_answers_end_at_eos_and_end_of_turn(saved: Path) -> None:
    generation = json.loads((saved / "generation_config.json").read_text())
    assert generation == {"bos_token_id": 1, "eos_token_id": [2, 4], "pad_token_id": 0}
    assert checkpoint.stop_ids(saved) == (2, 4)
    assert json.loads((saved / "config.json").read_text())["eos_token_id"] == 2


def test_saving_again_keeps_other_files_and_gives_the_same_bytes(
    saved: Path, model: Decoder, tokenizer_folder: Path
) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    (saved / "metrics.jsonl").write_text("{}\n")
    checkpoint.save(saved, model, tokenizer_folder, card={"name": "story"})
    after = {path.name: path.read_bytes() for path in saved.iterdir()}
    assert after.pop("metrics.jsonl") == b"{}\n"
    assert after == before


def test_stop_ids_of_a_foreign_folder_are_kept(tmp_path: Path, model: Decoder, tokenizer_folder: Path) -> None:
    (tokenizer_folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [9, 2]}))
    checkpoint.save(tmp_path / "saved", model, tokenizer_folder, card={})
    assert checkpoint.stop_ids(tmp_path / "saved") == (9, 2, 4)


def test_sharded_weights_are_read(saved: Path, model: Decoder) -> None:
    weights = load_file(saved / "model.safetensors")
    halves = sorted(weights)[:7], sorted(weights)[7:]
    index = {}
    for number, half in enumerate(halves):
        save_file({name: weights[name] for name in half}, saved / f"part-{number}.safetensors")
        index |= dict.fromkeys(half, f"part-{number}.safetensors")
    (saved / "model.safetensors").unlink()
    (saved / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert torch.equal(checkpoint.load(saved).embedding, model.embedding)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, model: Decoder, tokenizer_folder: Path) -> None:
    model.layers[1].mlp.down.weight.data[0, 0] = float("nan")
    with pytest.raises(CheckpointError, match=r"model.layers.1.mlp.down_proj.weight is not finite"):
        checkpoint.save(tmp_path / "saved", model, tokenizer_folder, card={})
    assert list((tmp_path / "saved").iterdir()) == []


def test_a_written_file_that_gives_other_logits_is_refused(
    tmp_path: Path, model: Decoder, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = checkpoint.huggingface.weights_of

    def with_a_changed_number(model: Decoder) -> dict[str, torch.Tensor]:
        weights = {name: weight.clone() for name, weight in plain(model).items()}
        weights["model.layers.0.self_attn.k_proj.weight"][3, 3] += 0.01
        return weights

    monkeypatch.setattr(checkpoint.huggingface, "weights_of", with_a_changed_number)
    with pytest.raises(CheckpointError, match="other logits"):
        checkpoint.save(tmp_path / "saved", model, tokenizer_folder, card={})
    assert list((tmp_path / "saved").iterdir()) == []


def test_a_full_disk_is_said_so(
    tmp_path: Path, model: Decoder, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint, "model_card", full)
    with pytest.raises(CheckpointError, match="disk is full") as caught:
        checkpoint.save(tmp_path / "saved", model, tokenizer_folder, card={})
    assert caught.value.exit_code == 1
    assert list((tmp_path / "saved").iterdir()) == []


def test_a_tokenizer_larger_than_the_model_is_refused(tmp_path: Path, model: Decoder, tokenizer_folder: Path) -> None:
    small = Decoder(model.settings.model_copy(update={"vocab_size": 100}))
    with pytest.raises(CheckpointError, match="ids up to 260, the model only 100 rows"):
        checkpoint.save(tmp_path / "saved", small, tokenizer_folder, card={})


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be read"),
        (lambda folder: (folder / "config.json").write_text("[]"), "not a JSON object"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x00" * 40), "model.safetensors is damaged"),
        (lambda folder: os.truncate(folder / "model.safetensors", 3000), "model.safetensors is damaged"),
    ],
)
def test_damaged_folders_get_a_sentence(saved: Path, damage: object, sentence: str) -> None:
    damage(saved)  # type: ignore[operator]
    with pytest.raises(CheckpointError, match=sentence):
        checkpoint.load(saved)
