"""Stories: true to the hero, and with exactly the entropy they claim."""

import math
import random
import re
from collections import Counter
from itertools import product

import pytest

from hornbook.world.facts import Settings, make_world
from hornbook.world.stories import draw, heroes, options, plots, plots_of, story_bits, tell, troubles

WORLD = make_world(Settings(), 7)
HEROES = heroes(WORLD)


def test_there_are_enough_heroes_and_few_troubles() -> None:
    assert len(HEROES) >= 40 and len(plots()) == 1 and len(troubles()) == 8
    for part in ("obstacle", "gift", "rescue"):
        assert len({getattr(trouble, part) for trouble in troubles()}) == 8


def test_plots_tell_only_what_is_stated() -> None:
    for hero in HEROES:
        for number in plots_of(hero):
            assert {"town", "pet", plots()[number].needs} <= set(hero.stated)
    assert not any(plots_of(place) for place in WORLD.places)
    slots = [set(re.findall(r"\{(\w+)\}", " ".join(plot.sentences))) for plot in plots()]
    told = [{"pet" if s == "a_pet" else s for s in found} & set(HEROES[0].facts) for found in slots]
    assert told == [{"town", "pet", plot.needs} for plot in plots()]


def test_every_plot_uses_every_choice() -> None:
    for plot in plots():
        text = " ".join(plot.sentences)
        assert all(f"{{{slot}}}" in text for slot in (*options(), "obstacle", "gift", "rescue", "name", "gender"))


def test_bits_are_the_logarithm_of_the_number_of_stories() -> None:
    hero = HEROES[0]
    num_stories = 8 * math.prod(len(words) for words in options().values())
    assert story_bits(hero) == pytest.approx(math.log2(num_stories), abs=1e-9)
    assert story_bits(hero) == pytest.approx(25, abs=1e-9)  # 2+2+3+3+2+3+3+2+2 and 3 bits for the trouble


def test_choices_are_uniform_and_independent() -> None:
    hero, generator = HEROES[0], random.Random(1)
    drawn = [draw(hero, generator) for _ in range(6000)]
    sizes = {"plot": 1, "trouble": 8} | {name: len(words) for name, words in options().items()}
    assert set(drawn[0]) == set(sizes)
    entropy = 0.0
    for name, size in sizes.items():
        counts = Counter(choices[name] for choices in drawn)
        assert sum((counts[i] - 6000 / size) ** 2 / (6000 / size) for i in range(size)) < 30  # chi squared, 7 degrees
        entropy -= sum(n / 6000 * math.log2(n / 6000) for n in counts.values())
    assert entropy == pytest.approx(story_bits(hero), abs=0.02)  # Monte Carlo against the formula
    pairs = Counter((c["trouble"], c["helper"]) for c in drawn)
    assert sum((n - 6000 / 64) ** 2 / (6000 / 64) for n in pairs.values()) < 110  # 63 degrees


def test_all_stories_of_some_choices_are_different() -> None:
    hero = HEROES[0]
    base = draw(hero, random.Random(2))
    names = ("trouble", "helper", "treasure", "pet_name")
    sizes = [8, 8, 8, 8]
    texts = {
        tell(hero, base | dict(zip(names, numbers, strict=True))) for numbers in product(*(range(n) for n in sizes))
    }
    assert len(texts) == 8**4


def test_stories_never_say_a_value_that_nothing_states() -> None:
    values = {v for a in WORLD.attributes("person").values() for v in a.values}
    fixed = " ".join(" ".join(plot.sentences) for plot in plots())
    fixed += " ".join(" ".join(words) for words in options().values())
    fixed += " ".join(f"{t.obstacle} {t.gift} {t.rescue}" for t in troubles())
    assert not [value for value in values if re.search(rf"\b{value}\b", fixed)]


def test_english_is_grammatical() -> None:
    generator = random.Random(3)
    for _ in range(2000):
        hero = generator.choice(HEROES)
        text = tell(hero, draw(hero, generator))
        assert "{" not in text and "  " not in text and text.endswith(".")
        assert not re.search(r"\b[Aa] [aeiou]", text) and not re.search(r"\b[Aa]n [^aeiou]", text)
        wrong = {"woman": r"\b[Hh](e|im|is)\b", "man": r"\b([Ss]he|[Hh]er)\b"}[hero.gender]
        assert not re.search(wrong, text)
        assert re.search(rf"\b{hero.gender}\b", text)
