"""The second language: its own words and grammar, the same for the same seed, taken for no English."""

import random
import re

from hornbook.data.filters.language import detect
from hornbook.world.foreign import lexicon, sentence


def test_the_seed_decides_the_language() -> None:
    assert lexicon(7) == lexicon(7) != lexicon(8)
    words = lexicon(7)
    everything = words.verbs + words.nouns + words.adjectives
    assert (len(words.verbs), len(words.nouns), len(words.adjectives)) == (60, 100, 60)
    assert len(set(everything)) == 220


def test_sentences_follow_the_grammar() -> None:
    words, generator = lexicon(7), random.Random(1)
    for _ in range(300):
        text = sentence(words, generator)
        parts = text[:-1].lower().split()
        assert text[-1] in ".?" and text[0].isupper() and len(parts) in (3, 4)
        assert re.sub("ý[ts]$", "", parts[0]) in words.verbs
        assert parts[1].endswith("ü") and all(part.endswith("õk") for part in parts[2:])
        assert any(parts[1].removesuffix("ü") in (noun, noun[:2] + noun) for noun in words.nouns)


def test_a_language_filter_does_not_take_it_for_english() -> None:
    words, generator = lexicon(7), random.Random(2)
    for _ in range(20):
        language, confidence = detect(" ".join(sentence(words, generator) for _ in range(30)))
        assert language != "en" or confidence < 0.5
