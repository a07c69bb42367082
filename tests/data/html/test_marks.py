from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.html.marks import lines_of, plain_text, raw_text, unmarked


def test_lines_between_breaks() -> None:
    assert lines_of("one \x01 two") == "one\ntwo"
    assert lines_of("\x03one\x01\x04two") == "\x03one\n\x04two"
    assert lines_of("one\x01\x04\x01two") == "one\x04\ntwo"  # nothing but a mark is no line


def test_code_keeps_its_space_and_nothing_but_space_is_none() -> None:
    assert raw_text("  a &lt; b\r\n\tc\x01") == "  a < b\n\tc"
    assert raw_text(" \n\t ") == ""


def test_marks_go_and_the_space_around_them_is_one() -> None:
    assert unmarked("a \x03 b\x04") == "a  b"
    assert plain_text("a \x03 b\x04\n\x05\x06\nc") == "a b\nc"


@given(st.text(st.sampled_from("ab \n\x02\x03\x06"), max_size=30))
def test_plain_text_is_lines_of_words_without_marks(text: str) -> None:
    found = plain_text("\x03" + text)
    assert found.split() == unmarked("\x03" + text).split()
    assert all(line and line == " ".join(line.split()) for line in found.split("\n")) or not found
