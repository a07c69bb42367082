"""A whole exam with a model that is known: scores, thresholds, distinct answers, restarts, mistakes."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.errors import DataError
from hornbook.evaluate import generative
from hornbook.evaluate.results import read_samples, read_scores
from hornbook.tasks.score import wilson
from hornbook.tokenizer.tokenizer import Tokenizer

EXACT = "hornbook.tasks.graders:exact"
REFUSAL = "hornbook.tasks.graders:refusal"
REFUSE = {"calibrate_on": ["stated_a", "unstated_a"], "keep_stated": 0.75}
TABLE = {
    "facts": {"grader": EXACT, "bar": 0.9, "baseline": 0.2, "protocol": "named", "baseline_protocol": "always one"},
    "stated_a": {"grader": EXACT, "kind": "calibration"},
    "unstated_a": {"grader": EXACT, "kind": "calibration"},
    "stated_b": {"grader": EXACT, "kind": "kept", "refusal_threshold": REFUSE},
    "unstated_b": {"grader": EXACT, "kind": "refused", "bar": 0.7, "refusal_threshold": REFUSE, "title": "unstated"},
    "stories": {
        "grader": EXACT,
        "kind": "sampled",
        "sampling": {"temperature": 0.7, "num_samples": 2},
        "distinct_bar": 0.9,
        "floor": "floor_bits",
    },
}


def answer(prompt: str) -> tuple[str, float]:
    """Says the number that is asked for; how sure it is stands in the question as well."""
    words = prompt.split()
    number = words[words.index("number") + 1]
    sure = float(words[words.index("sure") + 1])
    return ("nothing" if "wrong" in words else f"It is {number}."), sure


def case(number: int, sure: float, wrong: bool = False) -> dict[str, object]:
    question = f"number {number} sure {sure} {'wrong' if wrong else 'right'} "
    return {
        "id": f"{number}",
        "messages": [{"role": "user", "content": question}],
        "answers": [str(number)],
        "meta": {"floor_bits": 3.0},
    }


EXAMPLES = {
    "facts": [case(i, 0.9, wrong=i % 5 == 0) for i in range(10)],
    "stated_a": [case(i, p) for i, p in enumerate((0.9, 0.8, 0.6, 0.1))],
    "stated_b": [case(i, p) for i, p in enumerate((0.95, 0.7, 0.61, 0.5))],
    "unstated_a": [case(i, p) for i, p in enumerate((0.3, 0.7))],
    "unstated_b": [case(i, p) for i, p in enumerate((0.2, 0.5, 0.59, 0.6))],
    "stories": [case(i, 0.9) for i in range(3)],
}


@pytest.fixture
def exam(tokenizer: Tokenizer, fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the stage on the exam above with the fake model."""
    model = fake.FakeModel(tokenizer, answer=answer, context_tokens=200)
    monkeypatch.setattr(generative, "open_model", lambda *a, **k: model)

    def run(folder: Path, table: dict[str, Any] = TABLE, **settings: Any) -> Path:
        tasks = folder.with_name(f"{folder.name}-tasks")
        fake.write_tasks(tasks, table, EXAMPLES)
        inputs = {"model": Artifact(folder, Manifest("checkpoint")), "tasks": Artifact(tasks, Manifest("tasks"))}
        out = scratch_out(folder, seed=1)
        generative.run(generative.Settings(**settings), inputs, out)
        return out.path

    run.model = model  # type: ignore[attr-defined]
    return run


def test_scores_by_hand(exam: Any, tmp_path: Path) -> None:
    found = read_scores(exam(tmp_path / "out", margin_errors=0.0))
    scores = {score["name"]: score for score in found["scores"]}
    facts = scores["facts"]
    assert (facts["value"], facts["num_cases"], facts["bar"], facts["baseline"]) == (0.8, 10, 0.9, 0.2)
    assert (facts["low"], facts["high"]) == pytest.approx(wilson(8, 10), abs=1e-6)
    assert (facts["passed"], facts["title"], facts["protocol"]) == (False, "facts", "named; baseline: always one")
    threshold = {"threshold": 0.6, "aimed_frac": 0.75, "kept_frac": 0.75, "refused_frac": 0.5, "num_calibration": 4}
    assert found["thresholds"] == {"stated_b": threshold, "unstated_b": threshold}
    assert (scores["unstated_b"]["value"], scores["unstated_b"]["passed"]) == (0.75, True)
    assert scores["unstated_b"]["title"] == "unstated" and "threshold 0.6000" in scores["unstated_b"]["protocol"]
    assert (scores["stated_b"]["value"], scores["stated_b"]["passed"]) == (0.75, None)
    assert scores["unstated_b_area"]["value"] == pytest.approx((4 + 4 + 4 + 1.5) / 16)
    assert "stated_a" not in scores and "unstated_a" not in scores
    assert (scores["stories"]["value"], scores["stories"]["num_cases"]) == (1.0, 6)
    assert "3 independent groups" in scores["stories"]["protocol"]
    assert (scores["stories_distinct"]["value"], scores["stories_distinct"]["passed"]) == (0.5, False)
    # one bit for the token "0", "1" or "2" and one for the end of turn
    assert (scores["stories_bits"]["value"], scores["stories_bits"]["baseline"]) == (pytest.approx(2.0), 3.0)


