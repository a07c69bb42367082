import re
import time
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.language import words
from hornbook.data.language.words import SPACY_WORD, count_words, is_unspaced, spacy_words, unicode_words, words_of


def test_words_keep_their_vowel_signs_and_apostrophes() -> None:
    assert words_of("It’s a well-known fact (3 of 4)!") == ["It’s", "a", "well-known", "fact", "3", "of", "4"]
    assert words_of("बूढ़ा रक्षक हर शाम।") == ["बूढ़ा", "रक्षक", "हर", "शाम"]
    assert words_of("cafe\u0301 naïve") == ["cafe\u0301", "naïve"]
    assert words_of("plain-ascii it's - ...") == ["plain-ascii", "it's"]
    assert words_of("") == []


def test_spacy_words() -> None:
    assert spacy_words("Don't go: he's at 12:30, 1,000.5 km from U.K. (www.a.example/x)!") == [
        *("Do", "n't", "go", ":", "he", "'s", "at", "12:30", ",", "1,000.5", "km", "from", "U.K."),
        *("(", "www.a.example/x", ")", "!"),
    ]
    assert spacy_words("mail bob@a.example... or a.example") == ["mail", "bob@a.example", "...", "or", "a.example"]


def test_unicode_words() -> None:
    assert unicode_words("can't well-known 3.5 1,000 a,b e.g. (x)") == [
        *("can't", "well", "known", "3.5", "1,000", "a", "b", "e.g", "x")
    ]


def test_scripts_without_spaces_are_estimated() -> None:
    chinese = "古老的灯塔看守人每天晚上都在数船。"
    assert is_unspaced(chinese, chinese.split()) and count_words(chinese) == 8
    assert count_words("one two three") == 3
    german = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"
    assert not is_unspaced(german, [german]) and count_words(german) == 1
    assert count_words("") == 0
    assert not is_unspaced("古い 町", ["古い", "町"])


def test_a_number_and_what_is_glued_to_it() -> None:
    assert spacy_words("at 9pm or 10am, not 9px") == ["at", "9", "pm", "or", "10", "am", ",", "not", "9px"]


def test_letters_with_stops_take_linear_time() -> None:
    began_s = time.process_time()
    assert len(spacy_words("A." * 30_000 + "AB")) == 60_001
    assert time.process_time() - began_s < 2
    assert spacy_words("U.S.A. or A.B.C.") == ["U.S.A.", "or", "A.B.C."]


def test_long_parts_are_not_remembered() -> None:
    words._spacy_parts.cache_clear()
    spacy_words("a-" * 20 + " " + "b-" * 21)
    assert words._spacy_parts.cache_info().currsize == 1


@given(st.text(st.sampled_from("aBpm9 .,-'’/:@~(n\t\u00a0\u0940é日"), max_size=60))
def test_parts_between_spaces_can_be_split_alone(text: str) -> None:
    assert spacy_words(text) == SPACY_WORD.findall(text)


def test_words_of_ascii_are_those_of_the_pattern_however_marks_meet() -> None:
    for signs in product("a'- ", repeat=6):
        text = "".join(signs)
        assert words_of(text) == re.findall(r"\w+(?:['-]\w+)*", text, re.ASCII), text


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_words_of_any_ascii_are_those_of_the_pattern(text: str) -> None:
    assert words_of(text) == re.findall(r"\w+(?:['-]\w+)*", text, re.ASCII)
