"""Stage data.common_crawl: parts of a Common Crawl: whole files, or the records of some domains, as WARC files.

`warc/`: the files; `records.jsonl`: a line for each file or record that was considered: its place, or the rule under
which it was left out. What a crawl holds never changes, so the same settings give the same bytes.
"""

import base64
import fnmatch
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.errors import DataError
from hornbook.core.settings import StrictSettings
from hornbook.data.ledger import conclude, read_funnel
from hornbook.data.web.archive import Archive, Missing
from hornbook.data.web.cdx import Capture, find_blocks, key_range, read_block
from hornbook.data.web.fetch_journal import PAGE_TEXT_BYTES, Journal
from hornbook.data.web.http_get import Manners

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {}
WRITES = "pages"
VERSION = 2

RULES = {
    "common_crawl.bad_line": "a line of the index cannot be read (value: its beginning)",
    "common_crawl.address": "the address does not match `match` (value: the pattern)",
    "common_crawl.http_status": "the server did not answer with one of `statuses` (value: the status)",
    "common_crawl.media_type": "the page is none of `types` (value: its media type, as the crawl detected it)",
    "common_crawl.language": "the page's first language is none of `languages` (value: the languages)",
    "common_crawl.duplicate": "the same body stands in the list before (value: its digest)",
    "common_crawl.missing": "the archive has no such file (value: what it answers)",
    "common_crawl.damaged": "the record is not what the index says (value: what was found)",
}
MAX_RECORD_BYTES = 64 << 20
FILE_PAGES = 30_000
"""Pages of one file of a crawl; only for the plan."""


class Settings(StrictSettings):
    """Which crawl, and what of it. Without `domains`: whole files; with them: the records of these sites."""

    crawl: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """The crawl's name, `CC-MAIN-2024-10`."""
    domains: tuple[str, ...] = ()
    """Sites with all their subdomains (`example.org`), or beginnings of addresses (`example.org/blog/`)."""
    match: str = ""
    """With `domains`: only addresses that match this glob, such as `*/recipes/*`."""
    languages: tuple[str, ...] = ()
    """With `domains`: only pages whose first language is one of these (three letters: `eng`)."""
    types: tuple[str, ...] = ("text/html", "application/xhtml+xml")
    """With `domains`: media types to take."""
    statuses: tuple[int, ...] = (200,)
    """With `domains`: answers to take."""
    max_records: int = pydantic.Field(default=10_000, ge=1)
    """With `domains`: the index is read until so many records are chosen."""
    kind: Literal["warc", "wet", "wat"] = "warc"
    """Without `domains`: whole files of pages, of their text (for `data.extract`) or of their links (`data.wat`)."""
    num_files: int = pydantic.Field(default=1, ge=1)
    """Without `domains`: how many files; one is about 1 GB (wet: 100 MB, wat: 400 MB)."""
    skip_files: int = pydantic.Field(default=0, ge=0)
    """Without `domains`: how many of the crawl's files to pass over first."""
    list_only: bool = False
    """Only write the list, `records.jsonl`, and load nothing."""
    base: str = "https://data.commoncrawl.org/"
    """Where the crawl lies: an address, or a folder with the same layout."""
    at_once: int = pydantic.Field(default=4, ge=1, le=16)
    """With `domains`: records that are loaded at the same time."""
    attempts: int = pydantic.Field(default=6, ge=1)
    """How often in a row the archive may fail before the stage gives up (a later run goes on where it was)."""
    backoff_s: float = pydantic.Field(default=2.0, ge=0)
    """The first pause after a failure; it doubles each time. Retry-After goes before."""
    timeout_s: float = pydantic.Field(default=60.0, gt=0)
    """How long the archive may be silent."""
    file_bytes: int = pydantic.Field(default=100_000_000, ge=1)
    """With `domains`: size from which a new WARC file is begun."""
    licence: str = ""
    """The licence of the pages; it travels to the model card."""

    @pydantic.model_validator(mode="after")
    def _domains_are_domains(self) -> "Settings":
        if self.domains and self.kind != "warc":
            raise ValueError(f'domains give pages: kind = "{self.kind}" is for whole files')
        for domain in self.domains:
            key_range(domain)
        return self

    @property
    def agent(self) -> str:
        """Who asks."""
        return f"Hornbook/{version('hornbook')}"

    def archive(self) -> Archive:
        """Where to read from."""
        manners = Manners(self.agent, self.timeout_s, total_s=86_400.0, max_bytes=1 << 40, private=True)
        return Archive(self.base, manners, self.attempts, self.backoff_s)


