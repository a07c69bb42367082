"""Stage data.wat: WAT files, which hold a crawl's headers, titles and links, to documents: pages, or links by address.

A WAT file has no text to learn from. It says which pages a crawl has, what they are called, where they link to and
where in the crawl each one lies: enough to choose pages by title, language or links before their text is fetched.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urldefrag, urljoin, urlsplit

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import Document, document_id
from hornbook.core.settings import InputPath, StrictSettings
from hornbook.data import funnel
from hornbook.data.files.encodings import well_formed
from hornbook.data.files.sources import Piece, find_files, find_pages, plan_shards, ranges
from hornbook.data.ledger import Ledger, conclude
from hornbook.data.web.addresses import host_of
from hornbook.data.web.warc import Other, Page, read_warc
from hornbook.shards.runner import run_shards
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"pages": "pages?"}
WRITES = "documents"
VERSION = 3

RULES = {
    "wat.damaged": "the record cannot be read at all (value: what was found and where)",
    "wat.truncated": "the record ends before its stated length (value: how much is there)",
    "wat.too_large": "the record is larger than max_record_bytes (value: its bytes)",
    "wat.not_json": "the record is no JSON object with an envelope (value: what was found)",
    "wat.http_status": "the server did not answer 200 (value: the status)",
    "wat.not_html": "the page was no HTML (value: its media type)",
    "wat.no_links": "`each = link`: the page links to no other host (value: its links)",
}
MAX_HOSTS = 20
MAX_LINKS = 1 << 20


class Settings(StrictSettings):
    """Which WAT files, and what a document stands for."""

    path: InputPath | None = None
    """WAT files (.wat.gz, .warc.wat.gz), one or a folder; empty when the stage reads `pages`."""
    files: str = ""
    """Only files that match this glob."""
    each: Literal["page", "link"] = "page"
    """`page`: a document for each HTML page: its title and description as text, its links counted in `meta`.
    `link`: a document for each link to another host: its words as text, its target as address (for `data.fetch`)."""
    max_record_bytes: int = pydantic.Field(default=16_000_000, ge=1)
    """Larger records are dropped."""
    licence: str = ""
    """The licence of the crawl; it travels to the model card."""
    shard_bytes: int = pydantic.Field(default=16_000_000, ge=1)
    """Size of one piece of work and of one output file, in bytes of (compressed) input."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Read every record about a page; records about requests and the crawl itself are only counted."""
    root, name = find_pages(settings.path, inputs, out, "data.wat")
    pieces = (
        (
            Piece(0, str(file.path), file.relative, file.format, file.compression, begin, end),
            (end or file.size_bytes) - begin,
        )
        for file in find_files(root, ("wat",), settings.files, out.log.line)
        for begin, end in (ranges(file.size_bytes, settings.shard_bytes) if file.compression else [(0, None)])
    )
    shards = plan_shards(pieces, settings.shard_bytes)
    job = f"data.wat {VERSION} {settings.model_dump_json(exclude={'path'})} {name}"
    funnels = run_shards(read_shard, shards, out, label="wat", common=(settings, name), job=job, unit="pages")
    funnel_of_stage = conclude(out, funnels, str(root), [shard.name for shard in shards])
    if settings.licence:
        out.licences.append(settings.licence)
    if funnel_of_stage["others"]:
        out.counts["other_records"] = sum(funnel_of_stage["others"].values())


def read_shard(work: Workspace, pieces: list[dict[str, Any]], common: tuple[Settings, str]) -> dict[str, Any]:
    """Read the records of one shard."""
    settings, name = common
    ledger = Ledger(work)
    for values in pieces:
        piece = Piece(**values)
        path, limit = Path(piece.path), settings.max_record_bytes
        for record in read_warc(path, piece.compression, piece.begin, piece.end, limit, kinds=("metadata",)):
            work.record = f"{piece.relative}@{record.position}" if isinstance(record, Page) else piece.relative
            work.advance()
            if isinstance(record, Other):
                ledger.others[record.kind] += 1
            else:
                _book(ledger, record, f"{name}/{piece.relative}", name, settings)
    return ledger.close()


