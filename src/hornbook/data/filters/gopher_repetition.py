"""Filter gopher_repetition: drop documents that repeat themselves, in the reading of your choice."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings

if TYPE_CHECKING:
    import numpy as np

SOURCE = "Source: Rae et al. 2021 (Gopher), table A1"
RULES = {
    "repetition.lines": f"share of lines seen before above max_lines (value: the share). {SOURCE}",
    "repetition.line_chars": f"share of characters in such lines above max_line_chars. {SOURCE}",
    "repetition.paragraphs": f"share of paragraphs seen before above max_paragraphs. {SOURCE}",
    "repetition.paragraph_chars": f"share of characters in such paragraphs above max_paragraph_chars. {SOURCE}",
    "repetition.top_2gram": f"share of characters in the commonest pair of words. {SOURCE}",
    "repetition.top_3gram": f"share of characters in the commonest 3 words. {SOURCE}",
    "repetition.top_4gram": f"share of characters in the commonest 4 words. {SOURCE}",
    "repetition.duplicate_5gram": f"share of characters in runs of 5 words that occur again. {SOURCE}",
    "repetition.duplicate_6gram": f"share of characters in runs of 6 words that occur again. {SOURCE}",
    "repetition.duplicate_7gram": f"share of characters in runs of 7 words that occur again. {SOURCE}",
    "repetition.duplicate_8gram": f"share of characters in runs of 8 words that occur again. {SOURCE}",
    "repetition.duplicate_9gram": f"share of characters in runs of 9 words that occur again. {SOURCE}",
    "repetition.duplicate_10gram": f"share of characters in runs of 10 words that occur again. {SOURCE}",
}

PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
ODD = 0x9E3779B97F4A7C15


class Settings(StrictSettings):
    """Thresholds as shares from 0 to 1; the defaults are the paper's. 1 switches a rule off."""

    reading: Literal["paper", "datatrove", "dolma"] = "paper"
    """How the paper is read where programs differ (docs/decisions/data-readings.md)."""
    max_lines: float = pydantic.Field(default=0.30, ge=0, le=1)
    """Largest share of lines that occurred before."""
    max_paragraphs: float = pydantic.Field(default=0.30, ge=0, le=1)
    """Largest share of paragraphs that occurred before."""
    max_line_chars: float = pydantic.Field(default=0.20, ge=0, le=1)
    """Largest share of characters in lines that occurred before."""
    max_paragraph_chars: float = pydantic.Field(default=0.20, ge=0, le=1)
    """Largest share of characters in paragraphs that occurred before."""
    max_top_ngrams: tuple[float, float, float] = (0.20, 0.18, 0.16)
    """Largest share of characters in the commonest 2, 3 and 4 words."""
    max_duplicate_ngrams: tuple[float, float, float, float, float, float] = (0.15, 0.14, 0.13, 0.12, 0.11, 0.10)
    """Largest share of characters in repeated runs of 5, 6, 7, 8, 9 and 10 words."""


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by repeated lines, paragraphs and runs of words.

    Source: Rae et al. 2021, table A1. What counts as repeated:
    `paper`: characters of words (no white space) over all characters of words; the commonest n-gram must occur twice;
    every character that lies in any copy counts once, however copies overlap (the paper's wording).
    `datatrove`: over the length of the text, white space included; runs are counted from their second copy on, without
    overlap; the commonest n-gram counts even when it occurs once. `dolma`: words by white space, every copy counted,
    overlapping runs several times, over the sum for all runs; repeated lines count with their first copy.
    """
    text = document.text
    if not text.strip():
        return Keep()
    return _whole_parts(text, settings) or _ngrams(text, settings) or Keep()


def _whole_parts(text: str, settings: Settings) -> Drop | None:
    lines = [line for line in text.split("\n") if line.strip()]
    share, chars = _repeated(lines, text, settings.reading)
    if share > settings.max_lines:
        return Drop("repetition.lines", share)
    if chars > settings.max_line_chars:
        return Drop("repetition.line_chars", chars)
    if settings.reading == "dolma":
        return None  # has no rules for paragraphs
    share, chars = _repeated(PARAGRAPHS.split(text.strip()), text, settings.reading)
    if share > settings.max_paragraphs:
        return Drop("repetition.paragraphs", share)
    return Drop("repetition.paragraph_chars", chars) if chars > settings.max_paragraph_chars else None


def _repeated(parts: list[str], text: str, reading: str) -> tuple[float, float]:
    """Share of parts, and of characters, that repeat an earlier part (dolma: that occur more than once)."""
    if len(parts) == len(set(parts)):
        return 0.0, 0.0
    first = 0 if reading == "dolma" else 1
    counts = Counter(parts).items()
    num_repeated = sum(count - first for _, count in counts if count > 1)
    num_chars = sum((count - first) * len(part) for part, count in counts if count > 1)
    whole = sum(map(len, text.split())) if reading == "dolma" else len(text)
    return num_repeated / len(parts), num_chars / whole


def _ngrams(text: str, settings: Settings) -> Drop | None:
    import numpy as np

    reading = settings.reading
    words = text.split() if reading == "dolma" else WORD.findall(text)
    known: dict[str, int] = {}
    keys = np.fromiter((known.setdefault(word, len(known)) for word in words), np.uint64, len(words))
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    chars = np.concatenate(([0], np.cumsum(lengths)))
    whole = len(text) if reading == "datatrove" else int(chars[-1])
    grams = keys
    for n in range(2, 11):
        if len(words) < n:
            return None
        grams = grams[:-1] * np.uint64(ODD) + keys[n - 1 :]
        sizes = chars[n:] - chars[:-n]
        _, first, inverse, counts = np.unique(grams, return_index=True, return_inverse=True, return_counts=True)
        if n > 4 and counts.max() == 1:
            return None  # a longer run cannot occur twice when no shorter one does
        repeated = counts[inverse] > 1
        if n <= 4:
            limit = settings.max_top_ngrams[n - 2]
            share = _top(inverse, first, counts, sizes, lengths, n, reading) / whole
        else:
            limit = settings.max_duplicate_ngrams[n - 5]
            share = _duplicates(grams, repeated, sizes, lengths, n, reading) / whole
            if reading == "dolma":
                share = float(sizes[repeated].sum()) / max(1, int(sizes.sum()))
        if share > limit and limit < 1:  # copies that overlap can make the share of other readings larger than 1
            return Drop(f"repetition.{'top' if n <= 4 else 'duplicate'}_{n}gram", float(share))
    return None


def _top(
    inverse: "np.ndarray",
    first: "np.ndarray",
    counts: "np.ndarray",
    sizes: "np.ndarray",
    lengths: "np.ndarray",
    n: int,
    reading: str,
) -> int:
    """Characters in all copies of the commonest n-gram; of equally common ones the first in the text."""
    most = int(counts.max())
    begin = int(first[counts == most].min())
    if reading == "paper":
        return _covered(inverse == inverse[begin], lengths, n) if most > 1 else 0
    size = int(sizes[begin])
    return most * (size + n - 1 if reading == "datatrove" else size)  # datatrove joins the words by spaces


def _covered(starts: "np.ndarray", lengths: "np.ndarray", n: int) -> int:
    """Characters of words that lie in a run of n words beginning where `starts` is true; each counts once."""
    import numpy as np

    edges = np.zeros(len(lengths) + 1, np.int64)
    begin = np.flatnonzero(starts)
    np.add.at(edges, begin, 1)
    np.add.at(edges, begin + n, -1)
    return int(lengths[np.cumsum(edges)[:-1] > 0].sum())


def _duplicates(
    grams: "np.ndarray", repeated: "np.ndarray", sizes: "np.ndarray", lengths: "np.ndarray", n: int, reading: str
) -> int:
    """Characters in repeated runs of n words, in the paper's or datatrove's reading."""
    if reading != "datatrove":
        return _covered(repeated, lengths, n)
    seen: set[int] = set()
    total = index = 0
    listed = grams.tolist()
    while index < len(listed):
        if listed[index] in seen:
            total += int(sizes[index])
            index += n
        else:
            seen.add(listed[index])
            index += 1
    return total
