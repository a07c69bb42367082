"""Stage data.mix: documents in given proportions of their domains, scarce ones repeated, plentiful ones thinned.

Which documents are taken is decided by a hash of each one's id: a larger mix contains the smaller one, and neither the
order nor the number of workers matters. Source: at most about four epochs of the same text are as good as new text
(Muennighoff et al. 2023, "Scaling Data-Constrained Language Models"), hence `max_epochs`.
"""

import fnmatch
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.seed import key
from hornbook.core.settings import StrictSettings, did_you_mean
from hornbook.core.units import human_bytes
from hornbook.data import funnel
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import batches, passes
from hornbook.data.shares import Portion, apportion, scarcest_total, shortfall, tempered
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+", "weights": "scores?"}
WRITES = "documents"
VERSION = 2

RULES = {
    "mix.no_weight": "its domain has no part in the mix (value: the domain)",
    "mix.not_drawn": "its domain is seen less than once and the hash of its id left it out (value: the domain)",
}

MAX_DOMAINS = 1000
NOT_WEIGHED = 2**31 - 1
"""The mark of a document whose `weight_field` is no positive number: it is drawn last."""


class Settings(StrictSettings):
    """The proportions, by bytes of text. Give `weights`, or `alpha`, or read the scores of `scaling.mixture`."""

    by: str = "source"
    """What a domain is: `source`, or a field of `meta` such as `topic` or `format`."""
    weights: dict[str, float] = pydantic.Field(default_factory=dict[str, float])
    """Part of each domain, in any unit (they are divided by their sum). A name with `*` stands for all domains that
    match it, each in proportion to its size."""
    alpha: float | None = pydantic.Field(default=None, ge=0.0, le=1.0)
    """Instead of weights: parts in proportion to size ** alpha (1 = as it is, 0 = all equal)."""
    total_bytes: int = pydantic.Field(default=0, ge=0)
    """Text of the mix; 0 = as much as goes in, or less where the parts could not be kept without more epochs."""
    max_epochs: float = pydantic.Field(default=4.0, gt=0.0)
    """How often a document may be seen at most, on average over its domain."""
    domain_epochs: dict[str, float] = pydantic.Field(default_factory=dict[str, float])
    """The same for single domains."""
    short: Literal["spread", "refuse"] = "spread"
    """What to do when a domain cannot fill its part: give the rest to the others, or stop with an error."""
    others: Literal["refuse", "drop"] = "refuse"
    """What to do with domains that `weights` does not name."""
    weight_field: str = ""
    """A positive number in `meta`: where a domain is seen a fraction of an epoch, documents are drawn in proportion
    to it."""

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "Settings":
        if self.weights and self.alpha is not None:
            raise ValueError("give weights or alpha, not both")
        if any(not math.isfinite(w) or w < 0 for w in self.weights.values()):
            raise ValueError("weights are numbers from 0 on")
        if self.weights and not sum(self.weights.values()):
            raise ValueError("all weights are 0")
        if any(not epochs > 0 for epochs in self.domain_epochs.values()):
            raise ValueError("domain_epochs are numbers above 0")
        return self


