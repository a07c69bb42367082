"""Find a document by id, address or words, and follow it through the documents of a run, stage after stage."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact
from hornbook.core.document import Document, from_table

if TYPE_CHECKING:
    import pyarrow

MAX_FOUND = 20
LEFT_OUT = r"^[a-zA-Z][a-zA-Z0-9+.-]*://(?:www\.)?|^www\.|/+$"
"""What people leave out of an address: the scheme, `www.`, the last slash."""
Test = Callable[[Any], Any]
"""An Arrow column -> an Arrow column of true and false."""


@dataclass(frozen=True)
class Fate:
    """What one stage did with one document. `rule` is empty where it was kept."""

    artifact: Artifact
    document: Document
    rule: str = ""
    value: str = ""


def find(artifacts: Sequence[Artifact], words: str, most: int = MAX_FOUND) -> tuple[str, list[str]]:
    """How something was found (`id`, `address`, `part of the address`, `text`) and the ids of those documents.

    Cheap columns first: ids, then addresses, the texts last; of the texts those of the first stage that has the words.
    An address may be given without `https://`, `www.` and the last slash. Nothing found: ("", []).
    """
    import pyarrow

    pc = _compute()
    wanted = pyarrow.array([words], pyarrow.large_string())
    bare = _bare(words)
    tries: list[tuple[str, str, Test]] = [("id", "id", lambda column: pc.is_in(column, value_set=wanted))]
    if " " not in words.strip():
        tries.append(("address", "url", lambda column: pc.equal(_bare_column(column), bare)))
        if "/" in bare or "." in bare:
            tries.append(("part of the address", "url", lambda column: pc.match_substring(column, bare)))
    tries.append(("text", "text", lambda column: pc.match_substring(column, words, ignore_case=True)))
    for how, name, test in tries:
        for artifact in artifacts:
            ids = list(dict.fromkeys(_ids(artifact.path, name, test, most)))
            if ids:
                return how, ids[:most]
    return "", []


def follow(artifacts: Sequence[Artifact], ids: Sequence[str]) -> dict[str, list[Fate]]:
    """What became of documents, in the order of the stages: id -> fates (those of dropped ones last)."""
    import pyarrow

    pc = _compute()
    wanted = pyarrow.array(list(ids), pyarrow.large_string())
    found: dict[str, list[Fate]] = {identity: [] for identity in ids}
    for artifact in artifacts:
        for folder in ("kept", "dropped"):
            for batch in matching(artifact.path / folder, "id", lambda column: pc.is_in(column, value_set=wanted)):
                marks: list[Any] = [[""] * batch.num_rows] * 2
                if folder == "dropped":
                    marks = [batch.column("rule").to_pylist(), batch.column("value").to_pylist()]
                for document, rule, value in zip(from_table(batch), *marks, strict=True):
                    found[document.id].append(Fate(artifact, document, rule, value))
    return found


def with_value(artifact: Artifact, column: str, value: str, most: int = MAX_FOUND) -> list[str]:
    """Ids of the documents whose `id` or `url` is exactly this."""
    pc = _compute()
    return _ids(artifact.path, column, lambda found: pc.equal(found, value), most)[:most]


def matching(folder: Path, column: str, test: Test, columns: list[str] | None = None) -> Iterator["pyarrow.Table"]:
    """Rows of a folder's shards where a column passes a test. Other columns are read only where a row does."""
    import pyarrow.parquet

    pc = _compute()
    for shard in sorted(folder.glob("*.parquet")):
        with pyarrow.parquet.ParquetFile(shard) as file:
            for group in range(file.num_row_groups):
                mask = test(file.read_row_group(group, columns=[column]).column(column))
                if pc.any(mask).as_py():
                    yield file.read_row_group(group, columns=columns).filter(mask)


def _ids(path: Path, column: str, test: Test, most: int) -> list[str]:
    """Ids of the kept documents that pass, then of dropped ones."""
    found: list[str] = []
    for folder in ("kept", "dropped"):
        for table in matching(path / folder, column, test, ["id"]):
            found += table.column("id").to_pylist()
            if len(found) >= most:
                return found
    return found


def _bare(url: str) -> str:
    """An address without what people leave out."""
    return re.sub(LEFT_OUT, "", url.strip())


def _bare_column(urls: Any) -> Any:
    return _compute().replace_substring_regex(urls, LEFT_OUT, "")


def _compute() -> Any:
    """Arrow's functions on columns, which its stubs do not know."""
    import pyarrow.compute

    return pyarrow.compute
