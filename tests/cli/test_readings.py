from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.cli.main import command
from hornbook.core.artifact import Manifest, write_json
from hornbook.core.document import Document, to_table


def artifact(folder: Path, kind: str = "documents") -> Path:
    (folder / "kept").mkdir(parents=True)
    texts = ["the quick fox and a hen had to cross that long river with care " * 4, "too short"]
    pq.write_table(to_table(Document(str(i), text) for i, text in enumerate(texts)), folder / "kept/0.parquet")
    manifest: dict[str, Any] = vars(Manifest(kind=kind))
    write_json(folder / "manifest.json", manifest)
    return folder


def test_readings_of_an_artifact_and_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    artifact(run / "01-text")
    artifact(run / "02-clean")
    (run / "recipe.toml").write_text('name = "run"\n')
    assert command(["readings", str(run / "02-clean"), "--rule", "gopher_quality"]) == 0
    shown = capsys.readouterr().out
    assert "2 documents" in shown and "dolma" in shown and "too_short" in shown and "fineweb" not in shown
    assert command(["readings", str(run), "--docs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "01-text: 1 documents" in shown and "gopher_repetition" in shown and "disagree on 0 of 1" in shown


def test_mistakes_get_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = artifact(tmp_path / "a")
    assert command(["readings", str(folder), "--rule", "url"]) == 2
    assert '"url" has no readings' in capsys.readouterr().err
    (tmp_path / "run").mkdir()
    (tmp_path / "run/recipe.toml").write_text('name = "run"\n')
    assert command(["readings", str(tmp_path / "run")]) == 2
    assert "no finished documents" in capsys.readouterr().err
