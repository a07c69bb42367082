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


def test_a_limit_comes_before_other_settings_and_says_its_side() -> None:
    settings = {"short_line_chars": 30, "max_short": 0.67, "min_count": 3, "max_frac": 0.1, "threshold": 0.5}
    found = with_limits(
        {
            "a": "lines of at most short_line_chars above max_short",
            "b": "above max_frac, with min_count",
            "c": "only short_line_chars",
            "d": "is below threshold",
            "e": "alike, at least threshold",
        },
        settings,
    )
    assert (found["a"].setting, found["a"].sign) == ("max_short", 1)
    assert (found["b"].setting, found["b"].sign, found["b"].other) == ("max_frac", 1, None)
    assert (found["c"].setting, found["c"].sign) == ("short_line_chars", 0)
    assert (found["d"].sign, found["e"].sign) == (-1, 1)


def test_a_rule_with_two_limits() -> None:
    rule = with_limits({"a": "less than min_x or more than max_x"}, {"min_x": 0.1, "max_x": 0.85}, "s.")["a"]
    assert (rule.broken_by(0.05).setting, rule.broken_by(0.05).sign) == ("s.min_x", -1)
    assert (rule.broken_by(0.9).setting, rule.broken_by(0.9).sign) == ("s.max_x", 1)
    assert Rule("", "max_x", 1).broken_by(0.5) == Rule("", "max_x", 1)


def test_a_limit_just_past_a_value() -> None:
    above, below, strict = Rule("", "max_x", 0.5), Rule("", "min_x", 0.5), Rule("at least threshold", "threshold", 0.5)
    assert (above.past(0.75), above.past(0.7512), above.past(0.7516), above.past(12.34)) == (0.75, 0.752, 0.752, 12.4)
    assert (below.past(0.25), below.past(0.2512), below.past(0.2516)) == (0.25, 0.251, 0.251)
    assert (strict.past(0.75), strict.past(0.7512), strict.past(0.7516)) == (0.751, 0.752, 0.752)
    assert Rule("", "max_x", 5).past(9) == 9 and Rule("at least max_x", "max_x", 5).past(9) == 10


@given(st.floats(1e-4, 1e4), st.sampled_from(["max_x", "min_x", "threshold"]))
def test_a_limit_past_a_value_lets_it_through(value: float, name: str) -> None:
    rule = Rule("at least threshold", name, 0.5)
    moved = rule.past(value)
    assert moved > value if name == "threshold" else (moved >= value) if name == "max_x" else (moved <= value)


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
    assert as_number("12: ass, fool") == 12 and as_number("-1.5e-3 of it") == -0.0015 and as_number("30%") == 30
    assert as_number("2024-01-02") is None and as_number("1.2.3.4") is None and as_number("und 0.3") is None
