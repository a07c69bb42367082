"""Stage data.dedup: drop copies and near-copies by address and by text, keep the best one of each group."""

import json
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.settings import StrictSettings, parse
from hornbook.data import funnel
from hornbook.data.copies.clusters import best_of_each, first_of_each
from hornbook.data.copies.signatures import Keep, Plan, sign
from hornbook.data.copies.similar import alike, settle
from hornbook.data.copies.verdicts import Verdicts
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import Passes, batches, passes
from hornbook.data.web.addresses import normalised
from hornbook.shards.shard import Notes, Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+"}
WRITES = "documents"
VERSION = 3

RULES = {
    "dedup.url": "the address, normalised, of a document that is kept (value: the address; meta.duplicate_of). "
    "Source: RefinedWeb (Penedo et al. 2023), sec. G.3",
    "dedup.exact": "but for case and white space the text of a document that is kept (value: 1; meta.duplicate_of)",
    "dedup.minhash": "alike to a document that is kept (value: the Jaccard similarity of their word shingles, at least "
    "threshold, or at least chain where others link the two; meta.duplicate_of). Source: Broder 1997; bands and rows "
    "as FineWeb (Penedo et al. 2024)",
}
PUBLISHED: dict[str, tuple[int, int, int]] = {
    "fineweb_0.68": (5, 14, 8),
    "redpajama_0.71": (13, 14, 9),
    "redpajama_0.82": (13, 9, 13),
    "redpajama_0.92": (13, 5, 25),
    "cs336_0.76": (5, 10, 10),
    "cs336_0.65": (5, 50, 10),
}
"""Published (words, bands, rows), named by where their curve crosses one half, not by what their makers call them."""
SIGNATURE = ("bands", "extra_rows", "rows", "shingle_words")
FIELD = {"newest": "date", "highest": "quality"}
ID_BYTES = 40
"""Ids are compared by their first bytes; equal ones stay in the order of the corpus."""

Published = Literal["fineweb_0.68", "redpajama_0.71", "redpajama_0.82", "redpajama_0.92", "cs336_0.76", "cs336_0.65"]


