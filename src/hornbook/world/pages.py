"""Stage world.pages: the world as a crawl finds it: HTML pages inside WARC files, and beside them the truth.

`warc/NNNNN.warc.gz`: one gzip member per response. `truth/NNNNN.parquet`: a row for each response in the same order,
with the id that `data.extract` gives to the page, so that every data stage can be held against it. Text of a page is
its title and its paragraphs, one a line. Pages are made one after the other; only the rows of one file are in memory.
"""

import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import document_id
from hornbook.core.seed import stream
from hornbook.core.settings import StrictSettings
from hornbook.world.facts import World, read_world
from hornbook.world.foreign import lexicon, sentence
from hornbook.world.html import Sheet, broken, encode, render
from hornbook.world.junk import Span, code, contact, rude, spam
from hornbook.world.texts import Author
from hornbook.world.warc_file import WarcFile

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"truth": "truth"}
WRITES = "pages"
VERSION = 3

NUM_REMEMBERED = 64
"""Pages that a mirror may copy: the last so many good ones."""
ACCENTS = (
    "The café by the river serves crème brûlée, and the waiter with the naïve smile is called señor Müller by all the "
    "guests. His fiancée sings there à la carte, as she puts it, on every second evening of the month."
)


class Settings(StrictSettings):
    """How much is written, of what, and how dirty the web is. Shares of kinds are shares of characters."""

    text_bytes: int = pydantic.Field(default=7_000_000, ge=1)
    """Clean text of good pages to write; about 4.3 bytes a token. Each stated fact is told about 90 times in 7 MB."""
    encyclopedia: float = pydantic.Field(default=0.48, ge=0)
    """Share of encyclopedia entries in the good text."""
    story: float = pydantic.Field(default=0.22, ge=0)
    """Share of children's stories."""
    letter: float = pydantic.Field(default=0.05, ge=0)
    """Share of letters."""
    forum: float = pydantic.Field(default=0.09, ge=0)
    """Share of forum threads."""
    chat: float = pydantic.Field(default=0.15, ge=0)
    """Share of questions with answers; without them closed-book questions are learned far worse."""
    shop: float = pydantic.Field(default=0.01, ge=0)
    """Share of shop pages."""
    junk_frac: float = pydantic.Field(default=0.13, ge=0, lt=0.9)
    """Share of pages that are spam, rude, program code or in the second language."""
    mirror_frac: float = pydantic.Field(default=0.03, ge=0, lt=0.5)
    """Share of pages that are copies of earlier ones under another address."""
    near_frac: float = pydantic.Field(default=0.03, ge=0, lt=0.5)
    """Share of pages that are copies with a few sentences changed."""
    missing_frac: float = pydantic.Field(default=0.01, ge=0, lt=0.5)
    """Share of responses with status 404."""
    contact_frac: float = pydantic.Field(default=0.06, ge=0, le=1)
    """Share of good pages with an e-mail address and a telephone number."""
    broken_frac: float = pydantic.Field(default=0.05, ge=0, le=1)
    """Share of pages with broken markup."""
    encoding_frac: float = pydantic.Field(default=0.03, ge=0, le=1)
    """Share of good pages whose server names a wrong encoding."""
    pages_per_file: int = pydantic.Field(default=500, ge=1)
    """Responses in one WARC file."""

    @pydantic.model_validator(mode="after")
    def _something(self) -> "Settings":
        if not sum(self.mix().values()):
            raise ValueError("all shares of kinds are 0: nothing would be written")
        if self.junk_frac + self.mirror_frac + self.near_frac + self.missing_frac > 0.95:
            raise ValueError("junk_frac, mirror_frac, near_frac and missing_frac together leave no good pages")
        return self

    def mix(self) -> dict[str, float]:
        """Share of each kind of good text."""
        shares = {name: getattr(self, name) for name in ("encyclopedia", "story", "letter", "forum", "chat", "shop")}
        total = sum(shares.values())
        return {name: share / total for name, share in shares.items() if share} if total else {}


