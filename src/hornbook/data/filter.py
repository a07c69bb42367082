"""Stage data.filter: documents through a chain of filters, each drop with its rule and value."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import Document, Drop, Edit, from_table
from hornbook.core.settings import StrictSettings, parse
from hornbook.data import funnel
from hornbook.data.language.kinds import guess_kind
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.limits import Rule, with_limits
from hornbook.data.passes import passes
from hornbook.data.profiles import OF_GUESSES, Profile, chain_of, tables_of
from hornbook.data.rules import (
    Decide,
    contents_of,
    forget_loaded,
    is_local,
    prepare,
    rules_with_limits,
    settings_of,
)
from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents"}
WRITES = "documents"
VERSION = 3

RULES = {
    "filter.timeout": "a filter of the user's took longer than record_cpu_s over this document",
    "filter.crash": "a filter of the user's ended its process over this document twice",
}

GUESS = "guess"
META_KIND = "kind"
WARM_UP = Document("", "Some filters load what they need when they are asked for the first time.")


class Settings(StrictSettings):
    """Which filters, in which order, with which settings."""

    profile: Profile = "web"
    """Where rules and their settings start. `web`: crawled pages, English; `multilingual`: crawled pages in every
    language; `fineweb`, `refinedweb`: the published chains of FineWeb and of DCLM's RefinedWeb; `stories`, `poems`,
    `letters`: texts that repeat themselves and are short for good reasons; `code`: programs."""
    kind_field: str = "format"
    """The key of `meta` that says a document's kind (see `kinds`); `guess` = by the shape of the text, noted in `meta`
    as `kind`."""
    kinds: dict[str, Profile] = pydantic.Field(default_factory=dict[str, Profile])
    """Which kind of document has which profile, `kinds.poetry = "poems"`; documents of other kinds, or of none, have
    `profile`. With `guess` empty means code, poem, letter and story, each with its profile."""
    rules: tuple[str, ...] | None = None
    """The filters in order, by name or as a file (`./my_filter.py`), each once; not given = the profile's,
    `[]` = none."""
    rule: dict[str, dict[str, Any]] = pydantic.Field(default_factory=dict[str, dict[str, Any]])
    """Settings of single filters over the profile's, one table each: `rule.language.keep = ["en", "de"]`."""
    record_cpu_s: float = pydantic.Field(default=30.0, gt=0)
    """With a filter of your own: CPU seconds after which a document is given up (`filter.timeout`)."""
    code: dict[str, str] = pydantic.Field(default_factory=dict[str, str])
    """Hashes of your own filters' files and of the files that rules name; filled in by `plan`."""

    @pydantic.model_validator(mode="after")
    def _known(self) -> "Settings":
        used = {name for profile in self.profiles() for name in self.names(profile)}
        for name in self.rule:
            if name not in used:
                settings_of(sorted(used), {name: {}})
        for profile in self.profiles():
            settings_of(self.names(profile), self.tables(profile))
        return self

    def by_kind(self) -> dict[str, Profile]:
        """Which kind of document has which profile, besides `profile`."""
        return OF_GUESSES if self.kind_field == GUESS and not self.kinds else self.kinds

    def profiles(self) -> tuple[Profile, ...]:
        """The profiles that documents may have, the common one first."""
        return tuple(dict.fromkeys([self.profile, *self.by_kind().values()]))

    def names(self, profile: Profile | None = None) -> tuple[str, ...]:
        """The filters of a profile, in order."""
        return chain_of(profile or self.profile, self.rules)

    def tables(self, profile: Profile | None = None) -> dict[str, dict[str, Any]]:
        """The settings of each filter: the profile's, then the recipe's over them."""
        return tables_of(profile or self.profile, self.names(profile), self.rule)

    def chains(self) -> dict[Profile, list[Decide]]:
        """The filters of each profile, ready to decide."""
        contents = self.code or self.contents()
        return {profile: prepare(self.names(profile), self.tables(profile), contents) for profile in self.profiles()}

    def contents(self) -> dict[str, str]:
        """Hashes of the files that decide besides these settings."""
        return {
            name: content
            for profile in self.profiles()
            for name, content in contents_of(self.names(profile), self.tables(profile)).items()
        }


