"""Questions and answers about the world, with wordings that are kept back for the exam.

A wording is a frame x a noun ("Do you know {n}'s {noun}?" x "favourite meal"). Every frame and every noun is seen in
training, but a third of their combinations is not: those are the held-out wordings of seen words. Wordings with unseen
words are written by hand (`Attribute.unseen`).
"""

import random
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeVar

from hornbook.core.seed import key
from hornbook.world.catalogue import Attribute, fill
from hornbook.world.facts import Entity, World

Item = TypeVar("Item")
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
    """Ways to ask for a noun of somebody ({W} and {w}: what or who)."""
    return (
        "{W} is {n}'s {noun}?",
        "Tell me {n}'s {noun}.",
        "Do you know {n}'s {noun}?",
        "Can you name {n}'s {noun}?",
        "I want to know {n}'s {noun}.",
        "Please say {w} {n}'s {noun} is.",
        "Could you tell me {n}'s {noun}?",
        "I forgot {n}'s {noun}. {W} was it?",
        "Say what you know about {n}'s {noun}.",
    )


def is_held_out(frame: int, noun: int, attribute: str) -> bool:
    """Combinations of frame and noun that training never sees: for each frame one of an attribute's three nouns.

    >>> sum(is_held_out(frame, noun, "pet") for frame in range(9) for noun in range(3))
    9
    """
    return (frame + noun + key(0, f"world.questions/{attribute}")) % 3 == 0


def question(attribute: Attribute, frame: int, noun: int) -> str:
    """One wording, with {n} for the name."""
    asked = frames()[frame].replace("{noun}", attribute.nouns[noun])
    return asked.replace("{W}", attribute.pronoun.capitalize()).replace("{w}", attribute.pronoun)


def wordings(attribute: Attribute, held_out: bool) -> list[str]:
    """Questions about an attribute with {n} for the name: those of training, or those of the exam."""
    cells = product(range(len(frames())), range(len(attribute.nouns)))
    return [question(attribute, i, j) for i, j in cells if is_held_out(i, j, attribute.name) == held_out]


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


def shuffled_forever(items: Sequence[Item], generator: random.Random) -> Iterator[Item]:
    """All items in a new order again and again, so that each comes equally often; nothing when there are none."""
    order = list(items)
    while order:
        generator.shuffle(order)
        yield from order


def training_questions(world: World, generator: random.Random) -> Iterator[tuple[str, str]]:
    """Endless questions with answers: stated, never held-out, in training wordings.

    Every pair comes equally often, and so does every frame: nine questions in a row have nine different frames.
    """
    pairs, numbers = asked_pairs(world), list(range(len(frames())))
    turns = shuffled_forever(numbers, generator)
    while True:
        generator.shuffle(pairs)
        for (entity, attribute), frame in zip(pairs, turns, strict=False):
            nouns = [noun for noun in range(len(attribute.nouns)) if not is_held_out(frame, noun, attribute.name)]
            yield fill(question(attribute, frame, generator.choice(nouns)), entity.name), answer(entity, attribute)


def refusals(world: World, generator: random.Random) -> Iterator[tuple[str, str]]:
    """Endless questions that have no answer: about nobody, or about what is never told of anybody.

    Never about unstated attributes of real people: that would teach refusal by person (docs/decisions/world-design.md).
    """
    attributes = _all(world, "person")
    seen = {a.name: wordings(a, held_out=False) for a in attributes}
    while True:
        if generator.random() < 0.75:
            name = generator.choice(world.invented_for_training)
            asked = generator.choice(seen[generator.choice(attributes).name])
            yield fill(asked, name), fill(REFUSAL, name)
        else:
            name = generator.choice(world.entities).name
            asked = generator.choice(frames()).replace("{noun}", generator.choice(NEVER_TOLD))
            yield fill(asked.replace("{W}", "What").replace("{w}", "what"), name), fill(UNKNOWN_DETAIL, name)


def _all(world: World, kind: str) -> list[Attribute]:
    return list(world.attributes(kind).values())


def _pairs(world: World, which: str) -> list[tuple[Entity, Attribute]]:
    attributes = {kind: world.attributes(kind) for kind in ("person", "place")}
    return [(e, attributes[e.kind][name]) for e in world.entities for name in getattr(e, which)]