class Settings(StrictSettings):
    """What counts as a copy, and which copy stays.

    The bands propose a pair of similarity s with probability 1 - (1 - s^rows)^bands, those of `extra_rows` besides.
    """

    url: bool = True
    """Drop documents whose address, normalised, is another's (another text or not). Documents without one stay."""
    url_mobile: bool = True
    """Mobile and AMP addresses (`m.`, `mobile.`, `amp.`, `/amp`) are the page's own."""
    url_ignore: tuple[str, ...] = ()
    """Parameters of addresses to leave out besides those of trackers and sessions."""
    url_max_docs: int = pydantic.Field(default=10, ge=2)
    """An address that more documents have is no page's but a whole collection's: it is not looked at."""
    exact: bool = True
    """Drop documents that are the same but for case and white space."""
    fuzzy: bool = True
    """Drop documents that are nearly the same (MinHash)."""
    keep: Keep = "longest"
    """The copy that stays: `longest` text, `first` of the corpus, `newest` or `highest` by a field of `meta`; among
    equals the lowest id."""
    keep_by: str = ""
    """The field of `meta` for `newest` (a date or a number) and `highest`; empty = `date` and `quality`."""
    shingle_words: int = pydantic.Field(default=5, ge=1, le=50)
    """Words in a shingle."""
    bands: int = pydantic.Field(default=14, ge=1, le=256)
    """Bands of the signature; documents that agree in one whole band are compared."""
    rows: int = pydantic.Field(default=8, ge=1, le=64)
    """Numbers in a band."""
    extra_rows: int = pydantic.Field(default=6, ge=0, le=64)
    """The same numbers cut into bands of so many rows propose more pairs (0 = none): at similarity 0.8 FineWeb's 14 x 8
    alone propose 92 % of the pairs, with these 99.6 %."""
    published: Published | None = None
    """A published signature by name, instead of `shingle_words`, `bands`, `rows` and `extra_rows`."""
    threshold: float = pydantic.Field(default=0.75, gt=0, le=1)
    """Two documents are copies when the Jaccard similarity of their shingles is at least this (verified)."""
    chain: float = pydantic.Field(default=0.5, ge=0, le=1)
    """A document that is a copy only of copies goes when it is at least so alike to the one that stays; `threshold` or
    more = only copies of that one go, 0 = the whole chain goes."""

    @pydantic.model_validator(mode="after")
    def _one_signature(self) -> "Settings":
        # values, not what was set: a recipe's lock and a manifest hold every field
        own = [name for name in SIGNATURE if getattr(self, name) != Settings.model_fields[name].default]
        if self.published and own:
            raise ValueError(f"published sets {', '.join(own)} too: give one or the other")
        if self.extra_rows > self.bands * self.rows:
            raise ValueError("extra_rows is more than bands x rows")
        return self

    def ignored(self) -> frozenset[str]:
        """Parameters of addresses to leave out, in lower case."""
        return frozenset(name.lower() for name in self.url_ignore)

    def words(self) -> int:
        """Words in a shingle."""
        return PUBLISHED[self.published][0] if self.published else self.shingle_words

    def cuts(self) -> tuple[tuple[int, int], ...]:
        """(bands, rows), each cut from the same numbers."""
        if self.published:
            return (PUBLISHED[self.published][1:],)
        extra = ((self.bands * self.rows // self.extra_rows, self.extra_rows),) if self.extra_rows else ()
        return ((self.bands, self.rows), *extra)

    def plan(self) -> Plan:
        """What to note of each document."""
        return Plan(
            cuts=self.cuts() if self.fuzzy else (),
            words=self.words(),
            keep=self.keep,
            keep_by=self.keep_by or FIELD.get(self.keep, ""),
            exact=self.exact,
            url=self.url,
            mobile=self.url_mobile,
            ignore=self.ignored(),
        )


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Signatures for each shard, groups over all of them, then every shard again without its copies."""
    walk = passes(inputs["documents"], out, f"data.dedup {VERSION} {settings.model_dump_json()}")
    counts = walk.look(sign_shard, "signatures", settings)
    _decide(settings, walk, [count["in"] for count in counts])
    told = [Shard(s.name, s.inputs | {"verdicts": str(walk.folder / f"{s.name}.verdicts.json")}) for s in walk.shards]
    walk.rewrite(decide_shard, "dedup", settings, told)
    write_json(out.path / "clusters.json", json.loads((walk.folder / "clusters.json").read_text("utf-8")))


def sign_shard(work: Workspace, inputs: dict[str, str], settings: Settings) -> dict[str, Any]:
    """Hashes of address and text, rank, id and keys of the bands, for one Parquet file."""
    columns = ["id", "text"]
    columns += ["url"] if settings.url else []
    columns += ["meta"] if settings.keep in FIELD else []
    return sign(work, Path(inputs["file"]), columns, settings.plan())


def _decide(settings: Settings, walk: Passes, counts: list[int]) -> None:
    """Find the copies over all shards; write the verdicts of each shard, and what the report shows.

    A note says that it is done: a restart among the shards after it compares nothing again.
    """
    import numpy as np

    out, shards = walk.notes, walk.shards

    def load(name: str) -> "np.ndarray":
        return np.concatenate([np.load(walk.folder / f"{shard}.{name}.npy") for shard in walk.names])

    notes, whole = Notes(out.resume / "copies", walk.job), Shard("all", [shard.inputs for shard in shards])
    if notes.summary(whole, walk.folder) is not None:
        return
    num_documents = sum(counts)
    starts = np.concatenate(([0], np.cumsum(counts)))
    ids = np.concatenate([np.load(walk.folder / f"{name}.id.npy").astype(f"S{ID_BYTES}") for name in walk.names])
    ranks = -np.arange(num_documents, dtype=np.float64) if settings.keep == "first" else load("rank")
    verdicts = Verdicts(num_documents)
    if settings.url:
        verdicts.add("dedup.url", _kept_by_address(load("url"), ranks, ids, settings.url_max_docs))
    if settings.exact:
        verdicts.add("dedup.exact", _kept_by_text(load("exact"), verdicts.alone(), ranks, ids))
    if settings.fuzzy:
        alone = np.flatnonzero(verdicts.alone() & (load("words") > 0))
        labels, sets = alike(out, shards, starts, alone, settings.words(), settings.threshold, walk.job)
        least = min(settings.chain, settings.threshold)
        settle(labels, ranks, ids, sets, least, partial(verdicts.add_one, "dedup.minhash"))
        sets.close()
    del ranks, ids
    verdicts.write(walk.folder, walk.names, starts)
    clusters = verdicts.clusters([shard.inputs["file"] for shard in shards], starts, "dedup.minhash")
    write_json(walk.folder / "clusters.json", clusters)
    notes.finish(whole, ["clusters.json", *(f"{name}.verdicts.json" for name in walk.names)], {})


def _kept_by_address(urls: "np.ndarray", ranks: "np.ndarray", ids: "np.ndarray", most: int) -> "np.ndarray":
    """For each document the number of the one to keep of its address; documents without an address are alone."""
    import numpy as np

    labels = first_of_each(urls)
    sizes = np.bincount(labels, minlength=len(urls))[labels]
    single = ~urls.any(axis=1) | (sizes > most)
    labels[single] = np.flatnonzero(single)
    return best_of_each(labels, ranks, ids)


def _kept_by_text(exact: "np.ndarray", alone: "np.ndarray", ranks: "np.ndarray", ids: "np.ndarray") -> "np.ndarray":
    """For each document the number of the one to keep of its text, among those that are still there."""
    import numpy as np

    there = np.flatnonzero(alone)
    kept = np.arange(len(alone))
    kept[there] = there[best_of_each(first_of_each(exact[there]), ranks[there], ids[there])]
    return kept


def decide_shard(work: Workspace, inputs: dict[str, str], settings: Settings) -> dict[str, Any]:
    """Write one Parquet file again, without its copies."""
    verdicts = json.loads(Path(inputs["verdicts"]).read_text("utf-8"))
    ignore = settings.ignored()
    ledger = Ledger(work)
    for position, document in enumerate(chain.from_iterable(batches(work, inputs["file"]))):
        verdict = verdicts.get(str(position))
        size = num_bytes(document.text)
        if verdict is None:
            ledger.keep(document, size)
        else:
            rule, value, kept = verdict
            if rule == "dedup.url":
                value = normalised(document.url, settings.url_mobile, ignore)
            ledger.drop(replace(document, meta=document.meta | {"duplicate_of": kept}), rule, value, size)
    return ledger.close()


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel with samples, how alike the copies are, the biggest groups, and what the bands can propose."""
    from hornbook.report.blocks import Samples, Series, Table

    blocks = funnel.blocks(artifact, RULES)
    known = {name: value for name, value in artifact.manifest.settings.items() if name in Settings.model_fields}
    settings = parse(Settings, known, "manifest")
    cuts = settings.cuts()
    shares = [n / 50 for n in range(51)]
    lines = {f"{b} bands of {r}": [(s, 1 - (1 - s**r) ** b) for s in shares] for b, r in cuts}
    title = f"Pairs that the bands propose, {settings.words()} words a shingle"
    blocks.append(Series(title, "Jaccard similarity", "share proposed", lines))
    if not (artifact.path / "clusters.json").exists():  # written since version 2
        return blocks
    clusters = json.loads((artifact.path / "clusters.json").read_text("utf-8"))
    if clusters["similarity"]:
        note = f"Verified; pairs below {settings.threshold} are joined only through others."
        blocks.append(
            Table("How alike near copies are to the kept one", ["Jaccard", "documents"], clusters["similarity"], note)
        )
    if clusters["sizes"]:
        blocks.append(Table("Groups by size, the kept one counted", ["documents", "groups"], clusters["sizes"]))
        blocks.append(Samples("The biggest groups", clusters["biggest"]))
    return blocks