def resolve(settings: Settings, *, probe: object, hints: dict[str, object]) -> tuple[Settings, dict[str, object]]:
    """Freeze the hashes of the files that decide; report the chain."""
    frozen = settings.model_copy(update={"code": settings.contents()})
    derived: dict[str, object] = {"rules": ", ".join(settings.names())}
    for kind, profile in settings.by_kind().items():
        derived[f"rules for {kind}"] = f"{profile}: {', '.join(settings.names(profile))}"
    return frozen, derived


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Filter every document of the artifact; shards stay as they are."""
    contents = settings.contents()
    job = f"data.filter {VERSION} {settings.model_dump_json()} {contents}"
    common = settings.model_copy(update={"code": contents})
    limits = Limits(cpu_s=settings.record_cpu_s) if any(map(is_local, settings.names())) else Limits()
    passes(inputs["documents"], out, job).rewrite(filter_shard, "filter", common, limits=limits)
    forget_loaded()


def filter_shard(work: Workspace, inputs: dict[str, str], settings: Settings) -> dict[str, Any]:
    """Filter one Parquet file."""
    import pyarrow.parquet

    chains = settings.chains()
    if any(map(is_local, settings.names())):
        _warm_up(settings, chains)
    ledger = Ledger(work)
    position = 0
    with pyarrow.parquet.ParquetFile(Path(inputs["file"])) as file:
        for batch in file.iter_batches(batch_size=1024, use_threads=False):  # workers are enough
            for document in from_table(batch):
                aside = work.begin(position, document.id)
                if aside:
                    value = settings.record_cpu_s if aside == "timeout" else ""
                    ledger.drop(document, f"filter.{aside}", value, num_bytes(document.text))
                else:
                    document, profile = _with_kind(document, settings)
                    ledger.others[f"profile {profile}"] += 1
                    _filter_one(ledger, chains[profile], document)
                work.advance()
                position += 1
    return ledger.close()


def _warm_up(settings: Settings, chains: dict[Profile, list[Decide]]) -> None:
    """Ask the built-in filters once: what they load then (languages take half a second) is charged to no document."""
    for profile, chain in chains.items():
        for name, decide in zip(settings.names(profile), chain, strict=True):
            if not is_local(name):
                decide(WARM_UP)


def _with_kind(document: Document, settings: Settings) -> tuple[Document, Profile]:
    """The document, with its kind noted where it is guessed, and the profile for it."""
    if not settings.by_kind():
        return document, settings.profile
    if settings.kind_field == GUESS:
        kind = guess_kind(document.text)
        document = replace(document, meta=document.meta | {META_KIND: kind}) if kind else document
    else:
        kind = str(document.meta.get(settings.kind_field, ""))
    return document, settings.by_kind().get(kind, settings.profile)


def _filter_one(ledger: Ledger, chain: list[Decide], document: Document) -> None:
    bytes_in = num_bytes(document.text)
    for decide in chain:
        decision = decide(document)
        if decision.meta:
            document = replace(document, meta=document.meta | decision.meta)
        if isinstance(decision, Drop):
            ledger.drop(document, decision.rule, decision.value, bytes_in)
            return
        if isinstance(decision, Edit):
            ledger.edit(decision.counts)
            document = replace(document, text=decision.text)
    ledger.keep(document, bytes_in)


def rules_of(artifact: Artifact, document: Document | None = None) -> dict[str, Rule]:
    """Every rule of this chain with the setting that decides about it and its limit.

    Where profiles differ, the limit is that of the document's profile, or without a document of the common one.
    """
    fields = ("profile", "kind_field", "kinds", "rules", "rule")
    settings = parse(Settings, {k: v for k, v in artifact.manifest.settings.items() if k in fields}, "manifest.json")
    found = with_limits(RULES, artifact.manifest.settings)
    for profile in reversed(settings.profiles()):
        found |= rules_with_limits(settings.names(profile), settings.tables(profile))
    if document is None or not settings.by_kind():
        return found
    profile = _noted_profile(document, settings)
    own = rules_with_limits(settings.names(profile), settings.tables(profile))
    note = f" [limits of the profile {profile}; a recipe's own setting goes over those of every profile]"
    return found | {name: replace(rule, about=rule.about + note) for name, rule in own.items()}


def _noted_profile(document: Document, settings: Settings) -> Profile:
    """The profile that a document had here, by what its `meta` says."""
    field = META_KIND if settings.kind_field == GUESS else settings.kind_field
    return settings.by_kind().get(str(document.meta.get(field, "")), settings.profile)


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel with samples, for reports."""
    return funnel.blocks(artifact, rules_of(artifact))
