"""Filter fineweb: the rules that FineWeb added to those of C4 and Gopher."""

from typing import Any, Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings
from hornbook.data.language.languages import CLOSERS, SENTENCE_ENDS
from hornbook.data.language.words import count_words, spacy_words

SOURCE = "Source: Penedo et al. 2024 (FineWeb), section 3.6, and datatrove's FineWebQualityFilter"
RULES = {
    "fineweb.empty": "not one line has text. Source: datatrove's FineWebQualityFilter",
    "fineweb.line_ends": f"share of lines that end a sentence below min_line_ends (value: the share). {SOURCE}",
    "fineweb.short_lines": f"share of short lines above max_short_lines (short: up to short_line_chars). {SOURCE}",
    "fineweb.duplicate_lines": f"share of characters in lines that occurred before above max_duplicate_chars. {SOURCE}",
    "fineweb.newlines": "line breaks for each word above max_newlines (value: the ratio). Source: datatrove",
}
LINE_ENDS = tuple(SENTENCE_ENDS)
LINE_ENDS_AND_CLOSERS = tuple(SENTENCE_ENDS + CLOSERS)
READINGS: dict[str, dict[str, Any]] = {"paper": {}, "datatrove": {"max_duplicate_chars": 0.01}}


class Settings(StrictSettings):
    """Thresholds; the defaults are the paper's. 0 or 1 switches a rule off."""

    reading: Literal["paper", "datatrove"] = "paper"
    """`paper`: quotation marks and brackets may follow a sentence's end; words at white space. `datatrove`: they may
    not; words and marks as spaCy parts them; max_duplicate_chars is 0.01 unless it is given."""
    min_line_ends: float = pydantic.Field(default=0.12, ge=0, le=1)
    """Smallest share of lines that end with a sentence's end, in any script."""
    max_short_lines: float = pydantic.Field(default=0.67, ge=0, le=1)
    """Largest share of short lines."""
    short_line_chars: int = pydantic.Field(default=30, ge=0)
    """Lines of at most so many characters are short."""
    max_duplicate_chars: float = pydantic.Field(default=0.1, ge=0, le=1)
    """Largest share of characters in lines that occurred before (the paper: 0.1; datatrove's default: 0.01)."""
    max_newlines: float = pydantic.Field(default=0.3, ge=0)
    """Most line breaks for each word (lists)."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _reading(cls, data: Any) -> Any:
        return READINGS.get(str(data.get("reading")), {}) | data if isinstance(data, dict) else data


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by the shape of the lines.

    Source: Penedo et al. 2024, 3.6, with datatrove's comparisons (a value on the threshold stays; the paper says it
    goes). Lines are those with text.
    """
    text = document.text
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return Drop("fineweb.empty", 0)
    ends = LINE_ENDS if settings.reading == "datatrove" else LINE_ENDS_AND_CLOSERS
    if settings.reading == "paper":
        lines = list(map(str.strip, lines))
    share = sum(1 for line in lines if line.endswith(ends)) / len(lines)
    if share < settings.min_line_ends:
        return Drop("fineweb.line_ends", share)
    share = sum(1 for line in lines if len(line) <= settings.short_line_chars) / len(lines)
    if share > settings.max_short_lines:
        return Drop("fineweb.short_lines", share)
    repeated = sum(map(len, lines)) - sum(map(len, set(lines)))
    share = repeated / (len(text) - text.count("\n"))
    if share > settings.max_duplicate_chars:
        return Drop("fineweb.duplicate_lines", share)
    breaks = text.count("\n")
    words = len(spacy_words(text)) if settings.reading == "datatrove" else count_words(text)
    ratio = breaks / max(1, words)
    return Drop("fineweb.newlines", ratio) if ratio > settings.max_newlines else Keep()
