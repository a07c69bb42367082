"""Find the files of an input and cut them into shards whose borders depend on the files alone."""

import fnmatch
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Artifact, Out
from hornbook.core.errors import ArtifactError, DataError, SettingsError
from hornbook.core.settings import HUB_PREFIX, resolve_input
from hornbook.data.files.encodings import HEAD_BYTES, announced
from hornbook.data.files.streams import COMPRESSIONS, Damage, chunks
from hornbook.shards.shard import Shard

FORMATS = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".markdown": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".warc": "warc",
    ".wet": "warc",
    ".wat": "wat",
}
STAGES = {"html": "data.extract", "warc": "data.extract", "wat": "data.wat"}
"""Which stage reads a format, where it is not `data.read`."""
MAX_FILES_PER_SHARD = 2000
BINARY = {
    b"%PDF-": "PDF",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"Rar!": "RAR",
    b"PK\x03\x04": "ZIP",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"PAR1": "Parquet",
    b"{\\rtf": "RTF",
}
"""How files begin that are no text, even where their beginning holds no zero byte."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file: bytes (or Parquet row groups) from `begin` to `end`; `end` None means the end of the file.

    `source`: which entry of the settings it belongs to; `relative`: the name below the source's root, from which ids
    are made, so that a folder may move.
    """

    source: int
    path: str
    relative: str
    format: str
    compression: str
    begin: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was found, with what its name says."""

    path: Path
    relative: str
    format: str
    compression: str
    size_bytes: int


def format_of(path: Path) -> tuple[str, str]:
    """Format ("" when unknown) and compression by the name: `pages.warc.gz` is ("warc", "gzip")."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1], "") if suffixes else ""
    if compression:
        suffixes.pop()
    return FORMATS.get(suffixes[-1], "") if suffixes else "", compression


def find_files(
    root: Path, formats: Iterable[str], pattern: str = "", say: Callable[[str], None] = lambda _: None
) -> list[InputFile]:
    """The files below `root` (or `root` itself) of the given formats, in the order of their names.

    `pattern`: only names (relative to the root) that match this glob. A single file of no known format counts as
    text (or HTML) unless its bytes are none. `say` is told what is passed over. Raises DataError when nothing fits,
    and says what is there instead.
    """
    wanted = set(formats)
    if root.is_file():
        kind, compression = format_of(root)
        unknown = next((name for name in ("text", "html") if name in wanted), root.suffix or "no suffix")
        found = [InputFile(root, readable(root.name), kind or unknown, compression, root.stat().st_size)]
        if not kind:
            _refuse_binary(found[0])
    else:
        found = list(_below(root, pattern))
    fitting = [file for file in found if file.format in wanted]
    others = Counter(file.format for file in found if file.format not in wanted)
    if not fitting:
        there = ", ".join(sorted(others)[:8]) or "nothing"
        first = found[0].format if found else ""
        stage = STAGES.get(first, "")
        raise DataError(
            f"no file of a format that can be read here ({', '.join(sorted(wanted))}); found: {there}",
            where=str(root) + (f", files = {pattern!r}" if pattern else ""),
            do=f"{first} files are read by the stage {stage}" if stage else "Check the path",
        )
    if others:
        most = sorted(others.items(), key=lambda item: (-item[1], item[0]))[:8]
        say(f"{root.name}: passed over {', '.join(f'{n} {name}' for name, n in most)}")
    return fitting


def _below(root: Path, pattern: str) -> Iterator[InputFile]:
    """Every file of a folder that matches; the format of unknown ones is their suffix."""
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p.relative_to(root))):
        relative = readable(path.relative_to(root).as_posix())
        if not pattern or fnmatch.fnmatch(relative, pattern):
            kind, compression = format_of(path)
            yield InputFile(path, relative, kind or path.suffix or "no suffix", compression, path.stat().st_size)


