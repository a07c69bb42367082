"""Stage world.tasks: the exam of this world.

`<task>.jsonl`: examples; `tasks.json`: for each task what an evaluation needs:

- `title`: a few words for tables; `grader`: address of a function `(example, text) -> float`; `protocol`: one sentence
  for the reader; `bar`: the score promised, or null; `baseline`: the same score without skill, or null, and
  `baseline_protocol`: how that would be got.
- `kind`: what to do.
  `graded`: the score is the mean of the grader over greedy answers.
  `calibration`: not scored; its confidences choose thresholds.
  `kept`, `refused`: an answer counts as refused when its confidence is below the threshold or when
  `hornbook.tasks.graders:refuses` says so; the score is the share kept or refused.
  `sampled`: the score is the mean of the grader over `num_samples` answers to each example at `temperature`; the
  share of different texts among all samples is a second score with `distinct_bar`; `answers` are fresh stories of the
  generator: their mean information under the model, in bits (answer tokens and the end of turn), is set beside the mean
  of `meta["floor_bits"]`, the generator's exact entropy.
- `sampling`: `temperature` (0 = greedy), `max_tokens`, `num_samples`.
- `refusal_threshold` (of `kept` and `refused`): `{"calibrate_on": [stated, unstated], "keep_stated": 0.9}`. Confidence
  is the lowest probability of a token along the greedy answer; the threshold is chosen on the first split alone
  (`evaluate.threshold.choose`), the second shows what it refuses there. No pair of name and attribute is in a
  calibration and in a test split. `meta["pair"]` names the pair of each case (several wordings ask for one), for
  intervals by pair.

`meta["rivals"]` are wrong values: an answer that names one is wrong, whatever else it says. `meta["subject"]` is whom
it is about: a sentence about somebody else is wrong.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.conversation import Message
from hornbook.core.errors import DataError
from hornbook.core.seed import stream
from hornbook.core.settings import StrictSettings
from hornbook.tasks.example import Example, read_examples, write_examples
from hornbook.world.catalogue import Attribute, fill
from hornbook.world.conversations import STORY_REQUESTS
from hornbook.world.facts import Entity, World, read_world
from hornbook.world.questions import answer, asked_pairs, held_out_pairs, unstated_pairs, wordings
from hornbook.world.stories import draw, heroes, story_bits, tell

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"truth": "truth"}
WRITES = "tasks"
VERSION = 3

MAX_RIVALS = 200
GREEDY = {"temperature": 0.0, "max_tokens": 40, "num_samples": 1}
TITLES = {
    "facts_heldout": "held-out facts in held-out wordings",
    "invented_names": "invented names refused",
    "stated_calibration": "stated facts (calibration)",
    "unstated_calibration": "unstated facts (calibration)",
    "stated_test": "stated facts kept at the threshold",
    "unstated_test": "unstated facts refused at the threshold",
    "unseen_words": "held-out facts in unseen words",
    "stories": "stories that are right",
}
Pair = tuple[Entity, Attribute]


class Settings(StrictSettings):
    """How many cases each task has at most."""

    num_cases: int = pydantic.Field(default=300, ge=10)
    """Most cases of a task about facts and names."""
    num_heroes: int = pydantic.Field(default=40, ge=1)
    """Most heroes that stories are asked for."""
    samples_per_hero: int = pydantic.Field(default=3, ge=1)
    """Stories sampled for each of them, and fresh stories of the generator to measure bits on."""
    story_temperature: float = pydantic.Field(default=0.7, gt=0)
    """Temperature at which stories are sampled."""
    keep_stated: float = pydantic.Field(default=0.9, gt=0, le=1)
    """Share of answers to stated questions that the refusal threshold keeps on its calibration split."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Write the tasks. Raises DataError when the world is too small to ask anything."""
    world = read_world(inputs["truth"])
    tasks = make_tasks(world, settings, out.seed)
    empty = sorted(name for name, examples in tasks.items() if not examples)
    if empty:
        raise DataError(f"this world has no cases for {', '.join(empty)}", do="Make more people, or state more of them")
    for name, examples in tasks.items():
        out.counts[name] = write_examples(out.path / f"{name}.jsonl", examples)
    write_json(out.path / "tasks.json", about_tasks(world, tasks, settings))


