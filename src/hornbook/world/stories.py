"""Stories with a plot, from a grammar in which every choice can be read back from the text.

Text and choices determine each other (`story_check.parse` inverts `tell`), and all choices are uniform and
independent, so the entropy of a story given its hero is exactly the sum of log2(options): `floor_bits`.
"""

import math
import random
from dataclasses import dataclass

from hornbook.world.catalogue import with_article
from hornbook.world.facts import Entity

Choices = dict[str, int]


@dataclass(frozen=True)
class Trouble:
    """An obstacle, what overcomes it, and how."""

    obstacle: str
    gift: str
    rescue: str


def options() -> dict[str, tuple[str, ...]]:
    """Every choice a story makes besides the trouble, with its words."""
    return {
        "opening": ("Once upon a time", "Long ago", "In a time of kings", "Many years ago"),
        "mood": ("kind", "brave", "clever", "shy", "cheerful", "curious", "gentle", "careful"),
        "pet_name": tuple(
            "Biscuit Button Clover Daisy Ginger Hazel Misty Muffin Nutmeg Pepper Pickle Poppy Rusty Sunny Toffee "
            "Waffle".split()
        ),
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
        "place": ("forest", "beach", "market", "meadow", "mountain", "river", "garden", "harbour"),
        "treasure": tuple(
            "button crown feather key kite lantern map mirror pearl ring scarf shell spoon star ticket whistle".split()
        ),
        "helper": ("badger", "bear", "crow", "deer", "frog", "mole", "swan", "wolf"),
        "greeting": ("Let me help you", "Do not worry", "I know what to do", "You are not alone"),
        "ending": ("happy and tired", "full of joy", "with a big smile", "dreaming of new adventures"),
    }


def troubles() -> tuple[Trouble, ...]:
    """Obstacles and their remedies; each remedy belongs to one obstacle."""
    return (
        Trouble("the path was blocked by a high wall", "a ladder", "climbed over the wall"),
        Trouble("a deep stream was in the way", "a boat", "crossed the stream"),
        Trouble("it was too dark to see anything", "a candle", "lit up the dark"),
        Trouble("a thick hedge of thorns had grown there", "a pair of scissors", "cut through the thorns"),
        Trouble("an old door was locked", "a golden key", "opened the door"),
        Trouble("a hungry giant was guarding the place", "a basket of bread", "made the giant happy"),
        Trouble("the ground was covered with ice", "a bag of sand", "walked over the ice"),
        Trouble("the sign was written in a strange language", "a small dictionary", "understood the sign"),
    )


def draw(generator: random.Random) -> Choices:
    """Uniform, independent choices."""
    choices = {name: generator.randrange(len(words)) for name, words in options().items()}
    return choices | {"trouble": generator.randrange(len(troubles()))}


def floor_bits() -> float:
    """Entropy of a story given its hero, in bits."""
    return sum(math.log2(len(words)) for words in options().values()) + math.log2(len(troubles()))


def tell(hero: Entity, choices: Choices) -> str:
    """The story that these choices make. The hero's town, pet and food are the world's."""
    word = {name: words[choices[name]] for name, words in options().items()}
    trouble = troubles()[choices["trouble"]]
    he, him, his = ("He", "him", "his") if hero.gender == "boy" else ("She", "her", "her")
    pet = hero.facts["pet"]
    return " ".join(
        (
            f"{word['opening']}, a {word['mood']} {hero.gender} named {hero.name} lived in {hero.facts['town']}.",
            f"{he} had {with_article(pet)} called {word['pet_name']}.",
            f"One {word['time']}, {hero.name} went to the {word['place']} to look for a lost {word['treasure']}.",
            f"But {trouble.obstacle}.",
            f'Then a {word["helper"]} came by and said, "{word["greeting"]}."',
            f"The {word['helper']} gave {him} {trouble.gift}.",
            f"With {trouble.gift}, {hero.name} {trouble.rescue} and found the {word['treasure']}.",
            f"{hero.name} thanked the {word['helper']} and shared {his} {hero.facts['food']} with {word['pet_name']}.",
            f"That night {he.lower()} fell asleep {word['ending']}.",
        )
    )
