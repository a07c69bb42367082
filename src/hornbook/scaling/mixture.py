"""Stage scaling.mixture: weights for data.mix, found by training many tiny models on different mixes.

Source: RegMix (Liu et al. 2024, https://arxiv.org/abs/2407.01492). Proxies see a small part of every domain and repeat
little of it: what repetition costs in a long run they cannot know, `max_epochs` stands for it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document, read_documents
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.seed import array_stream, key
from hornbook.core.settings import StrictSettings, did_you_mean
from hornbook.data.mix import domain_of, refuse_many
from hornbook.pretrain.source import Shard
from hornbook.scaling.proxies import Encoded, ProxySettings, proxy_jobs, save_domain, train_proxy
from hornbook.scaling.regression import Law, Predict, best_mix, choose, sample_mixes, within
from hornbook.shards.runner import run_shards
from hornbook.tasks.score import Score
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+", "tokenizer": "tokenizer", "target": "documents?"}
WRITES = "scores"
VERSION = 2

TARGET = "target"
CHECKS = ("found", "natural", "uniform")
DRAWS = 20
"""Times that the search is repeated on proxies drawn with replacement, for the intervals of the weights."""


class Settings(StrictSettings):
    """What the domains are, what a mix is good for, and how hard to look."""

    by: str = "source"
    """What a domain is: `source`, or a field of `meta`, as in data.mix."""
    target: tuple[str, ...] = ()
    """Domains whose texts the model should be good at, all counted equally; empty = every domain, or the documents of
    `read.target`."""
    num_proxies: int = pydantic.Field(default=48, ge=8)
    """Mixes to try; about eight for each domain."""
    num_checks: int = pydantic.Field(default=3, ge=1)
    """Runs with other seeds of the found, the natural and the uniform mix at the end."""
    num_candidates: int = pydantic.Field(default=20_000, ge=100)
    """Mixes among which the fitted function looks for the best."""
    max_epochs: float = pydantic.Field(default=4.0, ge=1.0)
    """No weight is larger than so many times the domain's natural share: a mix as large as the corpus would otherwise
    repeat it more often."""
    domain_bytes: int = pydantic.Field(default=2_000_000, gt=0)
    """Text of each domain that proxies learn from, chosen by a hash of the documents' ids."""
    validation_bytes: int = pydantic.Field(default=40_000, gt=0)
    """Text of each domain that they are measured on."""
    proxy: ProxySettings = ProxySettings()
    """The proxy models."""


@dataclass(frozen=True)
class Domains:
    """What is mixed and what is measured.

    `names`, `natural` [domains]: the domains and their shares of the bytes; `measured`: texts of these, and of the
    target where there is one; `goal`: which of the measured ones count.
    """

    names: list[str]
    natural: np.ndarray
    measured: list[str]
    goal: list[int]


@dataclass(frozen=True)
class Found:
    """What a search found: `weights` [domains] and 95 % of them [2, domains], a law for each text that counts, and what
    fresh proxies paid on the mixes of CHECKS, bits per byte [mixes, seeds, measured]."""

    weights: np.ndarray
    spread: np.ndarray
    laws: list[Law]
    checked: np.ndarray