def readable(name: str) -> str:
    """A file's name as text, whatever its bytes: those that are not UTF-8 are written as \\xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _refuse_binary(file: InputFile) -> None:
    """Raises DataError when a file whose name says nothing begins as no text does."""
    head = next(chunks(file.path, file.compression, Damage()), b"")[:HEAD_BYTES]
    kind = next((name for magic, name in BINARY.items() if head.startswith(magic)), "")
    if kind or (b"\0" in head and not announced(head)):
        found = f"a {kind} file" if kind else "a binary file"
        raise DataError(f"this is no text but {found}", where=str(file.path), do="Unpack or convert it")


def _hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def find_pages(path: str | None, inputs: dict[str, Any], out: Out, stage: str) -> tuple[Path, str]:
    """Where the pages are that a stage reads, from its setting `path` or its input `pages`, and their name.

    Raises SettingsError when both or neither is given.
    """
    pages: Artifact | None = inputs.get("pages")
    if (pages is None) == (path is None):
        raise SettingsError("give either read.pages or path", where=stage)
    if pages is not None:
        return (pages.path / "warc" if (pages.path / "warc").is_dir() else pages.path), "pages"
    assert path is not None
    root = locate(path, out.machine.cache_folder)
    name = readable(root.name).split(".")[0]
    out.sources.append(name)
    return root, name


def locate(path: str, cache: Path, pattern: str = "") -> Path:
    """The local folder or file of an input, downloading `hub:owner/name` into the cache when it is not there.

    `pattern`: of a data set on the hub only the files that match it are fetched. Read-me files are no data.

    Raises DataError with a plain sentence when the hub cannot be reached or knows no such data set.
    """
    if not path.startswith(HUB_PREFIX):
        return resolve_input(path)
    import huggingface_hub

    name = path.removeprefix(HUB_PREFIX)
    wanted = [pattern] if pattern else [f"*{suffix}{packing}" for suffix in FORMATS for packing in ("", *COMPRESSIONS)]
    try:
        folder = huggingface_hub.snapshot_download(
            name,
            repo_type="dataset",
            allow_patterns=wanted,
            ignore_patterns=["README*", "*/README*"],
            local_dir=cache / "hub" / name.replace("/", "--"),
        )
    except Exception as error:  # the library raises many kinds; none of them is our user's traceback
        raise DataError(
            f'the data set "{name}" could not be fetched from the hub: {type(error).__name__}',
            where=path,
            do="Check the name and the connection, or give a local path instead",
            exit_code=1,
        ) from error
    return Path(folder)


def plan_shards(pieces: Iterable[tuple[Piece, int]], shard_bytes: int) -> list[Shard]:
    """Pieces (with their sizes) into shards of at most about `shard_bytes`, in order, named 00000, 00001, ..."""
    groups: list[list[dict[str, Any]]] = []
    room = 0
    for piece, size_bytes in pieces:
        if not groups or size_bytes > room or len(groups[-1]) >= MAX_FILES_PER_SHARD:
            groups.append([])
            room = shard_bytes
        groups[-1].append(asdict(piece))
        room -= size_bytes
    return [Shard(f"{number:05d}", group) for number, group in enumerate(groups)]


def ranges(size_bytes: int, shard_bytes: int) -> list[tuple[int, int | None]]:
    """Byte ranges of a file that can be read from the middle; the last one is open-ended.

    >>> ranges(25, 10)
    [(0, 10), (10, 20), (20, None)]
    """
    borders = list(range(0, max(1, size_bytes), shard_bytes))
    return [(begin, begin + shard_bytes if begin != borders[-1] else None) for begin in borders]


def is_utf16(path: Path) -> bool:
    """Whether a file's beginning shows that its characters are of two or four bytes."""
    try:
        with path.open("rb") as file:
            return bool(announced(file.read(HEAD_BYTES)))
    except OSError as error:
        raise ArtifactError(f"cannot be opened: {error.strerror}", where=str(path), exit_code=1) from error
