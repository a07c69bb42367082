"""Names: made from syllables, never twice, easy to learn as one token."""

import random
from collections.abc import Iterator

STARTS = (
    "B",
    "D",
    "F",
    "G",
    "J",
    "K",
    "L",
    "M",
    "N",
    "P",
    "R",
    "S",
    "T",
    "V",
    "Br",
    "Dr",
    "Gr",
    "Kl",
    "Tr",
    "St",
    "Fl",
)
VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "oo")
MIDDLES = ("b", "d", "l", "m", "n", "r", "s", "t", "v", "nd", "rm", "lt", "st", "rk", "ll")
ENDS = {
    "person": ("a", "o", "y", "in", "el", "an", "is", "us", "ek"),
    "place": ("burg", "ford", "mere", "wick", "dale"),
}
TAKEN = frozenset(
    "Dana Dora Mary Lady Baby Body Many Lily Billy Jelly Belly Silly Tiny Story Sorry Berry Merry".split()
)


def names(seed_stream: random.Random, kind: str, avoid: set[str]) -> Iterator[str]:
    """Endless different names of a `person` or a `place`; each is added to `avoid`."""
    while True:
        name = seed_stream.choice(STARTS) + seed_stream.choice(VOWELS) + seed_stream.choice(MIDDLES)
        if len(avoid) > 1500:
            name += seed_stream.choice(VOWELS) + seed_stream.choice(MIDDLES)
        name += seed_stream.choice(ENDS[kind])
        if name not in avoid and name not in TAKEN:
            avoid.add(name)
            yield name
