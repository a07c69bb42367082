import re
import time

from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.language.sentences import SENTENCE_END, cut, spans

TEXT = st.text(st.sampled_from("ab. !\n"), max_size=80)


def test_lines_and_sentences() -> None:
    text = "Title\n\nOne is here. Two is here! Three?\n  indented line  \n"
    found = [text[a:b] for a, b in spans(text, 20)]
    assert found == ["Title", "One is here. ", "Two is here! Three?", "  indented line"]
    assert [text[a:b] for a, b in spans(text, 100)] == ["Title", "One is here. Two is here! Three?", "  indented line"]
    assert spans("", 40) == [] and spans("\n \n", 40) == []


def test_a_sentence_without_an_end_is_cut_at_spaces() -> None:
    text = "aaaa bbbb cccc dddd"
    assert [text[a:b] for a, b in spans(text, 10)] == ["aaaa bbbb ", "cccc dddd"]
    assert [b - a for a, b in spans("x" * 25, 10)] == [10, 10, 5]


@given(TEXT, st.integers(2, 20))
def test_spans_are_in_order_short_and_leave_nothing_but_space(text: str, size: int) -> None:
    found = spans(text, size)
    last = 0
    for a, b in found:
        assert last <= a < b and b - a <= size and not text[last:a].strip()
        last = b
    assert not text[last:].strip()


@given(TEXT, st.integers(2, 20), st.integers(0, 255))
def test_cutting_takes_the_spans_and_no_letter_more(text: str, size: int, chosen: int) -> None:
    found = spans(text, size)
    gone = [place for number, place in enumerate(found) if chosen >> (number % 8) & 1]
    left = "".join(text[a:b] for a, b in found if (a, b) not in gone)
    assert "".join(cut(text, gone).split()) == "".join(left.split())


def test_lines_that_are_cut_leave_no_hole() -> None:
    text = "Keep me.\n\nBad line.\n\nKeep. Bad. Keep too.\nBad last."
    places = [(a, b) for a, b in spans(text, 9) if "Bad" in text[a:b]]
    assert cut(text, places) == "Keep me.\n\nKeep. Keep too."
    assert cut("a\n \nb\n\nBad.", [(7, 11)]) == "a\n \nb"  # what looks empty elsewhere still parts paragraphs
    assert cut(text, []) == text and cut("Bad.", [(0, 4)]) == ""


def test_a_million_dots_take_no_time() -> None:
    begin = time.process_time()
    assert len(spans("." * 1_000_000 + "x", 150)) == 6_667
    assert time.process_time() - begin < 1


@given(st.text(st.sampled_from("a.!…。\"') \n"), max_size=30))
def test_ends_are_those_of_the_plain_pattern(text: str) -> None:
    plain = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？]+")
    assert [m.span() for m in SENTENCE_END.finditer(text)] == [m.span() for m in plain.finditer(text)]
