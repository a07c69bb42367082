"""Single fields: the right type or a sentence with the field's name."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.serve import fields
from hornbook.serve.api_error import ApiError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def test_numbers() -> None:
    assert fields.whole({"n": 3.0}, "n", 1, 0, 5) == 3
    assert fields.whole({"n": None}, "n", 1, 0, 5) == fields.whole({}, "n", 1, 0, 5) == 1
    assert fields.number({"t": 1}, "t", 0.5, 0, 2) == 1.0
    for value in (True, "1", 1.5, 6, -1, float("nan"), [1]):
        with pytest.raises(ApiError, match='"n"'):
            fields.whole({"n": value}, "n", 1, 0, 5)
    for value in (True, "1", 2.5, float("nan"), float("inf"), 10**400):
        with pytest.raises(ApiError, match='"t"'):
            fields.number({"t": value}, "t", 0.5, 0, 2)


def test_stops_are_one_or_many_and_empty_ones_say_nothing() -> None:
    assert fields.stops({}) == ()
    assert fields.stops({"stop": "a"}) == ("a",)
    assert fields.stops({"stop": ["a", "", "b", "a"]}) == ("a", "b")
    with pytest.raises(ApiError, match="65 strings"):
        fields.stops({"stop": ["x"] * 65})


def test_ids_are_of_the_vocabulary() -> None:
    assert fields.token_ids([0, 9], 10, "prompt") == [0, 9]
    for wrong in (10, -1, True, 1.0, "1", None, 10**30):
        with pytest.raises(ApiError, match="ids are 0 to 9"):
            fields.token_ids([wrong], 10, "prompt")


def test_text_can_always_be_written() -> None:
    assert fields.text("a\ud800b😀", "x") == "a\ufffdb😀"


def test_messages_are_never_long() -> None:
    assert len(fields.shown("x" * 1000)) <= 60
    assert fields.shown(10**5000) == "a number that large"
    assert fields.shown([1] * 1000) == "an array"


@settings(max_examples=60)
@given(ANYTHING)
def test_whatever_comes_is_read_or_refused(value: object) -> None:
    data = {"x": value}
    for read in (
        lambda: fields.whole(data, "x", 0, 0, 9),
        lambda: fields.number(data, "x", 0, 0, 9),
        lambda: fields.flag(data, "x"),
        lambda: fields.text(value, "x"),
        lambda: fields.stops({"stop": value}),
        lambda: fields.decode_object(json.dumps(value).encode()),
    ):
        try:
            read()
        except ApiError as error:
            assert error.status == 400 and len(error.found) < 300
