"""Which model a word means."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import ArtifactError
from hornbook.serve.pick import pick


def checkpoint(folder: Path, stage: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    if stage:
        manifest: dict[str, Any] = {"kind": "checkpoint", "stage": stage, "schema_version": 1}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    checkpoint(tmp_path / "runs/demo/05-base", "pretrain.causal")
    checkpoint(tmp_path / "runs/demo/06-chat", "posttrain.sft")
    checkpoint(tmp_path / "runs/demo/07-preferred.partial", "posttrain.dpo")
    checkpoint(tmp_path / "runs/plain/03-base", "pretrain.causal")
    (tmp_path / "runs/plain/recipe.toml").write_text("")
    return tmp_path / "runs"


@pytest.mark.parametrize("word", ["demo", "runs/demo", "./runs/demo/", "runs/../runs/demo"])
def test_a_run_means_its_newest_conversational_checkpoint(runs: Path, word: str) -> None:
    found = pick(word)
    assert (found.folder.name, found.name, found.is_chat, found.stage) == ("06-chat", "demo", True, "posttrain.sft")


def test_a_run_without_one_means_its_newest_checkpoint(runs: Path) -> None:
    found = pick("plain")
    assert (found.folder.name, found.name, found.is_chat) == ("03-base", "plain", False)


@pytest.mark.parametrize("word", ["demo/base", "runs/demo/base", "demo/05-base", "runs/demo/05-base"])
def test_a_stage_by_id_or_folder(runs: Path, word: str) -> None:
    found = pick(word)
    assert (found.folder.name, found.is_chat) == ("05-base", False)
    assert found.name in ("demo-base", "demo-05-base")


def test_other_peoples_folders(tmp_path: Path) -> None:
    plain = checkpoint(tmp_path / "SmolLM")
    assert (pick(str(plain)).name, pick(str(plain)).is_chat) == ("SmolLM", False)
    (plain / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    assert pick(str(plain)).is_chat
    (plain / "tokenizer_config.json").write_text("[broken")
    assert not pick(str(plain)).is_chat


def test_runs_may_lie_elsewhere(runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HORNBOOK_RUNS", str(runs))
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    assert pick("demo").folder.name == "06-chat"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dem", 'did you mean "demo"'),
        ("nothing/at/all", "hornbook run demo"),
        ("demo/chatt", 'did you mean "chat"'),
        ("runs/empty", "Give a run's folder"),
        ("runs/begun", "05-base.partial"),
        ("runs/new", "builds what is missing"),
    ],
)
def test_what_is_not_there_is_said(runs: Path, word: str, said: str) -> None:
    (runs / "empty").mkdir()
    checkpoint(runs / "begun/05-base.partial")
    (runs / "new").mkdir()
    (runs / "new/recipe.toml").write_text("")
    with pytest.raises(ArtifactError, match=said.replace(".", r"\.")):
        pick(word)


def test_a_folder_that_is_not_there_is_named_whole(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=f'no run or checkpoint "{tmp_path}/nowhere"'):
        pick(f"{tmp_path}/nowhere")