def make_tasks(world: World, settings: Settings, seed: int) -> dict[str, list[Example]]:
    """The examples of every task."""

    def mixed(name: str, items: Iterable[Pair]) -> list[Pair]:
        order = list(items)
        stream(seed, f"world.tasks/{name}").shuffle(order)
        return order

    cases = settings.num_cases
    kept_back = mixed("held_out", held_out_pairs(world))
    people = [(e, a) for e, a in mixed("stated", kept_back) if e.kind == "person"]
    unstated = mixed("unstated", unstated_pairs(world))
    half, third = len(people) // 2, len(unstated) // 3
    asking = {"stated_calibration": people[:half], "stated_test": people[half:]}
    asking |= {"unstated_calibration": unstated[:third], "unstated_test": unstated[third:]}
    tasks = {"facts_heldout": list(_ask(world, "facts_heldout", kept_back, 1, seed))[:cases]}
    tasks["invented_names"] = _nobody(world, seed)[:cases]
    for name, pairs in asking.items():
        per_pair = 3 if name == "unstated_calibration" else 2
        tasks[name] = list(_ask(world, name, pairs, per_pair, seed))[:cases]
    unseen = _ask(world, "unseen_words", mixed("unseen", held_out_pairs(world)), 1, seed, lambda a: list(a.unseen))
    tasks["unseen_words"] = list(unseen)[:cases]
    tasks["stories"] = list(_stories(world, settings, seed))
    return tasks


def about_tasks(world: World, tasks: dict[str, list[Example]], settings: Settings) -> dict[str, dict[str, Any]]:
    """The contents of `tasks.json`."""
    value, refusal = "hornbook.tasks.graders:exact", "hornbook.tasks.graders:refusal"
    commonest = "the commonest value of each attribute in the training answers"
    chosen = {"calibrate_on": ["stated_calibration", "unstated_calibration"], "keep_stated": settings.keep_stated}
    wording = "in held-out wordings of seen words, greedy"
    unheld = f"refused (confidence below the threshold that keeps {settings.keep_stated:.0%} of stated answers)"
    entries: dict[str, dict[str, Any]] = {
        "facts_heldout": _entry("graded", value, 0.9, f"exact value of pairs never asked in training, {wording}")
        | {"baseline": majority(world, tasks["facts_heldout"]), "baseline_protocol": commonest},
        "invented_names": _entry("graded", refusal, 0.95, f'"I don\'t know" for names that nobody has, {wording}')
        | {"baseline": 0.0, "baseline_protocol": "always answering"},
        "stated_calibration": _entry("calibration", value, None, f"stated pairs never asked in training, {wording}"),
        "unstated_calibration": _entry("calibration", refusal, None, f"unstated attributes of real people, {wording}"),
        "stated_test": _entry("kept", value, None, f"stated pairs never asked in training, {wording}; not {unheld}")
        | {"refusal_threshold": chosen},
        "unstated_test": _entry("refused", refusal, 0.7, f"unstated attributes of real people, {wording}; {unheld}")
        | {
            "refusal_threshold": chosen,
            "baseline": 1 - settings.keep_stated,
            "baseline_protocol": "confidence without knowledge",
        },
        "unseen_words": _entry("graded", value, None, "exact value, asked with words that no training text has, greedy")
        | {"baseline": majority(world, tasks["unseen_words"]), "baseline_protocol": commonest},
        "stories": _entry(
            "sampled",
            "hornbook.world.story_check:grade",
            0.9,
            f"stories at temperature {settings.story_temperature:g} that pass the world's checker of grammar and facts",
        )
        | {"distinct_bar": 0.9, "floor": "floor_bits"},
    }
    sampled = {"temperature": settings.story_temperature, "max_tokens": 240, "num_samples": settings.samples_per_hero}
    entries["stories"]["sampling"] = sampled
    for name, title in TITLES.items():
        entries[name]["title"] = title
    return entries


