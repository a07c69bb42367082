"""The checker: accepts every story of the grammar, explains what is wrong with anything else."""

import random
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.tasks.example import Example
from hornbook.world.facts import Settings, make_world
from hornbook.world.stories import draw, heroes, plots, plots_of, tell
from hornbook.world.story_check import explain, grade, parse

WORLD = make_world(Settings(), 7)
HEROES = {hero.name: hero for hero in heroes(WORLD)}
WORDS = sorted({w for h in HEROES.values() for s in range(3) for w in tell(h, draw(h, random.Random(s))).split()})


def story(seed: int, plot: int | None = None) -> tuple[str, str, dict[str, int]]:
    generator = random.Random(seed)
    fitting = [h for h in HEROES.values() if plot is None or plot in plots_of(h)]
    hero = generator.choice(fitting)
    choices = draw(hero, generator) | ({} if plot is None else {"plot": plot})
    return hero.name, tell(hero, choices), choices


def test_parsing_inverts_telling() -> None:
    for seed in range(800):
        name, text, choices = story(seed)
        assert parse(text, HEROES) == (HEROES[name], choices)


def test_space_between_sentences_may_be_a_line_break() -> None:
    name, text, choices = story(1)
    assert parse(f"\n {text.replace('. ', '.' + chr(10))} ", HEROES) == (HEROES[name], choices)


@given(st.integers(0, 10_000), st.integers(0, 200), st.sampled_from(WORDS))
def test_a_changed_word_is_another_story_or_none(seed: int, position: int, word: str) -> None:
    name, text, choices = story(seed)
    words = text.split()
    position %= len(words)
    if words[position] == word:
        return
    changed = " ".join([*words[:position], word, *words[position + 1 :]])
    found = parse(changed, {name: HEROES[name]})
    if isinstance(found, str):
        assert len(found) > 10
    else:
        assert found[1] != choices and tell(*found) == changed


@given(st.integers(0, 10_000), st.integers(0, 200), st.integers(0, 200))
def test_words_that_change_places_fail(seed: int, first: int, second: int) -> None:
    name, text, choices = story(seed)
    words = text.split()
    first, second = first % len(words), second % len(words)
    words[first], words[second] = words[second], words[first]
    found = parse(" ".join(words), {name: HEROES[name]})
    assert isinstance(found, str) == (" ".join(words) != text)
    assert isinstance(found, str) or found[1] == choices


@given(st.text(max_size=300))
def test_any_text_is_read_without_failing(text: str) -> None:
    assert isinstance(parse(text, HEROES), str)


@pytest.mark.parametrize("plot", range(len(plots())))
def test_every_plot_explains_its_faults(plot: int) -> None:
    name, text, _ = story(5, plot)
    hero = HEROES[name]
    other = next(h for h in HEROES.values() if h.facts["town"] != hero.facts["town"] and h.gender == hero.gender)
    assert isinstance(parse(text, {}), str) and "not the hero" in str(parse(text, {}))
    moved = text.replace(hero.facts["town"], other.facts["town"], 1)
    assert "town" in str(parse(moved, HEROES)), parse(moved, HEROES)
    assert "sentences" in str(parse(text.rsplit(". ", 1)[0] + ".", HEROES))
    assert "sentences" in str(parse(text + " The end.", HEROES))
    assert isinstance(parse(text.replace(hero.facts["pet"], "dragon"), HEROES), str)


def test_the_wrong_remedy_is_named() -> None:
    _, text, _ = story(7, 0)
    gifts = ["ladder", "boat", "candle", "rusty key"]
    gift = next(g for g in gifts if g not in text)
    told = next(s for s in text.split(". ") if " gave " in s)
    wrong = text.replace(told, told.rsplit(" a ", 1)[0] + f" a {gift}")
    assert "gift" in str(parse(wrong, HEROES)) and gift in str(parse(wrong, HEROES))


def test_a_pet_that_changes_its_name_is_found() -> None:
    for plot in range(len(plots())):
        _, text, _ = story(9, plot)
        pets = ("Biscuit", "Button")
        used = next(p for p in ("Biscuit Button Clover Muffin Pepper Pickle Poppy Toffee".split()) if p in text)
        other = pets[0] if used != pets[0] else pets[1]
        head, _, tail = text.rpartition(used)
        assert isinstance(parse(head + other + tail, HEROES), str)


def test_a_wrong_pronoun_is_found() -> None:
    name, text, _ = story(11, 0)
    he, she = ("he", "she") if HEROES[name].gender == "man" else ("she", "he")
    assert f"That night {he} fell" in text
    assert isinstance(parse(text.replace(f"That night {he} fell", f"That night {she} fell"), HEROES), str)


def test_an_untold_attribute_is_no_plot_for_its_hero() -> None:
    hero = next(h for h in WORLD.people if not plots_of(h))
    choices = draw(next(iter(HEROES.values())), random.Random(1))
    text = tell(hero, choices)
    assert "no text says" in str(parse(text, {hero.name: hero}))


def test_grade_reads_the_hero_from_the_example() -> None:
    name, text, _ = story(13)
    example = Example("x", (), meta={"hero": asdict(HEROES[name])})
    assert grade(example, text) == 1.0 and explain(example, text) == ""
    other = next(seed for seed in range(99) if story(seed)[0] != name)
    assert grade(example, story(other)[1]) == grade(example, "") == 0.0
    assert explain(example, "Once.")
