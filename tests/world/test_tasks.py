"""The exam: enough cases, splits that share no pair, graders that accept the truth and refuse the rest."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.errors import DataError
from hornbook.tasks.example import load_grader, read_examples
from hornbook.tasks.graders import exact, refusal
from hornbook.world import facts, tasks
from hornbook.world.catalogue import fill
from hornbook.world.facts import make_world
from hornbook.world.questions import asked_pairs, held_out_pairs, wordings
from hornbook.world.stories import story_bits
from hornbook.world.tasks import Settings, about_tasks, majority, make_tasks

WORLD = make_world(facts.Settings(), 7)
EXAM = make_tasks(WORLD, Settings(), 7)
NAMES = {e.name: e for e in WORLD.entities}


def test_every_task_has_enough_cases() -> None:
    sizes = {name: len(examples) for name, examples in EXAM.items()}
    assert sizes["facts_heldout"] >= 200 and sizes["invented_names"] >= 200 and sizes["unseen_words"] >= 200
    for name in ("stated_calibration", "unstated_calibration", "stated_test", "unstated_test"):
        assert sizes[name] >= 150, sizes
    assert sizes["stories"] >= 30 and 3 * sizes["stories"] >= 100
    ids = [e.id for examples in EXAM.values() for e in examples]
    assert len(set(ids)) == len(ids)


def test_calibration_and_test_share_no_pair() -> None:
    names = ("stated_calibration", "stated_test", "unstated_calibration", "unstated_test")
    pairs = {name: {e.meta["pair"] for e in EXAM[name]} for name in names}
    for first, second in combinations(names, 2):
        assert not pairs[first] & pairs[second]
    for name, found in pairs.items():
        for pair in found:
            person, attribute = pair.split("/")
            which = NAMES[person].unstated if name.startswith("unstated") else NAMES[person].held_out
            assert attribute in which


def test_questions_are_of_held_out_pairs_in_held_out_wordings() -> None:
    held = {fill(q, e.name): f"{e.name}/{a.name}" for e, a in held_out_pairs(WORLD) for q in wordings(a, True)}
    for example in EXAM["facts_heldout"]:
        assert held[example.messages[0].content] == example.meta["pair"]
    assert not set(WORLD.invented_for_training) & {e.id.split("/")[1] for e in EXAM["invented_names"]}


def test_graders_accept_the_truth_and_refuse_everything_else() -> None:
    for name in ("facts_heldout", "stated_test", "unseen_words"):
        for example in EXAM[name]:
            value = example.answers[0]
            assert exact(example, example.meta["reference"]) == exact(example, value) == 1.0
            assert exact(example, ", ".join([value, *example.meta["rivals"]])) == 0.0
            assert exact(example, example.meta["rivals"][0]) == exact(example, "I don't know.") == 0.0
            attribute = example.meta["attribute"]
            assert example.meta["reference"].count(NAMES[example.meta["subject"]].facts[attribute]) >= 1


def test_an_unstated_value_is_no_refusal_even_when_it_is_true() -> None:
    for example in EXAM["unstated_test"]:
        true = NAMES[example.meta["subject"]].facts[example.meta["attribute"]]
        assert refusal(example, f"I don't know that about {example.meta['subject']}.") == 1.0
        assert refusal(example, f"I don't know. It is {true}.") == 0.0
        assert not example.answers


def test_stories_come_with_references_and_their_floor() -> None:
    grade = load_grader("hornbook.world.story_check:grade")
    texts = [(example, text) for example in EXAM["stories"] for text in example.answers]
    assert len(texts) == 120 == len({text for _, text in texts})
    assert all(grade(example, text) == 1.0 for example, text in texts)
    for example in EXAM["stories"]:
        assert example.meta["floor_bits"] == pytest.approx(story_bits(NAMES[example.meta["hero"]["name"]]), abs=1e-12)


def test_the_majority_baseline_by_hand() -> None:
    counts: dict[str, dict[str, int]] = {}
    for entity, attribute in asked_pairs(WORLD):
        table = counts.setdefault(attribute.name, {})
        table[entity.facts[attribute.name]] = table.get(entity.facts[attribute.name], 0) + 1
    best = {a: sorted(t.items(), key=lambda item: (-item[1], item[0]))[0][0] for a, t in counts.items()}
    hits = [best[e.meta["attribute"]] == e.answers[0] for e in EXAM["facts_heldout"]]
    assert majority(WORLD, EXAM["facts_heldout"]) == pytest.approx(sum(hits) / len(hits), abs=1e-12)
    assert 0.02 < sum(hits) / len(hits) < 0.2


def test_tasks_json_says_what_an_evaluation_needs() -> None:
    about: dict[str, Any] = json.loads(json.dumps(about_tasks(WORLD, EXAM, Settings(keep_stated=0.92))))
    assert set(about) == set(EXAM)
    bars = {name: entry["bar"] for name, entry in about.items() if entry["bar"] is not None}
    assert bars == {"facts_heldout": 0.9, "invented_names": 0.95, "unstated_test": 0.7, "stories": 0.9}
    assert about["stories"]["distinct_bar"] == 0.9 and about["stories"]["sampling"]["temperature"] == 0.7
    for entry in about.values():
        assert callable(load_grader(entry["grader"])) and entry["protocol"] and entry["title"]
    chosen = {"calibrate_on": ["stated_calibration", "unstated_calibration"], "keep_stated": 0.92}
    assert about["stated_test"]["refusal_threshold"] == about["unstated_test"]["refusal_threshold"] == chosen
    assert about["facts_heldout"]["baseline"] == majority(WORLD, EXAM["facts_heldout"])


def test_the_stage_writes_the_same_twice(tmp_path: Path) -> None:
    truth = scratch_out(tmp_path / "truth", seed=7)
    facts.run(facts.Settings(), {}, truth)
    inputs = {"truth": Artifact(truth.path, Manifest(kind="truth"))}
    hashes = []
    for name in ("a", "b"):
        out = scratch_out(tmp_path / name, seed=7)
        tasks.run(Settings(), inputs, out)
        hashes.append(payload_hash(out.path))
    assert hashes[0] == hashes[1]
    for name, examples in EXAM.items():
        assert list(read_examples(out.path / f"{name}.jsonl")) == examples and out.counts[name] == len(examples)
    blocks = tasks.describe(Artifact(out.path, Manifest(kind="tasks", counts=out.counts)))
    assert [block.title for block in blocks] == ["The exam", "Some cases"]


def test_a_world_that_is_too_small_is_said_to_be(tmp_path: Path) -> None:
    truth = scratch_out(tmp_path / "truth", seed=7)
    facts.run(facts.Settings(num_people=10, num_places=4, num_invented=40, stated_frac=1.0), {}, truth)
    with pytest.raises(DataError, match="unstated_calibration"):
        tasks.run(Settings(), {"truth": Artifact(truth.path, Manifest(kind="truth"))}, scratch_out(tmp_path / "out"))
    assert not (tmp_path / "out" / "tasks.json").exists()


def test_a_large_world_keeps_its_exam_small() -> None:
    large = make_world(facts.Settings(num_people=500, num_places=50, num_invented=4000), 1)
    exam = make_tasks(large, Settings(), 1)
    assert all(len(examples) == 300 for name, examples in exam.items() if name != "stories")
    assert max(len(e.meta.get("rivals", ())) for examples in exam.values() for e in examples) <= 200
