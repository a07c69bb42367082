"""Texts: everything they say is true, told evenly, and never asks what is held out."""

import re
from collections import Counter

import pytest

from hornbook.core.seed import stream
from hornbook.world.catalogue import fill
from hornbook.world.facts import Settings, World, make_world
from hornbook.world.questions import asked_pairs, wordings
from hornbook.world.stories import heroes
from hornbook.world.story_check import parse
from hornbook.world.texts import Author

WORLD = make_world(Settings(), 7)
KINDS = ("encyclopedia", "story", "letter", "forum", "chat", "shop")


def written(kind: str, num_pages: int, world: World = WORLD) -> list[str]:
    author = Author(world, 7)
    return ["\n".join(author.write(kind, stream(7, f"t/{kind}", i))[1]) for i in range(num_pages)]


def predicates(kind: str) -> dict[str, tuple[str, str, int]]:
    """Everything that can be said of a person or place: words -> attribute, value, number of the wording."""
    return {
        fill(phrase, "", value): (attribute.name, value, number)
        for attribute in WORLD.attributes(kind).values()
        for number, phrase in enumerate(attribute.phrases)
        for value in attribute.values
    }


KIND_OF = {e.name: e.kind for e in WORLD.entities}
SAYABLE = {kind: predicates(kind) for kind in ("person", "place")}


def told_in(text: str) -> list[tuple[str, str, str, int]]:
    """Everything the text states about somebody by name, true or not: name, attribute, value, number of the wording.

    The first name of a sentence is its subject; what follows is one predicate, or two joined by "and".
    """
    found: list[tuple[str, str, str, int]] = []
    for sentence in re.split(r"(?<=[.!?:]) |\n", text):
        name = next((word for word in re.findall(r"[A-Z]\w+", sentence) if word in KIND_OF), None)
        if name is None:
            continue
        sayable = SAYABLE[KIND_OF[name]]
        words = sentence.split(f"{name} ", 1)[-1].rstrip(".")
        cuts = [m.start() for m in re.finditer(" and ", words)]
        ways = [(words,), *((words[:cut], words[cut + 5 :]) for cut in cuts)]
        parts = next((way for way in ways if all(part in sayable for part in way)), ())
        found += [(name, *sayable[part]) for part in parts]
    return found


FACTS = {(e.name, name): value for e in WORLD.entities for name, value in e.facts.items()}
STATED = {(e.name, name) for e in WORLD.entities for name in e.stated}


@pytest.mark.parametrize("kind", ["encyclopedia", "letter", "forum", "shop"])
def test_statements_are_true_and_stated(kind: str) -> None:
    told = told_in("\n".join(written(kind, 40)))
    assert len(told) > {"encyclopedia": 1000, "letter": 1000, "forum": 600, "shop": 200}[kind]
    for name, attribute, value, _ in told:
        assert FACTS[name, attribute] == value and (name, attribute) in STATED


def test_every_stated_fact_is_told_about_as_often_in_every_wording() -> None:
    told = told_in("\n".join(written("encyclopedia", 250)))
    counts = Counter((name, attribute) for name, attribute, *_ in told)
    assert set(counts) == STATED and min(counts.values()) >= 3
    numbers = Counter((attribute, number) for _, attribute, _, number in told)
    for kind in ("person", "place"):
        for attribute in WORLD.attributes(kind):
            some = [numbers[attribute, number] for number in range(8)]
            assert min(some) > 0.7 * sum(some) / 8


def test_texts_ask_only_what_training_may_ask() -> None:
    allowed = {fill(asked, e.name) for e, a in asked_pairs(WORLD) for asked in wordings(a, held_out=False)}
    text = "\n".join("\n".join(written(kind, 60)) for kind in ("chat", "forum"))
    asked = re.findall(r"(?:Question|Reader|wrote): (.*?) (?:Answer|Editor|\w+ replied): ", text)
    assert len(asked) == 60 * 18 + 60 * 8 and set(asked) <= allowed
    others = "\n".join("\n".join(written(kind, 60)) for kind in ("encyclopedia", "story", "letter", "shop"))
    assert "?" not in others


def test_stories_on_pages_are_stories() -> None:
    known = {hero.name: hero for hero in heroes(WORLD)}
    for text in written("story", 60):
        lines = text.split("\n")
        assert len(lines) == 2
        for head, story in zip(lines[::2], lines[1::2], strict=True):
            found = parse(story, known)
            assert not isinstance(found, str) and head == f"# A story about {found[0].name}"


def test_unseen_words_are_in_no_text() -> None:
    text = " ".join(" ".join(written(kind, 80)) for kind in KINDS)
    seen = {word.lower() for word in re.findall(r"\w+", text)}
    for kind in ("person", "place"):
        for attribute in WORLD.attributes(kind).values():
            for asked in attribute.unseen:
                assert [w for w in re.findall(r"[a-z]+", asked.replace("{n}", "")) if w not in seen], asked


def test_no_name_is_a_word_of_the_texts_and_no_invented_name_occurs() -> None:
    text = " ".join(" ".join(written(kind, 80)) for kind in KINDS)
    words = set(re.findall(r"\b[a-z]\w+", text)) | {w.lower() for w in re.findall(r"\b[A-Z]\w+", text)}
    assert not {name.lower() for name in WORLD.invented} & words
    lower = set(re.findall(r"\b[a-z]\w+", text))
    assert not {e.name.lower() for e in WORLD.entities} & lower


def test_pages_do_not_repeat_a_run_of_words_within_themselves() -> None:
    for kind in KINDS:
        for text in written(kind, 40):
            words = text.split()
            runs = Counter(tuple(words[i : i + 5]) for i in range(len(words) - 4))
            repeated = {i + j for i in range(len(words) - 4) for j in range(5) if runs[tuple(words[i : i + 5])] > 1}
            chars = sum(len(words[i]) for i in repeated) / sum(map(len, words))
            assert chars < 0.12, (kind, chars)  # Gopher's limit is 0.15


def test_english_is_grammatical() -> None:
    for kind in KINDS:
        for text in written(kind, 60):
            assert not re.search(r"\b[Aa] [aeiou]", text), kind
            assert not re.search(r"\b[Aa]n [^aeiouh]", text), kind
            assert "{" not in text and "  " not in text and "\n\n" not in text
            assert all(line.endswith((".", "!", "?")) or line.startswith("# ") for line in text.split("\n"))


def test_small_worlds_can_be_written_about() -> None:
    world = make_world(Settings(num_people=10, num_places=4, num_invented=40, stated_frac=0.5), 3)
    for kind in KINDS:
        assert all(written(kind, 10, world))
