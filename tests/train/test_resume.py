import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from hornbook.core.errors import TrainingError
from hornbook.train import resume


def net(value: float) -> torch.nn.Module:
    module = torch.nn.Linear(3, 2)
    torch.nn.init.constant_(module.weight, value)
    torch.nn.init.constant_(module.bias, -value)
    return module


def save(folder: Path, step: int) -> None:
    resume.save(
        folder, net(float(step)), {"adam.x": torch.full((2,), float(step))}, {"step": step, "cursor": {"row": 1}}
    )


def test_nothing_saved_is_a_start(tmp_path: Path) -> None:
    assert resume.load(tmp_path, net(0.0)) is None


def test_the_latest_of_two_generations_comes_back(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save(tmp_path, step)
    module = net(0.0)
    tensors, state = resume.load(tmp_path, module) or ({}, {})
    assert state == {"step": 3, "cursor": {"row": 1}} and tensors["adam.x"].tolist() == [3.0, 3.0]
    assert module.weight.unique().item() == 3.0 and module.bias.unique().item() == -3.0
    assert sorted(path.name for path in tmp_path.iterdir()) == list(resume.GENERATIONS)


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_a_damaged_generation_falls_back_to_the_one_before(tmp_path: Path, damage: str) -> None:
    for step in (1, 2, 3):
        save(tmp_path, step)
    newest = max((tmp_path / name for name in resume.GENERATIONS), key=_step)
    data = newest.read_bytes()
    newest.write_bytes({"cut": data[:-5], "garbage": b"\xff" * 64, "empty": b""}[damage])
    found = resume.load(tmp_path, net(0.0))
    assert found is not None and found[1]["step"] == 2
    save(tmp_path, 4)
    again = resume.load(tmp_path, net(0.0))
    assert again is not None and again[1]["step"] == 4


def test_only_damage_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / resume.GENERATIONS[0]).write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="Delete the folder") as error:
        resume.load(tmp_path, net(0.0))
    assert error.value.exit_code == 1


def test_a_full_disk_leaves_the_last_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resume, "save_file", full)
    with pytest.raises(TrainingError, match="disk is full"):
        save(tmp_path, 2)
    found = resume.load(tmp_path, net(0.0))
    assert found is not None and found[1]["step"] == 1


def test_records_after_the_save_are_cut_and_half_a_line_too(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text("".join(json.dumps({"step": step}) + "\n" for step in (1, 2, 3, 4)) + '{"step"')
    resume.cut_records(file, 2)
    assert file.read_text() == '{"step": 1}\n{"step": 2}\n'
    resume.cut_records(tmp_path / "absent.jsonl", 2)


def _step(path: Path) -> int:
    with safe_open(path, framework="pt") as tensors:
        return json.loads(tensors.metadata()["state"])["step"]
