"""Word shingles of many texts at once, as 64-bit numbers, without a Python loop over words.

Source: Broder 1997, "On the resemblance and containment of documents". Deviation: a shingle is a 64-bit mix of its
words' hashes, kept by itself and not as text.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from hornbook.data.copies.rolling import Rolling

if TYPE_CHECKING:
    import numpy as np

CHUNK_CHARS = 200_000
"""Texts are hashed together up to this length: numpy's arrays then stay in the processor's cache, and memory small."""
CHUNK_TEXTS = 1024
DASHES_AND_QUOTES = dict.fromkeys("“”‘’„‚«»‹›–—−…·•¡¿、。，！？：；（）「」『』《》\u00a0\u2009\u202f\ufeff", " ")

Item = TypeVar("Item")


def normalise(text: str) -> str:
    """Lower case, and typographic punctuation as spaces; everything else that is no ASCII letter or digit splits later.

    >>> normalise("“Hello” — World")
    ' hello    world'
    """
    text = text.lower()
    if text.isascii():
        return text
    for mark, space in DASHES_AND_QUOTES.items():
        if mark in text:
            text = text.replace(mark, space)
    return text


def shingles(texts: list[str], words: int) -> tuple["np.ndarray", "np.ndarray"]:
    """The shingles of each text: hashes of every `words` neighbouring words, and where each text's begin.

    Returns (uint64 hashes, int64 offsets of length len(texts) + 1). Words are runs of ASCII letters and digits and of
    any other UTF-8 bytes; a text with fewer words has one shingle of all of them, a text without words has none.
    Hashes of the bytes of a word, then of the hashes of words, are the same in every process (Python's
    own are not). Languages without spaces get long "words", so only near-verbatim copies are found there.
    """
    hashes, offsets = words_of(texts)
    return windows(hashes, offsets, words)


def in_chunks(items: Iterable[Item], text: Callable[[Item], str]) -> Iterator[list[Item]]:
    """Lists of neighbours whose texts together reach CHUNK_CHARS, or CHUNK_TEXTS of them."""
    chunk: list[Item] = []
    size_chars = 0
    for item in items:
        chunk.append(item)
        size_chars += len(text(item))
        if size_chars >= CHUNK_CHARS or len(chunk) == CHUNK_TEXTS:
            yield chunk
            chunk, size_chars = [], 0
    if chunk:
        yield chunk


def words_of(texts: list[str]) -> tuple["np.ndarray", "np.ndarray"]:
    """Hashes of the words of each text in their order, and where each text's begin [len(texts) + 1]."""
    import numpy as np

    encoded = [normalise(text).encode("utf-8", "replace") for text in texts]
    data = np.frombuffer(b"\n".join(encoded) + b"\n", np.uint8)
    ends_of_texts = np.cumsum([len(text) + 1 for text in encoded], dtype=np.int64)
    is_word = _word_bytes()[data]
    edge = np.diff(np.concatenate(([0], is_word.view(np.int8))))
    starts, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    hashes = Rolling(data).hashes(starts, ends)
    return hashes, np.concatenate(([0], np.searchsorted(starts, ends_of_texts)))


def _word_bytes() -> "np.ndarray":
    import numpy as np

    table = np.zeros(256, bool)
    table[128:] = True
    for byte in b"0123456789abcdefghijklmnopqrstuvwxyz":
        table[byte] = True
    return table


def windows(hashes: "np.ndarray", offsets: "np.ndarray", words: int) -> tuple["np.ndarray", "np.ndarray"]:
    """Hashes of every window of `words` words inside each text (of all its words where it has fewer), and offsets."""
    import numpy as np

    counts = np.diff(offsets)
    num_windows = np.where(counts >= words, counts - words + 1, (counts > 0).astype(np.int64))
    out_offsets = np.concatenate(([0], np.cumsum(num_windows)))
    begin = np.arange(out_offsets[-1]) + np.repeat(offsets[:-1] - out_offsets[:-1], num_windows)
    end = begin + np.repeat(np.minimum(counts, words), num_windows)
    return Rolling(hashes).hashes(begin, end), out_offsets


def jaccard(a: "np.ndarray", b: "np.ndarray") -> float:
    """Jaccard similarity of two sorted arrays of different numbers: shared over all."""
    import numpy as np

    if not len(a) and not len(b):
        return 0.0
    both = np.sort(np.concatenate((a, b)))
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / (len(a) + len(b) - shared)
