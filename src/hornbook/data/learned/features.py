"""Texts as hashed features for linear classifiers: words, neighbouring words, marks and runs of letters.

Source: feature hashing (Weinberger et al. 2009) of word n-grams as in fastText (Joulin et al. 2017). Deviations: no
sign bit (with 2^18 buckets collisions are rare); a word longer than 32 bytes is known by its length and its first 32.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hornbook.data.copies.shingles import normalise
from hornbook.shards.partition import mix

if TYPE_CHECKING:
    import numpy as np

CHUNK_BYTES = 300_000
"""Text hashed at once: its arrays stay in the processor's cache."""
WORD_BYTES = 32
PAIR = 0x9E3779B97F4A7C15
CHARS = 0xD6E8FEB86659FD93
SPACE, WORD, MARK = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Features:
    """What of a text is looked at; part of every classifier's file.

    `words`: n-grams of up to so many words; `chars`: n-grams of 2 to so many characters, too (0: none; at most 4), for
    languages without spaces; `marks`: punctuation and line ends count as words; `bits`: log2 of the number of buckets.
    """

    words: int = 2
    chars: int = 0
    marks: bool = False
    bits: int = 18

    @property
    def num_buckets(self) -> int:
        """Buckets that features fall into; the bucket with this number is for places without a feature."""
        return 1 << self.bits


@dataclass(frozen=True, slots=True)
class Hashed:
    """The features of some texts. Text i has the rows `offsets[i]` to `offsets[i + 1]` of `buckets` [rows, families];
    entries that equal the number of buckets stand for nothing."""

    buckets: "np.ndarray"
    offsets: "np.ndarray"


def hashed(texts: list[str], features: Features) -> Iterator[tuple[slice, list[Hashed]]]:
    """The features of texts, chunk by chunk: which of the texts, and their blocks (words; characters if wanted)."""
    begin, size = 0, 0
    for number, text in enumerate(texts):
        size += len(text)
        if size >= CHUNK_BYTES or number + 1 == len(texts):
            part = [normalise(t) for t in texts[begin : number + 1]]
            blocks = [_words(part, features)]
            if features.chars:
                blocks.append(_chars(part, features))
            yield slice(begin, number + 1), blocks
            begin, size = number + 1, 0


@dataclass(frozen=True, slots=True)
class Words:
    """Words of texts in their joined bytes: where they begin and end; `offsets`: where each text's words begin."""

    data: "np.ndarray"
    starts: "np.ndarray"
    ends: "np.ndarray"
    offsets: "np.ndarray"


def find_words(normal: list[str], marks: bool) -> Words:
    """The words of normalised texts. Words are runs of ASCII letters and digits and of any other UTF-8 bytes."""
    import numpy as np

    parts = [text.encode("utf-8", "replace") for text in normal]
    data = np.frombuffer(b"\n".join([*parts, bytes(WORD_BYTES)]), np.uint8)
    kinds = _kinds(marks)[data]
    kinds[-WORD_BYTES:] = SPACE
    is_start = (kinds[1:] != kinds[:-1]) | (kinds[1:] == MARK)
    borders = np.flatnonzero(is_start) + 1
    if kinds[0] != SPACE:
        borders = np.concatenate((np.zeros(1, borders.dtype), borders))
    begins_word = kinds[borders] != SPACE
    starts = borders[begins_word]
    ends = borders[1:][begins_word[:-1]]  # the last border begins the padding, which is space
    text_ends = np.cumsum(np.array([len(part) + 1 for part in parts], np.int64))
    return Words(data, starts, ends, np.concatenate(([0], np.searchsorted(starts, text_ends))))


def word_hashes(words: Words) -> "np.ndarray":
    """A 64-bit hash of each word, of its bytes and its length alone."""
    import numpy as np

    lengths = (words.ends - words.starts).astype(np.int64)
    eights = np.lib.stride_tricks.as_strided(words.data, (len(words.data) - 7, 8), (1, 1), writeable=False)
    keep = np.full(9, 0xFFFFFFFFFFFFFFFF, np.uint64)  # by how many of 8 bytes belong to the word
    keep[:8] = (np.uint64(1) << (np.arange(8, dtype=np.uint64) * np.uint64(8))) - np.uint64(1)
    with np.errstate(over="ignore"):
        hashes = _load(eights, words.starts) & keep[np.minimum(lengths, 8)]
        hashes = hashes + lengths.astype(np.uint64) * np.uint64(PAIR)
        for begin in range(8, WORD_BYTES, 8):
            longer = np.flatnonzero(lengths > begin)
            if not len(longer):
                break
            more = _load(eights, words.starts[longer] + begin) & keep[np.minimum(lengths[longer] - begin, 8)]
            hashes[longer] = mix(hashes[longer]) + more
        return mix(hashes)


def ngram_hashes(hashes: "np.ndarray", words: int) -> "np.ndarray":
    """Hashes of `words` neighbouring words, by the first of them; those that would reach past the end are left out."""
    import numpy as np

    result = hashes
    with np.errstate(over="ignore"):
        for step in range(1, words):
            result = mix(result[: len(hashes) - step] * np.uint64(PAIR) + hashes[step:])
    return result


def phrase_hashes(phrases: Iterable[str]) -> dict[int, "np.ndarray"]:
    """Words and phrases as they are found in texts: number of words -> the sorted hashes of the phrases of so many."""
    import numpy as np

    found: dict[int, set[int]] = {}
    for phrase in phrases:
        hashes = word_hashes(find_words([normalise(phrase)], False))
        if len(hashes):
            found.setdefault(len(hashes), set()).add(int(ngram_hashes(hashes, len(hashes))[0]))
    return {size: np.array(sorted(values), np.uint64) for size, values in sorted(found.items())}