@dataclass(frozen=True)
class Page:
    """One page before it becomes HTML: what it says and what is true of it."""

    number: int
    kind: str
    title: str
    paragraphs: tuple[str, ...]
    language: str = "en"
    pii: tuple[Span, ...] = ()
    duplicate_of: str = ""
    near_duplicate_of: str = ""
    jaccard: float = 0.0
    flaw: str = ""
    sources: tuple[str, ...] = field(default=())

    @property
    def good(self) -> bool:
        """Whether a corpus wants this page (copies aside)."""
        return self.kind in {"encyclopedia", "story", "letter", "forum", "chat", "shop"}

    @property
    def url(self) -> str:
        """Its address."""
        host = f"{self.kind}{self.number % 7}.world.example"
        return f"http://{'mirror.' if self.duplicate_of else ''}{host}/page/{self.number}.html"

    @property
    def text(self) -> str:
        """The clean text: the title and the paragraphs, one a line."""
        return "\n".join((self.title, *(text.removeprefix("# ") for text in self.paragraphs)))


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Write WARC files and truth until enough good text is there."""
    world = read_world(inputs["truth"])
    (out.path / "warc").mkdir(exist_ok=True)
    (out.path / "truth").mkdir(exist_ok=True)
    counts: Counter[str] = Counter()
    pages = make_pages(world, settings, out.seed)
    with out.log.task("write pages", total=settings.text_bytes, unit="bytes") as task:
        number = 0
        while counts["good_bytes"] < settings.text_bytes:
            before = counts["good_bytes"]
            _write_file(out, number, pages, settings, counts)
            task.advance(counts["good_bytes"] - before)
            number += 1
    out.counts |= {"files": number, **dict(sorted(counts.items()))}


def make_pages(world: World, settings: Settings, seed: int) -> Iterator[Page]:
    """Endless pages. Which kind comes next is the one furthest behind its share."""
    author, words = Author(world, seed), lexicon(world.seed)
    mix = settings.mix()
    written = dict.fromkeys(mix, 0)
    recent: deque[Page] = deque(maxlen=NUM_REMEMBERED)
    number = 0
    while True:
        generator = stream(seed, "world.pages", number)
        role = _role(generator.random(), settings)
        if role == "good" or (role in ("mirror", "near") and not recent):
            kind = max(mix, key=lambda name: mix[name] * sum(written.values()) - written[name])
            title, paragraphs = author.write(kind, generator)
            page = _dressed(Page(number, kind, title, tuple(paragraphs)), settings, generator)
            written[kind] += len(page.text)
            recent.append(page)
        elif role in ("mirror", "near"):
            page = _copy(generator.choice(recent), number, role, generator)
        elif role == "missing":
            page = Page(number, "missing", "Not found", ("The page that you asked for is not here.",))
        else:
            page = _junk(number, words, generator)
        yield page
        number += 1


def jaccard(first: str, second: str, size: int = 5) -> float:
    """Similarity of two texts as sets of runs of `size` words.

    >>> round(jaccard("a b c d e f", "a b c d e g"), 3)
    0.333
    """
    a, b = (
        {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} for words in (first.split(), second.split())
    )
    return len(a & b) / len(a | b) if a | b else 0.0


def _role(draw: float, settings: Settings) -> str:
    for role in ("junk", "mirror", "near", "missing"):
        draw -= getattr(settings, f"{role}_frac")
        if draw < 0:
            return role
    return "good"


def _dressed(page: Page, settings: Settings, generator: Any) -> Page:
    """With a contact paragraph or accents, where this page gets them."""
    if generator.random() < settings.contact_frac:
        text, spans = contact(generator)
        begin = len(page.text) + 1
        moved = tuple(Span(begin + s.begin, begin + s.end, s.kind) for s in spans)
        return replace(page, paragraphs=(*page.paragraphs, text), pii=moved)
    if generator.random() < settings.encoding_frac:
        flaw = generator.choice(("utf8_as_latin1", "latin1_as_utf8"))
        return replace(page, paragraphs=(*page.paragraphs, ACCENTS), flaw=flaw)
    return page


def _copy(page: Page, number: int, role: str, generator: Any) -> Page:
    """A mirror, or a copy that leaves out the end of its last paragraph but one and says something else instead."""
    if role == "mirror":
        return replace(page, number=number, duplicate_of=page.url, sources=())
    paragraphs = list(page.paragraphs)
    index = max((i for i, p in enumerate(paragraphs) if not p.startswith("# ")), key=lambda i: len(paragraphs[i]))
    kept = paragraphs[index].rsplit(". ", 1)[0].rstrip(".") + "."
    paragraphs[index] = f"{kept} This was seen and copied in the year {generator.randint(1900, 1999)}."
    near = replace(page, number=number, paragraphs=tuple(paragraphs), near_duplicate_of=page.url, pii=(), sources=())
    near = replace(near, pii=_moved(page, near))
    return replace(near, jaccard=round(jaccard(page.text, near.text), 6))


def _moved(page: Page, near: Page) -> tuple[Span, ...]:
    """The private data of a page, found again in its changed copy."""
    found = ((page.text[span.begin : span.end], span.kind) for span in page.pii)
    return tuple(
        Span(near.text.index(text), near.text.index(text) + len(text), kind)
        for text, kind in found
        if text in near.text
    )


def _junk(number: int, words: Any, generator: Any) -> Page:
    kind = generator.choice(("foreign", "foreign", "spam", "spam", "rude", "code"))
    if kind == "foreign":
        paragraphs = [" ".join(sentence(words, generator) for _ in range(9)) for _ in range(6)]
        return Page(number, kind, sentence(words, generator).rstrip(".?"), tuple(paragraphs), language="fennish")
    title, paragraphs = {"spam": spam, "rude": rude, "code": code}[kind](generator)
    return Page(number, kind, title, tuple(paragraphs))


def _write_file(out: Out, number: int, pages: Iterator[Page], settings: Settings, counts: Counter[str]) -> None:
    """One WARC file and its rows of truth. Encyclopedia pages name earlier pages of the same file as sources."""
    import pyarrow
    import pyarrow.parquet

    name = f"{number:05d}"
    rows: list[dict[str, Any]] = []
    with WarcFile(out.path / "warc" / f"{name}.warc.gz", out.seed, number) as warc:
        for page in pages:
            generator = stream(out.seed, "world.pages/html", page.number)
            if page.kind == "encyclopedia" and not page.duplicate_of:
                page = replace(page, sources=_cited(rows, generator))
            sheet = Sheet(page.title, page.paragraphs, page.sources)
            html = render(sheet, page.number, generator)
            is_broken = generator.random() < settings.broken_frac
            body, charset = encode(broken(html, generator) if is_broken else html, page.flaw)
            begin = warc.page(page.url, body, charset, 404 if page.kind == "missing" else 200)
            rows.append(_row(page, document_id(f"pages/{name}.warc.gz", begin << 24), is_broken))
            _count(counts, page)
            if len(rows) == settings.pages_per_file or counts["good_bytes"] >= settings.text_bytes:
                break
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), out.path / "truth" / f"{name}.parquet")


def _cited(rows: list[dict[str, Any]], generator: Any) -> tuple[str, ...]:
    """Addresses of up to three of the last pages; good ones far more often than spam."""
    near = rows[-40:]
    chosen = [
        row
        for row in generator.sample(near, min(3, len(near)))
        if generator.random() < (0.03 if row["spam"] or row["rude"] else 0.6)
    ]
    chosen = [row for row in chosen if row["kind"] != "missing"]
    for row in chosen:
        row["cited"] = True
    return tuple(row["url"] for row in chosen)


def _row(page: Page, identity: str, is_broken: bool) -> dict[str, Any]:
    return {
        "id": identity,
        "url": page.url,
        "clean_text": page.text,
        "language": page.language,
        "kind": page.kind,
        "duplicate_of": page.duplicate_of,
        "near_duplicate_of": page.near_duplicate_of,
        "jaccard": page.jaccard,
        "pii": json.dumps([asdict(span) for span in page.pii]),
        "rude": page.kind == "rude",
        "spam": page.kind == "spam",
        "cited": False,
        "broken": is_broken,
        "flaw": page.flaw,
    }


def _count(counts: Counter[str], page: Page) -> None:
    counts["pages"] += 1
    counts[page.kind] += 1
    counts["mirrors"] += bool(page.duplicate_of)
    counts["near_copies"] += bool(page.near_duplicate_of)
    if page.good and not page.duplicate_of and not page.near_duplicate_of:
        counts["good_bytes"] += len(page.text.encode())


def describe(artifact: Artifact) -> "list[Block]":
    """How many pages of which kind, and one of each to read."""
    import pyarrow.parquet

    from hornbook.report.blocks import Samples, Table

    rows: list[list[object]] = [[name, count] for name, count in artifact.manifest.counts.items()]
    first = pyarrow.parquet.read_table(artifact.file("truth/00000.parquet")).to_pylist()
    samples: dict[str, dict[str, str]] = {}
    for row in first:
        samples.setdefault(row["kind"], {"kind": row["kind"], "address": row["url"], "text": row["clean_text"][:600]})
    return [Table("Pages of the world", ["what", "how many"], rows), Samples("Pages to read", list(samples.values()))]
