"""How often words, pairs and triples of words occur, counted exactly and kept in bounded memory.

Source: the summary of Misra & Gries 1982 as merged by Agarwal et al. 2012. Deviation: counts are exact until a table is
full; it is then cut to the commonest, and the largest counts that were cut off, added up, bound what an entry lacks.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SIZES: tuple[int, ...] = (1, 2, 3)
BITS = 20
MOST_WORDS = (1 << BITS) - 2
BORDER, RARE = 0, 1
MERGE_WORDS = 1_000_000


class RunCounter:
    """Counts runs of 1 to 3 words in texts that are given as lists of words.

    Memory: at most `most_words` different words (later ones count as one rare word, in no run) and about 2 `keep`
    different runs of each length, and those of `merge_words` words that wait to be counted.
    """

    def __init__(self, keep: int, most_words: int = MOST_WORDS, merge_words: int = MERGE_WORDS) -> None:
        self.keep = keep
        self.most_words = most_words
        self.merge_words = merge_words
        self.num_words = 0
        self.words = ["", ""]
        self._index: dict[str, int] = {}
        self._waiting: dict[int, list[np.ndarray]] = {size: [] for size in SIZES}
        self._num_waiting = 0
        self._tables: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.cut: dict[int, int] = dict.fromkeys(SIZES, 0)

    def add(self, texts: Sequence[Sequence[str]]) -> None:
        """Count a batch of texts."""
        import numpy as np

        flat: list[int] = [BORDER]
        for words in texts:
            self.num_words += len(words)
            flat += [self._number(word) for word in words]
            flat.append(BORDER)
        ids = np.array(flat, np.uint64)
        shift = np.uint64(BITS)
        keys, usable = ids, ids > RARE
        for size in SIZES:
            if size > 1:
                keys = (keys[:-1] << shift) | ids[size - 1 :]
                usable = usable[:-1] & (ids[size - 1 :] > RARE)
            self._waiting[size].append(keys[usable])
        self._num_waiting += len(ids)
        if self._num_waiting >= self.merge_words:
            self._merge_all()

    def top(self, size: int, most: int) -> list[tuple[str, int]]:
        """The commonest runs of `size` words with their counts; equal counts in the order of the alphabet."""
        keys, counts = self._table(size)
        order = counts.argsort(kind="stable")[::-1]
        if len(order) > most:  # all that tie with the last one take part in the ordering
            order = order[: int((counts >= counts[order[most - 1]]).sum())]
        named = [(self._name(int(keys[i]), size), int(counts[i])) for i in order.tolist()]
        return sorted(named, key=lambda item: (-item[1], item[0]))[:most]

    def next_count(self, size: int, most: int) -> int:
        """The most that a run outside the first `most` can have occurred."""
        counts = self._table(size)[1]
        left = int(sorted(counts.tolist(), reverse=True)[most]) if len(counts) > most else 0
        return left + self.cut[size]

    def _number(self, word: str) -> int:
        found = self._index.get(word)
        if found is not None:
            return found
        if len(self._index) >= self.most_words:
            return RARE
        self._index[word] = number = len(self.words)
        self.words.append(word)
        return number

    def _name(self, key: int, size: int) -> str:
        parts = [(key >> (BITS * place)) & ((1 << BITS) - 1) for place in range(size)]
        return " ".join(self.words[part] for part in reversed(parts))

    def _table(self, size: int) -> "tuple[np.ndarray, np.ndarray]":
        import numpy as np

        self._merge_all()
        return self._tables.get(size, (np.zeros(0, np.uint64), np.zeros(0, np.int64)))

    def _merge_all(self) -> None:
        """Count what waits: sorting many keys at once costs far less than a merge for each batch."""
        import numpy as np

        self._num_waiting = 0
        for size, waiting in self._waiting.items():
            if waiting:
                keys = np.concatenate(waiting)
                waiting.clear()
                self._merge(size, *np.unique(keys, return_counts=True))

    def _merge(self, size: int, keys: "np.ndarray", counts: "np.ndarray") -> None:
        import numpy as np

        old_keys, old_counts = self._tables.get(size, (np.zeros(0, np.uint64), np.zeros(0, np.int64)))
        merged, place = np.unique(np.concatenate([old_keys, keys]), return_inverse=True)
        total = np.bincount(place, np.concatenate([old_counts, counts])).astype(np.int64)
        if len(merged) > 2 * self.keep:
            border = np.partition(total, len(total) - self.keep)[len(total) - self.keep]
            stays = total >= border
            if stays.sum() > 2 * self.keep:  # too many that tie
                stays = total > border
            self.cut[size] += int(total[~stays].max(initial=0))
            merged, total = merged[stays], total[stays]
        self._tables[size] = (merged, total)


def merge_top(parts: Iterable[tuple[Sequence[tuple[str, int]], int, int]], most: int) -> list[tuple[str, int, int]]:
    """The commonest runs over several lists: (run, count, how much too low the count can be at most).

    `parts`: of each list its runs with counts, the most that a run outside it can have occurred, and how much too low
    a count inside it can be.
    """
    counts, unseen, total = Counter[str](), Counter[str](), 0
    for listed, border, lack in parts:
        total += border
        for run, count in listed:
            counts[run] += count
            unseen[run] += border - lack
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return [(run, count, total - unseen[run]) for run, count in ordered]


def zipf_exponent(counts: Sequence[int]) -> float | None:
    """The slope of ln count over ln rank, sign turned, of counts in falling order (None for fewer than ten).

    Source: Zipf 1949; least squares on the first thousand ranks.
    """
    import numpy as np

    if len(counts) < 10:
        return None
    ranks = np.log(np.arange(1, min(len(counts), 1000) + 1))
    slope = np.polyfit(ranks, np.log(np.array(counts[:1000], float)), 1)[0]
    return float(-slope)
