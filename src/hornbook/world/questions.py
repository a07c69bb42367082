"""Questions and answers about the world, with wordings that are kept back for the exam."""

import random
from collections.abc import Iterator

from hornbook.world.catalogue import Attribute, with_article
from hornbook.world.facts import Entity, World

REFUSAL = "I don't know {name}. Nobody told me about {name}."
UNKNOWN_DETAIL = "I don't know that about {name}."
NEVER_TOLD = ("shoe size", "house number", "school grade", "hat size", "lucky number", "bicycle brand", "sleeping time")


def frames() -> tuple[str, ...]:
    """Ways to ask for a noun of somebody."""
    return (
        "What is {n}'s {noun}?",
        "Tell me {n}'s {noun}.",
        "Do you know {n}'s {noun}?",
        "Can you name {n}'s {noun}?",
        "I want to know {n}'s {noun}.",
        "Please say what {n}'s {noun} is.",
    )


def is_held_out(frame: int, noun: int, attribute: Attribute) -> bool:
    """Combinations of frame and noun that training never sees; each frame and each noun is seen in others."""
    return (frame + 3 * noun + sum(attribute.name.encode())) % 3 == 0


def wordings(attribute: Attribute, held_out: bool) -> list[str]:
    """Questions about an attribute with {n} for the name: those of training, or those of the exam."""
    return [
        frame.replace("{noun}", noun)
        for i, frame in enumerate(frames())
        for j, noun in enumerate(attribute.nouns)
        if is_held_out(i, j, attribute) == held_out
    ]


def answer(entity: Entity, attribute: Attribute) -> str:
    """The answer in a full sentence."""
    return f"{entity.name}'s {attribute.nouns[0]} is {entity.facts[attribute.name]}."


def statement(generator: random.Random, name: str, attribute: Attribute, value: str) -> str:
    """One of the ways to state a fact, with one of the ways to begin a sentence."""
    phrase = generator.choice(attribute.phrases).replace("{a}", with_article(value)).replace("{v}", value)
    opening = generator.choice(
        ("{n} {p}.", "{n}, by the way, {p}.", "They say that {n} {p}.", "And {n} {p}.", "Also, {n} {p}.")
    )
    return opening.replace("{n}", name).replace("{p}", phrase)


def training_questions(world: World, generator: random.Random) -> Iterator[tuple[str, str]]:
    """Endless questions with answers: stated, never held-out, in training wordings."""
    pairs = [(e, world.attributes(e.kind)[a]) for e in world.entities for a in e.asked]
    while True:
        generator.shuffle(pairs)
        for entity, attribute in pairs:
            question = generator.choice(wordings(attribute, held_out=False)).replace("{n}", entity.name)
            yield question, answer(entity, attribute)


def refusals(world: World, generator: random.Random, invented: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Endless questions that have no answer: about nobody, or about what is never told of anybody."""
    attributes = list(world.attributes("person").values())
    while True:
        if generator.random() < 0.75:
            name = generator.choice(invented)
            question = generator.choice(wordings(generator.choice(attributes), held_out=False)).replace("{n}", name)
            yield question, REFUSAL.format(name=name)
        else:
            name = generator.choice(world.people).name
            noun = generator.choice(NEVER_TOLD)
            question = generator.choice(frames()).replace("{n}", name).replace("{noun}", noun)
            yield question, UNKNOWN_DETAIL.format(name=name)
