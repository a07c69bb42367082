"""Weak labels from signs: words, patterns and addresses that speak for a class; few documents get one, mostly right.

Source: labelling functions as in data programming (Ratner et al. 2016). Deviation: points are added up and a clear lead
decides, instead of a learned model of the signs' accuracies.
"""

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pydantic

from hornbook.core.document import Document
from hornbook.core.errors import SettingsError
from hornbook.core.seed import key
from hornbook.core.settings import StrictSettings, parse
from hornbook.data.learned.labels import Stamp, stamp_of

LOOK_CHARS = 4000
LEAD = 2
MARGIN = 2
"""A class leads clearly when it has at least LEAD times the points of the next and MARGIN more."""
QUIET_POINTS = 1
QUIET_CHARS = 600
"""Documents where no class has more points than this are examples of `unknown`: without them a classifier that knows
three classes would take everything for one of the three."""
UNKNOWN = "unknown"
URL_POINTS = 4
PATTERN_POINTS = 5
WORD = re.compile(r"[^\W_]+")


class Signs(StrictSettings):
    """The signs of one class."""

    words: tuple[str, ...] = ()
    """Words and phrases, a point for each different one that occurs."""
    patterns: tuple[str, ...] = ()
    """Regular expressions over the text, up to five points each."""
    urls: tuple[str, ...] = ()
    """Regular expressions over the address, four points for the first that fits."""

    @pydantic.field_validator("patterns", "urls")
    @classmethod
    def _compiles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return value


@dataclass(frozen=True)
class Ready:
    """The signs of one class, ready to look for."""

    words: frozenset[str]
    phrases: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    urls: tuple[re.Pattern[str], ...]

    def points(self, words: set[str], line: str, text: str, url: str) -> int:
        """How much speaks for the class. `line`: the words with single spaces, and one at either end."""
        found = len(self.words & words) + sum(f" {phrase} " in line for phrase in self.phrases)
        for pattern in self.patterns:
            for number, _ in enumerate(pattern.finditer(text), 1):
                found += 1
                if number == PATTERN_POINTS:
                    break
        return found + URL_POINTS * any(pattern.search(url) for pattern in self.urls)


@dataclass(frozen=True)
class Seeded:
    """Labels documents of one axis by its signs. `classes`: those of the file and `unknown`; `share`: how many
    of all documents it looks at, chosen by their ids, so that a large corpus is not read with regular expressions."""

    file: str
    axis: str
    classes: tuple[str, ...]
    share: float = 1.0
    needs_text: bool = True

    def label(self, document: Document) -> int:
        """The class whose signs lead clearly, `unknown` where there are none, else -1."""
        if self.share < 1 and key(0, f"seeds/{document.id}") >= self.share * 2**64:
            return -1
        name, best, second = leader(document, ready(self.file, self.axis))
        if best <= QUIET_POINTS and len(document.text) >= QUIET_CHARS:
            return self.classes.index(UNKNOWN)
        return self.classes.index(name) if leads(best, second) else -1


def leader(document: Document, signs: dict[str, Ready]) -> tuple[str, int, int]:
    """The class with the most points, its points and those of the next."""
    points = weigh(document, signs)
    order = sorted(points, key=lambda name: -points[name])
    return order[0], points[order[0]], points[order[1]] if len(order) > 1 else 0


def leads(best: int, second: int) -> bool:
    """Whether so many points speak clearly for a class, with so many for the next."""
    return best >= LEAD * second + MARGIN


def one_of(document: Document, file: str, axis: str, classes: frozenset[str]) -> str:
    """The one of `classes` whose signs lead clearly over all of the axis, "" where none of them does.

    The signs of the other classes are looked for only where these have some.
    """
    signs = ready(file, axis)
    few = {name: sign for name, sign in signs.items() if name in classes}
    if not few or not leads(leader(document, few)[1], 0):
        return ""
    name, best, second = leader(document, signs)
    return name if name in classes and leads(best, second) else ""


def weigh(document: Document, signs: dict[str, Ready]) -> dict[str, int]:
    """The points of every class for a document's beginning and address."""
    text = document.text[:LOOK_CHARS]
    words = WORD.findall(text.lower())
    line = f" {' '.join(words)} "
    different = set(words)
    return {name: sign.points(different, line, text, document.url) for name, sign in signs.items()}


def axis_classes(file: str, axis: str) -> tuple[str, ...]:
    """The classes of an axis, in the order of the file, and `unknown`."""
    return (*ready(file, axis), UNKNOWN)


def ready(file: str, axis: str) -> dict[str, Ready]:
    """The signs of an axis in a seeds file (empty name: the one that comes with Hornbook)."""
    return _ready(file, axis, stamp_of(Path(file)) if file else (0, 0))


@functools.lru_cache(maxsize=8)
def _ready(file: str, axis: str, stamp: Stamp) -> dict[str, Ready]:
    found = {name: Signs.model_validate(values) for name, values in _tables(file).get(axis, {}).items()}
    return {
        name: Ready(
            frozenset(word for word in sign.words if " " not in word),
            tuple(word for word in sign.words if " " in word),
            tuple(re.compile(pattern) for pattern in sign.patterns),
            tuple(re.compile(pattern) for pattern in sign.urls),
        )
        for name, sign in found.items()
    }


def check(file: str) -> None:
    """Raise SettingsError when a seeds file is no TOML, or has other axes or signs than it may."""
    where = file or "the seeds of Hornbook"
    try:
        tables = _tables(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"not TOML: {error}", where=where) from None
    for axis, classes in tables.items():
        if axis not in ("format", "topic") or not isinstance(classes, dict):
            raise SettingsError(f'"{axis}" is no axis', where=where, do="Tables are [format.NAME] and [topic.NAME]")
        for name, values in classes.items():
            parse(Signs, values, f"{where}, [{axis}.{name}]")


def _tables(file: str) -> dict[str, Any]:
    text = Path(file).read_bytes() if file else files("hornbook.data.learned").joinpath("domains.toml").read_bytes()
    return _frozen(tomllib.loads(text.decode("utf-8")))


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return {name: _frozen(item) for name, item in value.items()} if isinstance(value, dict) else value
