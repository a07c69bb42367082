"""A folder that has moved, and whose sources are gone, is the same model."""

import shutil
from pathlib import Path

import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.model.decoder import Decoder


def test_moved_and_alone(tmp_path: Path, model: Decoder, tokenizer_folder: Path) -> None:
    checkpoint.save(tmp_path / "run" / "05-base", model, tokenizer_folder, card={"name": "base"})
    shutil.rmtree(tokenizer_folder)
    shutil.move(tmp_path / "run", tmp_path / "elsewhere with spaces")
    moved = tmp_path / "elsewhere with spaces" / "05-base"
    ids_BT = torch.arange(20)[None]
    assert torch.equal(checkpoint.load(moved)(ids_BT), model(ids_BT))
    for path in moved.iterdir():
        assert str(tmp_path).encode() not in path.read_bytes(), path.name


def test_saved_again_from_the_loaded_one_is_the_same_folder(
    tmp_path: Path, model: Decoder, tokenizer_folder: Path
) -> None:
    checkpoint.save(tmp_path / "first", model, tokenizer_folder, card={"name": "base"})
    checkpoint.save(tmp_path / "second", checkpoint.load(tmp_path / "first"), tmp_path / "first", card={"name": "base"})
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name
