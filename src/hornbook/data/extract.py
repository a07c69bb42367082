"""Stage data.extract: WARC and WET files and folders of HTML pages to documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import Document, document_id
from hornbook.core.settings import InputPath, StrictSettings
from hornbook.data import funnel
from hornbook.data.files.encodings import well_formed
from hornbook.data.files.sources import InputFile, Piece, find_files, find_pages, plan_shards, ranges
from hornbook.data.files.streams import Damage, chunks
from hornbook.data.html.page import decode_html, to_text
from hornbook.data.html.tags import count_tags, cut_at_tags, depth_of
from hornbook.data.ledger import Ledger, conclude
from hornbook.data.web.warc import Other, Page, read_warc
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"pages": "pages?"}
WRITES = "documents"
VERSION = 3

RULES = {
    "extract.damaged": "the record cannot be read, or not to its end (value: what was found and where)",
    "extract.truncated": "the record ends before its stated length (value: how much is there)",
    "extract.http_status": "the server did not answer 200 (value: the status)",
    "extract.not_html": "the record is no page of text (value: its media type)",
    "extract.too_large": "the page is larger than max_page_bytes (value: its bytes, as far as they were read)",
    "extract.too_deep": "elements nest deeper than max_depth (value: the depth); parsers hang on such pages",
    "extract.too_many_tags": "more tags that begin elements, or that end them, than max_tags (value: how many)",
    "extract.no_text": "the extractor found no main text (value: bytes of the page)",
    "extract.error": "the extractor failed (value: its error)",
    "extract.timeout": "the extractor used more than page_cpu_s and was ended",
    "extract.crash": "the extractor ended its process twice on this page",
    "extract.transcoded": "edit: the page was not UTF-8 and was decoded as declared or detected",
    "extract.replaced": "edit: bytes that are no text in the page's encoding were replaced by U+FFFD",
}

HTML_TYPES = ("text/html", "application/xhtml+xml", "application/http", "")


class Settings(StrictSettings):
    """Which pages, how they become text, and what one page may cost."""

    path: InputPath | None = None
    """WARC or WET files (.warc, .warc.gz, .warc.wet.gz, .warc.zst) or HTML files (plain, gzip, zstd), one or a folder;
    empty when the stage reads `pages`."""
    files: str = ""
    """Only files that match this glob."""
    profile: Literal["precise", "fast", "markdown"] = "precise"
    """`fast`: a small learned model chooses the blocks of a page. `precise`: where it is unsure, trafilatura's opinion
    counts too; several times slower on such pages. `markdown`: as precise, written as Markdown (headings, lists,
    tables, code fences, emphasis). All keep the lines of code, and formulas as LaTeX."""
    emphasis: bool = True
    """In Markdown, bold and italic text is marked."""
    max_page_bytes: int = pydantic.Field(default=5_000_000, ge=1)
    """Larger pages are dropped (Common Crawl itself cuts at 5 MiB)."""
    max_depth: int = pydantic.Field(default=1000, ge=1)
    """Pages whose elements nest deeper are dropped (the deepest of 374 real pages: 663)."""
    max_tags: int = pydantic.Field(default=50_000, ge=1)
    """Pages on which more tags begin elements, or end them, are dropped (the most of 374 real pages: 10,077)."""
    page_cpu_s: float = pydantic.Field(default=20.0, gt=0)
    """The backstop behind these limits: CPU seconds after which a page's extraction is ended."""
    licence: str = ""
    """The licence of the pages; it travels to the model card."""
    shard_bytes: int = pydantic.Field(default=4_000_000, ge=1)
    """Size of one piece of work and of one output file, in bytes of (compressed) input."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Extract every page; what is no page, or cannot be extracted, goes to `dropped/` with its reason."""
    root, name = find_pages(settings.path, inputs, out, "data.extract")
    files = find_files(root, ("warc", "html"), settings.files, out.log.line)
    shards = plan_shards((p for file in files for p in _pieces(file, settings.shard_bytes)), settings.shard_bytes)
    job = f"data.extract {VERSION} {settings.model_dump_json(exclude={'path'})} {name}"
    limits = Limits(cpu_s=settings.page_cpu_s)
    funnels = run_shards(
        extract_shard, shards, out, label="extract", common=(settings, name), job=job, limits=limits, unit="pages"
    )
    funnel_of_stage = conclude(out, funnels, str(root), [shard.name for shard in shards])
    if settings.licence:
        out.licences.append(settings.licence)
    if funnel_of_stage["others"]:
        out.counts["other_records"] = sum(funnel_of_stage["others"].values())


