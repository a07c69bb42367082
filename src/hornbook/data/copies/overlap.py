"""Which known texts a document shares long runs of words with: an index of the known texts, exact common spans.

The index holds the known texts alone (evaluation items: megabytes), documents stream past it. Words are those of
`data.copies.shingles` after Unicode's NFKC, so case, punctuation, quotes and white space do not matter.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.data.copies.shingles import in_chunks, normalise, windows, words_of

if TYPE_CHECKING:
    import numpy as np

WORD = re.compile("[0-9a-z\x80-\U0010ffff]+")
BITS_PER_SEED = 16
MAX_CELLS = 4_000_000
"""Pairs of words that are compared at a time: bounds memory where one run of words is repeated many times."""


@dataclass(frozen=True)
class Index:
    """Known texts, each different one once.

    `hashes` of all their words, `offsets` of each text's [texts + 1]; `owners`: numbers of the items that have each
    text, at `owner_offsets`; `seeds`: sorted hashes of every `seed_words` neighbouring words, `places`: where each is
    (number of its first word), `before`: the seed one word before it in its text, 0 where none is (sorted among equal
    seeds); `grams`: for each window of `gram_words` words the number of its kind, at `gram_offsets` by text (a shorter
    text is one window); `filter`: a table of bits for a quick no.
    """

    hashes: "np.ndarray"
    offsets: "np.ndarray"
    owners: "np.ndarray"
    owner_offsets: "np.ndarray"
    seeds: "np.ndarray"
    places: "np.ndarray"
    before: "np.ndarray"
    grams: "np.ndarray"
    gram_offsets: "np.ndarray"
    filter: "np.ndarray"
    sizes: "np.ndarray"

    @property
    def seed_words(self) -> int:
        """Words of a seed: no shorter common run is seen."""
        return int(self.sizes[0])

    @property
    def gram_words(self) -> int:
        """Words of an n-gram that counts as a match."""
        return int(self.sizes[1])

    def save(self, folder: Path) -> None:
        """Write one file for each array."""
        import numpy as np

        folder.mkdir(exist_ok=True)
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))


def load_index(folder: Path) -> Index:
    """The index in a folder, mapped into memory: processes share its pages."""
    import numpy as np

    return Index(**{field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r") for field in fields(Index)})


def prepared(text: str) -> str:
    """The text in Unicode's compatibility form with plain spaces, as the words are taken from it."""
    return text if text.isascii() else " ".join(unicodedata.normalize("NFKC", text).split())


def plain_words(text: str) -> list[str]:
    """The words of a text as they are compared.

    >>> plain_words("Don\u2019t \u201cPANIC\u201d\u2026 it is \ufb01ne")
    ['don', 't', 'panic', 'it', 'is', 'fine']
    """
    return WORD.findall(normalise(prepared(text)))


def hashed_words(texts: Sequence[str]) -> tuple["np.ndarray", "np.ndarray"]:
    """`words_of` many prepared texts, a few at a time: its working memory is forty times their bytes."""
    import numpy as np

    parts = [words_of(chunk) for chunk in in_chunks(map(prepared, texts), str)]
    lengths = np.concatenate([np.zeros(1, np.int64), *(np.diff(offsets) for _, offsets in parts)])
    return np.concatenate([np.zeros(0, np.uint64), *(hashes for hashes, _ in parts)]), np.cumsum(lengths)


def word_places(text: str) -> list[tuple[int, int]]:
    """For each word, where the run of characters without white space that it stands in begins and ends in the text."""
    return [piece.span() for piece in re.finditer(r"\S+", text) for _ in plain_words(piece[0])]


