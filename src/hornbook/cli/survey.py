"""What lies at a path: pages, texts, tables of texts, chat logs, judged by names and by the beginnings of files."""

import json
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


@dataclass(frozen=True)
class Group:
    """Files that one source of a recipe can read: how, and what they look like. `languages`: most frequent first."""

    format: str
    files: tuple[Path, ...]
    num_bytes: int
    mode: str = ""
    field: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """What was found below `root`. `other`: suffixes of files that no stage reads, with how many there are."""

    root: Path
    pages: tuple[Path, ...] = ()
    page_bytes: int = 0
    texts: tuple[Group, ...] = ()
    chats: tuple[Path, ...] = ()
    other: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def num_bytes(self) -> int:
        """Bytes on disk of everything that a base model can learn from."""
        return self.page_bytes + sum(group.num_bytes for group in self.texts)


def survey(root: Path) -> Survey:
    """Look at a file or a folder. Raises DataError when nothing there can be used."""
    from hornbook.data.sources import format_of

    files = sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p, root)) if root.is_dir() else [root]
    pages: list[Path] = []
    chats: list[Path] = []
    kinds: dict[tuple[str, str, str, str], list[tuple[Path, tuple[str, ...]]]] = {}
    other = Counter[str]()
    for path in files:
        kind, compression = format_of(path)
        if path.stat().st_size == 0:
            other["empty files"] += 1
        elif kind in ("html", "warc"):
            pages.append(path)
        elif kind == "":
            other[path.suffix or "no suffix"] += 1
        else:
            judged = _judge(path, kind, compression)
            if judged is None:
                other[f"{path.suffix} without text"] += 1
            elif judged[0] == "chat":
                chats.append(path)
            else:
                kinds.setdefault((kind, judged[0], judged[1], ending(path)), []).append((path, judged[2]))
    texts = tuple(_group(key, found) for key, found in kinds.items())
    if not pages and not texts and not chats:
        seen = ", ".join(f"{count} {name}" for name, count in other.most_common(5)) or "nothing at all"
        raise DataError(
            f"there is nothing here to learn from: found {seen}",
            where=str(root),
            do="HTML, WARC, text, Markdown, JSON lines, CSV and Parquet can be read, plain, gzip or zstd",
        )
    size = sum(path.stat().st_size for path in pages)
    return Survey(root, tuple(pages), size, texts, tuple(chats), dict(other))


def ending(path: Path) -> str:
    """What a glob for files like this one ends with: `.txt`, `.jsonl.gz`."""
    return "".join(path.suffixes[-2:]) if path.suffix in (".gz", ".zst") else path.suffix


def _judge(path: Path, kind: str, compression: str) -> tuple[str, str, tuple[str, ...]] | None:
    """(mode, field, languages) of one file, mode `chat` for a chat log; None when no text is in it."""
    if kind == "text":
        head = "".join(_head(path, compression))
        mode = "separator" if SEPARATOR in head else "paragraphs" if len(head) > LONG_FILE_BYTES else "file"
        return (mode, "", _languages(head.split(SEPARATOR)[:HEAD_RECORDS])) if head.strip() else None
    records = list(_records(path, kind, compression))
    if kind == "jsonl" and records and all(_is_chat(record) for record in records):
        return ("chat", "", ())
    name = _text_field(records)
    return ("file", name, _languages([str(record.get(name, "")) for record in records])) if name else None


def _group(key: tuple[str, str, str, str], found: list[tuple[Path, tuple[str, ...]]]) -> Group:
    votes = Counter(language for _, languages in found for language in languages[:1])
    common = tuple(name for name, count in votes.most_common() if count >= COMMON_SHARE * sum(votes.values()))
    files = tuple(path for path, _ in found)
    extra = found[0][1] if len(found) == 1 else common
    return Group(key[0], files, sum(path.stat().st_size for path in files), key[1], key[2], extra)


def _head(path: Path, compression: str) -> Iterator[str]:
    from hornbook.data.streams import Damage, chunks

    data = b""
    for chunk in chunks(path, compression, Damage()):
        data += chunk
        if len(data) >= HEAD_BYTES:
            break
    yield data[:HEAD_BYTES].decode("utf-8", errors="ignore")


def _records(path: Path, kind: str, compression: str) -> Iterator[dict[str, Any]]:
    """The first records of a file that holds fields."""
    if kind == "parquet":
        return _parquet_records(path)
    return _json_records(path, compression) if kind == "jsonl" else _csv_records(path, kind, compression)


def _csv_records(path: Path, kind: str, compression: str) -> Iterator[dict[str, Any]]:
    from hornbook.data.csv_rows import CsvReader

    rows = CsvReader((head.encode() for head in _head(path, compression)), HEAD_BYTES, kind)
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
    from hornbook.data.langid import detect

    votes = Counter(detect(text, 2048)[0] for text in texts if len(text.strip()) > 20)
    return tuple(name for name, count in votes.most_common() if count >= COMMON_SHARE * sum(votes.values()))


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
