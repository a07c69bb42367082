"""What lies at a path: pages, texts, tables, lists of addresses, chat logs, by names and the beginnings of files."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from hornbook.core.errors import DataError

HEAD_BYTES = 65_536
HEAD_RECORDS = 50
SEPARATOR = "<|endoftext|>"
LONG_FILE_BYTES = 50_000
TEXT_FIELDS = ("text", "content", "story", "body", "document", "article")
COMMON_SHARE = 0.2
ADDRESS = re.compile(r"https?://\S+")
LIST_SHARE = 0.9
WORDY_CHARS = 100
PAGE_OF_ADDRESS = 80
"""Bytes of text behind a byte of a list: an address of 60 characters leads to about 5 kB."""


@dataclass(frozen=True)
class Group:
    """Files that one source of a recipe can read: how, and what they look like. `languages`: most frequent first;
    `header`: of a table, whether its first row names the columns.
    """

    format: str
    files: tuple[Path, ...]
    num_bytes: int
    mode: str = ""
    field: str = ""
    languages: tuple[str, ...] = ()
    header: bool = True


@dataclass(frozen=True)
class AddressList:
    """A file of addresses to fetch: `field` of its records holds them ("" in a text file)."""

    path: Path
    field: str = ""


@dataclass(frozen=True)
class Survey:
    """What was found below `root`. `other`: suffixes of files that no stage reads, with how many there are.

    `pages`: HTML, WARC and WET files; `pages_glob`: which of them to read, empty = all.
    """

    root: Path
    pages: tuple[Path, ...] = ()
    page_bytes: int = 0
    pages_glob: str = ""
    lists: tuple[AddressList, ...] = ()
    texts: tuple[Group, ...] = ()
    chats: tuple[Path, ...] = ()
    other: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def num_bytes(self) -> int:
        """Bytes on disk of everything that a base model can learn from."""
        listed = sum(part.path.stat().st_size for part in self.lists) * PAGE_OF_ADDRESS
        return self.page_bytes + listed + sum(group.num_bytes for group in self.texts)


def survey(root: Path) -> Survey:
    """Look at a file or a folder. Raises DataError when nothing there can be used."""
    from hornbook.data.files.sources import format_of

    files = sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p, root)) if root.is_dir() else [root]
    pages: list[Path] = []
    chats: list[Path] = []
    lists: list[AddressList] = []
    kinds: dict[tuple[str, str, str, bool, str], list[tuple[Path, tuple[str, ...]]]] = {}
    other = Counter[str]()
    for path in files:
        kind, compression = format_of(path)
        if path.stat().st_size == 0:
            other["empty files"] += 1
        elif kind in ("html", "warc"):
            pages.append(path)
        elif kind == "wat":
            other["WAT (links and titles without text; the stage data.wat reads them)"] += 1
        elif kind == "":
            other[path.suffix or "no suffix"] += 1
        else:
            judged = _judge(path, kind, compression)
            if judged is None:
                other[f"{path.suffix} without text"] += 1
            elif judged.mode == "chat":
                chats.append(path)
            elif judged.mode == "list":
                lists.append(AddressList(path, judged.field))
            else:
                key = (kind, judged.mode, judged.field, judged.header, ending(path))
                kinds.setdefault(key, []).append((path, judged.languages))
    texts = tuple(_group(key, found) for key, found in kinds.items())
    pages, glob = _without_copies(pages, other)
    if not pages and not texts and not chats and not lists:
        seen = ", ".join(f"{count} {name}" for name, count in other.most_common(5)) or "nothing at all"
        raise DataError(
            f"there is nothing here to learn from: found {seen}",
            where=str(root),
            do="HTML, WARC, WET, text, Markdown, JSON lines, CSV, Parquet and lists of addresses can be read, plain, "
            "gzip or zstd",
        )
    size = sum(path.stat().st_size for path in pages)
    return Survey(root, tuple(pages), size, glob, tuple(lists), texts, tuple(chats), dict(other))


def _without_copies(pages: list[Path], other: Counter[str]) -> tuple[list[Path], str]:
    """The pages, and the glob that finds them: WET files beside the WARC files they were made from are left out."""
    wet = [path for path in pages if ".wet" in path.suffixes]
    rest = [path for path in pages if ".wet" not in path.suffixes]
    endings = {ending(path) for path in rest}
    if not wet or len(endings) != 1 or ".warc" not in next(iter(endings)):
        return pages, ""
    other["WET (the text of the WARC files beside them)"] += len(wet)
    return rest, f"*{next(iter(endings))}"


def ending(path: Path) -> str:
    """What a glob for files like this one ends with: `.txt`, `.jsonl.gz`."""
    return "".join(path.suffixes[-2:]) if path.suffix in (".gz", ".zst") else path.suffix


@dataclass(frozen=True)
class _Judged:
    """What a file is: its `mode` ("chat": a chat log, "list": addresses), and how to read it."""

    mode: str
    field: str = ""
    languages: tuple[str, ...] = ()
    header: bool = True


def _judge(path: Path, kind: str, compression: str) -> _Judged | None:
    """How one file is to be read; None when no text is in it."""
    if kind == "text":
        head = "".join(_head(path, compression))
        if _is_list(head.splitlines()[:HEAD_RECORDS]):
            return _Judged("list")
        mode = "separator" if SEPARATOR in head else "paragraphs" if len(head) > LONG_FILE_BYTES else "file"
        return _Judged(mode, "", _languages(head.split(SEPARATOR)[:HEAD_RECORDS])) if head.strip() else None
    records = list(_records(path, kind, compression))
    if kind == "jsonl" and records and all(_is_chat(record) for record in records):
        return _Judged("chat")
    header = not (kind in ("csv", "tsv") and records and _looks_like_data(list(records[0])))
    if not header:
        records = list(_csv_records(path, kind, compression, header=False))
    addresses = _address_field(records)
    if addresses and header:
        return _Judged("list", addresses)
    name = _text_field(records)
    languages = _languages([str(record.get(name, "")) for record in records])
    return _Judged("file", name, languages, header) if name else None


def _is_list(lines: list[str]) -> bool:
    """Whether nearly every line is an address (and nothing else of weight)."""
    used = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    found = [line for line in used if ADDRESS.match(line) and len(line.split()) <= 3]
    return bool(used) and len(found) >= LIST_SHARE * len(used)


def _address_field(records: list[dict[str, Any]]) -> str:
    """The field with addresses of a table without text in it, else nothing."""
    fields = {name: [str(r[name]) for r in records if isinstance(r.get(name), str)] for r in records for name in r}
    wordy = [name for name, texts in fields.items() if sum(map(len, texts)) > WORDY_CHARS * len(records)]
    lists = [n for n, texts in fields.items() if len(texts) >= LIST_SHARE * len(records) and _is_list(texts)]
    named = [name for name in fields if name in TEXT_FIELDS]
    return lists[0] if lists and not named and not set(wordy) - set(lists) else ""


def _looks_like_data(names: list[str]) -> bool:
    """Whether the first row of a table is a record and no header: long, a number, or an address stands in it."""
    return any(
        len(name) > WORDY_CHARS or re.fullmatch(r"-?\d+(?:\.\d+)?", name) or ADDRESS.match(name) for name in names
    )


def _group(key: tuple[str, str, str, bool, str], found: list[tuple[Path, tuple[str, ...]]]) -> Group:
    votes = Counter(language for _, languages in found for language in languages[:1])
    common = tuple(name for name, count in votes.most_common() if count >= COMMON_SHARE * sum(votes.values()))
    files = tuple(path for path, _ in found)
    extra = found[0][1] if len(found) == 1 else common
    size = sum(path.stat().st_size for path in files)
    return Group(key[0], files, size, key[1], key[2], extra, key[3])


def _head(path: Path, compression: str) -> Iterator[str]:
    from hornbook.data.files.encodings import decode
    from hornbook.data.files.streams import Damage, as_utf8, chunks

    data = b""
    damage = Damage()
    for chunk in as_utf8(chunks(path, compression, damage), damage):
        data += chunk
        if len(data) >= HEAD_BYTES:
            break
    if len(data) > HEAD_BYTES:
        end = data.rfind(b"\n", 0, HEAD_BYTES)
        data = data[: end + 1 if end > 0 else HEAD_BYTES]
    yield decode(data)[0]


def _records(path: Path, kind: str, compression: str) -> Iterator[dict[str, Any]]:
    """The first records of a file that holds fields."""
    if kind == "parquet":
        return _parquet_records(path)
    return _json_records(path, compression) if kind == "jsonl" else _csv_records(path, kind, compression)


def _csv_records(path: Path, kind: str, compression: str, header: bool = True) -> Iterator[dict[str, Any]]:
    from hornbook.data.files.csv_rows import CsvReader

    rows = CsvReader((head.encode() for head in _head(path, compression)), HEAD_BYTES, kind, header)
    yield from (dict(row.fields) for row in islice(rows, HEAD_RECORDS) if not row.flaw)


def _json_records(path: Path, compression: str) -> Iterator[dict[str, Any]]:
    """The records whose lines are whole within the file's beginning."""
    lines = "".join(_head(path, compression)).splitlines()
    for line in lines[:HEAD_RECORDS]:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def _parquet_records(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=HEAD_RECORDS):
                yield from batch.to_pylist()
                return
    except (pyarrow.ArrowException, OSError):
        return


def _is_chat(record: dict[str, Any]) -> bool:
    from hornbook.core.conversation import conversation_from
    from hornbook.core.errors import HornbookError

    try:
        conversation_from(record, "")
    except HornbookError:
        return False
    return True


def _text_field(records: list[dict[str, Any]]) -> str:
    """The field that holds the text: a usual name, else the one with the longest texts; empty when there is none."""
    lengths = Counter[str]()
    for record in records:
        for name, value in record.items():
            if isinstance(value, str):
                lengths[name] += len(value)
    for name in TEXT_FIELDS:
        if lengths.get(name):
            return name
    return max(lengths, key=lambda name: lengths[name], default="")


def _languages(texts: list[str]) -> tuple[str, ...]:
    """Languages of at least a fifth of the texts, the most frequent first."""
    from hornbook.data.language.langid import detect

    votes = Counter(detect(text, 2048)[0] for text in texts if len(text.strip()) > 20)
    return tuple(name for name, count in votes.most_common() if count >= COMMON_SHARE * sum(votes.values()))


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