def build_index(
    texts: Sequence[str], owners: Sequence[Sequence[int]], *, seed_words: int, gram_words: int, max_items: int
) -> Index:
    """Index texts, each with the numbers of the items it belongs to; texts shorter than `seed_words` are left out.

    Seeds that stand in more than `max_items` items are templates ("which of the following statements is true about
    the") and start no match, though a match may run through them.
    """
    import numpy as np

    hashes, offsets = hashed_words(texts)
    kept: dict[bytes, set[int]] = {}
    for number, items in enumerate(owners):
        words = hashes[offsets[number] : offsets[number + 1]]
        if len(words) >= seed_words:
            kept.setdefault(words.tobytes(), set()).update(items)
    lengths = np.array([len(words) // 8 for words in kept], np.int64)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    hashes = np.frombuffer(b"".join(kept), np.uint64)
    owner_sizes = np.array([len(items) for items in kept.values()], np.int64)
    owner_offsets = np.concatenate(([0], np.cumsum(owner_sizes))).astype(np.int64)
    all_owners = np.array([item for items in kept.values() for item in sorted(items)], np.int64)
    keys, key_offsets = windows(hashes, offsets, seed_words)
    starts = np.arange(len(keys)) - np.repeat(key_offsets[:-1] - offsets[:-1], np.diff(key_offsets))
    text_of = np.repeat(np.arange(len(lengths)), np.diff(key_offsets))
    good = ~_templates(keys, text_of, all_owners, owner_offsets, max_items)
    before = _seeds_before(keys, key_offsets, good)
    order = np.lexsort((before[good], keys[good]))
    grams, gram_offsets = windows(hashes, offsets, gram_words)
    return Index(
        hashes=hashes,
        offsets=offsets,
        owners=all_owners,
        owner_offsets=owner_offsets,
        seeds=keys[good][order],
        places=starts[good][order],
        before=before[good][order],
        grams=np.unique(grams, return_inverse=True)[1].astype(np.int64),
        gram_offsets=gram_offsets,
        filter=_filter(keys[good]),
        sizes=np.array([seed_words, gram_words]),
    )


def _templates(
    keys: "np.ndarray", text_of: "np.ndarray", owners: "np.ndarray", owner_offsets: "np.ndarray", max_items: int
) -> "np.ndarray":
    """Whether each key stands in more than `max_items` different items."""
    import numpy as np

    kinds = np.unique(keys, return_inverse=True)[1]
    num_texts, most = len(owner_offsets), int(owners.max(initial=0)) + 1
    pairs = np.unique(kinds * num_texts + text_of)  # a pair as one number: sorting rows would take ten times the memory
    kind, text = pairs // num_texts, pairs % num_texts
    counts = np.diff(owner_offsets)[text]
    rank = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    of_items = np.unique(np.repeat(kind, counts) * most + owners[np.repeat(owner_offsets[:-1][text], counts) + rank])
    num_items = np.bincount(of_items // most, minlength=int(kinds.max(initial=-1)) + 1)
    return num_items[kinds] > max_items


def _seeds_before(keys: "np.ndarray", key_offsets: "np.ndarray", good: "np.ndarray") -> "np.ndarray":
    """The key before each in its text; 0 for the first of a text and where the one before is a template (not good)."""
    import numpy as np

    before = np.zeros(len(keys), np.uint64)
    before[1:] = keys[:-1] * good[:-1]
    before[key_offsets[:-1]] = 0
    return before


def _filter(keys: "np.ndarray") -> "np.ndarray":
    """A table of bits, as bytes: set where a key ends so. At most a sixteenth of them are set."""
    import numpy as np

    size = 1 << max(16, (BITS_PER_SEED * max(1, len(keys)) - 1).bit_length())
    table = np.zeros(size // 8, np.uint8)
    low = (keys & np.uint64(size - 1)).astype(np.int64)
    np.bitwise_or.at(table, low >> 3, (1 << (low & 7)).astype(np.uint8))
    return table


def common_spans(index: Index, texts: list[str]) -> "np.ndarray":
    """Every longest run of words that a document shares with a known text, if any seed of it is no template.

    Returns int64 rows [spans, 5]: document, known text, first word in the document, first word in the known text,
    number of words (at least `seed_words`); sorted. Exact up to collisions of 64-bit hashes.
    """
    import numpy as np

    hashes, offsets = words_of([prepared(text) for text in texts])
    keys, key_offsets = windows(hashes, offsets, index.seed_words)
    hits = _hits(index, keys)
    if not len(hits):
        return np.zeros((0, 5), np.int64)
    lines = _lines(index, keys, key_offsets, offsets, hits)
    documents, known = lines[:, 0], lines[:, 1]
    cells = np.cumsum(
        np.minimum(offsets[documents + 1] - offsets[documents], index.offsets[known + 1] - index.offsets[known])
    )
    found: list[np.ndarray] = []
    for part in np.split(lines, np.searchsorted(cells, np.arange(MAX_CELLS, int(cells[-1]), MAX_CELLS))):
        found.append(_runs(index, hashes, offsets, part))
    spans = np.concatenate(found)
    return spans[np.lexsort(spans.T[::-1])]


def _hits(index: Index, keys: "np.ndarray") -> "np.ndarray":
    """Which keys are seeds."""
    import numpy as np

    if not len(index.seeds):
        return np.zeros(0, np.int64)
    low = (keys & np.uint64(8 * len(index.filter) - 1)).astype(np.int64)
    maybe = np.flatnonzero((index.filter[low >> 3] >> (low & 7).astype(np.uint8)) & 1)
    place = np.minimum(np.searchsorted(index.seeds, keys[maybe]), len(index.seeds) - 1)
    return maybe[index.seeds[place] == keys[maybe]]


def _lines(
    index: Index, keys: "np.ndarray", key_offsets: "np.ndarray", offsets: "np.ndarray", hits: "np.ndarray"
) -> "np.ndarray":
    """Where documents and known texts run beside each other: rows of document, known text, word less word, different.

    A seed whose neighbour before is the same seed on both sides is left out, as it goes on with a run: of two texts
    that repeat one word n and m times n + m pairs are looked at, not n m.
    """
    import numpy as np

    documents = np.searchsorted(key_offsets, hits, side="right") - 1
    words = hits - key_offsets[documents] + offsets[documents]
    before = np.where(hits > key_offsets[documents], keys[hits - 1], np.uint64(1))  # 1: equal to none in the index
    low = np.searchsorted(index.seeds, keys[hits], side="left")
    high = np.searchsorted(index.seeds, keys[hits], side="right")
    going_on = _search(index.before, low, high, before)
    begun = _search(index.before, going_on, high, before + np.uint64(1))
    first = np.concatenate((low, begun))
    counts = np.concatenate((going_on, high)) - first
    rank = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    places = index.places[np.repeat(first, counts) + rank]
    known = np.searchsorted(index.offsets, places, side="right") - 1
    shifts = np.repeat(np.tile(words, 2), counts) - places
    return np.unique(np.stack((np.repeat(np.tile(documents, 2), counts), known, shifts), axis=1), axis=0)


def _search(values: "np.ndarray", low: "np.ndarray", high: "np.ndarray", wanted: "np.ndarray") -> "np.ndarray":
    """The first place of each range low:high, sorted there, whose value is not below the wanted one; else `high`.

    >>> import numpy as np
    >>> low, high = np.array([0, 0, 3, 3]), np.array([3, 3, 5, 5])
    >>> _search(np.array([4, 6, 9, 1, 6]), low, high, np.array([6, 7, 7, 0])).tolist()
    [1, 2, 5, 3]
    """
    import numpy as np

    while (wide := low < high).any():
        middle = np.minimum((low + high) // 2, len(values) - 1)
        below = wide & (values[middle] < wanted)
        low, high = np.where(below, middle + 1, low), np.where(wide & ~below, middle, high)
    return low


def _runs(index: Index, hashes: "np.ndarray", offsets: "np.ndarray", lines: "np.ndarray") -> "np.ndarray":
    """The runs of equal words along lines (document, known text, word in the document less word in the known text)."""
    import numpy as np

    documents, known, shifts = lines.T
    begin = np.maximum(index.offsets[known], offsets[documents] - shifts)
    end = np.minimum(index.offsets[known + 1], offsets[documents + 1] - shifts)
    sizes = end - begin + 1  # one more, always unequal: runs never cross from one line into the next
    firsts = np.cumsum(sizes) - sizes
    line = np.repeat(np.arange(len(lines)), sizes)
    at = np.arange(int(sizes.sum())) - np.repeat(firsts - begin, sizes)
    inside = at < np.repeat(end, sizes)
    at = np.where(inside, at, 0)
    words = np.where(inside, at + np.repeat(shifts, sizes), 0)
    edge = np.diff(np.concatenate(([0], (inside & (index.hashes[at] == hashes[words])).view(np.int8), [0])))
    starts, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    long = ends - starts >= index.seed_words
    starts, ends = starts[long], ends[long]
    line = line[starts]
    place = at[starts]
    columns = (
        documents[line],
        known[line],
        place + shifts[line] - offsets[documents[line]],
        place - index.offsets[known[line]],
        ends - starts,
    )
    return np.stack(columns, axis=1).reshape(-1, 5)


def grams_in(index: Index, known: int, first_word: int, num_words: int) -> "np.ndarray":
    """The kinds of the n-grams inside a span of a known text; a text shorter than an n-gram is one when it is whole."""
    import numpy as np

    length = int(index.offsets[known + 1] - index.offsets[known])
    size = min(index.gram_words, length)
    if num_words < size:
        return np.zeros(0, np.int64)
    begin = int(index.gram_offsets[known]) + first_word
    return np.asarray(index.grams[begin : begin + num_words - size + 1])


def different_grams(index: Index, spans: "np.ndarray") -> "np.ndarray":
    """The kinds of n-grams (as `grams_in`) in each document's common spans: rows of document and kind, different."""
    import numpy as np

    documents, known, _, first, lengths = spans.T
    sizes = np.minimum(index.gram_words, index.offsets[known + 1] - index.offsets[known])
    long = lengths >= sizes
    far = len(index.grams) + 1  # places of different documents are far from each other
    begins = (documents * far + index.gram_offsets[known] + first)[long]
    ends = begins + (lengths - sizes + 1)[long]
    order = np.argsort(begins, kind="stable")
    begins, ends = begins[order], np.maximum.accumulate(ends[order])
    begins[1:] = np.maximum(begins[1:], ends[:-1])  # what an earlier span has is not counted again
    counts = ends - begins
    at = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts - begins, counts)
    return np.unique(np.stack((at // far, index.grams[at % far]), axis=1), axis=0)
