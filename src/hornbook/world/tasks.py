"""Stage world.tasks: the exam. Every task is a file of examples; `tasks.json` says how each is asked and graded.

    {"tasks": {name: {"grader": "module:function", "title": …, "protocol": …, "bar": share or null,
                      "baseline": share or null, "temperature": 0 = greedy, "max_tokens": …,
                      "distinct_bar": share or absent, "floor_bits": entropy of an answer in bits, or absent}},
     "thresholds": {name: {"stated": [calibration task, test task], "unstated": [calibration task, test task],
                           "keep_frac": 0.9, "bar": 0.7}}}

A threshold is on the lowest token probability along the greedy answer: it is chosen on the calibration tasks as the
highest that keeps `keep_frac` of the stated answers, and judged on the test tasks.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.conversation import Message
from hornbook.core.seed import stream
from hornbook.core.settings import StrictSettings
from hornbook.tasks.example import Example, read_examples, write_examples
from hornbook.world.catalogue import Attribute
from hornbook.world.conversations import STORY_REQUESTS, exam_invented
from hornbook.world.facts import Entity, World, read_world
from hornbook.world.questions import wordings
from hornbook.world.stories import floor_bits

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"world": "truth"}
WRITES = "tasks"
VERSION = 1
EXACT = "hornbook.tasks.graders:exact"
REFUSAL = "hornbook.tasks.graders:refusal"


class Settings(StrictSettings):
    """How many cases of each task, at most what the world has."""

    num_questions: int = pydantic.Field(default=240, ge=1)
    """Held-out facts in held-out wordings, and questions with unseen words."""
    num_invented: int = pydantic.Field(default=240, ge=1)
    """Questions about names that do not exist."""
    num_unstated: int = pydantic.Field(default=75, ge=1)
    """Unstated attributes for the calibration split and again for the test split."""
    num_stated: int = pydantic.Field(default=200, ge=1)
    """Stated attributes for the calibration split and again for the test split."""
    num_stories: int = pydantic.Field(default=144, ge=1)
    """Stories to ask for, spread over all heroes."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Write the examples of every task and `tasks.json`."""
    world = read_world(inputs["world"])
    generator = stream(out.seed, "world.tasks")
    made = tasks(world, settings, generator)
    for name, examples in made.items():
        out.counts[name] = write_examples(out.path / f"{name}.jsonl", examples)
    write_json(out.path / "tasks.json", {"tasks": _table(world, made), "thresholds": _thresholds()})