def _pieces(file: InputFile, shard_bytes: int) -> Iterator[tuple[Piece, int]]:
    """A WARC file of compressed members can be read from the middle; anything else is one piece."""
    borders: list[tuple[int, int | None]] = [(0, None)]
    if file.format == "warc" and file.compression:
        borders = ranges(file.size_bytes, shard_bytes)
    for begin, end in borders:
        piece = Piece(0, str(file.path), file.relative, file.format, file.compression, begin, end)
        yield piece, (file.size_bytes if end is None else end) - begin


def extract_shard(work: Workspace, pieces: list[dict[str, Any]], common: tuple[Settings, str]) -> dict[str, Any]:
    """Extract the pages of one shard."""
    settings, name = common
    ledger = Ledger(work)
    position = 0
    for values in pieces:
        piece = Piece(**values)
        for page in _pages(piece, settings):
            if isinstance(page, Other):
                ledger.others[page.kind] += 1
                continue
            origin = f"{name}/{piece.relative}"
            meta = {"file": piece.relative} | ({"crawl_languages": page.language} if page.language else {})
            document = Document(document_id(origin, page.position), "", page.url, name, meta)
            aside = work.begin(position, page.url or f"{piece.relative}@{page.position}")
            _extract_one(ledger, document, page, settings, aside)
            work.advance()
            position += 1
    return ledger.close()


def _pages(piece: Piece, settings: Settings) -> Iterator[Page | Other]:
    path = Path(piece.path)
    if piece.format == "warc":
        yield from read_warc(path, piece.compression, piece.begin, piece.end, settings.max_page_bytes)
        return
    damage = Damage()
    parts: list[bytes] = []
    size = 0
    for block in chunks(path, piece.compression, damage):
        parts.append(block)
        size += len(block)
        if size > settings.max_page_bytes:
            break
    flaw = ("damaged" if damage.found.startswith("damaged") else "truncated") if damage.found else ""
    yield Page(0, "response", "", b"".join(parts), "text/html", flaw=flaw, found=damage.found)


def _extract_one(ledger: Ledger, document: Document, page: Page, settings: Settings, aside: str | None) -> None:
    """Book one page."""
    size = len(page.data)
    if aside:
        _drop(ledger, document, page, f"extract.{aside}", settings.page_cpu_s if aside == "timeout" else "")
        return
    verdict = _flaw(page, settings)
    if verdict is not None:
        _drop(ledger, document, page, *verdict)
        return
    html, repair = decode_html(page.data, page.charset)
    try:
        text, verdict = _text_of(page, html, settings)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a parser does on a hostile page, panics of native code included
        text, verdict = "", ("extract.error", f"{type(error).__name__}: {error}"[:300])
    if repair:
        ledger.edit({f"extract.{repair}": 1})
    if verdict is None and not text:
        verdict = "extract.no_text", size
    if verdict is not None:
        _drop(ledger, document, page, *verdict)
        return
    ledger.keep(Document(document.id, well_formed(text), document.url, document.source, document.meta), size)


def _text_of(page: Page, html: str, settings: Settings) -> tuple[str, tuple[str, float | str] | None]:
    """The text of a page, or the rule that drops it with its value."""
    if page.kind == "conversion" or page.mime == "text/plain":
        return html.replace("\r\n", "\n").strip(), None
    tags = cut_at_tags(html)
    verdict = _too_much(tags.names, settings)
    return ("", verdict) if verdict else (to_text(html, settings.profile, settings.emphasis, tags), None)


def _too_much(names: list[str | None], settings: Settings) -> tuple[str, float | str] | None:
    """The rule that drops a page with these tags, with its value."""
    num_tags, num_nesting = count_tags(names)
    if num_tags > settings.max_tags:
        return "extract.too_many_tags", num_tags
    depth = depth_of(names) if num_nesting > settings.max_depth else 0
    return ("extract.too_deep", depth) if depth > settings.max_depth else None


def _flaw(page: Page, settings: Settings) -> tuple[str, float | str] | None:
    """The rule that drops a page before anything looks at its text, with its value."""
    size = len(page.data)
    if page.flaw:
        return f"extract.{page.flaw}", page.found
    if page.status is not None and page.status != 200:
        return "extract.http_status", page.status
    if page.kind != "conversion" and page.mime not in HTML_TYPES and page.mime != "text/plain":
        return "extract.not_html", page.mime
    return ("extract.too_large", size) if size > settings.max_page_bytes else None


def _drop(ledger: Ledger, document: Document, page: Page, rule: str, value: float | str) -> None:
    """Book a page that is no document, with the beginning of what it was."""
    beginning = page.data[:2000].decode("utf-8", "replace")
    ledger.drop(
        Document(document.id, beginning, document.url, document.source, document.meta), rule, value, len(page.data)
    )


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel with samples, for reports."""
    return funnel.blocks(artifact, RULES)
