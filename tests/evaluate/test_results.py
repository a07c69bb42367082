"""Scores and samples on disk."""

from pathlib import Path

import pytest

from hornbook.core.artifact import Artifact, Manifest
from hornbook.core.errors import ArtifactError
from hornbook.evaluate.results import read_samples, read_scores, scores_block, write_samples, write_scores
from hornbook.tasks.score import Score


def test_scores_there_and_back(tmp_path: Path) -> None:
    made = [
        Score("a", 1 / 3, 0.25, 0.5, 12, "share", 0.1, 0.3, "greedy"),
        Score("b", 2.0, 1.0, 3.0, 4, "bits", lower_is_better=True, bar=1.5),
    ]
    write_scores(tmp_path, made, {"a": "the first"}, thresholds={"t": {"threshold": 0.123456789}})
    found = read_scores(tmp_path)
    assert found["thresholds"] == {"t": {"threshold": 0.123457}}
    assert found["scores"][0] == {
        "name": "a",
        "title": "the first",
        "value": 0.333333,
        "low": 0.25,
        "high": 0.5,
        "num_cases": 12,
        "unit": "share",
        "baseline": 0.1,
        "bar": 0.3,
        "protocol": "greedy",
        "lower_is_better": False,
        "passed": True,
    }
    rows = scores_block(Artifact(tmp_path, Manifest("scores")), "Scores").rows
    assert [(row.name, row.met) for row in rows] == [("the first", True), ("b", False)]


def test_samples_there_and_back(tmp_path: Path) -> None:
    assert write_samples(tmp_path, iter([{"a": "é\n", "b": 0.12345678}, {"a": None}])) == 2
    assert list(read_samples(tmp_path)) == [{"a": "é\n", "b": 0.123457}, {"a": None}]
    assert [file.name for file in tmp_path.iterdir()] == ["samples.jsonl"]


def test_no_scores(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_scores(tmp_path)