def check(settings: Settings, reads: frozenset[str]) -> None:
    """One way to give the parts. Raises SettingsError."""
    given = [bool(settings.weights), settings.alpha is not None, "weights" in reads]
    if sum(given) != 1:
        found = "no parts are given" if not any(given) else "the parts are given in more than one way"
        raise SettingsError(found, do="Give one of weights, alpha and read.weights")


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Sizes of all domains first, then every shard again with as many copies of each document as the mix needs.

    A copy keeps the id of its document (so that both fall on the same side of the validation split) and has its number
    in `meta.copy`. Raises DataError where the parts do not fit the documents.
    """
    check(settings, frozenset(name for name in inputs if name == "weights"))
    settings = with_weights(settings, inputs.get("weights"))
    walk = passes(inputs["documents"], out, f"data.mix {VERSION} {settings.model_dump_json()} {out.seed}")
    common = (settings, out.seed)
    summaries = walk.look(survey_shard, "survey", common)
    sizes = _sizes(summaries)
    refuse_many(len(sizes), settings.by)
    portions = plan(settings, sizes, out)
    cuts = _cuts(walk.folder, walk.names, summaries, portions)
    found = walk.rewrite(draw_shard, "mix", (*common, cuts), job=str(cuts))
    _write_books(out, settings, portions, found)


def with_weights(settings: Settings, scores: Artifact | None) -> Settings:
    """The settings with the weights that `scaling.mixture` found, where its scores are read."""
    if scores is None:
        return settings
    found = json.loads(scores.file("scores.json").read_text(encoding="utf-8")).get("mixture")
    if not found:
        raise DataError("these scores hold no weights", where=str(scores.path), do="Read those of scaling.mixture")
    return settings.model_copy(update={"weights": found["weights"], "by": found["by"]})


def domain_of(document: Document, by: str) -> str:
    """The domain of a document: its source or the named field of `meta`, as text (`unknown` without one)."""
    value = document.source if by == "source" else document.meta.get(by)
    return str(value) if value not in (None, "") else "unknown"


def mark_of(document: Document, seed: int, weight_field: str = "") -> int:
    """Where a document stands in the line of its domain: those with the lowest marks are drawn first.

    Source: order sampling with exponential clocks (Efraimidis and Spirakis 2006): -ln(1 - u) / weight, u from the hash
    of the id. Deviation: kept to ten binary digits, so that a domain has some ten thousand marks at most.
    """
    import numpy as np

    weight: Any = document.meta.get(weight_field) if weight_field else 1.0
    if not isinstance(weight, (int, float)) or not math.isfinite(weight) or weight <= 0:
        return NOT_WEIGHED
    clock = -math.log1p(-key(seed, f"data.mix/{document.id}") / 2.0**64) / weight
    return int(np.float32(min(clock, 1e38)).view(np.int32)) >> 13


def survey_shard(work: Workspace, inputs: dict[str, str], common: tuple[Settings, int]) -> dict[str, Any]:
    """Documents and bytes of one Parquet file by domain, and bytes by domain (its place in that list) and mark."""
    import numpy as np

    settings, seed = common
    sizes: dict[str, list[int]] = {}
    marks: dict[tuple[int, int], int] = {}
    for documents in batches(work, inputs["file"]):
        for document in documents:
            name, size = domain_of(document, settings.by), num_bytes(document.text)
            counts = sizes.setdefault(name, [len(sizes), 0, 0])
            refuse_many(len(sizes), settings.by, inputs["file"])
            counts[1] += 1
            counts[2] += size
            place = (counts[0], mark_of(document, seed, settings.weight_field))
            marks[place] = marks.get(place, 0) + size
    table = np.array([[*place, size] for place, size in sorted(marks.items())], np.int64).reshape(-1, 3)
    with work.output(f"{work.name}.marks.npy").open("wb") as file_out:
        np.save(file_out, table)
    domains = [(name, docs, size) for name, (_, docs, size) in sizes.items()]
    return {"in": sum(docs for _, docs, _ in domains), "domains": domains}


def refuse_many(num_domains: int, by: str, where: str = "") -> None:
    """Raise DataError for more domains than a mix can have."""
    if num_domains > MAX_DOMAINS:
        found = f'"{by}" has more than {MAX_DOMAINS} different values'
        raise DataError(found, where=where, do="Mix by a field with fewer values")


def plan(settings: Settings, sizes: dict[str, tuple[int, int]], out: Out) -> dict[str, Portion]:
    """Bytes of each domain in the mix; says what cannot be met, or raises where the settings want that.

    `sizes`: documents and bytes of each domain.
    """
    num_bytes_of = {name: size for name, (_, size) in sizes.items()}
    if sizes and not any(num_bytes_of.values()):
        raise DataError("these documents have no text", do="Look at what the stages before keep")
    shares = tempered(num_bytes_of, settings.alpha) if settings.alpha is not None else matched(settings, num_bytes_of)
    unknown = [name for name in settings.domain_epochs if name not in sizes]
    if unknown:
        raise DataError(f'domain_epochs names "{unknown[0]}"{did_you_mean(unknown[0], list(sizes))}')
    epochs = {name: settings.domain_epochs.get(name, settings.max_epochs) for name in sizes}
    total = settings.total_bytes or scarcest_total(num_bytes_of, shares, epochs)
    portions = apportion(num_bytes_of, shares, epochs, total)
    said = shortfall(portions, total)
    if said and settings.short == "refuse":
        do = "Ask for fewer total_bytes, other weights or more max_epochs"
        raise DataError(f"the parts cannot be met: {'; '.join(said)}", do=do)
    if said:
        got = sum(portion.wanted_bytes for portion in portions.values())
        out.log.line(f"{human_bytes(got)} of {human_bytes(total)} can be had; {'; '.join(said)}")
    return portions


def matched(settings: Settings, sizes: dict[str, int]) -> dict[str, float]:
    """The share of each domain from weights by name or pattern.

    Raises DataError for weights that fit no domain and, unless they are to be dropped, for domains without a weight.
    """
    found: dict[str, float] = dict.fromkeys(sizes, 0.0)
    named: set[str] = set()
    total = sum(settings.weights.values())
    for pattern, weight in settings.weights.items():
        fits = [n for n in sizes if n == pattern] or [
            n for n in sizes if n not in settings.weights and fnmatch.fnmatchcase(n, pattern)
        ]
        if not fits:
            raise DataError(f'weights names "{pattern}", no {settings.by}{did_you_mean(pattern, list(sizes))}')
        whole = sum(sizes[name] for name in fits)
        for name in fits:
            found[name] += weight / total * (sizes[name] / whole if whole else 1 / len(fits))
            named.add(name)
    forgotten = [name for name in sizes if name not in named]
    if forgotten and settings.others == "refuse":
        whole = sum(sizes.values())
        listed = ", ".join(f'"{n}" ({100 * sizes[n] / whole:.1f} %)' for n in sorted(forgotten)[:10])
        do = 'Give them weights (0 leaves one out), or set others = "drop"'
        raise DataError(f"{len(forgotten)} of {len(sizes)} domains have no weight: {listed}", do=do)
    return found


def _sizes(summaries: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Documents and bytes of each domain over all shards, by name."""
    sizes: dict[str, tuple[int, int]] = {}
    for summary in summaries:
        for name, docs, size in summary["domains"]:
            before = sizes.get(name, (0, 0))
            sizes[name] = (before[0] + docs, before[1] + size)
    return dict(sorted(sizes.items()))


