"""What a search for weights found, as scores and samples, and as a reader should see it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbook.core.artifact import Artifact, write_json
from hornbook.scaling.proxies import ProxySettings
from hornbook.scaling.regression import Law
from hornbook.tasks.score import Score

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

CHECKS = ("found", "natural", "uniform")
DRAWS = 20
"""Times that the search is repeated on proxies drawn with replacement, for the intervals of the weights."""


@dataclass(frozen=True)
class Domains:
    """What is mixed and what is measured.

    `by`: what a domain is; `names`, `natural` [domains]: the domains and their shares of the bytes; `measured`: texts
    of these, and of the target where there is one; `goal`: which of the measured ones count.
    """

    by: str
    names: list[str]
    natural: np.ndarray
    measured: list[str]
    goal: list[int]


@dataclass(frozen=True)
class Found:
    """What a search found: `weights` [domains] and 95 % of them [2, domains], a law for each text that counts from
    `num_proxies` proxies, and what fresh ones paid on the mixes of CHECKS, bits per byte [mixes, seeds, measured]."""

    weights: np.ndarray
    spread: np.ndarray
    laws: list[Law]
    num_proxies: int
    checked: np.ndarray


def write_scores(file: Path, domains: Domains, found: Found, proxy: ProxySettings) -> None:
    """`scores.json`: what each mix pays (with its range over seeds), the weights, and how well the fit predicts."""
    scores = {f"{name} mix": score for name, score in zip(CHECKS, _paid(domains, found, proxy), strict=True)}
    scores |= {f"weight of {name}": s for name, s in zip(domains.names, _weights(domains, found), strict=True)}
    records = [{**_rounded(score.record()), "title": title} for title, score in scores.items()]
    names, measured = domains.names, domains.measured
    mixture = {
        "by": domains.by,
        "weights": {name: round(float(x), 6) for name, x in zip(names, found.weights, strict=True)},
        "natural": {name: round(float(x), 6) for name, x in zip(names, domains.natural, strict=True)},
        "fits": {
            measured[place]: {
                "family": law.name,
                "error": round(law.error, 6),
                "errors": {name: round(error, 6) for name, error in law.errors.items()},
                "rank_correlation": round(law.rank_correlation, 4),
            }
            for place, law in zip(domains.goal, found.laws, strict=True)
        },
        "checks": {
            name: {text: round(float(x), 4) for text, x in zip(measured, bits.mean(axis=0), strict=True)}
            for name, bits in zip(CHECKS, found.checked, strict=True)
        },
    }
    write_json(file, {"scores": records, "mixture": mixture})


def _paid(domains: Domains, found: Found, proxy: ProxySettings) -> list[Score]:
    """What each mix of CHECKS pays for what counts, from the lowest to the highest of its seeds."""
    by_seed = found.checked[:, :, domains.goal].mean(axis=2)
    size = f"{proxy.layers} layers and width {proxy.width}"
    protocol = (
        f"mean bits per byte of {len(domains.goal)} held-out text(s) after {proxy.total_tokens:,} tokens, "
        f"proxy of {size}; from lowest to highest of {by_seed.shape[1]}"
    )
    natural = float(by_seed[CHECKS.index("natural")].mean())
    return [
        Score(
            f"mixture/{name}",
            float(row.mean()),
            float(row.min()),
            float(row.max()),
            len(row),
            unit="bits per byte",
            baseline=natural,
            protocol=protocol,
            lower_is_better=True,
        )
        for name, row in zip(CHECKS, by_seed, strict=True)
    ]


def _weights(domains: Domains, found: Found) -> list[Score]:
    """The weight of each domain, with what other draws of the proxies would have made of it."""
    said = f"share of bytes; interval of {DRAWS} searches on proxies drawn with replacement; baseline: natural share"
    low, high = np.minimum(found.spread[0], found.weights), np.maximum(found.spread[1], found.weights)
    return [
        Score(
            f"weight/{name}",
            float(found.weights[place]),
            float(low[place]),
            float(high[place]),
            found.num_proxies,
            unit="share",
            baseline=float(domains.natural[place]),
            protocol=said,
        )
        for place, name in enumerate(domains.names)
    ]


def _rounded(record: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in record.items()}


def write_samples(file: Path, domains: Domains, mixes: np.ndarray, bits: np.ndarray, predicted: np.ndarray) -> None:
    """One line for each proxy: its weights, what it paid, what the fit says it pays."""
    with file.open("w", encoding="utf-8") as lines:
        for mix, paid, said in zip(mixes, bits, predicted, strict=True):
            record = {
                "weights": {name: round(float(x), 6) for name, x in zip(domains.names, mix, strict=True)},
                "bits_per_byte": {name: round(float(x), 6) for name, x in zip(domains.measured, paid, strict=True)},
                "measured": round(float(paid[domains.goal].mean()), 6),
                "predicted": round(float(said), 6),
            }
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")


def blocks(artifact: Artifact) -> "list[Block]":
    """The found weights beside the natural ones, what the mixes pay by domain, and how well the fit predicts."""
    from hornbook.report.blocks import Series, Table

    data = json.loads(artifact.file("scores.json").read_text(encoding="utf-8"))
    mixture, scores = data["mixture"], {s["name"]: s for s in data["scores"]}
    rows: list[list[object]] = []
    for name, weight in sorted(mixture["weights"].items(), key=lambda item: -item[1]):
        score, natural = scores[f"weight/{name}"], mixture["natural"][name]
        interval = f"{100 * score['low']:.1f} to {100 * score['high']:.1f} %"
        rows.append([name, f"{100 * natural:.1f} %", f"{100 * weight:.1f} %", interval, weight / natural])
    columns = [mixture["by"], "natural share", "found", "interval", "epochs in a mix as large as the corpus"]
    note = "data.mix takes these weights with read.weights."
    told: list[Block] = [Table("The mix that was found", columns, rows, note)]
    mixes = list(mixture["checks"])
    paid: list[list[object]] = [
        [text, *(mixture["checks"][m][text] for m in mixes)] for text in mixture["checks"]["found"]
    ]
    ranges: list[list[object]] = [
        ["(what counts)", *(f"{s['value']:.4f} ({s['low']:.4f} to {s['high']:.4f})" for s in _mixes_of(scores, mixes))]
    ]
    told.append(
        Table("Bits per byte of fresh proxies", ["texts", *mixes], paid + ranges, scores["mixture/found"]["protocol"])
    )
    fits: list[list[object]] = [
        [
            name,
            f["family"],
            f["error"],
            f["rank_correlation"],
            ", ".join(f"{k} {v:.4g}" for k, v in f["errors"].items()),
        ]
        for name, f in mixture["fits"].items()
    ]
    columns = ["texts", "family", "error", "rank correlation", "errors of all"]
    told.append(
        Table("The fits, on mixes they had not seen", columns, fits, "Errors: root mean square, bits per byte.")
    )
    with artifact.file("samples.jsonl").open(encoding="utf-8") as lines:
        pairs = sorted((record["predicted"], record["measured"]) for record in map(json.loads, lines))
    lines_of = {"measured": pairs, "as predicted": [(x, x) for x, _ in pairs]}
    return [*told, Series("Predicted and measured", "predicted bits per byte", "bits per byte", lines_of)]


def _mixes_of(scores: dict[str, dict[str, Any]], mixes: list[str]) -> list[dict[str, Any]]:
    return [scores[f"mixture/{name}"] for name in mixes]
