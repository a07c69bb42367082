from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.limits import Rule, as_number, what_if, with_limits

SETTINGS = {"max_lines": 0.3, "min_words": 50, "max_top": (0.2, 0.18), "keep": ("en",), "threshold": 0.75}


def test_a_rule_finds_the_setting_that_its_words_name() -> None:
    rules = {
        "a.lines": "share of lines above max_lines (value: the share)",
        "a.short": "fewer than min_words words",
        "a.top": "above max_top[1]",
        "a.alike": "at least threshold",
        "a.other": "another language",
        "a.done": Rule("done already", "x", 1),
    }
    found = with_limits(rules, SETTINGS, "rule.a.")
    assert (found["a.lines"].setting, found["a.lines"].limit, found["a.lines"].sign) == ("rule.a.max_lines", 0.3, 1)
    assert (found["a.short"].limit, found["a.short"].sign) == (50, -1)
    assert (found["a.top"].limit, found["a.top"].whole, found["a.top"].sign) == (0.18, (0.2, 0.18), 1)
    assert (found["a.alike"].limit, found["a.alike"].sign) == (0.75, 1)
    assert found["a.other"] == Rule("another language") and found["a.other"].sign == 0
    assert found["a.done"] == Rule("done already", "x", 1)


def test_the_value_to_set() -> None:
    found = with_limits({"a": "above max_top[1]", "b": "fewer than min_words"}, SETTINGS)
    assert found["a"].moved_to(0.5) == [0.2, 0.5]
    assert found["b"].moved_to(31.0) == 31 and isinstance(found["b"].moved_to(31.0), int)


@given(st.lists(st.integers(51, 1000), min_size=1), st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_a_wider_limit_keeps_the_share_it_says(values: list[int], share: float) -> None:
    above, below = Rule("", "max_x", 50), Rule("", "min_x", 50)
    numbers = list(map(float, values))
    (limit,) = what_if(above, numbers, (share,))
    assert sum(v <= limit for v in numbers) >= max(1, round(share * len(numbers)))
    (limit,) = what_if(below, [-v for v in numbers], (share,))
    assert sum(-v >= limit for v in numbers) >= max(1, round(share * len(numbers)))


def test_values_that_are_numbers() -> None:
    assert as_number("0.24") == 0.24 and as_number("37") == 37 and as_number("tk") is None and as_number("") is None
