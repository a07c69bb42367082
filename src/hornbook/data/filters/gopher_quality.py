"""Filter gopher_quality: the quality rules of Gopher, in the reading of your choice."""

import re
import statistics
from functools import cached_property
from typing import Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings

SOURCE = "Source: Rae et al. 2021 (Gopher), appendix A1.1"
RULES = {
    "gopher.too_short": f"fewer than min_words words (value: words). {SOURCE}",
    "gopher.too_long": f"more than max_words words (value: words). {SOURCE}",
    "gopher.short_words": f"mean word length below min_word_chars (value: the mean). {SOURCE}",
    "gopher.long_words": f"mean word length above max_word_chars (value: the mean). {SOURCE}",
    "gopher.hashes": f"hash signs for each word above max_symbols (value: the ratio). {SOURCE}",
    "gopher.ellipses": f"ellipses for each word above max_symbols (value: the ratio). {SOURCE}",
    "gopher.bullet_lines": f"share of lines that begin with a bullet above max_bullet_lines. {SOURCE}",
    "gopher.ellipsis_lines": f"share of lines that end with an ellipsis above max_ellipsis_lines. {SOURCE}",
    "gopher.few_letters": f"share of words with a letter below min_letter_words (value: the share). {SOURCE}",
    "gopher.few_stop_words": f"fewer than min_stop_words of the stop words (value: how many). {SOURCE}",
}

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
BULLETS = {"paper": ("•", "-", "*"), "datatrove": ("•", "-"), "dolma": ("*", "-")}
WORD = re.compile(r"\w+(?:['’-]\w+)*")
LETTER = re.compile(r"[^\W\d_]")


class Settings(StrictSettings):
    """Thresholds; the defaults are the paper's, made for English web pages. Set one to its end to switch it off."""

    reading: Literal["paper", "datatrove", "dolma"] = "paper"
    """How the paper is read where programs differ (docs/decisions/data-readings.md)."""
    min_words: int = pydantic.Field(default=50, ge=0)
    """Fewest words; symbols standing alone are no words."""
    max_words: int = pydantic.Field(default=100_000, ge=1)
    """Most words."""
    min_word_chars: float = pydantic.Field(default=3.0, ge=0)
    """Lowest mean (dolma: median) length of words."""
    max_word_chars: float = pydantic.Field(default=10.0, gt=0)
    """Highest mean (dolma: median) length of words."""
    max_symbols: float = pydantic.Field(default=0.1, ge=0)
    """Most hash signs, and most ellipses, for each word."""
    max_bullet_lines: float = pydantic.Field(default=0.9, ge=0, le=1)
    """Largest share of lines that begin with a bullet."""
    max_ellipsis_lines: float = pydantic.Field(default=0.3, ge=0, le=1)
    """Largest share of lines that end with an ellipsis."""
    min_letter_words: float = pydantic.Field(default=0.8, ge=0, le=1)
    """Smallest share of words with at least one letter."""
    min_stop_words: int = pydantic.Field(default=2, ge=0)
    """How many stop words must occur (dolma: occurrences; otherwise different ones); 0 for other languages."""
    stop_words: tuple[str, ...] = STOP_WORDS
    """The stop words, in lower case."""

    @cached_property
    def stops(self) -> frozenset[str]:
        """The stop words for quick look-up."""
        return frozenset(self.stop_words)


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by counts of words, symbols and lines.

    Source: Rae et al. 2021, A1.1. Readings: `datatrove` counts different stop words in the text's own case and knows
    two bullets; `dolma` splits at white space, takes the median word length and counts occurrences of stop words;
    `paper` counts different stop words in any case. Deviation: words are found by a pattern, not by spaCy.
    """
    text = document.text
    words = text.split() if settings.reading == "dolma" else WORD.findall(text)
    num_words = len(words)
    if num_words < settings.min_words or not num_words:
        return Drop("gopher.too_short", num_words)
    if num_words > settings.max_words:
        return Drop("gopher.too_long", num_words)
    return _word_rules(text, words, settings) or _line_rules(text, settings) or Keep()


def _word_rules(text: str, words: list[str], settings: Settings) -> Drop | None:
    num_words = len(words)
    lengths = list(map(len, words))
    length = statistics.median(lengths) if settings.reading == "dolma" else sum(lengths) / num_words
    if length < settings.min_word_chars:
        return Drop("gopher.short_words", float(length))
    if length > settings.max_word_chars:
        return Drop("gopher.long_words", float(length))
    hashes = text.count("#") / num_words
    if hashes > settings.max_symbols:
        return Drop("gopher.hashes", hashes)
    ellipses = (text.count("...") + text.count("…")) / num_words
    if ellipses > settings.max_symbols:
        return Drop("gopher.ellipses", ellipses)
    without = sum(1 for word in words if not word.isalpha() and LETTER.search(word) is None)
    letters = 1 - without / num_words
    if letters < settings.min_letter_words:
        return Drop("gopher.few_letters", letters)
    found = _stop_words(words, settings)
    return Drop("gopher.few_stop_words", found) if found < settings.min_stop_words else None


def _stop_words(words: list[str], settings: Settings) -> int:
    if not settings.min_stop_words:
        return 0
    if settings.reading == "dolma":
        return sum(1 for word in words if word in settings.stops)
    if settings.reading == "datatrove":
        return len(settings.stops.intersection(words))
    found = settings.stops.intersection(words)
    if len(found) < settings.min_stop_words:
        found = settings.stops.intersection(map(str.lower, words))
    return len(found)


def _line_rules(text: str, settings: Settings) -> Drop | None:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return None
    bullets = sum(1 for line in lines if line.lstrip().startswith(BULLETS[settings.reading])) / len(lines)
    if bullets > settings.max_bullet_lines:
        return Drop("gopher.bullet_lines", bullets)
    ends = ("…",) if settings.reading == "dolma" else ("...", "…")
    ellipses = sum(1 for line in lines if line.rstrip().endswith(ends)) / len(lines)
    return Drop("gopher.ellipsis_lines", ellipses) if ellipses > settings.max_ellipsis_lines else None
