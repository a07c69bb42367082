"""What is measured on a sample of a corpus: languages, near-duplicates, reading ages, growth of the vocabulary."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from hornbook.data.copies.clusters import band_pairs, components
from hornbook.data.copies.shingles import jaccard, shingles
from hornbook.data.copies.signatures import band_keys
from hornbook.data.insight.vectors import words_of
from hornbook.data.language.langid import detect
from hornbook.data.language.readability import HIGHEST_AGE, LOWEST_AGE, read

if TYPE_CHECKING:
    import pyarrow

LANGUAGE_KEYS = ("language", "lang")
MIN_CONFIDENCE = 0.5
SHINGLE_WORDS, BANDS, ROWS, THRESHOLD = 5, 14, 8, 0.75
GROWTH_POINTS = 40


def study(
    table: "pyarrow.Table", languages: bool, easy: Collection[str] | None, advance: Callable[[int], None]
) -> dict[str, Any]:
    """Counts and means over the sample's texts (its columns text and meta)."""
    import numpy as np

    texts: list[str] = table["text"].to_pylist()
    spoken = Counter[str]()
    ages = Counter[int]()
    grades: list[tuple[float, float, float]] = []
    for text, meta in zip(texts, table["meta"].to_pylist(), strict=True):
        language = _language(text, meta, languages)
        spoken[language] += 1
        level = read(text, easy) if language in ("en", "unsaid") else None
        if level is not None:
            ages[level.age] += 1
            grades.append((level.grade, level.ease, level.dale_chall or 0.0))
        advance(1)
    medians = np.median(np.array(grades), axis=0).tolist() if grades else [None, None, None]
    return {
        "docs": len(texts),
        "languages": dict(sorted(spoken.items(), key=lambda item: (-item[1], item[0]))),
        "ages": {str(age): ages[age] for age in range(LOWEST_AGE, HIGHEST_AGE + 1)},
        "grade": medians[0],
        "ease": medians[1],
        "dale_chall": medians[2] if easy is not None else None,
        "near_duplicates": near_duplicates(texts),
        "growth": growth(texts),
    }


def _language(text: str, meta: str, detected: bool) -> str:
    said = json.loads(meta) if meta and meta != "{}" else {}
    for key in LANGUAGE_KEYS:
        if isinstance(said.get(key), str) and said[key]:
            return said[key]
    if not detected:
        return "unsaid"
    language, confidence = detect(text)
    return language if confidence >= MIN_CONFIDENCE else "unknown"


def near_duplicates(texts: list[str]) -> int:
    """Texts that a near-copy in the same sample would replace (exact copies too).

    Source: MinHash bands and verified Jaccard similarity, as data.dedup has them with `extra_rows = 0`. A sample misses
    copies that were not drawn: the share in the whole corpus is at least this.
    """
    import numpy as np

    if not texts:
        return 0
    hashes, offsets = shingles(texts, SHINGLE_WORDS)
    filled = np.flatnonzero(np.diff(offsets) > 0)
    keys = band_keys(hashes, offsets, ((BANDS, ROWS),))[filled]
    columns = (np.ascontiguousarray(keys[:, band]) for band in range(BANDS))
    pairs = np.concatenate([filled[part] for column in columns for part in band_pairs(column)])
    needed = {number: np.unique(hashes[offsets[number] : offsets[number + 1]]) for number in np.unique(pairs).tolist()}
    alike = [(a, b) for a, b in np.unique(pairs, axis=0).tolist() if jaccard(needed[a], needed[b]) >= THRESHOLD]
    labels = components(len(texts), np.array(alike, np.int64).reshape(-1, 2))
    return len(texts) - len(np.unique(labels))


def growth(texts: list[str]) -> list[tuple[int, int]]:
    """Different words among the first n words of the sample: (n, different), n in equal steps of its logarithm."""
    total = sum(len(words_of(text)) for text in texts)
    if not total:
        return []
    steps = sorted({round(total ** (place / GROWTH_POINTS)) for place in range(1, GROWTH_POINTS + 1)})
    seen: set[str] = set()
    found: list[tuple[int, int]] = []
    wanted = iter(steps)
    border = next(wanted)
    for count, word in enumerate(itertools.chain.from_iterable(map(words_of, texts)), 1):
        seen.add(word)
        if count == border:
            found.append((count, len(seen)))
            border = next(wanted, 0)
    return found
