"""Filter gopher_quality: the quality rules of Gopher, in the reading of your choice."""

import re
import statistics
from functools import cached_property
from itertools import filterfalse
from typing import Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings
from hornbook.data.language import languages
from hornbook.data.language.words import spacy_words, unicode_words, words_of

SOURCE = "Source: Rae et al. 2021 (Gopher), appendix A1.1"
RULES = {
    "gopher.too_short": f"fewer than min_words words (value: words). {SOURCE}",
    "gopher.too_long": f"more than max_words words (value: words). {SOURCE}",
    "gopher.short_words": f"mean word length below min_word_chars (value: the mean). {SOURCE}",
    "gopher.long_words": f"mean word length above max_word_chars (value: the mean). {SOURCE}",
    "gopher.hashes": f"hash signs for each word above max_symbols (value: the ratio). {SOURCE}",
    "gopher.ellipses": f"ellipses for each word above max_symbols (value: the ratio). {SOURCE}",
    "gopher.symbols": f"reading dclm: hash signs and ellipses for each word above max_symbols. {SOURCE}",
    "gopher.bullet_lines": f"share of lines that begin with a bullet above max_bullet_lines. {SOURCE}",
    "gopher.ellipsis_lines": f"share of lines that end with an ellipsis above max_ellipsis_lines. {SOURCE}",
    "gopher.few_letters": f"share of words with a letter below min_letter_words (value: the share). {SOURCE}",
    "gopher.few_stop_words": f"fewer than min_stop_words of the stop words (value: how many). {SOURCE}",
}

BULLETS = {
    "paper": ("•", "●", "*", "-", "–", "▪", "‣", "◦", "·", "・"),
    "datatrove": ("•", "-"),
    "dolma": ("*", "-"),
    "dclm": ("●", "•", "*", "-"),
}
ELLIPSES = {"paper": ("...", "…"), "datatrove": ("...", "…"), "dolma": ("…",), "dclm": ("...", ". . .", "…")}
LETTER = re.compile(r"[^\W\d_]")
PUNCTUATION = re.compile(r"[^\w\s]+|_+")


