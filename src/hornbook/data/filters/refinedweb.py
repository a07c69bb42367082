"""Filter refinedweb: remove lines that belong to the page and not to its text; drop pages made of such lines."""

import re
import string
from collections import Counter
from collections.abc import Callable
from functools import cached_property

import pydantic

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.settings import StrictSettings
from hornbook.data.language.words import count_words, has_words

SOURCE = "Source: Penedo et al. 2023 (RefinedWeb), appendix G.2, as DCLM rebuilt it (dclm_baseline_refinedweb.yaml)"
RULES = {
    "refinedweb.line_upper_case": f"edit: more than max_upper_frac of a line's characters are capitals. {SOURCE}",
    "refinedweb.line_digits": f"edit: more than max_digit_frac of a line's characters are digits. {SOURCE}",
    "refinedweb.line_counter": f'edit: a line is a counter ("3 likes"). {SOURCE}',
    "refinedweb.line_few_words": f"edit: a line has fewer than min_line_words words. {SOURCE}",
    "refinedweb.phrase": f"edit: a phrase of the page itself in a short line (items in cart, sign-in). {SOURCE}",
    "refinedweb.too_much_removed": f"more than max_removed_frac of the words went (value: the share). {SOURCE}",
}

NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
CAPITALS = string.ascii_uppercase.encode()
DIGITS = string.digits.encode()
COUNTED = tuple(
    "likes shares comments retweets reposts quotes bookmarks upvotes downvotes downloads views followers".split()
)


class Settings(StrictSettings):
    """Which lines go, and how many may."""

    max_upper_frac: float = pydantic.Field(default=0.5, ge=0, le=1)
    """A line with a larger share of capital letters goes; 1 = none does."""
    max_digit_frac: float = pydantic.Field(default=0.999999, ge=0, le=1)
    """A line with a larger share of digits goes (the default: a line of digits only); 1 = none does."""
    counted: tuple[str, ...] = COUNTED
    """A line that is a number and one of these words goes; give the words of your language."""
    min_line_words: int = pydantic.Field(default=2, ge=0)
    """A line with fewer words goes."""
    anywhere: tuple[str, ...] = ("items in cart",)
    """Phrases to cut out of short lines, wherever they stand."""
    at_end: tuple[str, ...] = ("read more...",)
    """Phrases to cut off at the end of short lines."""
    at_start: tuple[str, ...] = ("sign-in",)
    """Phrases to cut off at the start of short lines."""
    max_phrase_words: int = pydantic.Field(default=10, ge=0)
    """Lines with more words keep their phrases."""
    max_removed_frac: float = pydantic.Field(default=0.05, ge=0, le=1)
    """Drop the page when a larger share of its words was removed."""

    @cached_property
    def counter(self) -> re.Pattern[str]:
        """The pattern of a counter line."""
        words = "|".join(map(re.escape, self.counted)) or r"(?!)"
        return re.compile(rf"\W*\d[\d,.]*[kmb]?\s+(?:{words})\W*", re.IGNORECASE)

    @cached_property
    def phrases(self) -> re.Pattern[str] | None:
        """The pattern of all phrases in their places."""
        parts = [rf"\s?{re.escape(phrase)}" for phrase in self.anywhere]
        parts += [rf"(?:^\s*{re.escape(phrase)}\s?)" for phrase in self.at_start]
        parts += [rf"(?:\s?{re.escape(phrase)}\s*$)" for phrase in self.at_end]
        return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def decide(document: Document, settings: Settings) -> Decision:
    """Remove lines and phrases, then drop the page when they were too much of it.

    Source: Penedo et al. 2023, G.2, with DCLM's patterns and order. Deviations: words are counted by white space
    (estimated in scripts without spaces); of paragraphs that lose all their lines one empty line stays.
    """
    counts: Counter[str] = Counter()
    kept: list[str] = []
    removed_words = 0
    lower = document.text.lower()
    said = any(phrase.lower() in lower for phrase in (*settings.anywhere, *settings.at_end, *settings.at_start))
    phrases = settings.phrases if said else None
    for line in document.text.split("\n"):
        if not line.strip():
            if kept and kept[-1]:
                kept.append("")
            continue
        rule = _bad_line(line, settings)
        if rule:
            counts[rule] += 1
            removed_words += count_words(line)
            continue
        shorter, num_phrases = _without_phrases(line, phrases, settings.max_phrase_words)
        if num_phrases:
            counts["refinedweb.phrase"] += num_phrases
            removed_words += count_words(line) - count_words(shorter)
        if shorter.strip():
            kept.append(shorter)
    if not counts:
        return Keep()
    share = removed_words / max(1, count_words(document.text))
    if share > settings.max_removed_frac:
        return Drop("refinedweb.too_much_removed", share)
    return Edit("\n".join(kept).strip(), dict(counts))


def _bad_line(line: str, settings: Settings) -> str:
    """The rule that removes this line, or ""."""
    if _count(line, CAPITALS, str.isupper) > settings.max_upper_frac * len(line):
        return "refinedweb.line_upper_case"
    if _count(line, DIGITS, str.isdigit) > settings.max_digit_frac * len(line):
        return "refinedweb.line_digits"
    if settings.counter.fullmatch(line):
        return "refinedweb.line_counter"
    return "" if has_words(line, settings.min_line_words) else "refinedweb.line_few_words"


def _count(line: str, table: bytes, is_one: Callable[[str], bool]) -> int:
    """Characters of a sort: of ASCII by a table, of the rest one by one."""
    plain = line.encode("ascii", "ignore")
    found = len(plain) - len(plain.translate(None, table))
    return found if len(plain) == len(line) else found + sum(map(is_one, "".join(NOT_ASCII.findall(line))))


def _without_phrases(line: str, phrases: re.Pattern[str] | None, max_words: int) -> tuple[str, int]:
    if phrases is None or phrases.search(line) is None or has_words(line, max_words + 1):
        return line, 0
    return phrases.subn("", line)
