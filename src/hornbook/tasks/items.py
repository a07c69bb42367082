"""Items of evaluation sets, whatever file they come in: what must not be found in training text.

JSON lines, JSON (a list of records, columns, SQuAD's nesting, a table of results), CSV and TSV with or without a
header, YAML, Parquet, plain text of one item a line, each of them also as `.gz`. All text of a record belongs to its
item; only names, addresses and labels are left out. Passages that several questions share are items of their own.
"""

import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.core.errors import DataError, HornbookError
from hornbook.tasks.example import Example

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".parquet": "parquet",
    ".txt": "text",
}
NO_SET = re.compile(r"readme|licen[cs]e|changelog|copying|notice", re.IGNORECASE)
NO_TEXT = frozenset(
    "id uid _id task_id qid url source src link licence license label gold type category field split dataset "
    "linguistics_term version model_version harm_area counter area subject title is_impossible".split()
)
QUESTIONS = frozenset(("question", "query", "questions", "hypothesis"))
PASSAGES = frozenset(("passage", "context", "article", "story", "paragraph", "background", "premise"))
HEADER_CELL = re.compile(r"[A-Za-z_][\w .\-/()]{0,40}")
HEADER_NAMES = frozenset(
    "id text question query prompt prompts answer answers choices choice options sentence label context passage "
    "input output target category instruction a b c d".split()
)
NUMBERED = re.compile(r"\d+[.):]?\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Item:
    """One case of an evaluation: `task` (the set's name), `id` in it, and every text of it that could leak.

    `part`: `question`, or `passage` for a text that several questions are about.
    """

    task: str
    id: str
    texts: tuple[str, ...]
    part: str = "question"


def find_sets(root: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """The sets at a path (a file, or all files below a folder) as (name, file), and the names of files that are none.

    A set's name is its path below the folder without its ending.
    """
    files = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]
    found: list[tuple[str, Path]] = []
    others: list[str] = []
    for file in files:
        relative = file.relative_to(root if root.is_dir() else root.parent)
        if format_of(file) is None or NO_SET.match(file.name):
            others.append(relative.as_posix())
            continue
        name = relative.as_posix()[: -len("".join(file.suffixes))] or relative.as_posix()
        taken = {other for other, _ in found}
        found.append((relative.as_posix() if name in taken else name, file))
    return found, others


def format_of(file: Path) -> str | None:
    """The format that a file's name tells, by its last known ending (`dev.txt.1` is text); None when there is none."""
    known = [FORMATS[ending.lower()] for ending in reversed(file.suffixes) if ending.lower() in FORMATS]
    return known[0] if known else None


def read_set(name: str, file: Path, fields: tuple[str, ...] = ()) -> Iterator[Item]:
    """The items of one set. `fields`: the only fields whose text counts (empty = all but names and labels).

    Raises DataError for a file that cannot be read as what its name says.
    """
    kind = format_of(file)
    if kind is None:
        do = f"Give files of {', '.join(sorted(set(FORMATS.values())))}"
        raise DataError("this is no evaluation set that can be read", where=str(file), do=do)
    passages: set[str] = set()
    try:
        for number, record in enumerate(_records(kind, file)):
            identity = str(record.get("id", record.get("task_id", number))) if not fields else str(number)
            yield from _items(name, identity, record, fields, passages)
    except HornbookError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"the set cannot be read as {kind}: {error}", where=str(file)) from None


def items_of(task: str, examples: Iterable[Example]) -> Iterator[Item]:
    """The items of a task of ours: what is asked, and the answers (rivals and graders' notes are left out)."""
    for example in examples:
        asked = tuple(m.content for m in example.messages if m.role != "system")
        yield Item(task, example.id, asked + example.answers)