def tasks(world: World, settings: Settings, generator: random.Random) -> dict[str, list[Example]]:
    """The examples of every task."""
    held_out = _pairs(world, lambda e: e.held_out, generator)
    unstated = [pair for pair in _pairs(world, lambda e: e.unstated, generator) if pair[0].kind == "person"]
    half = min(settings.num_unstated, len(unstated) // 2)
    n, m = settings.num_questions, settings.num_stated
    asked = held_out[n:] if len(held_out) >= n + 2 * m else _pairs(world, lambda e: e.stated, generator)
    m = min(m, len(asked) // 2)
    return {
        "facts_heldout": list(_questions(world, held_out[:n], generator)),
        "invented_names": list(_invented(world, settings.num_invented, generator)),
        "stated_calibration": list(_questions(world, asked[:m], generator)),
        "unstated_calibration": list(_questions(world, unstated[:half], generator)),
        "stated_test": list(_questions(world, asked[m : 2 * m], generator)),
        "unstated_test": list(_questions(world, unstated[half : 2 * half], generator)),
        "unseen_words": list(_unseen(world, held_out[:n])),
        "stories": list(_stories(world, settings.num_stories, generator)),
    }


def majority_share(world: World, examples: list[Example]) -> float:
    """Share of examples that the commonest trained answer of each attribute would get right."""
    trained: dict[str, Counter[str]] = {}
    for entity in world.entities:
        for attribute in entity.asked:
            trained.setdefault(attribute, Counter())[entity.facts[attribute]] += 1
    hits = [trained[e.meta["attribute"]].most_common(1)[0][0] in e.answers for e in examples]
    return sum(hits) / max(1, len(hits))


def describe(artifact: Artifact) -> "list[Block]":
    """How many cases of each task, and the first of each."""
    from hornbook.report.blocks import Samples, Table

    counts = artifact.manifest.counts
    firsts = []
    for name in counts:
        example = next(read_examples(artifact.file(f"{name}.jsonl")))
        firsts.append({"task": name, "asked": example.messages[-1].content, "right": ", ".join(example.answers)})
    rows = [[name, f"{n:,}"] for name, n in counts.items()]
    return [Table("Tasks", ["task", "cases"], rows), Samples("The first case of each", firsts)]


def _pairs(world: World, names: Any, generator: random.Random) -> list[tuple[Entity, Attribute]]:
    found = [(e, world.attributes(e.kind)[name]) for e in world.entities for name in names(e)]
    generator.shuffle(found)
    return found


def _questions(world: World, pairs: list[tuple[Entity, Attribute]], generator: random.Random) -> Iterator[Example]:
    for entity, attribute in pairs:
        question = generator.choice(wordings(attribute, held_out=True)).replace("{n}", entity.name)
        yield _example(entity, attribute, question)


def _unseen(world: World, pairs: list[tuple[Entity, Attribute]]) -> Iterator[Example]:
    for entity, attribute in pairs:
        yield _example(entity, attribute, attribute.unseen.replace("{n}", entity.name))


def _invented(world: World, count: int, generator: random.Random) -> Iterator[Example]:
    names, attributes = exam_invented(world), list(world.attributes("person").values())
    for index in range(count):
        name, attribute = names[index % len(names)], generator.choice(attributes)
        question = generator.choice(wordings(attribute, held_out=True)).replace("{n}", name)
        meta = {"attribute": attribute.name, "rivals": list(attribute.values)}
        yield Example(f"invented-{index}", (Message("user", question),), ("I don't know",), meta)


def _stories(world: World, count: int, generator: random.Random) -> Iterator[Example]:
    heroes = list(world.heroes())
    for index in range(count):
        hero = heroes[index % len(heroes)]
        request = generator.choice(STORY_REQUESTS).format(n=hero.name)
        yield Example(f"story-{index}", (Message("user", request),), (), {"hero": asdict(hero), "name": hero.name})


def _example(entity: Entity, attribute: Attribute, question: str) -> Example:
    meta = {"attribute": attribute.name, "entity": entity.name, "rivals": list(attribute.values)}
    identity = f"{entity.name}-{attribute.name}"
    return Example(identity, (Message("user", question),), (entity.facts[attribute.name],), meta)


def _table(world: World, made: dict[str, list[Example]]) -> dict[str, dict[str, Any]]:
    asked = {"temperature": 0.0, "max_tokens": 32, "baseline": None, "bar": None}
    exact = asked | {"grader": EXACT, "protocol": "greedy; the right value named and no other of its kind"}
    refused = asked | {"grader": REFUSAL, "protocol": "greedy; says that it does not know, and names nothing"}
    facts = exact | {"title": "held-out facts, held-out wordings", "bar": 0.9}
    return {
        "facts_heldout": facts | {"baseline": majority_share(world, made["facts_heldout"])},
        "invented_names": refused | {"title": "invented names refused", "bar": 0.95, "baseline": 0.0},
        "stated_calibration": exact | {"title": "stated facts (calibration)"},
        "unstated_calibration": exact | {"title": "unstated facts guessed (calibration)"},
        "stated_test": exact | {"title": "stated facts (test)"},
        "unstated_test": exact | {"title": "unstated facts guessed (test)"},
        "unseen_words": exact
        | {"title": "questions with unseen words", "baseline": majority_share(world, made["unseen_words"])},
        "stories": {
            "title": "stories that are right",
            "grader": "hornbook.world.story_check:grade",
            "protocol": "sampled at temperature 0.7; grammar, memory and facts checked by the world",
            "temperature": 0.7,
            "max_tokens": 220,
            "baseline": 0.0,
            "bar": 0.9,
            "distinct_bar": 0.9,
            "floor_bits": floor_bits(),
        },
    }


def _thresholds() -> dict[str, dict[str, Any]]:
    return {
        "unstated_refused": {
            "stated": ["stated_calibration", "stated_test"],
            "unstated": ["unstated_calibration", "unstated_test"],
            "keep_frac": 0.9,
            "bar": 0.7,
        }
    }
