"""Which documents go as copies of which others: arrays over all shards, a file for each shard, the biggest groups."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.document import Document, from_table
from hornbook.shards.shard import write_whole

if TYPE_CHECKING:
    import numpy as np

NUM_SHOWN, NUM_COPIES_SHOWN, SHOWN_CHARS = 5, 2, 300
SIZES = (2, 3, 4, 5, 10, 20, 50, 100, 1000, 10_000)


class Verdicts:
    """Who goes, by which rule, how alike to the copy that it points at; 13 bytes a document."""

    def __init__(self, num_documents: int) -> None:
        import numpy as np

        self._rules: list[str] = []
        self._rule = np.zeros(num_documents, np.uint8)
        self._value = np.zeros(num_documents, np.float32)
        self._kept = np.arange(num_documents)

    def alone(self) -> "np.ndarray":
        """Which documents stay so far."""
        return self._rule == 0

    def add(self, rule: str, kept: "np.ndarray") -> None:
        """Drop every document that has another copy to keep (`kept`: for each document the one to keep, or itself)."""
        import numpy as np

        gone = np.flatnonzero(kept != np.arange(len(kept)))
        self._rule[gone], self._value[gone], self._kept[gone] = self._code(rule), 1.0, kept[gone]

    def add_one(self, rule: str, number: int, value: float, kept: int) -> None:
        """Drop one document that is alike to one that is kept."""
        self._rule[number], self._value[number], self._kept[number] = self._code(rule), value, kept

    def kept(self) -> "np.ndarray":
        """The copy that stays for each document: one that a copy points at may itself have gone by a later rule."""
        kept = self._kept
        for _ in self._rules:
            kept = self._kept[kept]
        return kept

    def write(self, folder: Path, names: list[str], starts: "np.ndarray") -> None:
        """One `NAME.verdicts.json` for each shard: row -> [rule, value, id of the kept copy].

        `starts`: the number of each shard's first document, and of the one after the last.
        """
        import numpy as np

        gone = np.flatnonzero(self._rule)
        kept = self.kept()[gone]
        home = np.searchsorted(starts, kept, side="right") - 1
        order = np.argsort(home, kind="stable")
        ends = np.searchsorted(home[order], np.arange(len(starts)))
        ids = [np.zeros(0, np.bytes_)]
        for shard in np.flatnonzero(np.diff(ends)).tolist():
            there = kept[order[ends[shard] : ends[shard + 1]]] - starts[shard]
            ids.append(np.load(folder / f"{names[shard]}.id.npy")[there])
        kept_ids = np.concatenate(ids)[np.argsort(order)]
        borders = np.searchsorted(gone, starts)
        for shard, name in enumerate(names):
            part = slice(int(borders[shard]), int(borders[shard + 1]))
            here = gone[part]
            columns = (here - starts[shard], self._rule[here], self._value[here], kept_ids[part])
            rows = zip(*(column.tolist() for column in columns), strict=True)
            found = {row: [self._rules[rule - 1], value, identity.decode()] for row, rule, value, identity in rows}
            write_whole(folder / f"{name}.verdicts.json", found)

    def clusters(self, files: list[str], starts: "np.ndarray", alike: str) -> dict[str, Any]:
        """How many groups of which size, how alike copies by the rule `alike` are, and the biggest groups to read."""
        import numpy as np

        gone = np.flatnonzero(self._rule)
        kept, copies = np.unique(self.kept()[gone], return_counts=True)
        sizes = Counter((copies + 1).tolist())
        groups: Counter[str] = Counter()
        for size in sorted(sizes):
            groups[_label(size)] += sizes[size]
        code = self._rules.index(alike) + 1 if alike in self._rules else 255
        values = self._value[self._rule == code].tolist()
        tenths = Counter(min(9, int(round(10 * value, 5))) for value in values)  # 0.7 is .69999999 in 32 bits
        biggest = np.lexsort((kept, -copies))[:NUM_SHOWN]
        final = self.kept()[gone]
        members = [[n, *gone[final == n][:NUM_COPIES_SHOWN].tolist()] for n in kept[biggest].tolist()]
        texts = _texts(files, starts, [number for group in members for number in group])
        shown: list[dict[str, str | None]] = []
        for group, copy_count in zip(members, copies[biggest].tolist(), strict=True):
            names = ["kept", *(f"copy {n}" for n in range(1, len(group)))]
            shown.append({"documents": str(copy_count + 1)} | dict(zip(names, map(texts.get, group), strict=True)))
        return {
            "sizes": [[label, n] for label, n in groups.items()],
            "similarity": [[f"{n / 10:.1f} to {(n + 1) / 10:.1f}", tenths[n]] for n in sorted(tenths)],
            "biggest": shown,
        }

    def _code(self, rule: str) -> int:
        if rule not in self._rules:
            self._rules.append(rule)
        return self._rules.index(rule) + 1


def _label(size: int) -> str:
    """
    >>> [_label(n) for n in (2, 7, 10, 20_000)]
    ['2', '5 to 9', '10 to 19', '10,000 and more']
    """
    low = max(n for n in SIZES if n <= size)
    if low == SIZES[-1]:
        return f"{low:,} and more"
    high = SIZES[SIZES.index(low) + 1] - 1
    return f"{low:,}" if high == low else f"{low:,} to {high:,}"


def _texts(files: list[str], starts: "np.ndarray", numbers: list[int]) -> dict[int, str]:
    """The beginnings of some documents, each row group that has some read once."""
    import numpy as np
    import pyarrow.parquet

    found: dict[int, str] = {}
    home = np.searchsorted(starts, numbers, side="right") - 1
    for shard in sorted(set(home.tolist())):
        rows = {n - int(starts[shard]): n for n, h in zip(numbers, home.tolist(), strict=True) if h == shard}
        with pyarrow.parquet.ParquetFile(files[shard]) as file:
            begin = 0
            for group in range(file.num_row_groups):
                end = begin + file.metadata.row_group(group).num_rows
                here = sorted(row for row in rows if begin <= row < end)
                if here:
                    table = file.read_row_group(group, columns=["id", "text", "url"])
                    for row in here:
                        found[rows[row]] = _shown(next(from_table(table.slice(row - begin, 1))))
                begin = end
    return found


def _shown(document: Document) -> str:
    text = document.text if len(document.text) <= SHOWN_CHARS else document.text[:SHOWN_CHARS] + " …"
    return f"{document.url}\n{text}" if document.url else text