def _book(ledger: Ledger, record: Page, origin: str, name: str, settings: Settings) -> None:
    """Book one record: a page, its links, or why it is neither."""
    size = len(record.data)
    start = record.position * MAX_LINKS

    def document(number: int, text: str, url: str, **meta: Any) -> Document:
        return Document(
            document_id(origin, start + number), text, url, name, {"file": origin.partition("/")[2], **meta}
        )

    def drop(rule: str, value: float | str) -> None:
        beginning = record.data[:2000].decode("utf-8", "replace")
        ledger.drop(document(0, beginning, record.url), rule, value, size)

    if record.flaw:
        drop(f"wat.{record.flaw}", record.found)
        return
    try:
        described = parse(record.data, record.url)
    except (ValueError, RecursionError) as error:
        drop("wat.not_json", str(error)[:200] or type(error).__name__)
        return
    if isinstance(described, str):
        ledger.others[described] += 1
    elif described.status != 200:
        drop("wat.http_status", described.status)
    elif not described.is_html:
        drop("wat.not_html", described.mime)
    elif settings.each == "page":
        ledger.keep(document(0, described.text, described.url, **described.meta()), size)
    else:
        links = list(described.outlinks())[:MAX_LINKS]
        for number, (url, text) in enumerate(links):
            ledger.keep(document(number, text, url, linked_from=described.url), size if number == 0 else 0)
        if not links:
            drop("wat.no_links", len(described.links))


@dataclass(frozen=True, slots=True)
class Described:
    """What a WAT record says about a page. `links`: absolute addresses and their words, in order, each address once."""

    url: str
    status: int
    mime: str
    is_html: bool
    title: str
    description: str
    links: tuple[tuple[str, str], ...]
    place: dict[str, Any]

    @property
    def text(self) -> str:
        """Title and description."""
        return "\n\n".join(part for part in (self.title, self.description) if part)

    def outlinks(self) -> Iterator[tuple[str, str]]:
        """Links to other hosts."""
        own = host_of(self.url)
        return ((url, text) for url, text in self.links if host_of(url) != own)

    def meta(self) -> dict[str, Any]:
        """Media type, numbers of links, the hosts most linked to, and where the page lies in the crawl."""
        hosts = Counter(host_of(url) for url, _ in self.outlinks())
        first = sorted(hosts.items(), key=lambda item: (-item[1], item[0]))[:MAX_HOSTS]
        counts = {"num_links": len(self.links), "num_outlinks": hosts.total(), "hosts": dict(first)}
        return {"mime": self.mime, **counts, **self.place}


def parse(data: bytes, url: str) -> Described | str:
    """A page described by the JSON of a WAT record, or what else the record is about ("request", "warcinfo", ...).

    Raises ValueError when it is no such JSON. Source: the layout that ia-web-commons writes for Common Crawl.
    """
    record = json.loads(data)
    envelope = _table(record, "Envelope")
    if not envelope:
        raise ValueError("there is no Envelope in it")
    kind = str(_table(envelope, "WARC-Header-Metadata").get("WARC-Type", "unknown"))
    answer = _table(_table(envelope, "Payload-Metadata"), "HTTP-Response-Metadata")
    if not answer:
        return kind
    headers = {name.lower(): _words(value) for name, value in _table(answer, "Headers").items()}
    html = _table(answer, "HTML-Metadata")
    head = _table(html, "Head")
    status = str(_table(answer, "Response-Message").get("Status", ""))
    found = [meta for meta in _tables(head, "Metas") if str(meta.get("name", "")).lower() == "description"]
    target = _words(_table(envelope, "WARC-Header-Metadata").get("WARC-Target-URI")) or url
    return Described(
        target,
        int(status) if status.isdecimal() else 0,
        headers.get("content-type", "").split(";")[0].strip().lower(),
        bool(html),
        _words(head.get("Title")),
        _words(found[0].get("content")) if found else "",
        tuple(_links(target, _words(head.get("Base")), _tables(html, "Links"))),
        _place(_table(record, "Container")),
    )


def _links(page: str, base: str, links: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Addresses that the page's anchors lead to, without fragments, each once."""
    seen: set[str] = set()
    try:
        base = urljoin(page, base)
    except ValueError:
        base = page
    for link in links:
        if not str(link.get("path", "")).upper().startswith("A@"):
            continue
        try:
            url = urldefrag(urljoin(base, _words(link.get("url")))).url
            is_page = urlsplit(url).scheme in ("http", "https") and host_of(url)
        except ValueError:
            continue
        if is_page and url not in seen:
            seen.add(url)
            yield url, _words(link.get("text") or link.get("title"))


def _place(container: dict[str, Any]) -> dict[str, Any]:
    """Where in the crawl the page's record lies: file, offset and length in bytes."""
    length = _table(container, "Gzip-Metadata").get("Deflate-Length")
    values = {"warc_file": container.get("Filename"), "warc_offset": container.get("Offset"), "warc_length": length}
    return {
        name: int(value) if name != "warc_file" and str(value).isdecimal() else _words(value)
        for name, value in values.items()
        if value is not None
    }


def _words(value: object) -> str:
    """A text of the record in one line, "" when there is none; JSON may hold halves of characters."""
    return " ".join(well_formed(str(value or "")).split())


def _table(parent: Any, name: str) -> dict[str, Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}


def _tables(parent: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = parent.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def describe(artifact: Artifact) -> "list[Block]":
    """What the files told, with samples, for reports."""
    return funnel.blocks(artifact, RULES)