def with_any(texts: list[str], phrases: dict[int, "np.ndarray"]) -> list[bool]:
    """Which texts contain one of some phrases, given by their hashes."""
    import numpy as np

    words = find_words([normalise(text) for text in texts], False)
    hashes = word_hashes(words)
    hits = np.zeros(len(texts), bool)
    for size, wanted in phrases.items():
        if size <= len(hashes):
            first = np.flatnonzero(np.isin(ngram_hashes(hashes, size), wanted))
            text = np.searchsorted(words.offsets, first, side="right") - 1
            hits[text[first + size <= words.offsets[text + 1]]] = True
    return hits.tolist()


def _words(normal: list[str], features: Features) -> Hashed:
    """The word n-grams of normalised texts."""
    import numpy as np

    words = find_words(normal, features.marks)
    hashes = word_hashes(words)
    buckets = np.full((len(hashes), features.words), features.num_buckets, np.int32)
    for size in range(1, features.words + 1):
        num = len(hashes) - size + 1
        if num <= 0:
            break
        buckets[:num, size - 1] = _buckets(ngram_hashes(hashes, size), features.bits)
        for back in range(1, size):  # runs that begin in one text and end in the next
            last = words.offsets[1:] - back
            buckets[last[last >= words.offsets[:-1]], size - 1] = features.num_buckets
    return Hashed(buckets, words.offsets)


def _chars(normal: list[str], features: Features) -> Hashed:
    """The n-grams of 2 to `chars` UTF-16 units of normalised texts."""
    import numpy as np

    parts = [text.encode("utf-16-le", "replace") for text in normal]
    data = np.frombuffer(b"".join([*parts, bytes(8)]), np.uint8)
    offsets = np.concatenate(([0], np.cumsum(np.array([len(part) // 2 for part in parts], np.int64))))
    units = np.lib.stride_tricks.as_strided(data, (int(offsets[-1]), 8), (2, 1), writeable=False)
    runs = np.ascontiguousarray(units).view("<u8")[:, 0].astype(np.uint64)
    buckets = np.full((len(runs), features.chars - 1), features.num_buckets, np.int32)
    left = np.repeat(offsets[1:], np.diff(offsets)) - np.arange(len(runs))
    with np.errstate(over="ignore"):
        for size in range(2, features.chars + 1):
            run = runs & np.uint64((1 << (16 * size)) - 1)
            there = left >= size
            hashes = mix(run[there] + np.uint64(size) * np.uint64(CHARS))
            buckets[there, size - 2] = _buckets(hashes, features.bits)
    return Hashed(buckets, offsets)


def _buckets(hashes: "np.ndarray", bits: int) -> "np.ndarray":
    import numpy as np

    return (hashes >> np.uint64(64 - bits)).astype(np.int32)


def _load(eights: "np.ndarray", places: "np.ndarray") -> "np.ndarray":
    """The 8 bytes from each place on, as numbers."""
    import numpy as np

    return eights[places].view("<u8")[:, 0].astype(np.uint64, copy=False)


def _kinds(marks: bool) -> "np.ndarray":
    """What each byte is."""
    import numpy as np

    table = np.full(256, SPACE, np.uint8)
    table[128:] = WORD
    for byte in b"0123456789abcdefghijklmnopqrstuvwxyz":
        table[byte] = WORD
    if marks:
        table[[byte for byte in range(33, 127) if table[byte] == SPACE]] = MARK
        table[ord("\n")] = MARK
    return table


def spelled(texts: list[str], features: Features, wanted: list[int]) -> dict[int, str]:
    """What stands in the given buckets: for each the feature that is most frequent in these texts."""
    import numpy as np

    targets = np.array(sorted(set(wanted) - {features.num_buckets}), np.int32)
    found: dict[int, Counter[str]] = {}
    for part, blocks in hashed(texts, features):
        normal = [normalise(text) for text in texts[part]]
        for number, block in enumerate(blocks):
            rows, families = np.nonzero(np.isin(block.buckets, targets))
            hits = block.buckets[rows, families].tolist()
            pieces = _chars_at(normal, rows, families) if number else _words_at(normal, rows, families, features)
            for bucket, piece in zip(hits, pieces, strict=True):
                found.setdefault(bucket, Counter())[piece] += 1
    return {bucket: min(counts, key=lambda name: (-counts[name], name)) for bucket, counts in found.items()}


def _words_at(normal: list[str], rows: "np.ndarray", families: "np.ndarray", features: Features) -> list[str]:
    """The text of the word n-grams that begin with the given words."""
    words = find_words(normal, features.marks)
    data = words.data.tobytes()
    pieces: list[str] = []
    for row, family in zip(rows.tolist(), families.tolist(), strict=True):
        spans = zip(
            words.starts[row : row + family + 1].tolist(), words.ends[row : row + family + 1].tolist(), strict=True
        )
        pieces.append(" ".join(data[a:b].decode("utf-8", "replace").replace("\n", "⏎") for a, b in spans))
    return pieces


def _chars_at(normal: list[str], rows: "np.ndarray", families: "np.ndarray") -> list[str]:
    """The runs of characters that begin at the given places."""
    data = b"".join(text.encode("utf-16-le", "replace") for text in normal)
    sizes = families + 2
    return [
        data[2 * a : 2 * (a + n)].decode("utf-16-le", "replace")
        for a, n in zip(rows.tolist(), sizes.tolist(), strict=True)
    ]