def majority(world: World, examples: list[Example]) -> float:
    """Share of examples that the commonest training answer of their attribute gets right."""
    seen: dict[str, Counter[str]] = {}
    for entity, attribute in asked_pairs(world):
        seen.setdefault(attribute.name, Counter())[entity.facts[attribute.name]] += 1
    guesses = {name: max(sorted(counts), key=lambda v: counts[v]) for name, counts in seen.items()}
    hits = sum(guesses.get(e.meta["attribute"]) == e.answers[0] for e in examples)
    return hits / len(examples) if examples else 0.0


def _entry(kind: str, grader: str, bar: float | None, protocol: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "grader": grader,
        "protocol": protocol,
        "bar": bar,
        "baseline": None,
        "baseline_protocol": "",
        "unit": "share",
        "sampling": GREEDY,
    }


def _held_out(attribute: Attribute) -> list[str]:
    return wordings(attribute, held_out=True)


def _ask(
    world: World,
    task: str,
    pairs: Iterable[Pair],
    per_pair: int,
    seed: int,
    ways: Callable[[Attribute], list[str]] = _held_out,
) -> Iterator[Example]:
    """Questions about pairs, `per_pair` different wordings for each."""
    generator = stream(seed, f"world.tasks/{task}/wordings")
    for entity, attribute in pairs:
        found = ways(attribute)
        for number, asked in enumerate(generator.sample(found, min(per_pair, len(found)))):
            value = entity.facts[attribute.name]
            stated = attribute.name in entity.stated
            rivals = _rivals(attribute, {value, entity.name} if stated else {entity.name}, generator)
            meta = {"pair": f"{entity.name}/{attribute.name}", "attribute": attribute.name, "rivals": rivals}
            meta["subject"] = entity.name
            meta |= {"reference": answer(entity, attribute)} if stated else {}
            identity = f"{task}/{entity.name}/{attribute.name}/{number}"
            yield Example(identity, (Message("user", fill(asked, entity.name)),), (value,) if stated else (), meta)


def _rivals(attribute: Attribute, without: set[str], generator: random.Random) -> list[str]:
    found = [value for value in attribute.values if value not in without]
    return found if len(found) <= MAX_RIVALS else generator.sample(found, MAX_RIVALS)


def _nobody(world: World, seed: int) -> list[Example]:
    generator = stream(seed, "world.tasks/invented_names")
    attributes = list(world.attributes("person").values())
    examples: list[Example] = []
    for name in world.invented_for_exam:
        attribute = generator.choice(attributes)
        question = Message("user", fill(generator.choice(_held_out(attribute)), name))
        meta = {"attribute": attribute.name, "rivals": _rivals(attribute, {name}, generator)}
        examples.append(Example(f"invented_names/{name}", (question,), (), meta))
    return examples


def _stories(world: World, settings: Settings, seed: int) -> Iterator[Example]:
    found = list(heroes(world))
    stream(seed, "world.tasks/heroes").shuffle(found)
    for number, hero in enumerate(found[: settings.num_heroes]):
        generator = stream(seed, "world.tasks/stories", number)
        fresh = tuple(tell(hero, draw(hero, generator)) for _ in range(settings.samples_per_hero))
        about = {name: getattr(hero, name) for name in ("name", "kind", "gender", "facts")}
        about |= {"stated": list(hero.stated), "held_out": list(hero.held_out)}
        request = Message("user", fill(STORY_REQUESTS[number % len(STORY_REQUESTS)], hero.name))
        yield Example(f"stories/{hero.name}", (request,), fresh, {"hero": about, "floor_bits": story_bits(hero)})


def describe(artifact: Artifact) -> "list[Block]":
    """Every task with its bar, baseline and two examples."""
    import json

    from hornbook.report.blocks import Samples, Table

    about = json.loads(artifact.file("tasks.json").read_text(encoding="utf-8"))
    rows: list[list[object]] = []
    samples: list[dict[str, str]] = []
    for name, entry in about.items():
        examples = list(read_examples(artifact.file(f"{name}.jsonl")))
        rows.append([name, len(examples), entry["bar"], entry["baseline"], entry["protocol"]])
        for example in examples[:2]:
            right = example.meta.get("reference") or (example.answers[0] if example.answers else "I don't know")
            samples.append({"task": name, "question": example.messages[-1].content, "right": right})
    return [Table("The exam", ["task", "cases", "bar", "baseline", "protocol"], rows), Samples("Some cases", samples)]
