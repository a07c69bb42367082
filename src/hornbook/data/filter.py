"""Stage data.filter: documents through a chain of filters, each drop with its rule and value."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import Document, Drop, Edit, document_shards, from_table
from hornbook.core.settings import StrictSettings
from hornbook.data import funnel
from hornbook.data.ledger import Ledger, conclude, num_bytes
from hornbook.data.limits import Rule, with_limits
from hornbook.data.rules import Decide, contents_of, is_local, prepare, rules_with_limits, settings_of
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Limits, Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents"}
WRITES = "documents"
VERSION = 1

RULES = {
    "filter.timeout": "a filter of the user's took longer than record_cpu_s over this document",
    "filter.crash": "a filter of the user's ended its process over this document twice",
}

PROFILES: dict[str, tuple[tuple[str, ...], dict[str, dict[str, Any]]]] = {
    "web": (("url", "language", "gopher_quality", "gopher_repetition", "c4", "pii"), {"c4": {"end_marks": False}}),
    "stories": (
        ("language", "gopher_quality", "gopher_repetition", "pii"),
        {
            "language": {"unknown": "keep"},
            "gopher_quality": {
                "min_words": 10,
                "min_word_chars": 2.0,
                "max_symbols": 0.3,
                "max_ellipsis_lines": 0.9,
                "min_stop_words": 0,
            },
            "gopher_repetition": {
                "max_lines": 0.8,
                "max_paragraphs": 0.8,
                "max_line_chars": 0.8,
                "max_paragraph_chars": 0.8,
                "max_top_ngrams": (0.5, 0.5, 0.5),
                "max_duplicate_ngrams": (0.9, 0.9, 0.9, 0.9, 0.9, 0.9),
            },
        },
    ),
}


class Settings(StrictSettings):
    """Which filters, in which order, with which settings."""

    profile: Literal["web", "stories"] = "web"
    """Where rules and their settings start: `web` for crawled pages, `stories` for short stories, poems and letters,
    which repeat themselves and are short for good reasons."""
    rules: tuple[str, ...] | None = None
    """The filters in order, by name or as a file (`./my_filter.py`); empty = the profile's."""
    rule: dict[str, dict[str, Any]] = pydantic.Field(default_factory=dict[str, dict[str, Any]])
    """Settings of single filters over the profile's, one table each: `rule.language.keep = ["en", "de"]`."""
    record_cpu_s: float = pydantic.Field(default=30.0, gt=0)
    """With a filter of your own: CPU seconds after which a document is given up (`filter.timeout`)."""
    code: dict[str, str] = pydantic.Field(default_factory=dict[str, str])
    """Hashes of your own filters' files and of the files that rules name; filled in by `plan`."""

    @pydantic.model_validator(mode="after")
    def _known(self) -> "Settings":
        settings_of(self.names(), self.tables())
        return self

    def names(self) -> tuple[str, ...]:
        """The filters, in order."""
        return PROFILES[self.profile][0] if self.rules is None else self.rules

    def tables(self) -> dict[str, dict[str, Any]]:
        """The settings of each filter: the profile's, then the recipe's over them."""
        defaults = PROFILES[self.profile][1]
        names = [name for name in self.names() if name in defaults] + [n for n in self.rule if n not in defaults]
        names += [name for name in self.rule if name in defaults and name not in names]
        return {name: defaults.get(name, {}) | self.rule.get(name, {}) for name in names}

    def chain(self) -> list[Decide]:
        """The filters ready to decide."""
        return prepare(self.names(), self.tables())

    def contents(self) -> dict[str, str]:
        """Hashes of the files that decide besides these settings."""
        return contents_of(self.names(), self.tables())


def resolve(settings: Settings, *, probe: object, hints: dict[str, object]) -> tuple[Settings, dict[str, object]]:
    """Freeze the hashes of the files that decide; report the chain."""
    frozen = settings.model_copy(update={"code": settings.contents()})
    return frozen, {"rules": ", ".join(settings.names())}


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Filter every document of the artifact; shards stay as they are."""
    documents: Artifact = inputs["documents"]
    files = document_shards(documents.path)
    shards = [Shard(file.stem, {"file": str(file)}) for file in files]
    names = settings.names()
    job = f"data.filter {VERSION} {settings.model_dump_json()} {settings.contents()} {documents.manifest.payload_hash}"
    limits = Limits(cpu_s=settings.record_cpu_s) if any(is_local(name) for name in names) else Limits()
    total = documents.manifest.counts.get("docs")
    funnels = run_shards(
        filter_shard, shards, out, label="filter", common=settings, job=job, limits=limits, total=total
    )
    conclude(out, funnels, str(documents.path), [shard.name for shard in shards])
    out.licences.extend(documents.manifest.licences)
    out.sources.extend(documents.manifest.sources)


def filter_shard(work: Workspace, inputs: dict[str, str], settings: Settings) -> dict[str, Any]:
    """Filter one Parquet file."""
    import pyarrow.parquet

    chain = settings.chain()
    ledger = Ledger(work)
    position = 0
    with pyarrow.parquet.ParquetFile(Path(inputs["file"])) as file:
        for batch in file.iter_batches(batch_size=1024):
            for document in from_table(batch):
                aside = work.begin(position, document.id)
                if aside:
                    value = settings.record_cpu_s if aside == "timeout" else ""
                    ledger.drop(document, f"filter.{aside}", value, num_bytes(document.text))
                else:
                    _filter_one(ledger, chain, document)
                work.advance()
                position += 1
    return ledger.close()


def _filter_one(ledger: Ledger, chain: list[Decide], document: Document) -> None:
    bytes_in = num_bytes(document.text)
    for decide in chain:
        decision = decide(document)
        if isinstance(decision, Drop):
            ledger.drop(document, decision.rule, decision.value, bytes_in)
            return
        if isinstance(decision, Edit):
            ledger.edit(decision.counts)
            document = replace(document, text=decision.text)
    ledger.keep(document, bytes_in)


def rules_of(artifact: Artifact) -> dict[str, Rule]:
    """Every rule of this chain with the setting that decides about it."""
    settings = Settings.model_validate(
        {k: _tuples(v) for k, v in artifact.manifest.settings.items() if k in ("profile", "rules", "rule")}
    )
    own = with_limits(RULES, artifact.manifest.settings)
    return own | rules_with_limits(settings.names(), settings.tables())


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel with samples, for reports."""
    return funnel.blocks(artifact, rules_of(artifact))


def _tuples(value: Any) -> Any:
    """Settings come back from JSON with lists where they had tuples."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return {k: _tuples(v) for k, v in value.items()} if isinstance(value, dict) else value