@dataclass
class Pile:
    """Documents of one domain, those whose ids hash lowest, and how much there was of it."""

    kept: list[tuple[int, str]]
    num_bytes: int = 0
    kept_bytes: int = 0

    def add(self, document: Document, most_bytes: int) -> None:
        """Take a document, at most half of `most_bytes` of it; now and then those with the highest hashes leave."""
        data = document.text.encode()
        self.num_bytes += len(data)
        beginning = data[: most_bytes // 2]
        if beginning:
            self.kept_bytes += len(beginning)
            self.kept.append((key(0, f"scaling.mixture/{document.id}"), beginning.decode(errors="ignore")))
        if self.kept_bytes > 2 * most_bytes:
            self.prune(most_bytes)

    def prune(self, most_bytes: int) -> None:
        """Keep about `most_bytes`."""
        self.kept.sort(key=lambda pair: pair[0])
        reached = np.cumsum([len(text.encode()) for _, text in self.kept])
        end = int(np.searchsorted(reached, most_bytes)) + 1
        self.kept, self.kept_bytes = self.kept[:end], int(reached[min(end, len(reached)) - 1])


def check(settings: Settings, reads: frozenset[str]) -> None:
    """One way to say what the model should be good at. Raises SettingsError."""
    if settings.target and TARGET in reads:
        do = "Name domains in target, or read documents as target"
        raise SettingsError("what counts is given in two ways, target and read.target", where="scaling.mixture", do=do)


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Encode samples of the domains, train the proxies, fit and search, train the checks, write weights and scores."""
    check(settings, frozenset(inputs))
    artifacts: tuple[Artifact, ...] = inputs["documents"]
    tokenizer = Tokenizer.load(inputs["tokenizer"].path)
    domains = _prepare(settings, artifacts, inputs.get(TARGET), tokenizer, out)
    names, natural, goal = domains.names, domains.natural, domains.goal
    hashes = [a.manifest.payload_hash for a in (*artifacts, inputs["tokenizer"], *filter(None, [inputs.get(TARGET)]))]
    job = f"scaling.mixture {VERSION} {settings.model_dump_json()} {out.seed} {hashes}"
    common = (settings.proxy, str(_work(out)), len(domains.measured), tokenizer.vocab_size)

    def train(mixes: Any, seeds: Sequence[int], label: str) -> np.ndarray:
        """Bits per byte [mixes, seeds, measured texts]."""
        padded = [[*mix, *[0.0] * (len(domains.measured) - len(names))] for mix in mixes]
        work = replace(out, path=_work(out))
        shards = proxy_jobs(padded, seeds, label)
        done = run_shards(
            train_proxy, shards, work, label=label, common=common, job=job, unit="proxies", total=len(shards)
        )
        bits = np.array([[np.nan if x is None else x for x in one["bits"]] for one in done])
        return bits.reshape(len(mixes), len(seeds), -1)

    uniform = within(np.full(len(names), 1 / len(names)), natural, settings.max_epochs)
    tried = sample_mixes(natural, settings.num_proxies - 2, settings.max_epochs, out.seed, "proxies")
    mixes = np.vstack([natural, uniform, tried])
    bits = train(mixes, [out.seed], "proxies")[:, 0]
    candidates = sample_mixes(natural, settings.num_candidates, settings.max_epochs, out.seed, "candidates")
    laws = [choose(mixes, bits[:, place], out.seed) for place in goal]
    expected = _sum_of([law.predict for law in laws])
    weights = best_mix(expected, candidates)
    spread = _intervals(laws, mixes, bits[:, goal], candidates, out.seed)
    seeds = [key(out.seed, "scaling.mixture/check", number) % 2**31 for number in range(settings.num_checks)]
    found = Found(weights, spread, laws, train(np.vstack([weights, natural, uniform]), seeds, "checks"))
    _write(out, settings, domains, found)
    _write_samples(out.path / "samples.jsonl", domains, mixes, bits, expected(mixes))
    out.counts |= {"proxies": len(mixes) + len(CHECKS) * len(seeds), "domains": len(names)}


def goals(settings: Settings, names: list[str], measured: list[str]) -> list[int]:
    """Which of the measured texts count: the target's, the named domains', or all. Raises SettingsError."""
    if settings.target:
        unknown = [name for name in settings.target if name not in names]
        if unknown:
            raise SettingsError(f'target names "{unknown[0]}"{did_you_mean(unknown[0], names)}')
        return [names.index(name) for name in settings.target]
    return [measured.index(TARGET)] if len(measured) > len(names) else list(range(len(names)))


def _work(out: Out) -> Path:
    folder = Path(out.resume) / "work"
    folder.mkdir(exist_ok=True)
    return folder


def _prepare(
    settings: Settings, artifacts: Sequence[Artifact], target: Artifact | None, tokenizer: Tokenizer, out: Out
) -> Domains:
    """Encoded samples of every domain on disk; returns what they are."""
    piles = _piles(settings, artifacts, out)
    names = sorted(piles)
    sizes = np.array([piles[name].num_bytes for name in names], np.float64)
    measured = [*names]
    if target is not None:
        if TARGET in names:
            found = f'a domain is called "{TARGET}", as the documents of read.{TARGET} are'
            raise DataError(found, do=f"Name it in target instead of read.{TARGET}, or give the domain another name")
        piles[TARGET] = _target(target, settings.validation_bytes)
        measured.append(TARGET)
    for number, name in enumerate(measured):
        own = number < len(names)
        save_domain(_work(out), number, encode(piles[name], settings.validation_bytes, tokenizer, own))
    return Domains(names, sizes / sizes.sum(), measured, goals(settings, names, measured))


def _piles(settings: Settings, artifacts: Sequence[Artifact], out: Out) -> dict[str, Pile]:
    """Documents of every domain. Raises DataError where there is nothing to mix, or too little to learn from."""
    piles: dict[str, Pile] = {}
    most = settings.domain_bytes + settings.validation_bytes
    with out.log.task("sample", unit="docs") as task:
        for artifact in artifacts:
            for document in read_documents(artifact.path):
                piles.setdefault(domain_of(document, settings.by), Pile([])).add(document, most)
                refuse_many(len(piles), settings.by)
                task.advance()
    if len(piles) < 2:
        same = (
            f'all documents have the same {settings.by}, "{next(iter(piles))}"' if piles else "there are no documents"
        )
        raise DataError(f"{same}: there is nothing to mix", do="Set `by` to a field of meta, or read more sources")
    for name, pile in sorted(piles.items()):
        if len(pile.kept) < 2:
            raise DataError(
                f'the domain "{name}" has fewer than two documents with text: one to learn from, one to measure on'
            )
        pile.prune(most)
    return piles


def _target(artifact: Artifact, most_bytes: int) -> Pile:
    """Documents that the model should be good at."""
    pile = Pile([])
    for document in read_documents(artifact.path):
        pile.add(document, most_bytes)
    if not pile.kept:
        raise DataError("these documents have no text to measure on", where=str(artifact.path))
    pile.prune(most_bytes)
    return pile


def encode(pile: Pile, validation_bytes: int, tokenizer: Tokenizer, own: bool) -> Encoded:
    """A domain's texts as tokens: the first `validation_bytes` are measured on (all, when it is no domain of the mix).

    At most half of a domain's documents are measured on, at least one.
    """
    texts = [text for _, text in pile.kept]
    ids = [[tokenizer.bos_id, *found, tokenizer.eos_id] for found in tokenizer.encode_batch(texts)]
    sizes = [len(text.encode()) for text in texts]
    end = int(np.searchsorted(np.cumsum(sizes), validation_bytes)) + 1
    end = min(end, len(texts) // 2) if own else len(texts)
    return Encoded(_shard(ids[end:], sizes[end:]) if own else None, _shard(ids[:end], sizes[:end]))


def _shard(ids: list[list[int]], sizes: list[int]) -> Shard:
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in ids]))).astype(np.int64)
    return Shard(np.concatenate([np.array(one, np.uint32) for one in ids]), offsets, np.array(sizes, np.int64))


def _sum_of(predictions: list[Predict]) -> Predict:
    """Predicted mean bits per byte over what counts."""
    return lambda weights: np.mean([predict(weights) for predict in predictions], axis=0)


def _intervals(laws: list[Law], mixes: np.ndarray, bits: np.ndarray, candidates: np.ndarray, seed: int) -> np.ndarray:
    """95 % of the weights [2, domains] that come out when the proxies are drawn again with replacement."""
    generator = array_stream(seed, "scaling.mixture/intervals")
    found: list[np.ndarray] = []
    for _ in range(DRAWS):
        drawn = generator.integers(0, len(mixes), len(mixes))
        again = [law.fit(mixes[drawn], bits[drawn, place]) for place, law in enumerate(laws)]
        found.append(best_mix(_sum_of(again), candidates))
    return np.quantile(found, [0.025, 0.975], axis=0)


def _write(out: Out, settings: Settings, domains: Domains, found: Found) -> None:
    """`scores.json`: what each mix pays (with its range over seeds), the weights, and how well the fit predicts."""
    scores = {f"{name} mix": score for name, score in zip(CHECKS, _paid(settings, domains, found), strict=True)}
    scores |= {
        f"weight of {name}": s for name, s in zip(domains.names, _weights(settings, domains, found), strict=True)
    }
    records = [{**_rounded(score.record()), "title": title} for title, score in scores.items()]
    names, measured = domains.names, domains.measured
    mixture = {
        "by": settings.by,
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
    write_json(out.path / "scores.json", {"scores": records, "mixture": mixture})


def _paid(settings: Settings, domains: Domains, found: Found) -> list[Score]:
    """What each mix of CHECKS pays for what counts, from the lowest to the highest of its seeds."""
    by_seed = found.checked[:, :, domains.goal].mean(axis=2)
    size = f"{settings.proxy.layers} layers and width {settings.proxy.width}"
    protocol = (
        f"mean bits per byte of {len(domains.goal)} held-out text(s) after {settings.proxy.total_tokens:,} tokens, "
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


def _weights(settings: Settings, domains: Domains, found: Found) -> list[Score]:
    """The weight of each domain, with what other draws of the proxies would have made of it."""
    said = f"share of bytes; interval of {DRAWS} searches on proxies drawn with replacement; baseline: natural share"
    low, high = np.minimum(found.spread[0], found.weights), np.maximum(found.spread[1], found.weights)
    return [
        Score(
            f"weight/{name}",
            float(found.weights[place]),
            float(low[place]),
            float(high[place]),
            settings.num_proxies,
            unit="share",
            baseline=float(domains.natural[place]),
            protocol=said,
        )
        for place, name in enumerate(domains.names)
    ]


def _rounded(record: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in record.items()}


def _write_samples(file: Path, domains: Domains, mixes: np.ndarray, bits: np.ndarray, predicted: np.ndarray) -> None:
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


def describe(artifact: Artifact) -> "list[Block]":
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
    blocks: list[Block] = [Table("The mix that was found", columns, rows, note)]
    mixes = list(mixture["checks"])
    paid: list[list[object]] = [
        [text, *(mixture["checks"][m][text] for m in mixes)] for text in mixture["checks"]["found"]
    ]
    ranges: list[list[object]] = [
        ["(what counts)", *(f"{s['value']:.4f} ({s['low']:.4f} to {s['high']:.4f})" for s in _mixes_of(scores, mixes))]
    ]
    blocks.append(
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
    blocks.append(
        Table("The fits, on mixes they had not seen", columns, fits, "Errors: root mean square, bits per byte.")
    )
    with artifact.file("samples.jsonl").open(encoding="utf-8") as lines:
        pairs = sorted((record["predicted"], record["measured"]) for record in map(json.loads, lines))
    lines_of = {"measured": pairs, "as predicted": [(x, x) for x, _ in pairs]}
    return [*blocks, Series("Predicted and measured", "predicted bits per byte", "bits per byte", lines_of)]


def _mixes_of(scores: dict[str, dict[str, Any]], mixes: list[str]) -> list[dict[str, Any]]:
    return [scores[f"mixture/{name}"] for name in mixes]
