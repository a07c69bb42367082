"""Blocks and how values read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.report.blocks import ScoreRow, clean, number, quantity, share


@given(st.text())
def test_clean_leaves_nothing_that_a_terminal_or_a_page_obeys(text):
    found = clean(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in found)
    assert not set(found) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff")
    found.encode("utf-8")
    assert clean(found) == found


def test_clean_keeps_words_and_marks_the_rest():
    assert clean("Füße\tund\r\nmehr 🙂 שלום") == "Füße\tund\nmehr 🙂 שלום"
    assert clean("\x1b[2J\x07\x7f\x9b\ud800") == "␛[2J␇␡\ufffd\ufffd"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12345, "12,345"),
        (12345.6, "12,346"),
        (1234.56, "1235"),
        (1e-7, "1e-07"),
        (False, "no"),
        ("a\x00", "a␀"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_shares():
    assert share(1, 3) == "33.3 %" and share(0, 0) == "–"
    assert quantity(1.0, "share") == "100.0 %" and quantity(2.0, "bits") == "2"


def row(**more):
    return ScoreRow("x", **({"value": 0.5, "low": 0.4, "high": 0.6, "num_cases": 10} | more))


def test_bars_are_met_from_the_right_side():
    assert row().met is None
    assert row(bar=0.5).met is True and row(bar=0.51).met is False
    assert row(bar=0.5, higher_is_better=False).met is True and row(bar=0.49, higher_is_better=False).met is False
