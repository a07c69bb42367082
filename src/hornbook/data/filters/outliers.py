"""Filter outliers: drop documents whose words or characters are unlike running text in any language."""

import math
import re
import statistics
import zlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings
from hornbook.data.language import languages
from hornbook.data.language.words import MARKS, is_unspaced

if TYPE_CHECKING:
    from collections.abc import Iterator

CURATOR = "Source: NeMo Curator, heuristic_filter_english_pipeline.yaml"
REDPAJAMA = "Source: RedPajama-V2, quality signals"
OWN = "Source: own; in the spirit of CCNet and of repetition rules"
RULES = {
    "outliers.mean_word": f"mean length of words outside the language's limits (value: the mean). {CURATOR}",
    "outliers.median_word": "median length of words outside the language's limits. Source: Dolma's Gopher tagger",
    "outliers.longest_word": f"the longest word has more than max_longest_word_chars (value: its length). {CURATOR}",
    "outliers.digits": f"share of digits above max_digits. {CURATOR}",
    "outliers.capitals": f"share of capitals among the letters above max_capitals. {REDPAJAMA}",
    "outliers.white_space": f"share of white space above max_white_space. {CURATOR}",
    "outliers.urls": f"share of characters in web addresses above max_urls. {CURATOR}",
    "outliers.parentheses": f"share of parentheses above max_parentheses. {CURATOR}",
    "outliers.symbols": f"share of characters that are no letter, digit or white space above max_symbols. {CURATOR}",
    "outliers.entropy": f"entropy of words, as a share of the largest possible, below min_entropy. {REDPAJAMA}",
    "outliers.repetitive": f"zlib leaves a share of the bytes below min_compression. {OWN}",
    "outliers.noise": f"zlib leaves a share of the bytes above max_compression. {OWN}",
}

URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
DIGITS = re.compile(r"\d+")
SYMBOLS = re.compile(rf"[^\w\s{MARKS}]+")
ASCII = [chr(code) for code in range(128)]
TABLES = (
    "".join(c for c in ASCII if c.isdigit()).encode(),
    "".join(c for c in ASCII if not c.isalnum() and not c.isspace()).encode(),
    "".join(c for c in ASCII if c.isupper()).encode(),
)
PARENTHESES = "()（）"
MIN_COMPRESSION_BYTES = 500
MIN_ENTROPY_WORDS = 50