def test_every_answer_is_kept(exam: Any, tmp_path: Path) -> None:
    samples = list(read_samples(exam(tmp_path / "out")))
    asked = [name for name in TABLE for _ in range(len(EXAMPLES[name]) * (2 if name == "stories" else 1))]
    assert [s["task"] for s in samples] == asked
    assert samples[1]["answer"] == "It is 1." and samples[1]["confidence"] == 0.9
    assert samples[0]["grade"] == 0.0


def test_tasks_by_name_and_by_number(exam: Any, tmp_path: Path) -> None:
    found = read_scores(exam(tmp_path / "out", tasks=("facts",), max_cases=3))
    assert [(s["name"], s["num_cases"]) for s in found["scores"]] == [("facts", 3)]
    assert found["thresholds"] == {}


def test_a_threshold_brings_what_it_is_chosen_on(exam: Any, tmp_path: Path) -> None:
    found = read_scores(exam(tmp_path / "out", tasks=("unstated_b",)))
    assert [s["name"] for s in found["scores"]] == ["unstated_b"]
    assert list(found["thresholds"]) == ["unstated_b"]


def test_a_grader_is_all_a_task_needs(exam: Any, tmp_path: Path) -> None:
    found = read_scores(exam(tmp_path / "out", {"facts": {"grader": EXACT}}))
    assert [(s["name"], s["protocol"]) for s in found["scores"]] == [("facts", "greedy")]


def test_a_restart_asks_only_what_is_missing(exam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = exam(tmp_path / "whole")
    real = exam.model.generate

    def failing(requests: Any) -> Any:
        if any("sure 0.95" in exam.model.tokenizer.decode(r.ids) for r in requests):
            raise KeyboardInterrupt
        return real(requests)

    monkeypatch.setattr(exam.model, "generate", failing)
    with pytest.raises(KeyboardInterrupt):
        exam(tmp_path / "cut")
    assert not (tmp_path / "cut" / "scores.json").exists()
    monkeypatch.setattr(exam.model, "generate", real)
    exam.model.asked.clear()
    cut = exam(tmp_path / "cut")
    assert len(exam.model.asked) == 4 + 4 + 6
    for name in ("scores.json", "samples.jsonl"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def test_description(exam: Any, tmp_path: Path) -> None:
    out = exam(tmp_path / "out")
    scores, thresholds, answers = generative.describe(Artifact(out, Manifest("scores")))
    assert [row.name for row in scores.rows][:3] == ["facts", "stated b", "unstated"]  # type: ignore[union-attr]
    assert [row[0] for row in thresholds.rows] == ["stated_b", "unstated_b"]  # type: ignore[union-attr]
    verdicts = [(item["task"], item["verdict"]) for item in answers.items]  # type: ignore[union-attr]
    assert sorted(verdicts[:4]) == [("facts", "right")] * 2 + [("facts", "wrong")] * 2
    assert json.dumps(answers.items)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("table", "settings", "said"),
    [
        ({"facts": {}}, {}, "names no grader"),
        ([], {}, "not an object of objects"),
        ({"facts": {"grader": EXACT, "kind": "keeps"}}, {}, 'kind "keeps"; did you mean "kept"'),
        ({"facts": {"grader": EXACT, "kind": "kept"}}, {}, "nothing of its threshold"),
        ({"facts": {"grader": EXACT, "kind": "kept", "refusal_threshold": REFUSE}}, {}, 'no task "stated_a"'),
        (TABLE, {"tasks": ("fact",)}, 'no task "fact"; did you mean "facts"'),
    ],
)
def test_mistakes_get_a_sentence(exam: Any, tmp_path: Path, table: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        exam(tmp_path / "out", table, **settings)


def test_refusals_are_graded_by_what_they_say(exam: Any, tmp_path: Path) -> None:
    found = read_scores(exam(tmp_path / "out", {"facts": {"grader": REFUSAL}}))
    assert found["scores"][0]["value"] == 0.0
