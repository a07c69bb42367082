"""Fennish: an invented second language with a grammar of its own (verb first, case endings, plural by doubling)."""

import random
from dataclasses import dataclass

from hornbook.core.seed import stream

ONSETS = tuple("zh x kh ts ň ż q ř".split())
NUCLEI = tuple("ä ö ü ý ů õ".split())
CODAS = tuple("x zk rň tš q ż".split())


@dataclass(frozen=True)
class Lexicon:
    """The words of the language; the same seed gives the same language."""

    verbs: tuple[str, ...]
    nouns: tuple[str, ...]
    adjectives: tuple[str, ...]


def lexicon(seed: int) -> Lexicon:
    """The language of a world."""
    generator = stream(seed, "world.foreign/lexicon")
    words: list[str] = []
    while len(words) < 220:
        word = "".join(
            generator.choice(ONSETS) + generator.choice(NUCLEI) for _ in range(generator.choice((1, 2, 2)))
        ) + generator.choice(CODAS)
        if word not in words:
            words.append(word)
    return Lexicon(tuple(words[:60]), tuple(words[60:160]), tuple(words[160:]))


def sentence(words: Lexicon, generator: random.Random) -> str:
    """Verb, subject with -ü, object with -õk, an adjective after its noun; plurals double the first syllable."""
    subject, target = (_noun(words, generator) for _ in range(2))
    parts = [generator.choice(words.verbs) + generator.choice(("ýt", "ýs")), subject + "ü", target + "õk"]
    if generator.random() < 0.6:
        parts.append(generator.choice(words.adjectives) + "õk")
    return " ".join(parts).capitalize() + generator.choice((".", ".", ".", "?"))


def _noun(words: Lexicon, generator: random.Random) -> str:
    noun = generator.choice(words.nouns)
    return noun[:2] + noun if generator.random() < 0.3 else noun
