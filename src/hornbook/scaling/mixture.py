"""Stage scaling.mixture: weights for data.mix, found by training many tiny models on different mixes.

Source: RegMix (Liu et al. 2024, https://arxiv.org/abs/2407.01492). Proxies see a small part of every domain and repeat
little of it: what repetition costs in a long run they cannot know, `max_epochs` stands for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.seed import array_stream, key
from hornbook.core.settings import StrictSettings, did_you_mean
from hornbook.scaling import mixture_report
from hornbook.scaling.domain_texts import encode, piles_of, target_pile
from hornbook.scaling.mixture_report import CHECKS, DRAWS, Domains, Found
from hornbook.scaling.proxies import ProxySettings, proxy_jobs, save_domain, train_proxy
from hornbook.scaling.regression import Law, Predict, best_mix, choose, sample_mixes, within
from hornbook.shards.runner import run_shards
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+", "tokenizer": "tokenizer", "target": "documents?"}
WRITES = "scores"
VERSION = 2

TARGET = "target"


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
    checked = train(np.vstack([weights, natural, uniform]), seeds, "checks")
    found = Found(weights, spread, laws, len(mixes), checked)
    mixture_report.write_scores(out.path / "scores.json", domains, found, settings.proxy)
    mixture_report.write_samples(out.path / "samples.jsonl", domains, mixes, bits, expected(mixes))
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
    piles = piles_of(artifacts, settings.by, settings.domain_bytes + settings.validation_bytes, out.log)
    names = sorted(piles)
    sizes = np.array([piles[name].num_bytes for name in names], np.float64)
    measured = [*names]
    if target is not None:
        if TARGET in names:
            found = f'a domain is called "{TARGET}", as the documents of read.{TARGET} are'
            raise DataError(found, do=f"Name it in target instead of read.{TARGET}, or give the domain another name")
        piles[TARGET] = target_pile(target, settings.validation_bytes)
        measured.append(TARGET)
    for number, name in enumerate(measured):
        own = number < len(names)
        save_domain(_work(out), number, encode(piles[name], settings.validation_bytes, tokenizer, own))
    return Domains(settings.by, names, sizes / sizes.sum(), measured, goals(settings, names, measured))


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


def describe(artifact: Artifact) -> "list[Block]":
    """The found weights, what the mixes pay, how well the fits predict."""
    return mixture_report.blocks(artifact)
