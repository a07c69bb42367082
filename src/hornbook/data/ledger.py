"""The books of a data stage: every document is either kept or dropped under a named rule, and all of it is counted."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Out, write_json
from hornbook.core.document import Document, to_table
from hornbook.core.errors import DataError
from hornbook.shards.workspace import Workspace

ROW_GROUP_DOCS = 1024
ROW_GROUP_BYTES = 16_000_000


class Ledger:
    """Writes `kept/NAME.parquet` and `dropped/NAME.parquet` of one shard and keeps its funnel.

    Row groups are cut by documents and bytes, never by time, so that the same documents give the same bytes.
    """

    def __init__(self, work: Workspace, scores: tuple[str, ...] = ()) -> None:
        """`scores`: numbers of `meta` that also get a Parquet column of their own (null where a document has none)."""
        self._kept = _Rows(work.output(f"kept/{work.name}.parquet"), False, scores)
        self._dropped = _Rows(work.output(f"dropped/{work.name}.parquet"), True, scores)
        self.edited: Counter[str] = Counter()
        self.dropped_by: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.licences: set[str] = set()
        self.num_in = 0
        self.bytes_in = 0

    def keep(self, document: Document, bytes_in: int) -> None:
        """The document stays; `bytes_in` is what it measured before any edit."""
        self.num_in += 1
        self.bytes_in += bytes_in
        self._kept.add(document)

    def drop(self, document: Document, rule: str, value: float | str, bytes_in: int) -> None:
        """The document goes under `rule`, with the value that was measured."""
        self.num_in += 1
        self.bytes_in += bytes_in
        self.dropped_by[rule] += 1
        self._dropped.add(document, rule, f"{value:.6g}" if isinstance(value, float) else str(value))

    def edit(self, counts: dict[str, int]) -> None:
        """Edits by rule of a document that is then kept or dropped."""
        self.edited.update(counts)

    def close(self) -> dict[str, Any]:
        """Finish the files; returns the funnel of this shard."""
        num_kept, bytes_kept = self._kept.close()
        self._dropped.close()
        return {
            "in": self.num_in,
            "kept": num_kept,
            "edited": dict(self.edited),
            "dropped": dict(self.dropped_by),
            "bytes_in": self.bytes_in,
            "bytes_kept": bytes_kept,
            "others": dict(self.others),
            "licences": sorted(self.licences),
        }


class _Rows:
    """A Parquet file written one bounded row group at a time."""

    def __init__(self, path: Path, with_rule: bool, scores: tuple[str, ...]) -> None:
        self.path = path
        self.with_rule = with_rule
        self.scores = scores
        self.num_rows = 0
        self.num_bytes = 0
        self._documents: list[Document] = []
        self._rules: list[tuple[str, str]] = []
        self._pending_bytes = 0
        self._writer: Any = None

    def add(self, document: Document, rule: str = "", value: str = "") -> None:
        self._documents.append(document)
        if self.with_rule:
            self._rules.append((rule, value))
        self._pending_bytes += num_bytes(document.text)
        if len(self._documents) >= ROW_GROUP_DOCS or self._pending_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> tuple[int, int]:
        if self._documents or self._writer is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()
        return self.num_rows, self.num_bytes

    def _flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        table = to_table(self._documents)
        for name in self.scores:
            values = [document.meta.get(name) for document in self._documents]
            table = table.append_column(name, pyarrow.array(values, pyarrow.float64()))
        if self.with_rule:
            table = table.append_column("rule", pyarrow.array([r for r, _ in self._rules], pyarrow.large_string()))
            table = table.append_column("value", pyarrow.array([v for _, v in self._rules], pyarrow.large_string()))
        if self._writer is None:
            dictionary: Any = ["source"]  # the stub knows only true and false
            self._writer = pyarrow.parquet.ParquetWriter(
                self.path, table.schema, compression="zstd", use_dictionary=dictionary, write_statistics=False
            )
        self._writer.write_table(table)
        self.num_rows += len(self._documents)
        self.num_bytes += self._pending_bytes
        self._documents, self._rules, self._pending_bytes = [], [], 0


def num_bytes(text: str) -> int:
    """UTF-8 bytes of a text (its length, without encoding it, when it is ASCII)."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def merge(funnels: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The funnel of a whole stage from those of its shards."""
    total: dict[str, Any] = {"in": 0, "kept": 0, "edited": Counter(), "dropped": Counter(), "bytes_in": 0}
    total |= {"bytes_kept": 0, "others": Counter()}
    for funnel in funnels:
        for name, value in total.items():
            if isinstance(value, Counter):
                value.update(funnel[name])
            else:
                total[name] += funnel[name]
    return {name: dict(sorted(v.items())) if isinstance(v, Counter) else v for name, v in total.items()}


def conclude(out: Out, funnels: list[dict[str, Any]], what: str, names: list[str] | None = None) -> dict[str, Any]:
    """Write `funnel.json`, fill the manifest's counts, remove shards of an earlier attempt.

    Raises DataError when not one document was kept: nothing after this stage could work.
    """
    funnel = merge(funnels)
    if funnel["kept"] == 0:
        reasons = ", ".join(f"{rule} {n}" for rule, n in sorted(funnel["dropped"].items(), key=lambda i: -i[1])[:5])
        found = f"no document was kept out of {funnel['in']}" if funnel["in"] else "nothing was found to read"
        if not funnel["in"] and funnel["others"]:
            found += f" but records of other kinds: {', '.join(f'{kind} {n}' for kind, n in funnel['others'].items())}"
        raise DataError(
            found + (f" (dropped by {reasons})" if reasons else ""),
            where=what,
            do="Look at the settings of these rules" if funnel["in"] else "Check the path and the file names",
        )
    if names is not None:
        expected = {f"{name}.parquet" for name in names}
        for folder in ("kept", "dropped"):
            for file in (Path(out.path) / folder).glob("*.parquet"):
                if file.name not in expected:
                    file.unlink()
    write_json(Path(out.path) / "funnel.json", funnel)
    out.counts.update(docs=funnel["kept"], dropped=sum(funnel["dropped"].values()), bytes=funnel["bytes_kept"])
    out.licences.extend(sorted({licence for f in funnels for licence in f.get("licences", ())}))
    return funnel


def read_funnel(folder: Path) -> dict[str, Any]:
    """The funnel of a documents artifact."""
    return json.loads((folder / "funnel.json").read_text(encoding="utf-8"))