def _cuts(
    folder: Path, names: list[str], summaries: list[dict[str, Any]], portions: dict[str, Portion]
) -> dict[str, tuple[int, int]]:
    """For each domain of the mix: copies of every document, and the mark up to which documents get one more."""
    lines: dict[str, np.ndarray] = {}
    for name, summary in zip(names, summaries, strict=True):
        _merge(lines, folder / f"{name}.marks.npy", [domain for domain, _, _ in summary["domains"]])
    return {
        name: (int(p.epochs), cut(lines[name], p.wanted_bytes - int(p.epochs) * p.bytes_in))
        for name, p in portions.items()
        if p.wanted_bytes > 0
    }


def _merge(lines: dict[str, "np.ndarray"], file: Path, domains: list[str]) -> None:
    """Add one shard's bytes by mark to those of each domain, [marks, 2] in order of the marks."""
    import numpy as np

    table = np.load(file)
    for number, name in enumerate(domains):
        here = table[table[:, 0] == number, 1:]
        both = np.concatenate((lines[name], here)) if name in lines else here
        marks, place = np.unique(both[:, 0], return_inverse=True)
        sums = np.zeros(len(marks), np.int64)
        np.add.at(sums, place, both[:, 1])
        lines[name] = np.stack((marks, sums), axis=1)


