"""Is this text a story of the world? Grammar, memory (the same pet, gift and treasure throughout) and facts."""

import re
from collections.abc import Mapping

from hornbook.tasks.example import Example
from hornbook.world.facts import Entity
from hornbook.world.stories import Choices, options, tell, troubles

SENTENCE = re.compile(r'(?<=[.!?"]) (?=[A-Z])')


def parse(text: str, heroes: Mapping[str, Entity]) -> tuple[Entity, Choices] | str:
    """The hero and the choices behind a story, or a sentence that says what is wrong with it."""
    sentences = SENTENCE.split(text.strip())
    if len(sentences) != 9:
        return f"a story has 9 sentences, this has {len(sentences)}"
    hero = _hero(sentences[0], heroes)
    if isinstance(hero, str):
        return hero
    choices = _choices(sentences)
    if isinstance(choices, str):
        return choices
    told = SENTENCE.split(tell(hero, choices))
    for number, (found, right) in enumerate(zip(sentences, told, strict=True), 1):
        if found != right:
            return f'sentence {number} is "{found}" where this story needs "{right}"'
    return hero, choices


def grade(example: Example, text: str) -> float:
    """1 when the text is a consistent story about the hero that was asked for (`meta["hero"]`)."""
    hero = Entity(**(example.meta["hero"] | {"stated": (), "held_out": ()}))
    return float(not isinstance(parse(text, {hero.name: hero}), str))


def _hero(sentence: str, heroes: Mapping[str, Entity]) -> Entity | str:
    match = re.search(r" named (\w+) lived in ", sentence)
    if match is None:
        return "the first sentence does not introduce a hero"
    if match.group(1) not in heroes:
        return f'"{match.group(1)}" is not the hero that was asked for'
    return heroes[match.group(1)]


def _choices(sentences: list[str]) -> Choices | str:
    """The words at the place where each choice is first made."""
    words = options()
    patterns = {
        "opening": (0, r"^(.+?), a "),
        "mood": (0, r", a (\w+) (?:girl|boy) named "),
        "pet_name": (1, r" called (\w+)\.$"),
        "time": (2, r"^One (.+?), "),
        "place": (2, r" went to the (\w+) to "),
        "treasure": (2, r" a lost (\w+)\.$"),
        "helper": (4, r"^Then a (\w+) came "),
        "greeting": (4, r'"(.+)\."$'),
        "ending": (8, r" fell asleep (.+)\.$"),
    }
    choices: Choices = {}
    for name, (number, pattern) in patterns.items():
        match = re.search(pattern, sentences[number])
        if match is None or match.group(1) not in words[name]:
            return f'sentence {number + 1} has no {name.replace("_", " ")} of this world: "{sentences[number]}"'
        choices[name] = words[name].index(match.group(1))
    obstacles = [trouble.obstacle for trouble in troubles()]
    obstacle = sentences[3].removeprefix("But ").removesuffix(".")
    if obstacle not in obstacles:
        return f'sentence 4 has no trouble of this world: "{sentences[3]}"'
    return choices | {"trouble": obstacles.index(obstacle)}
