"""Two runs side by side."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toys import put_toys

from hornbook.cli.compare import is_real
from hornbook.cli.main import command


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    put_toys(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    assert command(["run", "toy.toml", "--set", "name=one"]) == 0
    assert command(["run", "toy.toml", "--set", "name=two", "--set", "b.count=5"]) == 0


def score(value, low, high):
    return {
        "name": "facts", "title": "facts", "value": value, "low": low, "high": high, "num_cases": 100, "unit": "share",
        "baseline": None, "bar": None, "protocol": "", "lower_is_better": False,
    }  # fmt: skip


def make_scores(run, value, low, high, answer, grade):
    folder = Path("runs") / run / "02-b"
    manifest = json.loads((folder / "manifest.json").read_text()) | {"kind": "scores"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "scores.json").write_text(json.dumps({"scores": [score(value, low, high)]}))
    rows = [{"id": "q0", "asked": "Same?", "answer": "yes", "grade": 1.0}]
    rows.append({"id": "q1", "asked": "Which colour?", "answer": answer, "grade": grade})
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def said(capsys, *words):
    capsys.readouterr()
    assert command(["compare", "one", "two", *words]) == 0
    return capsys.readouterr().out


def test_settings_and_bytes_that_differ(capsys):
    text = said(capsys)
    assert "b.count" in text and "a.count" not in text
    lines = {line.split()[0]: line for line in text.splitlines() if line.split()}
    assert "same bytes" in lines["a"] and "same bytes" not in lines["b"]
    assert "1 words" in lines["b"] and "5 words" in lines["b"]
    assert "No scores yet." in text


def test_scores_with_intervals_and_answers_that_differ_first(capsys):
    make_scores("one", 0.50, 0.40, 0.60, "red", 0.0)
    make_scores("two", 0.90, 0.82, 0.95, "blue", 1.0)
    text = said(capsys, "--samples", "1")
    assert "50.0 % (40.0 % – 60.0 %)" in text and "90.0 % (82.0 % – 95.0 %)" in text
    assert "+40.0 %" in text and " real" in text
    assert "Which colour?" in text and "Same?" not in text and text.index("red") < text.index("blue")


def test_curves_stand_below_each_other(capsys):
    for run, end in (("one", 1.5), ("two", 1.25)):
        folder = Path("runs") / run / "02-b"
        manifest = json.loads((folder / "manifest.json").read_text()) | {"kind": "checkpoint"}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        rows = [{"step": i, "tokens": 100 * i, "loss": value} for i, value in enumerate((3.0, 2.0, end))]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = said(capsys)
    assert "b: loss" in text and "one: 3 → 1.5" in text and "two: 3 → 1.25" in text


def test_a_run_that_is_none(capsys):
    assert command(["compare", "one", "tow"]) == 2
    assert 'did you mean "two"' in capsys.readouterr().err


def test_newcombes_example():
    """56 of 70 against 48 of 80, Newcombe 1998 (table II, row a, method 10): the difference 0.2 has 0.0524 as its
    lower limit, so it is real; the Wilson intervals of both proportions overlap all the same."""
    one = {"value": 0.6, "low": 0.4904, "high": 0.7004}
    two = {"value": 0.8, "low": 0.6914, "high": 0.8769}
    assert one["high"] > two["low"] and is_real(one, two) and is_real(two, one)
    assert not is_real(one, {"value": 0.7, "low": 0.6, "high": 0.8}) and not is_real(one, one)
