"""Stories with a plot, from a grammar in which every choice can be read back from the text.

Text and choices determine each other (`story_check.parse` inverts `tell`), and the choices are uniform and independent,
so the entropy of a story given its hero is exactly the sum of log2(options): `story_bits`.

A plot is a tuple of sentences with slots. Slots of `options` are random choices; `{obstacle}`, `{gift}` and `{rescue}`
belong to the one choice `trouble`; the rest is the hero's and the world's.
"""

import math
import random
from dataclasses import dataclass

from hornbook.world.catalogue import with_article
from hornbook.world.facts import Entity, World

Choices = dict[str, int]


@dataclass(frozen=True)
class Trouble:
    """An obstacle, what overcomes it, and how."""

    obstacle: str
    gift: str
    rescue: str


@dataclass(frozen=True)
class Plot:
    """What happens, sentence by sentence; `needs` is the attribute of the hero that it tells besides town and pet."""

    name: str
    needs: str
    sentences: tuple[str, ...]


def options() -> dict[str, tuple[str, ...]]:
    """Every choice a story makes besides plot and trouble, with its words."""
    return {
        "opening": ("Once upon a time", "Long ago", "In the days of the old king", "Many years ago"),
        "mood": ("kind", "brave", "clever", "cheerful"),
        "pet_name": tuple("Biscuit Button Clover Muffin Pepper Pickle Poppy Toffee".split()),
        "time": (
            "sunny morning",
            "rainy day",
            "quiet evening",
            "windy afternoon",
            "cold morning",
            "warm afternoon",
            "foggy day",
            "starry night",
        ),
        "place": ("forest", "beach", "meadow", "river"),
        "treasure": tuple("crown feather kite lantern mirror pearl ring shell".split()),
        "helper": tuple("badger bear crow deer frog mole swan wolf".split()),
        "greeting": ("Let me help you", "Do not worry", "I know what to do", "You are not alone"),
        "ending": ("happy and tired", "full of joy", "with a big smile", "dreaming of new adventures"),
    }


def troubles() -> tuple[Trouble, ...]:
    """Obstacles and their remedies; each remedy belongs to one obstacle."""
    return (
        Trouble("a high wall blocked the path", "ladder", "climbed over the wall"),
        Trouble("a deep lake lay ahead", "boat", "crossed the lake"),
        Trouble("it was too gloomy to see anything", "candle", "lit up the way"),
        Trouble("a thick hedge of thorns stopped all travellers", "pair of scissors", "cut through the thorns"),
        Trouble("an old door was locked", "rusty key", "opened the door"),
        Trouble("a hungry giant guarded the road", "basket of bread", "made the giant happy"),
        Trouble("the ground was covered with ice", "bag of sand", "walked over the ice"),
        Trouble("a sign spoke in a strange language", "small dictionary", "understood the sign"),
    )


def plots() -> tuple[Plot, ...]:
    """The plots; one. With three, a model of two million parameters learned none of them to the end: a page holds one
    story of each plot, and each was seen a third as often (`docs/decisions/world-stories.md`)."""
    return (
        Plot(
            "search",
            "food",
            (
                "{opening}, a {mood} young {gender} named {name} lived in {town}.",
                "{He} had {a_pet} called {pet_name}.",
                "One {time}, {name} and {pet_name} went to the {place} to look for a lost {treasure}.",
                "But {obstacle}.",
                'Then a {helper} came by and said, "{greeting}."',
                "The {helper} gave {him} a {gift}.",
                "With the {gift}, {name} and {pet_name} {rescue} and found the lost {treasure}.",
                "{name} thanked the {helper} and shared {his} {food} with {pet_name}.",
                "That night {he} fell asleep {ending}.",
            ),
        ),
    )


def plots_of(hero: Entity) -> tuple[int, ...]:
    """Numbers of the plots that tell nothing unstated about this hero; none without a stated town and pet."""
    if hero.kind != "person" or not {"town", "pet"} <= set(hero.stated):
        return ()
    return tuple(number for number, plot in enumerate(plots()) if plot.needs in hero.stated)


def heroes(world: World) -> tuple[Entity, ...]:
    """People that stories may be about."""
    return tuple(person for person in world.people if plots_of(person))


def draw(hero: Entity, generator: random.Random) -> Choices:
    """Uniform, independent choices for a story about this hero."""
    choices = {"plot": generator.choice(plots_of(hero))}
    choices |= {name: generator.randrange(len(words)) for name, words in options().items()}
    return choices | {"trouble": generator.randrange(len(troubles()))}


def story_bits(hero: Entity) -> float:
    """Entropy in bits of a story about this hero; also the exact information of every single one (uniform choices).

    Source: Shannon 1948, the entropy of independent uniform choices; exact because text -> choices is injective.
    """
    counts = [len(plots_of(hero)), len(troubles()), *(len(words) for words in options().values())]
    return sum(math.log2(count) for count in counts)


def hero_words(hero: Entity) -> dict[str, str]:
    """What the hero and the world put into the slots."""
    he, him, his = ("he", "him", "his") if hero.gender == "man" else ("she", "her", "her")
    words = {"name": hero.name, "gender": hero.gender, "he": he, "him": him, "his": his}
    words |= {"He": he.capitalize(), "His": his.capitalize(), "a_pet": with_article(hero.facts["pet"])}
    return words | {name: hero.facts[name] for name in ("town", "pet", "food", "fear", "instrument")}


def trouble_words(number: int) -> dict[str, str]:
    """What the trouble puts into the slots."""
    trouble = troubles()[number]
    return {"obstacle": trouble.obstacle, "gift": trouble.gift, "rescue": trouble.rescue}


def tell(hero: Entity, choices: Choices) -> str:
    """The story that these choices make, as one paragraph."""
    words = {name: found[choices[name]] for name, found in options().items()}
    words |= trouble_words(choices["trouble"]) | hero_words(hero)
    return " ".join(sentence.format(**words) for sentence in plots()[choices["plot"]].sentences)
