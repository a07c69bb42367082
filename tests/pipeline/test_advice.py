"""What to try next rests on numbers."""

import json
from pathlib import Path

import pytest

from hornbook.core.artifact import Artifact, Manifest
from hornbook.pipeline.advice import advice
from hornbook.pipeline.history import Cost, RunView, StageView


def view(path: Path, kind: str, state: str = "complete", **derived) -> RunView:
    path.mkdir(exist_ok=True)
    artifact = Artifact(path, Manifest(kind=kind))
    stage = StageView("01", "one", "data.filter", path, state, artifact, Cost(), derived)
    return RunView(path, "r", state if state != "complete" else "complete", "", [stage])


def score(**more):
    base = {"name": "facts", "value": 0.5, "low": 0.4, "high": 0.6, "num_cases": 50, "bar": 0.9}
    return json.dumps({"scores": [base | more]})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, '"facts" is 0.5 against a bar of 0.9; read its samples'),
        ({"value": 0.88, "high": 0.93}, "its interval reaches the bar, so more than 50 cases are needed"),
        ({"value": 0.95, "high": 1.0}, "Nothing stands out"),
        ({"bar": 0.3, "lower_is_better": True}, "read its samples"),
        ({"bar": 0.45, "lower_is_better": True}, "its interval reaches the bar"),
        ({"bar": None}, "Nothing stands out"),
    ],
)
def test_missed_bars(tmp_path, more, said):
    run = view(tmp_path / "s", "scores")
    (tmp_path / "s" / "scores.json").write_text(score(**more))
    (line,) = advice(run)
    assert said in line


def metrics(path, values):
    rows = [{"step": i, "tokens": i, "validation_bits_per_byte": value} for i, value in enumerate(values)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([3.0, 2.5, 2.2, 2.0, 1.9, 1.8, 1.7, 1.6], "still improving (1.800 to 1.600 bits per byte"),
        ([3.0, 2.0, 1.5, 1.4, 1.45, 1.6, 1.7, 1.8], "was best at 1.400 bits per byte and ended at 1.800"),
        ([3.0, 2.0, 1.5, 1.4, 1.39, 1.39, 1.39, 1.385], "Nothing stands out"),
        ([3.0, 1.0], "Nothing stands out"),
    ],
)
def test_curves(tmp_path, values, said):
    run = view(tmp_path / "m", "checkpoint")
    metrics(tmp_path / "m", values)
    (line,) = advice(run)
    assert said in line


def test_a_rule_that_drops_much_is_named_with_how_to_look(tmp_path):
    run = view(tmp_path / "d", "documents")
    funnel = {"in": 100, "kept": 60, "dropped": {"c4.curly_bracket": 30, "url.blocked": 10}}
    (tmp_path / "d" / "funnel.json").write_text(json.dumps(funnel))
    (line,) = advice(run)
    assert "30.0 %" in line and f"hornbook look {tmp_path / 'd'} --rule c4.curly_bracket" in line


def test_many_epochs_and_failures(tmp_path):
    assert "about 12 times" in advice(view(tmp_path / "m", "checkpoint", epochs=12.2))[0]
    assert "epochs" not in " ".join(advice(view(tmp_path / "n", "checkpoint", epochs="unknown")))
    assert "Mend what stopped" in advice(view(tmp_path / "f", "documents", state="failed"))[0]