class Settings(StrictSettings):
    """Limits; shares are of characters, from 0 to 1. 0 or 1 (or empty) switches a rule off."""

    mean_word_chars: tuple[float, float] = (2.5, 12.0)
    """Mean length of words at white space, for English; wider for languages with shorter or longer words."""
    median_word_chars: tuple[float, float] = (2.0, 11.0)
    """Median length of words, likewise."""
    max_longest_word_chars: int = pydantic.Field(default=1000, ge=1)
    """Longest word."""
    max_digits: float = pydantic.Field(default=0.15, ge=0, le=1)
    """Largest share of digits."""
    max_capitals: float = pydantic.Field(default=0.4, ge=0, le=1)
    """Largest share of capitals among letters (of scripts with and without case)."""
    max_white_space: float = pydantic.Field(default=0.25, ge=0, le=1)
    """Largest share of white space."""
    max_urls: float = pydantic.Field(default=0.2, ge=0, le=1)
    """Largest share of characters in web addresses."""
    max_parentheses: float = pydantic.Field(default=0.1, ge=0, le=1)
    """Largest share of parentheses."""
    max_symbols: float = pydantic.Field(default=0.25, ge=0, le=1)
    """Largest share of characters that are neither letters, digits nor white space."""
    min_entropy: float = pydantic.Field(default=0.5, ge=0, le=1)
    """Smallest entropy of the words over the logarithm of their number (from 50 words on)."""
    min_compression: float = pydantic.Field(default=0.1, ge=0)
    """Smallest ratio of compressed to plain bytes (from 500 bytes on); below it a text repeats itself."""
    max_compression: float = pydantic.Field(default=0.85, ge=0)
    """Largest ratio; above it a text is noise."""


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by the first measure that is out of its limits.

    Source: NeMo Curator's heuristic filters with their thresholds, RedPajama-V2's signals with ours
    (docs/decisions/data-outliers.md: what each drops of good and bad text). Deviations: limits of word length follow
    the language, entropy is relative to its maximum, so that short texts are not punished.
    """
    text = document.text
    words = text.split()
    if not words:
        return Keep()
    for drop in _findings(document, text, words, settings):
        return drop
    return Keep()


def _findings(document: Document, text: str, words: list[str], settings: Settings) -> "Iterator[Drop]":
    lengths = list(map(len, words))
    num_letters_and_marks = sum(lengths)
    longest = max(lengths)
    unspaced = is_unspaced(text, words)
    if longest > settings.max_longest_word_chars and not unspaced:
        yield Drop("outliers.longest_word", longest)
    if not unspaced:
        yield from _word_lengths(document, lengths, num_letters_and_marks / len(words), settings)
    counts = character_counts(text)
    total = len(text)
    yield from _share("digits", counts.digits / total, settings.max_digits)
    yield from _share("white_space", (total - num_letters_and_marks) / total, settings.max_white_space)
    if "://" in text or "www." in text.lower():
        yield from _share("urls", sum(map(len, URL.findall(text))) / total, settings.max_urls)
    yield from _share("parentheses", sum(map(text.count, PARENTHESES)) / total, settings.max_parentheses)
    yield from _share("symbols", counts.symbols / total, settings.max_symbols)
    num_letters = max(1, num_letters_and_marks - counts.digits - counts.symbols)
    yield from _share("capitals", counts.capitals / num_letters, settings.max_capitals)
    if settings.min_entropy and len(words) >= MIN_ENTROPY_WORDS and not unspaced:
        entropy = entropy_frac(words)
        if entropy < settings.min_entropy:
            yield Drop("outliers.entropy", entropy)
    yield from _compression(text, settings)


def _share(name: str, value: float, limit: float) -> "Iterator[Drop]":
    if value > limit:
        yield Drop(f"outliers.{name}", value)


def _word_lengths(document: Document, lengths: list[int], mean: float, settings: Settings) -> "Iterator[Drop]":
    """The language is only asked for where a length is out of the English limits."""
    median = statistics.median(lengths)
    for rule, value, (low, high) in (
        ("outliers.mean_word", mean, settings.mean_word_chars),
        ("outliers.median_word", float(median), settings.median_word_chars),
    ):
        if not low <= value <= high:
            scale = languages.word_chars_scale(languages.language_of(document))
            if not low * min(1.0, scale) <= value <= high * max(1.0, scale):
                yield Drop(rule, value)


class Counts(NamedTuple):
    """How many characters of each sort a text has."""

    digits: int
    symbols: int
    capitals: int


def character_counts(text: str) -> Counts:
    """Digits, symbols (no letter, digit, mark or white space) and capital letters of any script.

    The ASCII part is counted by tables, which is ten times faster than by patterns; the rest by patterns.

    >>> character_counts("Ab 1, Ä–٣")
    Counts(digits=2, symbols=2, capitals=2)
    """
    plain = text.encode("ascii", "ignore")
    found = [len(plain) - len(plain.translate(None, table)) for table in TABLES]
    if len(plain) < len(text):
        rest = "".join(NOT_ASCII.findall(text))
        found[0] += sum(map(len, DIGITS.findall(rest)))
        found[1] += sum(map(len, SYMBOLS.findall(rest)))
        found[2] += sum(map(str.isupper, rest))
    return Counts(*found)


def entropy_frac(words: list[str]) -> float:
    """The entropy of words over the logarithm of their number: 1 when all differ, 0 when all are the same.

    >>> round(entropy_frac(["a", "a", "b", "b"]), 3)
    0.5
    """
    if len(words) < 2:
        return 1.0
    counts = Counter(words).values()
    total = len(words)
    entropy = math.log(total) - sum(n * math.log(n) for n in counts if n > 1) / total
    return entropy / math.log(total)


def _compression(text: str, settings: Settings) -> "Iterator[Drop]":
    data = text.encode("utf-8", "surrogatepass")
    if len(data) < MIN_COMPRESSION_BYTES:
        return
    ratio = len(zlib.compress(data, 1)) / len(data)
    if ratio < settings.min_compression:
        yield Drop("outliers.repetitive", ratio)
    if ratio > settings.max_compression:
        yield Drop("outliers.noise", ratio)
