"""Filter gopher_repetition: drop documents that repeat themselves, in the reading of your choice."""

import itertools
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings
from hornbook.data.language.words import is_unspaced, spacy_words, unicode_words

if TYPE_CHECKING:
    import numpy as np

SOURCE = "Source: Rae et al. 2021 (Gopher), table A1"
RULES = {
    "repetition.lines": f"share of lines seen before above max_lines (value: the share). {SOURCE}",
    "repetition.line_chars": f"share of characters in such lines above max_line_chars. {SOURCE}",
    "repetition.paragraphs": f"share of paragraphs seen before above max_paragraphs. {SOURCE}",
    "repetition.paragraph_chars": f"share of characters in such paragraphs above max_paragraph_chars. {SOURCE}",
    "repetition.top_2gram": f"share of characters in the commonest pair of words above max_top_ngrams[0]. {SOURCE}",
    "repetition.top_3gram": f"share of characters in the commonest 3 words above max_top_ngrams[1]. {SOURCE}",
    "repetition.top_4gram": f"share of characters in the commonest 4 words above max_top_ngrams[2]. {SOURCE}",
    "repetition.duplicate_5gram": f"characters in repeated runs of 5 words above max_duplicate_ngrams[0]. {SOURCE}",
    "repetition.duplicate_6gram": f"characters in repeated runs of 6 words above max_duplicate_ngrams[1]. {SOURCE}",
    "repetition.duplicate_7gram": f"characters in repeated runs of 7 words above max_duplicate_ngrams[2]. {SOURCE}",
    "repetition.duplicate_8gram": f"characters in repeated runs of 8 words above max_duplicate_ngrams[3]. {SOURCE}",
    "repetition.duplicate_9gram": f"characters in repeated runs of 9 words above max_duplicate_ngrams[4]. {SOURCE}",
    "repetition.duplicate_10gram": f"characters in repeated runs of 10 words above max_duplicate_ngrams[5]. {SOURCE}",
}

PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
DATATROVE_LINES = re.compile(r"\n+")
DATATROVE_PARAGRAPHS = re.compile(r"\n{2,}")
ODD = 0x9E3779B97F4A7C15


