"""The way of documents through a run, from manifests and funnels alone."""

import json
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Artifact, Manifest
from hornbook.pipeline.flow import flow, totals
from hornbook.pipeline.history import Cost, RunView, StageView
from hornbook.report.blocks import Flow


def stage(
    folder: Path, name: str, kind: str, parents: dict[str, Any], counts: dict[str, Any], **funnel: Any
) -> StageView:
    path = folder / name
    path.mkdir()
    if funnel:
        (path / "funnel.json").write_text(json.dumps({"edited": {}, "bytes_in": 9, "bytes_kept": 8, **funnel}))
    artifact = Artifact(path, Manifest(kind=kind, parents=parents, counts=counts))
    return StageView("01", name, "x", path, "complete", artifact, Cost(), {})


def by(*names: str) -> dict[str, Any]:
    return {"documents": [{"id": name} for name in names] if len(names) > 1 else {"id": names[0]}}


def test_the_river_follows_what_the_tokens_were_made_of(tmp_path: Path) -> None:
    stages = [
        stage(tmp_path, "text", "documents", {}, {}, **{"in": 100, "kept": 90, "dropped": {"x.bad": 10}}),
        stage(tmp_path, "notes", "documents", {}, {}, **{"in": 20, "kept": 20, "dropped": {}}),
        stage(tmp_path, "both", "documents", by("notes", "text"), {}, **{"in": 110, "kept": 70, "dropped": {"d": 40}}),
        stage(tmp_path, "tokens", "tokens", by("both"), {"train_tokens": 12345}),
        stage(tmp_path, "aside", "documents", by("notes"), {}, **{"in": 20, "kept": 1, "dropped": {"e": 19}}),
    ]
    (block,) = flow(RunView(tmp_path, "run", "complete", "", stages))
    assert isinstance(block, Flow)
    assert [(s.name, s.num_in, s.num_kept, s.dropped) for s in block.steps] == [
        ("text", 100, 90, {"x.bad": 10}),
        ("both (+20)", 110, 70, {"d": 40}),
    ]
    assert block.steps[-1].note == "12,345 tokens to learn from"
    assert totals(RunView(tmp_path, "run", "complete", "", stages)) == (120, 70)
    (block,) = flow(RunView(tmp_path, "run", "complete", "", [s for s in stages if s.id != "tokens"]))
    assert isinstance(block, Flow) and [s.name for s in block.steps] == ["notes", "aside"]


def test_a_run_without_documents_has_none(tmp_path: Path) -> None:
    assert flow(RunView(tmp_path, "run", "complete", "", [stage(tmp_path, "base", "checkpoint", {}, {})])) == []
    assert totals(RunView(tmp_path, "run", "complete", "", [])) is None


def test_the_river_does_not_follow_references(tmp_path: Path) -> None:
    """They are looked at and never become part of the documents, however many there are."""
    both = {"documents": {"id": "crawl"}, "references": {"id": "wiki"}}
    stages = [
        stage(tmp_path, "crawl", "documents", {}, {}, **{"in": 50, "kept": 40, "dropped": {"x.bad": 10}}),
        stage(tmp_path, "wiki", "documents", {}, {}, **{"in": 900, "kept": 900, "dropped": {}}),
        stage(tmp_path, "good", "documents", both, {}, **{"in": 40, "kept": 30, "dropped": {"q.low": 10}}),
        stage(tmp_path, "own", "documents", {"texts": {"id": "good"}}, {}, **{"in": 30, "kept": 30, "dropped": {}}),
    ]
    (block,) = flow(RunView(tmp_path, "run", "complete", "", stages))
    assert isinstance(block, Flow) and [s.name for s in block.steps] == ["crawl", "good", "own"]
    assert totals(RunView(tmp_path, "run", "complete", "", stages)) == (50, 30)
