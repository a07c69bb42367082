"""A small language model of characters: how surprising a text is to somebody who has read the reference texts."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ODD = 0x9E3779B97F4A7C15
MIN_TABLE_BITS, MAX_TABLE_BITS = 16, 20
ALPHABET = 65_536  # the share of a character never seen


class CharacterModel:
    """Interpolated n-grams of characters, counted from texts.

    P(c | h) = (count(hc) + kinds(h) P(c | h')) / (count(h) + kinds(h)), where h' is h without its first character,
    kinds(h) the number of different characters seen after h, and the shortest P is 1 / 65,536.
    Source: Witten & Bell 1991, method C, interpolated (Chen & Goodman 1998, section 2.3). Deviation: n-grams are
    counted in tables by hash without regard to collisions (at least four places for each n-gram, at most a million).
    """

    def __init__(self, texts: Iterable[str], order: int = 5) -> None:
        """Count all n-grams of 1 to `order` characters; a text begins after `order - 1` line breaks."""
        import numpy as np

        self.order = order
        codes = [self._codes(text) for text in texts if text]
        total = sum(map(len, codes))
        self.bits = min(MAX_TABLE_BITS, max(MIN_TABLE_BITS, math.ceil(math.log2(max(1, total)) + 2)))
        self.counts: list[np.ndarray] = []
        self.contexts: list[np.ndarray] = []
        self.kinds: list[np.ndarray] = []
        for n in range(1, order + 1):
            self._count(codes, n)

    def _count(self, codes: "list[np.ndarray]", n: int) -> None:
        """Tables of one length: n-grams, their contexts, and different characters after each context."""
        import numpy as np

        keys = [self._keys(text, n) for text in codes] or [self._keys(self._codes(""), n)]
        whole = np.concatenate([key for key, _ in keys])
        before = np.concatenate([key for _, key in keys])
        different = before[np.unique(whole, return_index=True)[1]]
        for tables, found in ((self.counts, whole), (self.contexts, before), (self.kinds, different)):
            tables.append(np.bincount(self._places(found), minlength=1 << self.bits).astype(np.float32))

    def bits_per_character(self, text: str) -> float:
        """Mean surprise of a character in bits; 2 to this power is the perplexity. Empty texts have 0."""
        import numpy as np

        if not text:
            return 0.0
        codes = self._codes(text)
        probability = np.full(len(text), 1 / ALPHABET, np.float64)
        for n in range(1, self.order + 1):
            whole, before = self._keys(codes, n)
            context = self._places(before)
            num_kinds = self.kinds[n - 1][context]
            seen = self.contexts[n - 1][context] + num_kinds
            mixed = (self.counts[n - 1][self._places(whole)] + num_kinds * probability) / np.maximum(seen, 1)
            probability = np.where(seen > 0, mixed, probability)
        return float(-np.log2(probability).mean())

    def _codes(self, text: str) -> "np.ndarray":
        """Code points after `order - 1` line breaks."""
        import numpy as np

        padded = "\n" * (self.order - 1) + text
        return np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)

    def _keys(self, codes: "np.ndarray", n: int) -> "tuple[np.ndarray, np.ndarray]":
        """A number for each n-gram, and for the n - 1 characters before each character (the same for all if n is 1)."""
        import numpy as np

        length = len(codes) - self.order + 1
        before = np.full(length, n, np.uint64)
        for back in range(n - 1, 0, -1):
            begin = self.order - 1 - back
            before = (before + codes[begin : begin + length]) * np.uint64(ODD)
        return (before + codes[self.order - 1 :]) * np.uint64(ODD) + np.uint64(1), before

    def _places(self, keys: "np.ndarray") -> "np.ndarray":
        import numpy as np

        mixed = keys ^ (keys >> np.uint64(31))
        return ((mixed * np.uint64(ODD)) >> np.uint64(64 - self.bits)).astype(np.int64)