class Settings(StrictSettings):
    """Thresholds; the defaults are the paper's, made for English web pages. Set one to its end to switch it off."""

    reading: Literal["paper", "datatrove", "dolma", "dclm"] = "paper"
    """How the paper is read where programs differ (docs/decisions/data-readings.md)."""
    min_words: int = pydantic.Field(default=50, ge=0)
    """Fewest words; symbols standing alone are no words. Chinese, Japanese, Thai: estimated from the letters."""
    max_words: int = pydantic.Field(default=100_000, ge=1)
    """Most words."""
    min_word_chars: float = pydantic.Field(default=3.0, ge=0)
    """Lowest mean (dolma: median) length of words; in `paper` lower for languages with shorter words than English."""
    max_word_chars: float = pydantic.Field(default=10.0, gt=0)
    """Highest mean (dolma: median) length of words; in `paper` higher for languages with longer words than English."""
    max_symbols: float = pydantic.Field(default=0.1, ge=0)
    """Most hash signs, and most ellipses, for each word."""
    max_bullet_lines: float = pydantic.Field(default=0.9, ge=0, le=1)
    """Largest share of lines that begin with a bullet."""
    max_ellipsis_lines: float = pydantic.Field(default=0.3, ge=0, le=1)
    """Largest share of lines that end with an ellipsis."""
    min_letter_words: float = pydantic.Field(default=0.8, ge=0, le=1)
    """Smallest share of words with at least one letter."""
    min_stop_words: int = pydantic.Field(default=2, ge=0)
    """How many stop words must occur (dolma, dclm: occurrences; otherwise different ones); 0 = no such rule."""
    stop_words: tuple[str, ...] = ()
    """The stop words, in lower case; empty = in `paper` those of the document's language (no rule where it has no list
    or is unknown), in the other readings the English ones."""

    @cached_property
    def stops(self) -> frozenset[str]:
        """The stop words for quick look-up, where they do not depend on the document."""
        return frozenset(self.stop_words) or languages.STOP_WORDS["en"]


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by counts of words, symbols and lines.

    Source: Rae et al. 2021, A1.1, in these readings.
    `paper`: words by a pattern; different stop words in any case, of the document's language; limits of word length
    widen with the language's mean (data/language/languages.py); where words are written without spaces their number is
    estimated, and word length and words with letters are not judged.
    `datatrove`: words and marks as spaCy parts them (by a pattern), different stop words in the text's own case, two
    bullets, empty lines count. `dolma`: words by white space, their median length, occurrences of stop words.
    `dclm`: words by white space (for the number of words: those that begin with a letter or digit), occurrences of
    stop words in any case, hash signs and ellipses together, four bullets. The last three are English.
    """
    text = document.text
    words, everything = _split(text, settings.reading)
    language = languages.language_of(document) if settings.reading == "paper" and words else "en"
    num_words = languages.num_words(words, language)
    if num_words < settings.min_words or not num_words:
        return Drop("gopher.too_short", num_words)
    if num_words > settings.max_words:
        return Drop("gopher.too_long", num_words)
    return (
        _length_rule(everything if settings.reading == "dclm" else words, settings, language)
        or _symbol_rules(text, num_words if settings.reading == "paper" else len(everything), settings)
        or _letter_rule(everything, settings, language)
        or _stop_word_rule(text, everything, settings, language)
        or _line_rules(text, settings)
        or Keep()
    )


def _split(text: str, reading: str) -> tuple[list[str], list[str]]:
    """Words as they are counted, and what letters, symbols and stop words are counted in.

    datatrove adds the marks to the latter; dclm splits at white space (and takes the length of words from there).
    """
    if reading == "datatrove":
        everything = spacy_words(text)
        return [word for word in everything if word.isalpha() or PUNCTUATION.fullmatch(word) is None], everything
    if reading == "dclm":
        return unicode_words(text), text.split()
    words = text.split() if reading == "dolma" else words_of(text)
    return words, words


def _length_rule(words: list[str], settings: Settings, language: str) -> Drop | None:
    if not languages.has_spaces(language):
        return None
    lengths = map(len, words)
    length = statistics.median(lengths) if settings.reading == "dolma" else sum(lengths) / len(words)
    scale = languages.word_chars_scale(language)
    if length < settings.min_word_chars * min(1.0, scale):
        return Drop("gopher.short_words", float(length))
    return Drop("gopher.long_words", float(length)) if length > settings.max_word_chars * max(1.0, scale) else None


def _symbol_rules(text: str, num_words: int, settings: Settings) -> Drop | None:
    hashes = text.count("#") / num_words
    dots = ELLIPSES["dclm" if settings.reading == "dclm" else "paper"]
    ellipses = sum(map(text.count, dots)) / num_words
    if settings.reading == "dclm":
        return Drop("gopher.symbols", hashes + ellipses) if hashes + ellipses > settings.max_symbols else None
    if hashes > settings.max_symbols:
        return Drop("gopher.hashes", hashes)
    return Drop("gopher.ellipses", ellipses) if ellipses > settings.max_symbols else None


def _letter_rule(words: list[str], settings: Settings, language: str) -> Drop | None:
    if not languages.has_spaces(language):
        return None
    without = sum(1 for word in filterfalse(str.isalpha, words) if LETTER.search(word) is None)
    letters = 1 - without / len(words)
    return Drop("gopher.few_letters", letters) if letters < settings.min_letter_words else None


def _stop_word_rule(text: str, words: list[str], settings: Settings, language: str) -> Drop | None:
    least = settings.min_stop_words
    if not least:
        return None
    if settings.reading == "dolma":
        found = sum(1 for word in words if word in settings.stops)
    elif settings.reading == "dclm":
        found = sum(1 for word in words if word.lower() in settings.stops)
    elif settings.reading == "datatrove":
        found = len(settings.stops.intersection(words))
    else:
        stops = settings.stops if settings.stop_words else languages.STOP_WORDS.get(language)
        if stops is None:
            return None
        if not languages.has_spaces(language):
            found = sum(1 for stop in stops if stop in text)
        else:
            found = len(stops.intersection(words))
            if found < least:
                found = len(stops.intersection(map(str.lower, words)))
    return Drop("gopher.few_stop_words", found) if found < least else None


def _line_rules(text: str, settings: Settings) -> Drop | None:
    lines = text.splitlines() if settings.reading == "datatrove" else text.split("\n")
    lines = [line.strip() for line in lines]
    if settings.reading != "datatrove":
        lines = list(filter(None, lines))
    if not lines:
        return None
    bullets = sum(1 for line in lines if line.startswith(BULLETS[settings.reading])) / len(lines)
    if bullets > settings.max_bullet_lines:
        return Drop("gopher.bullet_lines", bullets)
    ellipses = sum(1 for line in lines if line.endswith(ELLIPSES[settings.reading])) / len(lines)
    return Drop("gopher.ellipsis_lines", ellipses) if ellipses > settings.max_ellipsis_lines else None
