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
    assert (found["b"].setting, found["b"].sign) == ("max_frac", 1)
    assert (found["c"].setting, found["c"].sign) == ("short_line_chars", 0)
    assert (found["d"].sign, found["e"].sign) == (-1, 1)


def test_a_limit_just_past_a_value() -> None:
    most, least = Rule("", "max_share", 0.2), Rule("", "min_share", 0.5)
    assert [most.past(value) for value in (0.2, 0.250001, 0.9999, 1.0)] == [0.201, 0.251, 1.0, 1.0]
    assert [least.past(value) for value in (0.454545, 0.000454545, 0.4, 0.0)] == [0.454, 0.000454, 0.399, 0.0]
    assert Rule("", "max_perplexity", 9.0).past(12.3456) == 12.4
    assert Rule("", "max_chars", 190_000).past(190_047) == 190_047  # whole numbers are kept whole
    assert Rule("at least max_x", "max_x", 5).past(9) == 10


@given(st.one_of(st.floats(1e-6, 1), st.floats(1.0001, 1e6)), st.sampled_from([1, -1]))
def test_a_limit_past_a_value_lets_it_through(value: float, sign: int) -> None:
    """The value itself, not the six digits of it that were kept."""
    rule = Rule("", "max_ratio" if sign > 0 else "min_ratio", 1e7 if sign < 0 else 0.0)
    limit = rule.past(float(f"{value:.6g}"))
    assert sign * limit >= sign * value
    assert abs(limit - value) <= 0.0101 * value and float(f"{limit:.3g}") == limit


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