def resolve(settings: Settings, *, probe: object, hints: dict[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """Say how much text to expect at most."""
    pages = settings.max_records if settings.domains else settings.num_files * FILE_PAGES
    return settings, {"pages_at_most": pages, "output_bytes": pages * PAGE_TEXT_BYTES}


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Choose from the crawl's list or index, then load what was chosen."""
    archive = settings.archive()
    (out.path / "warc").mkdir(exist_ok=True)
    lines = _records(settings, archive, out) if settings.domains else _files(settings, archive, out)
    dropped: Counter[str] = Counter()
    kept = size = 0
    with (out.path / "records.jsonl").open("w", encoding="utf-8") as file:
        for line in lines:  # of a large site there may be millions, most of them left out
            file.write(json.dumps(line, sort_keys=True) + "\n")
            if line["rule"]:
                dropped[line["rule"]] += 1
            else:
                kept += 1
                size += line["bytes"]
    funnel = {"in": kept + dropped.total(), "kept": kept, "edited": {}, "dropped": dict(dropped)}
    where = f"{settings.crawl} at {settings.base}"
    conclude(out, [{**funnel, "bytes_in": size, "bytes_kept": size, "others": {}}], where)
    out.counts["records" if settings.domains else "files"] = out.counts.pop("docs")
    out.licences.extend([settings.licence] if settings.licence else [])
    out.sources.append(settings.crawl)


def _files(settings: Settings, archive: Archive, out: Out) -> list[dict[str, Any]]:
    """Whole files, one after the other."""
    name = f"crawl-data/{settings.crawl}/{settings.kind}.paths.gz"
    try:
        paths = list(islice(archive.lines(name), settings.skip_files, settings.skip_files + settings.num_files))
    except Missing as error:
        raise _no_crawl(settings, error) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the list of files is damaged: {error}", where=f"{settings.base} {name}") from None
    lines: list[dict[str, Any]] = []
    with out.log.task("load", unit="bytes") as progress:
        for path in paths:
            target = out.path / "warc" / Path(path).name
            line: dict[str, Any] = {"path": path, "rule": "", "value": "", "bytes": 0}
            try:
                if settings.list_only:
                    line["bytes"] = archive.size_bytes(path)
                elif target.exists():
                    line["bytes"] = target.stat().st_size
                else:
                    line["bytes"] = archive.download(path, target, out.resume, progress.advance)
            except Missing as error:
                line |= {"rule": "common_crawl.missing", "value": str(error)}
            lines.append(line)
    return lines


def _no_crawl(settings: Settings, error: Missing) -> DataError:
    return DataError(
        f'there is no crawl "{settings.crawl}" here: {error}',
        where=settings.base,
        do="The names of all crawls are listed at https://index.commoncrawl.org/",
    )


def _records(settings: Settings, archive: Archive, out: Out) -> Iterator[dict[str, Any]]:
    """The records of some domains: chosen from the index, then loaded in its order."""
    chosen = _chosen(settings, archive, out)
    if settings.list_only:
        yield from map(_without_place, _noted(chosen))
        return
    wanted = [line for line in _noted(chosen) if not line["rule"]]
    job = f"data.common_crawl {VERSION} {settings!r}"
    journal = Journal(out.path, out.resume / "records.jsonl", job, settings.agent, settings.file_bytes, name="place")
    with journal, out.log.task("load", total=len(wanted), unit="records") as progress:
        waiting = [line for line in wanted if line["place"] not in journal.done]
        progress.resume_at(len(wanted) - len(waiting))
        with ThreadPoolExecutor(settings.at_once) as pool, _stopping(archive):
            for begin in range(0, len(waiting), 16 * settings.at_once):  # a few at a time, so that memory is bounded
                part = waiting[begin : begin + 16 * settings.at_once]
                for line, (record, rule, value) in zip(part, pool.map(lambda x: _load(archive, x), part), strict=True):
                    journal.add(line | {"rule": rule, "value": value}, record, _date(line["timestamp"]))
                    progress.advance(1)
    for line in _noted(chosen):
        yield _without_place(line if line["rule"] else journal.done[line["place"]])


@contextmanager
def _stopping(archive: Archive) -> Iterator[None]:
    """End the waiting of other threads when something goes wrong, so that a stop does not wait for their pauses."""
    try:
        yield
    except BaseException:
        archive.stopped.set()
        raise


def _without_place(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "place"}


def _date(timestamp: str) -> str:
    """20240131093000 as WARC writes it."""
    t = timestamp.ljust(14, "0")
    return f"{t[:4]}-{t[4:6]}-{t[6:8]}T{t[8:10]}:{t[10:12]}:{t[12:14]}Z"


def _chosen(settings: Settings, archive: Archive, out: Out) -> Path:
    """A file with the index lines of all domains and the verdict on each, below a line for the job; kept for a restart.

    Memory holds what is chosen, on disk is what was considered.
    """
    note = out.resume / "index.jsonl"
    job = json.dumps(f"data.common_crawl {VERSION} {settings!r}")
    if note.exists() and _first_line(note) == job:
        return note
    digests: set[str] = set()
    num_chosen = 0
    partial = note.with_suffix(".partial")
    with out.log.task("index", unit="lines") as progress, partial.open("w", encoding="utf-8") as file:
        file.write(job + "\n")
        for capture in _captures(settings, archive):
            rule, value = _verdict(capture, settings, digests)
            file.write(json.dumps(_line(capture, rule, value)) + "\n")
            progress.advance(1)
            num_chosen += not rule
            if num_chosen >= settings.max_records:
                out.log.line(f"{num_chosen:,} records are chosen: the rest of the index is not read (max_records)")
                break
    partial.replace(note)
    return note


def _first_line(note: Path) -> str:
    with note.open(encoding="utf-8") as file:
        return file.readline().rstrip("\n")


def _noted(note: Path) -> Iterator[dict[str, Any]]:
    with note.open(encoding="utf-8") as file:
        yield from map(json.loads, islice(file, 1, None))


def _captures(settings: Settings, archive: Archive) -> Iterator[Capture | str]:
    folder = f"cc-index/collections/{settings.crawl}/indexes"

    def read(begin: int, length: int) -> bytes:
        return archive.read(f"{folder}/cluster.idx", begin, length)

    try:
        size_bytes = archive.size_bytes(f"{folder}/cluster.idx")
        for domain in settings.domains:
            begin, end = key_range(domain)
            for block in find_blocks(read, size_bytes, begin, end):
                yield from read_block(archive.read(f"{folder}/{block.file}", block.offset, block.length), begin, end)
    except Missing as error:
        raise _no_crawl(settings, error) from None


def _verdict(capture: Capture | str, settings: Settings, digests: set[str]) -> tuple[str, str | int]:
    """Whether a record is wanted: "" or the rule, and the value."""
    if isinstance(capture, str):
        return "common_crawl.bad_line", capture[:200]
    if settings.match and not fnmatch.fnmatchcase(capture.url, settings.match):
        return "common_crawl.address", settings.match
    if capture.status not in settings.statuses:
        return "common_crawl.http_status", capture.status
    if capture.mime not in settings.types:
        return "common_crawl.media_type", capture.mime
    if settings.languages and (not capture.languages or capture.languages[0] not in settings.languages):
        return "common_crawl.language", ",".join(capture.languages)
    if capture.digest and capture.digest in digests:
        return "common_crawl.duplicate", capture.digest
    digests.add(capture.digest)
    return "", ""


def _line(capture: Capture | str, rule: str, value: str | int) -> dict[str, Any]:
    if isinstance(capture, str):
        return {"url": "", "rule": rule, "value": value, "bytes": 0}
    place = {"place": f"{capture.file}@{capture.offset}", "path": capture.file, "begin": capture.offset}
    about = {"timestamp": capture.timestamp, "languages": ",".join(capture.languages), "digest": capture.digest}
    return {"url": capture.url, "rule": rule, "value": value, "bytes": capture.length, **place, **about}


def _load(archive: Archive, line: dict[str, Any]) -> tuple[bytes | None, str, str]:
    """A record as it lies in the archive, or the rule under which it cannot be used."""
    if line["bytes"] > MAX_RECORD_BYTES:
        return None, "common_crawl.damaged", f"a record of {line['bytes']} bytes"
    try:
        data = archive.read(line["path"], line["begin"], line["bytes"])
    except Missing as error:
        return None, "common_crawl.missing", str(error)
    found = _flaw(data, line["bytes"], line["digest"])
    return (None, "common_crawl.damaged", found) if found else (data, "", "")


def _flaw(data: bytes, length: int, digest: str) -> str:
    """What is wrong with a record: its length, its compression, or the digest of its body; "" when all is well."""
    if len(data) != length:
        return f"{len(data)} of {length} bytes"
    member = zlib.decompressobj(31)
    try:
        record = member.decompress(data, MAX_RECORD_BYTES)
    except zlib.error as error:
        return f"damaged compressed data ({error})"
    if not member.eof or member.unused_data:
        return "its borders are not those of a record"
    head, _, rest = record.partition(b"\r\n\r\n")
    if not head.startswith(b"WARC/"):
        return "no WARC record"
    if digest:
        body = rest.removesuffix(b"\r\n\r\n").partition(b"\r\n\r\n")[2]
        own = base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
        if own != digest:
            return f"its digest is {own} and not {digest}"
    return ""


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel and the files, for reports."""
    from hornbook.report.blocks import Funnel, Table, share

    funnel = read_funnel(artifact.path)
    dropped = funnel["dropped"]
    title = "data.common_crawl: what was considered and what was taken"
    blocks: list[Block] = [Funnel(title, funnel["in"], funnel["kept"], dropped, {}, "records")]
    named = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    rows: list[list[object]] = [[rule, n, share(n, funnel["in"]), RULES[rule]] for rule, n in named]
    if rows:
        blocks.append(Table("Rules", ["rule", "times", "of records", "meaning"], rows))
    paths = sorted((artifact.path / "warc").iterdir())
    files: list[list[object]] = [[path.name, path.stat().st_size] for path in paths]
    blocks.append(Table("Files", ["file", "bytes"], files[:50]))
    return blocks
