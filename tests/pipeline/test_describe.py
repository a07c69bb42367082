"""Artifacts as blocks, by their stage or by their kind."""

import json

import pytest

from hornbook.core.artifact import Artifact, Manifest, open_artifact
from hornbook.core.conversation import Conversation, Message, write_conversations
from hornbook.core.document import Document, to_table
from hornbook.pipeline.describe import by_kind, describe, funnel_of, score_records
from hornbook.report.blocks import Funnel, Samples, Scores, Series, Table, Text


def artifact(folder, kind, stage=""):
    folder.mkdir(exist_ok=True)
    return Artifact(folder, Manifest(kind=kind, stage=stage))


def test_a_stage_describes_itself(toy, run):
    run()
    blocks = describe(open_artifact(toy / "runs/toy/03-sum"), toy / "runs/toy")
    assert blocks == [Table("Sum", ["sum"], [["13"]])]


def test_without_a_description_the_files_are_listed(toy, run):
    run()
    (table,) = describe(open_artifact(toy / "runs/toy/01-low"), toy / "runs/toy")
    assert isinstance(table, Table) and table.rows == [["numbers.txt", 6]]


def test_a_stage_that_fails_to_describe_costs_its_own_words_only(toy, run):
    run()
    file = toy / "runs/toy/stage_files/total.py"
    file.write_text(file.read_text().replace("    total = artifact", "    1 / 0\n    total = artifact"))
    first, second = describe(open_artifact(toy / "runs/toy/03-sum"), toy / "runs/toy")
    assert isinstance(first, Text) and "division by zero" in first.body and isinstance(second, Table)


def test_a_stage_that_is_gone_leaves_its_kind(tmp_path):
    assert describe(artifact(tmp_path / "a", "tokens", "no.such"))[0].title == "Files"
    assert describe(artifact(tmp_path / "b", "checkpoint", "(brought)"))[0].title == "Files"


def test_documents(tmp_path):
    import pyarrow.parquet

    found = artifact(tmp_path / "d", "documents")
    (found.path / "kept").mkdir()
    pyarrow.parquet.write_table(to_table([Document("i1", "words")]), found.path / "kept" / "00000.parquet")
    funnel = {"in": 3, "kept": 1, "dropped": {"gopher.too_short": 2}, "edited": {"pii.email": 1}}
    (found.path / "funnel.json").write_text(json.dumps(funnel))
    blocks = by_kind(found)
    assert blocks == [
        Funnel("", 3, 1, {"gopher.too_short": 2}, {"pii.email": 1}),
        Samples("Documents", [{"id": "i1", "text": "words"}]),
    ]
    (found.path / "funnel.json").write_text("{")
    assert funnel_of(found) is None


def test_conversations_tasks_and_curves(tmp_path):
    talks = artifact(tmp_path / "c", "conversations")
    write_conversations(talks.path, [Conversation("c1", (Message("user", "Hi"), Message("assistant", "Hello")))])
    assert by_kind(talks) == [Samples("Conversations", [{"id": "c1", "text": "user: Hi\nassistant: Hello"}])]
    tasks = artifact(tmp_path / "t", "tasks")
    (tasks.path / "sums.jsonl").write_text('{"id": "1", "prompt": "1+1", "answers": ["2"], "meta": {}}\n{"id": "2"}\n')
    assert by_kind(tasks) == [Samples("Tasks", [{"task": "sums", "id": "1", "prompt": "1+1", "answers": '["2"]'}])]
    model = artifact(tmp_path / "m", "checkpoint")
    (model.path / "metrics.jsonl").write_text(
        '{"step": 1, "tokens": 10, "loss": 3.0}\n{"step": 2, "tokens": 20, "loss": 2.5}\n'
    )
    assert by_kind(model) == [Series("loss", "tokens", "", {"loss": [(10.0, 3.0), (20.0, 2.5)]})]


SCORE = {
    "name": "facts", "title": "facts", "value": 0.5, "low": 0.4, "high": 0.6, "num_cases": 100, "unit": "share",
    "baseline": 0.1, "bar": 0.9, "protocol": "greedy", "lower_is_better": False, "passed": False,
}  # fmt: skip


def test_scores(tmp_path):
    found = artifact(tmp_path / "s", "scores")
    assert score_records(found) == []
    (found.path / "scores.json").write_text(json.dumps({"scores": [SCORE]}))
    (block,) = by_kind(found)
    assert isinstance(block, Scores) and block.rows[0].bar == 0.9 and block.rows[0].met is False


@pytest.mark.parametrize("kind", ["pages", "truth", "tokens", "index"])
def test_every_other_kind_lists_its_files(tmp_path, kind):
    found = artifact(tmp_path / "x", kind)
    (found.path / "part").write_text("abc")
    assert by_kind(found) == [Table("Files", ["file", "bytes"], [["part", 3]])]
