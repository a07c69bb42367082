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
from hornbook.data.mix import domain_of
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
VERSION = 1

TARGET = "target"
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


@dataclass
class Pile:
    """Documents of one domain, those whose ids hash lowest, and how much there was of it."""

    kept: list[tuple[int, str]]
    num_bytes: int = 0
    kept_bytes: int = 0

    def add(self, document: Document, most_bytes: int) -> None:
        """Take a document; now and then those with the highest hashes leave."""
        size = len(document.text.encode())
        self.num_bytes += size
        self.kept_bytes += size
        self.kept.append((key(0, f"scaling.mixture/{document.id}"), document.text))
        if self.kept_bytes > 2 * most_bytes:
            self.prune(most_bytes)

    def prune(self, most_bytes: int) -> None:
        """Keep about `most_bytes`."""
        self.kept.sort(key=lambda pair: pair[0])
        reached = np.cumsum([len(text.encode()) for _, text in self.kept])
        end = int(np.searchsorted(reached, most_bytes)) + 1
        self.kept, self.kept_bytes = self.kept[:end], int(reached[min(end, len(reached)) - 1])


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Encode samples of the domains, train the proxies, fit and search, train the checks, write weights and scores."""
    artifacts: tuple[Artifact, ...] = inputs["documents"]
    tokenizer = Tokenizer.load(inputs["tokenizer"].path)
    names, natural, measured = _prepare(settings, artifacts, inputs.get("target"), tokenizer, out)
    goal = goals(settings, names, measured)
    hashes = [a.manifest.payload_hash for a in (*artifacts, inputs["tokenizer"], *filter(None, [inputs.get("target")]))]
    job = f"scaling.mixture {VERSION} {settings.model_dump_json()} {out.seed} {hashes}"
    common = (settings.proxy, str(_work(out)), len(measured), tokenizer.vocab_size)

    def train(mixes: Any, seeds: Sequence[int], label: str) -> np.ndarray:
        """Bits per byte [mixes, seeds, measured texts]."""
        padded = [[*mix, *[0.0] * (len(measured) - len(names))] for mix in mixes]
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
    found = best_mix(expected, candidates)
    spread = _intervals(laws, mixes, bits[:, goal], candidates, out.seed)
    checks = np.vstack([found, natural, uniform])
    seeds = [key(out.seed, "scaling.mixture/check", number) % 2**31 for number in range(settings.num_checks)]
    checked = train(checks, seeds, "checks")
    predicted = expected(mixes)
    _write(out, settings, names, natural, found, spread, goal, measured, laws, checked)
    _write_samples(out.path / "samples.jsonl", names, mixes, bits, measured, predicted, goal)
    out.counts |= {"proxies": len(mixes) + checked.shape[0] * checked.shape[1], "domains": len(names)}
    for artifact in artifacts:
        out.licences.extend(artifact.manifest.licences)
        out.sources.extend(artifact.manifest.sources)


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
) -> tuple[list[str], np.ndarray, list[str]]:
    """Encoded samples of every domain on disk; returns the domains, their natural shares, and what is measured."""
    piles: dict[str, Pile] = {}
    most = settings.domain_bytes + settings.validation_bytes
    with out.log.task("sample", unit="docs") as task:
        for artifact in artifacts:
            for document in read_documents(artifact.path):
                piles.setdefault(domain_of(document, settings.by), Pile([])).add(document, most)
                task.advance()
    names = sorted(piles)
    if len(names) < 2:
        found = f'all documents have the same {settings.by}, "{names[0]}": there is nothing to mix'
        raise DataError(found, do="Set `by` to a field of meta, or read more sources")
    small = [name for name in names if len(piles[name].kept) < 2]
    if small:
        raise DataError(f'the domain "{small[0]}" has one document, too few to learn from and to measure on')
    measured = [*names]
    if target is not None:
        pile = Pile([])
        for document in read_documents(target.path):
            pile.add(document, settings.validation_bytes)
        pile.prune(settings.validation_bytes)
        piles[TARGET] = pile
        measured.append(TARGET)
    for number, name in enumerate(measured):
        piles[name].prune(most)
        own = number < len(names)
        save_domain(_work(out), number, encode(piles[name], settings.validation_bytes, tokenizer, own))
    sizes = np.array([piles[name].num_bytes for name in names], np.float64)
    return names, sizes / sizes.sum(), measured


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
        drawn = np.unique(generator.integers(0, len(mixes), len(mixes)))
        again = [law.fit(mixes[drawn], bits[drawn, place]) for place, law in enumerate(laws)]
        found.append(best_mix(_sum_of(again), candidates))
    return np.quantile(found, [0.025, 0.975], axis=0)


def _write(
    out: Out,
    settings: Settings,
    names: list[str],
    natural: np.ndarray,
    found: np.ndarray,
    spread: np.ndarray,
    goal: list[int],
    measured: list[str],
    laws: list[Law],
    checked: np.ndarray,
) -> None:
    """`scores.json`: what each mix pays (with its range over seeds), the weights, and how well the fit predicts."""
    by_seed = checked[:, :, goal].mean(axis=2)
    protocol = (
        f"mean bits per byte of {len(goal)} held-out text(s) after {settings.proxy.total_tokens:,} tokens, proxy of "
        f"{settings.proxy.layers} layers and width {settings.proxy.width}; from lowest to highest of {by_seed.shape[1]}"
    )
    rows: list[Score] = [
        Score(
            f"mixture/{name}",
            float(row.mean()),
            float(row.min()),
            float(row.max()),
            len(row),
            unit="bits per byte",
            baseline=float(by_seed[1].mean()),
            protocol=protocol,
            lower_is_better=True,
        )
        for name, row in zip(("found", "natural", "uniform"), by_seed, strict=True)
    ]
    titles = {f"mixture/{name}": f"{name} mix" for name in ("found", "natural", "uniform")}
    said = f"share of bytes; interval of {DRAWS} searches on proxies drawn with replacement; baseline: natural share"
    for place, name in enumerate(names):
        low, high = min(spread[0, place], found[place]), max(spread[1, place], found[place])
        share = (float(found[place]), float(low), float(high))
        score = Score(f"weight/{name}", *share, settings.num_proxies, "share", float(natural[place]), None, said)
        rows.append(score)
        titles[score.name] = f"weight of {name}"
    records = [{**_rounded(score.record()), "title": titles[score.name]} for score in rows]
    mixture = {
        "by": settings.by,
        "weights": {name: round(float(x), 6) for name, x in zip(names, found, strict=True)},
        "natural": {name: round(float(x), 6) for name, x in zip(names, natural, strict=True)},
        "fits": {
            measured[place]: {
                "family": law.name,
                "error": round(law.error, 6),
                "errors": {name: round(error, 6) for name, error in law.errors.items()},
                "rank_correlation": round(law.rank_correlation, 4),
            }
            for place, law in zip(goal, laws, strict=True)
        },
        "checks": {
            name: {text: round(float(x), 4) for text, x in zip(measured, checked[place].mean(axis=0), strict=True)}
            for place, name in enumerate(("found", "natural", "uniform"))
        },
    }
    write_json(out.path / "scores.json", {"scores": records, "mixture": mixture})


def _rounded(record: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in record.items()}


def _write_samples(
    file: Path,
    names: list[str],
    mixes: np.ndarray,
    bits: np.ndarray,
    measured: list[str],
    predicted: np.ndarray,
    goal: list[int],
) -> None:
    """One line for each proxy: its weights, what it paid, what the fit says it pays."""
    with file.open("w", encoding="utf-8") as lines:
        for mix, paid, said in zip(mixes, bits, predicted, strict=True):
            record = {
                "weights": {name: round(float(x), 6) for name, x in zip(names, mix, strict=True)},
                "bits_per_byte": {name: round(float(x), 6) for name, x in zip(measured, paid, strict=True)},
                "measured": round(float(paid[goal].mean()), 6),
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
