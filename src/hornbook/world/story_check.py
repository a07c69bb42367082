"""Is this text a story of the world? Grammar, memory (the same pet, gift and treasure throughout) and facts."""

import re
from collections.abc import Mapping

from hornbook.tasks.example import Example
from hornbook.world.facts import Entity, entity_from
from hornbook.world.stories import Choices, hero_words, options, plots, plots_of, trouble_words, troubles

SLOT = re.compile(r"\{(\w+)\}")
SENTENCE = re.compile(r"(?<=[.!?])[ \n](?=[A-Z\"])|(?<=[.!?]\")[ \n](?=[A-Z])")
TROUBLE_SLOTS = ("obstacle", "gift", "rescue")


def parse(text: str, heroes: Mapping[str, Entity]) -> tuple[Entity, Choices] | str:
    """The hero and the choices behind a story, or a sentence that says what is wrong with it."""
    sentences = SENTENCE.split(text.strip())
    reason = "the first sentence begins no story of this world"
    for number, plot in enumerate(plots()):
        opened = _named(plot.sentences[0], sentences[0])
        if opened is None:
            continue
        if opened not in heroes:
            return f'"{opened}" is not the hero that was asked for'
        hero = heroes[opened]
        if number not in plots_of(hero):
            reason = f'no text says what {hero.name}\'s {plot.needs} is, which the plot "{plot.name}" tells'
            continue
        if len(sentences) != len(plot.sentences):
            reason = f"this story has {len(plot.sentences)} sentences, the text has {len(sentences)}"
            continue
        found = _follow(sentences, plot.sentences, hero)
        if isinstance(found, str):
            reason = found
            continue
        return hero, {"plot": number, **found}
    return reason


def grade(example: Example, text: str) -> float:
    """1 when the text is a consistent story about the hero that was asked for (`meta["hero"]`)."""
    return float(not explain(example, text))


def explain(example: Example, text: str) -> str:
    """Why the text is no story for this example; "" when it is one."""
    hero = entity_from(example.meta["hero"])
    found = parse(text, {hero.name: hero})
    return found if isinstance(found, str) else ""


def _named(template: str, sentence: str) -> str | None:
    """The hero's name when the sentence has the form of this plot's first one."""
    pattern, seen = "", False
    for position, part in enumerate(SLOT.split(template)):
        if position % 2 == 0:
            pattern += re.escape(part)
        elif part == "name" and not seen:
            pattern, seen = pattern + r"(?P<name>\w+)", True
        else:
            pattern += ".+?"
    match = re.fullmatch(pattern, sentence)
    return match["name"] if match else None


def _follow(sentences: list[str], templates: tuple[str, ...], hero: Entity) -> Choices | str:
    """Read the choices sentence by sentence; what was chosen once must stay."""
    known = hero_words(hero)
    choices: Choices = {}
    for number, (sentence, template) in enumerate(zip(sentences, templates, strict=True), 1):
        match = _match(template, sentence, known)
        if match is None:
            return f"sentence {number}: {_difference(template, sentence, known)}"
        for slot, words in match.items():
            known[slot] = words
            if slot == "obstacle":
                choices["trouble"] = [t.obstacle for t in troubles()].index(words)
                known |= trouble_words(choices["trouble"])
            else:
                choices[slot] = options()[slot].index(words)
    return choices


def _match(template: str, sentence: str, known: Mapping[str, str]) -> dict[str, str] | None:
    """Words of the slots that are new in this sentence; None when the sentence does not fit."""
    pattern, new = "", set[str]()
    for position, part in enumerate(SLOT.split(template)):
        if position % 2 == 0:
            pattern += re.escape(part)
        elif part in known:
            pattern += re.escape(known[part])
        elif part in new:
            pattern += f"(?P={part})"
        else:
            new.add(part)
            pattern += f"(?P<{part}>{'|'.join(map(re.escape, _words(part)))})"
    match = re.fullmatch(pattern, sentence)
    return match.groupdict() if match else None


def _words(slot: str) -> tuple[str, ...]:
    if slot in TROUBLE_SLOTS:
        return tuple(getattr(trouble, slot) for trouble in troubles())
    return options()[slot]


def _difference(template: str, sentence: str, known: Mapping[str, str]) -> str:
    """Which slot does not fit, as far as the sentence has the template's form."""
    names = SLOT.findall(template)
    pattern = "".join(
        re.escape(part) if position % 2 == 0 else "(.+?)" for position, part in enumerate(SLOT.split(template))
    )
    match = re.fullmatch(pattern, sentence)
    if match is None:
        return f'"{sentence}" does not go on with the plot'
    for slot, words in zip(names, match.groups(), strict=True):
        right = (known[slot],) if slot in known else _words(slot)
        if words not in right:
            wanted = f'"{right[0]}"' if slot in known else f"one of {', '.join(right)}"
            return f'{slot.replace("_", " ")} is "{words}" where this story needs {wanted}'
    return f'"{sentence}" contradicts itself'