class Settings(StrictSettings):
    """Thresholds as shares from 0 to 1; the defaults are the paper's. 1 switches a rule off."""

    reading: Literal["paper", "datatrove", "dolma", "dclm"] = "paper"
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
    """Largest share of characters in runs of 5, 6, 7, 8, 9 and 10 words."""


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by repeated lines, paragraphs and runs of words.

    Source: Rae et al. 2021, table A1. What counts as repeated:
    `paper`: words by white space (characters, where a language is written without spaces); characters of words over
    all characters of words; the commonest n-gram must occur twice; every character that lies in any copy counts once,
    however copies overlap (the paper's wording).
    `datatrove`: words and punctuation marks as spaCy parts them (by a pattern), over the length of the text, white
    space included; runs are counted from their second copy on, without overlap; the commonest n-gram counts even when
    it occurs once. `dolma`: words by white space, every copy counted, overlapping runs several times, over the sum for
    all runs; repeated lines count with their first copy. `dclm`: Unicode words without marks; of equally common
    n-grams the longest; runs as `paper`; repeated lines and paragraphs count with their first copy.
    """
    text = document.text
    if not text.strip():
        return Keep()
    return _whole_parts(text, settings) or _ngrams(text, settings) or Keep()


def _whole_parts(text: str, settings: Settings) -> Drop | None:
    lines, paragraphs = _lines(text, settings.reading), _paragraphs(text, settings.reading)
    share, chars = _repeated(lines, text, settings.reading)
    if share > settings.max_lines:
        return Drop("repetition.lines", share)
    if chars > settings.max_line_chars:
        return Drop("repetition.line_chars", chars)
    share, chars = _repeated(paragraphs, text, settings.reading)
    if share > settings.max_paragraphs:
        return Drop("repetition.paragraphs", share)
    return Drop("repetition.paragraph_chars", chars) if chars > settings.max_paragraph_chars else None


def _lines(text: str, reading: str) -> list[str]:
    if reading == "datatrove":
        return DATATROVE_LINES.split(text)
    lines = text.split("\n")
    return list(filter(None, map(str.strip, lines))) if reading == "dclm" else [line for line in lines if line.strip()]


def _paragraphs(text: str, reading: str) -> list[str]:
    if reading == "datatrove":
        return DATATROVE_PARAGRAPHS.split(text.strip())
    if reading == "dolma":
        return []  # has no rules for paragraphs
    if reading == "dclm":
        return list(filter(None, map(str.strip, text.split("\n\n"))))
    return PARAGRAPHS.split(text.strip()) if "\n" in text else []


def _repeated(parts: list[str], text: str, reading: str) -> tuple[float, float]:
    """Share of parts, and of characters, that repeat an earlier part (dolma, dclm: that occur more than once)."""
    if len(parts) == len(set(parts)):
        return 0.0, 0.0
    first = 0 if reading in ("dolma", "dclm") else 1
    counts = Counter(parts).items()
    num_repeated = sum(count - first for _, count in counts if count > 1)
    num_chars = sum((count - first) * len(part) for part, count in counts if count > 1)
    whole = {"dolma": lambda: sum(map(len, text.split())), "dclm": lambda: sum(map(len, parts))}
    return num_repeated / len(parts), num_chars / whole.get(reading, lambda: len(text))()


def _words(text: str, reading: str) -> list[str]:
    if reading == "datatrove":
        return spacy_words(text)
    if reading == "dclm":
        return unicode_words(text)
    words = text.split()
    return list("".join(words)) if reading == "paper" and is_unspaced(text, words) else words


def _ngrams(text: str, settings: Settings) -> Drop | None:
    import numpy as np

    reading = settings.reading
    words = _words(text, reading)
    keys, lengths = _numbered(words)
    chars = np.zeros(len(words) + 1, np.int64)
    np.cumsum(lengths, out=chars[1:])
    if reading in ("paper", "dclm") and _is_surely_good(keys, chars, settings):
        return None
    whole = len(text) if reading == "datatrove" else int(chars[-1])
    where, grams = np.arange(len(words)), keys  # where runs begin that may occur twice, and a number for each
    for n in range(2, min(10, len(words)) + 1):
        where = where[where <= len(words) - n]
        grams = _longer(grams[: len(where)], keys[where + n - 1])
        values, counts = _repeated_values(grams)
        share = 0.0
        if n <= 4:
            limit = settings.max_top_ngrams[n - 2]
            share = _top(where, grams, values, counts, chars, n, reading) / whole
        elif not len(values):
            return None  # a longer run cannot occur twice when no shorter one does
        else:
            limit = settings.max_duplicate_ngrams[n - 5]
        repeated = _among(grams, values)
        where, grams = where[repeated], grams[repeated]  # a longer run occurs twice only where this one does
        if n > 4:
            share = _duplicates(where, grams, chars, n, reading) / whole
        if share > limit and limit < 1:  # copies that overlap can make the share of other readings larger than 1
            return Drop(f"repetition.{'top' if n <= 4 else 'duplicate'}_{n}gram", float(share))
    return None


def _is_surely_good(keys: "np.ndarray", chars: "np.ndarray", settings: Settings) -> bool:
    """Whether a few sorts show that no rule on runs of words can drop this text; False where they cannot tell.

    A run that occurs c times covers no more than c times the longest run, and no run occurs more often than its
    beginning does. What runs of 6 to 10 words cover, runs of 5 cover too.
    """
    import numpy as np

    if len(keys) < 5:
        return False
    whole = int(chars[-1])
    harmless = [_harmless(limit, chars, n) for n, limit in enumerate(settings.max_top_ngrams, 2)]
    grams, ordered, known = keys, keys, False
    for n in range(2, 6):
        grams = _longer(grams[:-1], keys[n - 1 :])
        if n == 5 or not known:
            ordered = np.sort(grams)
        if n < 5 and not known:
            if _occurs_more(ordered, harmless[n - 2]):
                return False
            known = not _occurs_more(ordered, min(harmless[n - 1 :], default=0))
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return True
    where = np.flatnonzero(_among(grams, twice))
    return _covered(where, chars, 5) / whole <= min(settings.max_duplicate_ngrams)


def _harmless(limit: float, chars: "np.ndarray", n: int) -> int:
    """So many copies of any run of n words stay within a limit."""
    longest, whole = int((chars[n:] - chars[:-n]).max()), int(chars[-1])
    copies = int(limit * whole / longest)
    return max(1, copies if copies * longest / whole <= limit else copies - 1)


def _occurs_more(ordered: "np.ndarray", copies: int) -> bool:
    """Whether any of the ordered values is there more than so many times."""
    return bool((ordered[copies:] == ordered[: max(0, len(ordered) - copies)]).any())


def _longer(grams: "np.ndarray", following: "np.ndarray") -> "np.ndarray":
    """The numbers of runs of words made one word longer."""
    import numpy as np

    return grams * np.uint64(ODD) + following


def _numbered(words: list[str]) -> tuple["np.ndarray", "np.ndarray"]:
    """Each word as a number (equal words, equal numbers), and its length."""
    import numpy as np

    numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    keys = np.fromiter(map(numbers.__getitem__, words), np.uint64, len(words))
    return keys, np.fromiter(map(len, words), np.int64, len(words))


def _repeated_values(grams: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """The values that occur more than once, in order, and how often each does."""
    import numpy as np

    ordered = np.sort(grams)
    same = ordered[1:] == ordered[:-1]
    if not same.any():
        return ordered[:0], np.zeros(0, np.int64)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).view(np.int8)))
    return ordered[edges[::2]], edges[1::2] - edges[::2] + 1


def _among(grams: "np.ndarray", values: "np.ndarray") -> "np.ndarray":
    """For each n-gram whether it is one of the (ordered) values."""
    import numpy as np

    if not len(values):
        return np.zeros(len(grams), np.bool_)
    return values[values.searchsorted(grams).clip(max=len(values) - 1)] == grams


def _top(
    where: "np.ndarray",
    grams: "np.ndarray",
    values: "np.ndarray",
    counts: "np.ndarray",
    chars: "np.ndarray",
    n: int,
    reading: str,
) -> int:
    """Characters in all copies of the commonest n-gram; of equally common ones the first one (dclm: the longest)."""
    if not len(counts):
        size = 0 if reading in ("paper", "dclm") else int(chars[n])  # the first of all n-grams
        return size + n - 1 if reading == "datatrove" else size
    most = int(counts.max())
    commonest = _among(grams, values[counts == most])
    if reading == "dclm":
        begins = where[commonest]
        return most * int((chars[begins + n] - chars[begins]).max())
    first = int(commonest.argmax())
    if reading == "paper":
        return _covered(where[grams == grams[first]], chars, n)
    begin = int(where[first])
    size = int(chars[begin + n] - chars[begin])
    return most * (size + n - 1 if reading == "datatrove" else size)  # datatrove joins the words by spaces


def _covered(begins: "np.ndarray", chars: "np.ndarray", n: int) -> int:
    """Characters of words that lie in a run of n words with such a beginning (in order); each counts once."""
    import numpy as np

    ends = begins + n
    until = np.minimum(ends[:-1], begins[1:])  # a run ends where the next one begins
    return int((chars[until] - chars[begins[:-1]]).sum() + chars[ends[-1]] - chars[begins[-1]])


def _duplicates(where: "np.ndarray", grams: "np.ndarray", chars: "np.ndarray", n: int, reading: str) -> float:
    """Characters in repeated runs of n words (dolma: scaled so that the share is one of all runs)."""
    if reading in ("paper", "dclm"):
        return _covered(where, chars, n)
    sizes = chars[where + n] - chars[where]
    if reading == "dolma":
        return float(sizes.sum()) / max(1, int((chars[n:] - chars[:-n]).sum())) * int(chars[-1])
    seen: set[int] = set()
    total = free = 0
    for begin, gram, size in zip(where.tolist(), grams.tolist(), sizes.tolist(), strict=True):
        if begin < free:
            continue
        if gram in seen:
            total += size
            free = begin + n
        else:
            seen.add(gram)
    return total