def _items(
    name: str, identity: str, record: dict[str, Any], fields: tuple[str, ...], passages: set[str]
) -> Iterator[Item]:
    """The item of a record, and the passage it is about when no record before had it."""
    if "qas" in record or "paragraphs" in record:
        for number, inner in enumerate(_unfolded(record)):
            yield from _items(name, f"{inner.get('id', f'{identity}.{number}')}", inner, fields, passages)
        return
    passage_fields = PASSAGES & record.keys() if QUESTIONS & record.keys() or record.keys() <= PASSAGES else set()
    for field in sorted(passage_fields) if not fields else ():
        texts = tuple(_texts(record[field]))
        if texts and texts[0] not in passages:
            passages.add(texts[0])
            yield Item(name, f"{identity}/{field}", texts, "passage")
    chosen = {key: value for key, value in record.items() if key not in passage_fields} if not fields else record
    texts = tuple(
        text
        for key, value in chosen.items()
        if (key in fields if fields else key.lower() not in NO_TEXT)
        for text in _texts(value)
    )
    if texts or not passage_fields:
        yield Item(name, identity, texts)


def _unfolded(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """SQuAD's nesting: articles of paragraphs of questions, as a passage and its questions."""
    for paragraph in record.get("paragraphs", (record,)):
        yield {"context": paragraph.get("context", "")}
        yield from paragraph.get("qas", ())


def _texts(value: Any) -> Iterator[str]:
    """Every text inside a value that has more than one word."""
    if isinstance(value, str):
        if len(value.split()) > 1:
            yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if str(key).lower() not in NO_TEXT:
                yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _records(kind: str, file: Path) -> Iterator[dict[str, Any]]:
    if kind == "parquet":
        yield from _parquet(file)
    elif kind == "jsonl":
        yield from _json_lines(file)
    elif kind in ("csv", "tsv"):
        yield from _table(_read(file), "\t" if kind == "tsv" else ",")
    elif kind == "text":
        yield from _lines(_read(file))
    else:
        yield from _nested(_yaml(file) if kind == "yaml" else json.loads(_read(file)))


def _read(file: Path) -> str:
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return data.decode("utf-8-sig")


def _json_lines(file: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_read(file).split("\n"), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"not JSON: {error.msg}", where=f"{file}:{number}") from None
            yield value if isinstance(value, dict) else {"text": value}


def _nested(value: Any) -> Iterator[dict[str, Any]]:
    """Records in a JSON value: of a list, of columns of equal length, or of whatever lists of records it holds."""
    if isinstance(value, list):
        for inner in value:
            yield inner if isinstance(inner, dict) else {"text": inner}
        return
    if not isinstance(value, dict):
        yield {"text": value}
        return
    lists = {key: inner for key, inner in value.items() if isinstance(inner, list) and inner}
    nested = [inner for inner in lists.values() if all(isinstance(part, dict) for part in inner)]
    if nested and "qas" not in value:
        for inner in nested:
            yield from inner
    elif lists and len(lists) == len(value) and len({len(inner) for inner in lists.values()}) == 1:
        for row in zip(*lists.values(), strict=True):
            yield dict(zip(lists, row, strict=True))
    elif value and all(isinstance(inner, dict) for inner in value.values()):
        yield from ({"id": key, **inner} for key, inner in value.items())
    else:
        yield value


def _table(text: str, delimiter: str) -> Iterator[dict[str, Any]]:
    """Rows by the names of the header, or by number where the first row is an item already (MMLU)."""
    csv.field_size_limit(1 << 27)
    rows = [row for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if row]
    if not rows:
        return
    named = is_header(rows[0])
    names = rows[0] if named else [f"column {number}" for number in range(len(rows[0]))]
    for row in rows[1:] if named else rows:
        yield dict(zip(names, row, strict=False))


def is_header(row: list[str]) -> bool:
    """Whether a first row names columns: short different words, one of them a usual name of a column.

    >>> is_header(["id", "harm_area", "prompts_final"]), is_header(["What is 2 + 2?", "1", "2", "3", "4", "D"])
    (True, False)
    """
    cells = [cell.strip() for cell in row]
    words = {word for cell in cells for word in re.split(r"[\W_]+", cell.lower())}
    return len(set(cells)) == len(cells) and all(map(HEADER_CELL.fullmatch, cells)) and bool(words & HEADER_NAMES)


def _lines(text: str) -> Iterator[dict[str, Any]]:
    """One item a line; numbers before all lines are theirs, not text."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = len(lines) > 1 and all(map(NUMBERED.match, lines))
    for line in lines:
        yield {"text": NUMBERED.sub("", line, count=1) if numbered else line}


def _yaml(file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(_read(file))
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _parquet(file: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as table:
        for batch in table.iter_batches(batch_size=1024):
            yield from batch.to_pylist()