def cut(line: "np.ndarray", wanted_bytes: float) -> int:
    """The mark up to which documents together have most nearly `wanted_bytes` (-1: none of them).

    `line`: mark and bytes [marks, 2], in order of the marks.
    """
    import numpy as np

    reached = np.concatenate(([0], np.cumsum(line[:, 1])))
    best = int(np.argmin(np.abs(reached - wanted_bytes)))
    return int(line[best - 1, 0]) if best else -1


def draw_shard(
    work: Workspace, inputs: dict[str, str], common: tuple[Settings, int, dict[str, tuple[int, int]]]
) -> dict[str, Any]:
    """Write one Parquet file again with as many copies of each document as its domain needs."""
    settings, seed, cuts = common
    ledger = Ledger(work)
    drawn: dict[str, list[int]] = {}
    for documents in batches(work, inputs["file"]):
        for document in documents:
            name, size = domain_of(document, settings.by), num_bytes(document.text)
            if name in cuts:
                copies, last = cuts[name]
                copies += mark_of(document, seed, settings.weight_field) <= last
                _copy(ledger, document, copies, size, name)
                counts = drawn.setdefault(name, [0, 0])
                counts[0] += copies
                counts[1] += copies * size
            else:
                ledger.drop(document, "mix.no_weight", name, size)
    return ledger.close() | {"drawn": drawn}


def _copy(ledger: Ledger, document: Document, copies: int, size: int, domain: str) -> None:
    """Keep a document `copies` times; the books count every copy as one that came in."""
    if copies == 0:
        ledger.drop(document, "mix.not_drawn", domain, size)
    for number in range(copies):
        ledger.keep(replace(document, meta=document.meta | {"copy": number}) if number else document, size)
        ledger.others["copies"] += number > 0


def _write_books(out: Out, settings: Settings, portions: dict[str, Portion], funnels: list[dict[str, Any]]) -> None:
    """`mix.json`: for each domain what was there, what was asked and what the mix has."""
    drawn: dict[str, list[int]] = {name: [0, 0] for name in portions}
    for one in funnels:
        for name, (docs, size) in one["drawn"].items():
            drawn[name] = [drawn[name][0] + docs, drawn[name][1] + size]
    whole = sum(size for _, size in drawn.values())
    books = {
        name: {
            "bytes_in": portion.bytes_in,
            "asked_share": round(portion.asked_share, 6),
            "got_share": round(drawn[name][1] / whole, 6),
            "epochs": round(drawn[name][1] / portion.bytes_in, 4) if portion.bytes_in else 0.0,
            "max_epochs": portion.max_epochs,
            "docs": drawn[name][0],
            "bytes": drawn[name][1],
        }
        for name, portion in portions.items()
    }
    write_json(out.path / "mix.json", {"by": settings.by, "domains": books})
    out.counts["copies"] = sum(one["others"].get("copies", 0) for one in funnels)


def describe(artifact: Artifact) -> "list[Block]":
    """Asked against got for each domain, and the funnel with samples."""
    from hornbook.report.blocks import Table, share

    books = json.loads(artifact.file("mix.json").read_text(encoding="utf-8"))
    domains: dict[str, dict[str, Any]] = books["domains"]
    whole = sum(d["bytes_in"] for d in domains.values())
    rows: list[list[object]] = [
        [
            name,
            human_bytes(d["bytes_in"]),
            share(d["bytes_in"], whole),
            f"{100 * d['asked_share']:.1f} %",
            f"{100 * d['got_share']:.1f} %",
            human_bytes(d["bytes"]),
            d["docs"],
            d["epochs"],
        ]
        for name, d in sorted(domains.items(), key=lambda item: (-item[1]["got_share"], item[0]))
    ]
    columns = [books["by"], "text in", "natural share", "asked", "got", "text out", "documents out", "epochs"]
    note = "Shares are of bytes. Copies count as documents, keep their id and have their number in meta.copy."
    return [Table(f"The mix by {books['by']}", columns, rows, note), *funnel.blocks(artifact, RULES)]
