import math
import random
import zlib

import pytest

from hornbook.core.document import Document, Drop, Keep
from hornbook.data.filters.outliers import Settings, character_counts, decide, entropy_frac

PROSE = "the old keeper counted every boat before he lit the lamp and then he slept until the morning came again"


def verdict(text: str, language: str = "en", **settings: object) -> object:
    return decide(Document("1", text, meta={"language": language}), Settings(**settings))  # type: ignore[arg-type]


def drop(rule: str, value: float) -> Drop:
    return Drop(f"outliers.{rule}", pytest.approx(value))  # type: ignore[arg-type]


def test_prose_stays_and_nothing_is_no_outlier() -> None:
    assert verdict(PROSE) == Keep() and verdict("") == Keep() and verdict(" \n") == Keep()


def test_lengths_of_words() -> None:
    loose = {"median_word_chars": (0.0, 99.0)}
    assert verdict("ab abc", **loose) == Keep()  # 2.5
    assert verdict("ab abc ab", **loose) == drop("mean_word", 7 / 3)
    assert verdict("x" * 12 + " " + "y" * 12, median_word_chars=(0.0, 99.0)) == Keep()
    assert verdict("x" * 12 + " " + "y" * 13, median_word_chars=(0.0, 99.0)) == drop("mean_word", 12.5)
    assert verdict("x" * 12 + " " + "y" * 13, language="fi", median_word_chars=(0.0, 99.0)) == Keep()
    assert verdict("a b abcdefghi") == drop("median_word", 1)
    assert verdict("ab cd abcdefghi") == Keep()
    assert verdict("abcd " * 9 + "x" * 1000, mean_word_chars=(0, 999.0), min_compression=0.0) == Keep()
    assert verdict("abcd " * 9 + "x" * 1001, mean_word_chars=(0, 999.0)) == drop("longest_word", 1001)
    assert verdict("古い灯台の番人は毎晩船を数えた") == Keep()


def test_shares_of_characters() -> None:
    assert verdict("abcd ab 12 abcde ab1") == Keep()  # 3 of 20 = 0.15
    assert verdict("abcd ab 12 abcde a12") == drop("digits", 4 / 20)
    assert verdict("abc   abcd  ") == drop("white_space", 5 / 12)
    assert verdict("abc abc   abcdef") == Keep()  # 4 of 16 = 0.25
    assert verdict("abcdefg (abcdefgh)x", max_symbols=1) == drop("parentheses", 2 / 19)
    assert verdict("abcdefgh (abcdefgh)x", max_symbols=1) == Keep()  # 2 of 20 = 0.1
    assert verdict("abc, de!; fg?") == drop("symbols", 4 / 13)
    assert verdict("abc, de! fg? xyz", max_white_space=1) == Keep()  # 3 of 16
    assert verdict("abc_ de_ fg_ xyz", max_white_space=1) == Keep()  # 3 of 16
    assert verdict("abc_ de_ fg_ x__", max_white_space=1) == drop("symbols", 5 / 16)
    url = "see https://a.example/x "  # 19 of 24
    assert verdict(url, max_symbols=1, mean_word_chars=(0, 99.0)) == drop("urls", 19 / 24)
    assert verdict(url + PROSE) == Keep()  # 19 of 127 = 0.15
    assert verdict("ABCDE fghij ABC dxyz") == drop("capitals", 8 / 17)
    assert verdict("ABCD efghi AB dxyzabc") == Keep()  # 6 of 18
    mixed = "AB12, CDe fghi"  # 4 capitals of 9 letters: digits and marks are none
    assert verdict(mixed, max_digits=1, max_capitals=4 / 9) == Keep()
    assert verdict(mixed, max_digits=1, max_capitals=0.44) == drop("capitals", 4 / 9)
    assert verdict("日本の灯台 PC", mean_word_chars=(0, 99)) == Keep()  # 2 of 7 letters
    assert character_counts("Straße ÄÖ") == (0, 0, 3)
    assert character_counts("Ab_1 – ٣ 日本 'é'") == (2, 4, 1)


def test_marks_of_vowels_are_no_symbols() -> None:
    assert verdict("बूढ़ा प्रकाशस्तंभ रक्षक हर शाम सीढ़ियाँ चढ़कर दीपक जलाने से पहले नावों को गिनता था", language="hi") == Keep()


def test_entropy_of_words() -> None:
    loose = {"min_compression": 0.0}
    assert entropy_frac(["a"] * 4) == 0.0 and entropy_frac(["a", "b"]) == 1.0
    assert entropy_frac(["a", "a", "b", "b"]) == pytest.approx(0.5)
    same = "boat ship " * 25  # two words: log 2 / log 50
    assert verdict(same, **loose) == drop("entropy", math.log(2) / math.log(50))
    assert verdict(same, **loose, min_entropy=entropy_frac(same.split())) == Keep()
    assert verdict("boat ship " * 24 + "boat", **loose) == Keep()  # 49 words
    words = [f"word{'abcdefghij'[i % 10]}" for i in range(100)]  # ten words ten times: exactly a half
    assert verdict(" ".join(words), **loose, min_entropy=0.4999) == Keep()
    assert verdict(" ".join(words), **loose, min_entropy=0.5001) == drop("entropy", 0.5)


def test_repetition_and_noise_by_compression() -> None:
    found = verdict("the old boat " * 60, min_entropy=0.0)
    assert isinstance(found, Drop) and found.rule == "outliers.repetitive" and float(found.value) < 0.1
    assert verdict("the old boat " * 38, min_entropy=0.0) == Keep()  # 494 bytes: too few to say
    found = verdict(("the old boat " * 39)[:500], min_entropy=0.0)
    assert isinstance(found, Drop) and found.rule == "outliers.repetitive"
    letters = random.Random(3)
    noise = " ".join("".join(chr(letters.randrange(0x4E00, 0x9FA5)) for _ in range(4)) for _ in range(60))
    ratio = len(zlib.compress(noise.encode(), 1)) / len(noise.encode())
    assert 0.6 < ratio < 0.85 and verdict(noise) == Keep()
    assert verdict(noise, max_compression=ratio - 1e-6) == drop("noise", ratio)
    assert verdict(noise, max_compression=ratio) == Keep()
    assert verdict(noise, min_compression=ratio, max_compression=1.0) == Keep()
    assert verdict(noise, min_compression=ratio + 1e-6, max_compression=1.0) == drop("repetitive", ratio)
