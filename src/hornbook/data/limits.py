"""What a rule means, which setting decides about it, and how many dropped documents another limit would keep."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SETTING = re.compile(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+|threshold)\b(?:\[(\d+)\])?")


@dataclass(frozen=True)
class Rule:
    """A rule as a reader needs it. `setting`: its name below the stage ("" when none decides); `limit`: its value;
    `whole`: the value to set, where the limit is one of several in a tuple; `sign`: 1 drops above, -1 below."""

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
        name = self.setting.rpartition(".")[2]
        return 1 if name.startswith(("max_", "threshold")) else -1 if name.startswith("min_") else 0

    def moved_to(self, limit: float) -> Any:
        """The setting's value with this limit: a number, or the tuple with one number changed."""
        if isinstance(self.limit, int):
            limit = int(limit)
        if self.index is None:
            return limit
        return [limit if place == self.index else value for place, value in enumerate(self.whole)]


def with_limits(rules: Mapping[str, "str | Rule"], settings: Mapping[str, Any], prefix: str = "") -> dict[str, Rule]:
    """Rules with the setting that each one's own words name (`above max_lines`, `below min_words`,
    `above max_top_ngrams[0]`), looked up in the settings of its stage or filter."""
    found: dict[str, Rule] = {}
    for name, about in rules.items():
        found[name] = about if isinstance(about, Rule) else _one(about, settings, prefix)
    return found


def _one(about: str, settings: Mapping[str, Any], prefix: str) -> Rule:
    for word, place in SETTING.findall(about):
        if word not in settings:
            continue
        value = settings[word]
        if place and isinstance(value, (list, tuple)) and int(place) < len(value):
            return Rule(about, prefix + word, value[int(place)], tuple(value), int(place))
        return Rule(about, prefix + word, value)
    return Rule(about)


def as_number(value: str) -> float | None:
    """The number that a drop's value is, or begins with (`0.24`, `37`); None when it is none."""
    try:
        return float(value)
    except ValueError:
        return None


def what_if(rule: Rule, values: list[float], shares: tuple[float, ...] = (0.1, 0.25, 0.5)) -> list[float]:
    """The limits that would keep these shares of what the rule dropped, each just wide enough.

    `values`: what was measured of every dropped document, in any order.
    """
    ordered = sorted(values, reverse=rule.sign < 0)
    return [ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))] for share in shares]
