"""`hornbook stages`: the list, and every setting of one stage."""

import json
from pathlib import Path
from typing import Literal

import pytest

from hornbook.cli.main import command
from hornbook.cli.stages import summary, type_name
from hornbook.core.settings import StrictSettings
from hornbook.pipeline.stage import installed_stages


def test_every_stage_is_listed_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["stages"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[:-1]}
    assert set(lines) == set(installed_stages())
    assert "through a chain of filters, each drop" in lines["data.filter"]


def test_a_stage_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(
        '"""Stage own: does little."""\n'
        "from hornbook.core.settings import InputPath, StrictSettings\n"
        'READS = {"documents": "documents+?"}\nWRITES = "documents"\n'
        "class Inner(StrictSettings):\n    rate: float = 0.5\n    'How fast.'\n"
        "class Settings(StrictSettings):\n    path: InputPath\n    'Where it lies.'\n"
        "    inner: Inner = Inner()\n    'A table.'\n"
        "def run(settings, inputs, out): ...\n"
    )
    assert command(["stages", "./own.py"]) == 0
    out = capsys.readouterr().out
    assert "does little." in out and "one or more documents, may be left out" in out and "Writes: documents" in out
    assert "path  (path, required)\n      Where it lies." in out
    assert "inner.rate  (number, default 0.5)\n      How fast." in out
    assert command(["stages", "./own.py", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["settings"][-1] == {"name": "inner.rate", "type": "number", "default": 0.5, "help": "How fast."}


def test_a_wrong_name_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["stages", "data.fliter"]) == 2
    assert 'did you mean "data.filter"' in capsys.readouterr().err


def test_types_as_a_writer_of_recipes_reads_them() -> None:
    named = {
        "text or table": str | dict[str, int],
        "whole number": int | None,
        "list of text": tuple[str, ...],
        '"a" or "b"': Literal["a", "b"],
        "true or false": bool,
        "table": StrictSettings,
    }
    assert {text: type_name(kind) for text, kind in named.items()} == {text: text for text in named}


def test_summaries_lose_only_the_stage_name() -> None:
    assert summary("Stage a.b: this: that.") == "this: that."
    assert summary("This: that.") == "This: that."


def test_the_schema_is_json_for_editors(capsys) -> None:
    assert command(["stages", "--schema"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["title"] == "Hornbook recipe" and len(document["properties"]["stage"]["items"]["anyOf"]) > 10
