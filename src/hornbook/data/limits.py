"""What a rule means, which setting decides about it, and how many dropped documents another limit would keep."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

SETTING = re.compile(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+|threshold)\b(?:\[(\d+)\])?")
LIMIT = ("max_", "min_", "threshold")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?=[\s:;%]|$)")


@dataclass(frozen=True)
class Rule:
    """A rule as a reader needs it. `setting`: its name below the stage ("" when none decides); `limit`: its value;
    `whole`: the value to set, where the limit is one of several in a tuple."""

    about: str
    setting: str = ""
    limit: Any = None
    whole: Any = None
    index: int | None = None

    @property
    def sign(self) -> int:
        """1 when documents above the limit are dropped, -1 below, 0 when it is no number or nobody can tell."""
        if not isinstance(self.limit, (int, float)) or isinstance(self.limit, bool):
            return 0
        name = self._name
        if name.startswith("min_") or f"below {name}" in self.about:
            return -1
        return 1 if name.startswith(("max_", "threshold")) else 0

    @property
    def _name(self) -> str:
        return self.setting.rpartition(".")[2]

    def past(self, value: float) -> float:
        """A limit of few digits that surely lets a value through which this rule dropped.

        Values are kept with six digits, so the limit lies beyond the value in its third digit, never on it; a share
        stays between 0 and 1. A whole number is its own limit, or the next one where the limit itself is dropped too.

        >>> Rule("", "max_share", 0.1).past(0.2000004), Rule("", "min_share", 0.01).past(0.000454545)
        (0.201, 0.000454)
        """
        if isinstance(self.limit, int):
            return value + self.sign * (f"at least {self._name}" in self.about)
        if not value:
            return value
        found = Decimal(f"{value:.6g}")
        step = Decimal(1).scaleb(found.adjusted() - 2)
        if self.sign > 0:
            wider = float(((found / step).to_integral_value(ROUND_FLOOR) + 1) * step)
        else:
            wider = float(((found / step).to_integral_value(ROUND_CEILING) - 1) * step)
        return min(1.0, max(0.0, wider)) if 0 <= value <= 1 and self.limit <= 1 else wider

    def moved_to(self, limit: float) -> Any:
        """The setting's value with this limit: a number, or the tuple with one number changed."""
        if isinstance(self.limit, int):
            limit = int(limit)
        if self.index is None:
            return limit
        return [limit if place == self.index else value for place, value in enumerate(self.whole)]


def with_limits(rules: Mapping[str, "str | Rule"], settings: Mapping[str, Any], prefix: str = "") -> dict[str, Rule]:
    """Rules with the setting that each one's own words name, looked up in the settings of its stage or filter.

    `above max_lines`, `below min_words`, `above max_top_ngrams[0]`: a limit comes before other settings that are named.
    """
    found: dict[str, Rule] = {}
    for name, about in rules.items():
        found[name] = about if isinstance(about, Rule) else _one(about, settings, prefix)
    return found


def _one(about: str, settings: Mapping[str, Any], prefix: str) -> Rule:
    named = [found for found in SETTING.findall(about) if found[0] in settings]
    word, place = next((found for found in named if found[0].startswith(LIMIT)), named[0] if named else ("", ""))
    if not word:
        return Rule(about)
    value = settings[word]
    if place and isinstance(value, (list, tuple)) and int(place) < len(value):
        return Rule(about, prefix + word, value[int(place)], tuple(value), int(place))
    return Rule(about, prefix + word, value)


def as_number(value: str) -> float | None:
    """The number that a drop's value is, or begins with (`0.24`, `37`, `12: ass, fool`); None when it is none."""
    found = NUMBER.match(value)
    return float(found.group()) if found else None


def what_if(rule: Rule, values: list[float], shares: tuple[float, ...] = (0.1, 0.25, 0.5)) -> list[float]:
    """The limits that would keep these shares of what the rule dropped, each just wide enough.

    `values`: what was measured of every dropped document, in any order.
    """
    ordered = sorted(values, reverse=rule.sign < 0)
    return [ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))] for share in shares]
