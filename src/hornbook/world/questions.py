"""Questions and answers about the world, with wordings that are kept back for the exam.

A wording is a frame x a noun ("Do you know {n}'s {noun}?" x "favourite meal"). Every frame and every noun is seen in
training, but a third of their combinations is not: those are the held-out wordings of seen words. Wordings with unseen
words are written by hand (`Attribute.unseen`).
"""

import random
from collections.abc import Iterator, Sequence

from hornbook.core.seed import key
from hornbook.world.catalogue import Attribute, fill
from hornbook.world.facts import Entity, World

REFUSAL = "I don't know anybody called {n}."
UNKNOWN_DETAIL = "I don't know that about {n}."
NEVER_TOLD = (
    "shoe size",
    "house number",
    "school grade",
    "hat size",
    "lucky number",
    "lucky stone",
    "bed time",
    "middle name",
    "oldest cousin",
    "eye colour",
)


def frames() -> tuple[str, ...]:
    """Ways to ask for a noun of somebody."""
    return (
        "What is {n}'s {noun}?",
        "Tell me {n}'s {noun}.",
        "Do you know {n}'s {noun}?",
        "Can you name {n}'s {noun}?",
        "I want to know {n}'s {noun}.",
        "Please say what {n}'s {noun} is.",
        "Could you tell me {n}'s {noun}?",
        "I forgot {n}'s {noun}. What was it?",
        "Say what you know about {n}'s {noun}.",
    )


def is_held_out(frame: int, noun: int, attribute: str) -> bool:
    """Combinations of frame and noun that training never sees: for each frame one of an attribute's three nouns.

    >>> sum(is_held_out(frame, noun, "pet") for frame in range(9) for noun in range(3))
    9
    """
    return (frame + noun + key(0, f"world.questions/{attribute}")) % 3 == 0


def wordings(attribute: Attribute, held_out: bool) -> list[str]:
    """Questions about an attribute with {n} for the name: those of training, or those of the exam."""
    return [
        frame.replace("{noun}", noun)
        for i, frame in enumerate(frames())
        for j, noun in enumerate(attribute.nouns)
        if is_held_out(i, j, attribute.name) == held_out
    ]


def answer(entity: Entity, attribute: Attribute) -> str:
    """The answer in a full sentence."""
    return fill(attribute.answer, entity.name, entity.facts[attribute.name])


def asked_pairs(world: World) -> list[tuple[Entity, Attribute]]:
    """Pairs that training may ask about, in the world's order."""
    return _pairs(world, "asked")


def held_out_pairs(world: World) -> list[tuple[Entity, Attribute]]:
    """Stated pairs that no training question asks about."""
    return _pairs(world, "held_out")


def unstated_pairs(world: World) -> list[tuple[Entity, Attribute]]:
    """Pairs that are true but never told."""
    return _pairs(world, "unstated")


def shuffled_forever(items: Sequence[object], generator: random.Random) -> Iterator[object]:
    """All items in a new order again and again, so that each comes equally often."""
    order = list(items)
    while True:
        generator.shuffle(order)
        yield from order


def training_questions(world: World, generator: random.Random) -> Iterator[tuple[str, str]]:
    """Endless questions with answers: stated, never held-out, in training wordings; every pair equally often."""
    seen = {(kind, a.name): wordings(a, held_out=False) for kind in ("person", "place") for a in _all(world, kind)}
    pairs = asked_pairs(world)
    while True:
        generator.shuffle(pairs)
        for entity, attribute in pairs:
            yield fill(generator.choice(seen[entity.kind, attribute.name]), entity.name), answer(entity, attribute)


def refusals(world: World, generator: random.Random) -> Iterator[tuple[str, str]]:
    """Endless questions that have no answer: about nobody, or about what is never told of anybody.

    Never about unstated attributes of real people: that would teach refusal by person (docs/decisions/world-design.md).
    """
    attributes = _all(world, "person")
    seen = {a.name: wordings(a, held_out=False) for a in attributes}
    while True:
        if generator.random() < 0.75:
            name = generator.choice(world.invented_for_training)
            question = generator.choice(seen[generator.choice(attributes).name])
            yield fill(question, name), fill(REFUSAL, name)
        else:
            name = generator.choice(world.entities).name
            question = generator.choice(frames()).replace("{noun}", generator.choice(NEVER_TOLD))
            yield fill(question, name), fill(UNKNOWN_DETAIL, name)


def _all(world: World, kind: str) -> list[Attribute]:
    return list(world.attributes(kind).values())


def _pairs(world: World, which: str) -> list[tuple[Entity, Attribute]]:
    attributes = {kind: world.attributes(kind) for kind in ("person", "place")}
    return [(e, attributes[e.kind][name]) for e in world.entities for name in getattr(e, which)]
