import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.language.readability import SENTENCE_END, count_sentences, is_easy, read, syllables

# Counted by hand, as one says them.
COUNTED = (
    "cat 1 the 1 one 1 are 1 table 2 little 2 apple 2 make 1 making 2 jumped 1 wanted 2 needed 2 played 1 houses 2 "
    "boxes 2 cakes 1 wishes 2 stories 2 lion 2 idea 3 careful 2 something 2 movement 2 people 2 being 2 quiet 2 "
    "science 2 nation 2 special 2 curious 3 banana 3 elephant 3 beautiful 3 understanding 4 university 5 didn't 2 "
    "don't 1 she's 1 area 3 museum 3 friend 1 tried 1 yellow 2 rhythm 1 eye 1 a 1"
).split()


@pytest.mark.parametrize(("word", "count"), list(zip(COUNTED[::2], map(int, COUNTED[1::2]), strict=True)))
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_grades_by_hand() -> None:
    """Nine words, three sentences, eleven syllables."""
    found = read("The cat sat. The dog ran away! Table tennis?")
    assert found is not None
    assert (found.num_words, found.num_sentences, found.num_syllables) == (9, 3, 12)
    assert found.grade == pytest.approx(0.39 * 3 + 11.8 * 12 / 9 - 15.59)
    assert found.ease == pytest.approx(206.835 - 1.015 * 3 - 84.6 * 12 / 9)
    assert found.age == 6 and found.dale_chall is None


def test_dale_chall_counts_hard_words() -> None:
    easy = frozenset("the cat sit run dog away".split())
    found = read("The cats sit. The dog runs away. Perambulate!", easy)
    assert found is not None  # one hard word of eight: 12.5 %
    assert found.dale_chall == pytest.approx(0.1579 * 12.5 + 0.0496 * 8 / 3 + 3.6365)
    light = read("The cat sits. The dog runs away.", easy)
    assert light is not None and light.dale_chall == pytest.approx(0.0496 * 7 / 2)
    assert is_easy("running", easy) and is_easy("sitting", easy) and not is_easy("catalogue", easy)


def test_sentences() -> None:
    assert count_sentences('He said: "Go!" She went. It was 3.14 then') == 3
    assert count_sentences("A title\n\nA line without a mark") == 2 and count_sentences("... !!!") == 1


@given(st.text(max_size=60))
def test_any_text_has_a_level_or_no_words(text: str) -> None:
    found = read(text)
    assert found is None or (5 <= found.age <= 18 and found.num_syllables >= found.num_words >= 1)


def test_a_million_dots_take_no_time() -> None:
    begin = time.process_time()
    assert count_sentences("." * 1_000_000 + "x") == 1
    assert time.process_time() - begin < 1


@given(st.text(st.sampled_from("a.!…\"') \n"), max_size=30))
def test_ends_are_those_of_the_plain_pattern(text: str) -> None:
    plain = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n\s*\n")
    assert SENTENCE_END.split(text) == plain.split(text)
