"""Proxy models: a tiny decoder trained on a mix of domains, and what it then pays on texts of each."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import torch

from hornbook.core.artifact import scratch_out
from hornbook.core.recipe import Machine
from hornbook.core.settings import StrictSettings
from hornbook.core.units import bits_per_byte
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings
from hornbook.pretrain.source import Shard, TokenSource
from hornbook.pretrain.validation import whole_documents
from hornbook.shards import shard as jobs
from hornbook.shards.workspace import Workspace
from hornbook.train.batch import Batch
from hornbook.train.loop import Job, LoopSettings, fit
from hornbook.train.measure import FixedRows
from hornbook.train.objective import NextToken
from hornbook.train.optimizer import OptimizerSettings
from hornbook.train.packing import batch_of
from hornbook.train.schedule import ScheduleSettings

HEAD_SIZE = 32


class ProxySettings(StrictSettings):
    """How large a proxy model is and how long it learns."""

    width: int = pydantic.Field(default=64, ge=32, multiple_of=32)
    """Width of the model."""
    layers: int = pydantic.Field(default=2, ge=1)
    """Layers of the model."""
    total_tokens: int = pydantic.Field(default=200_000, gt=0)
    """Places it trains on, padding included."""
    row_tokens: int = pydantic.Field(default=128, ge=8)
    """Tokens of a packed row."""
    batch_rows: int = pydantic.Field(default=8, ge=1)
    """Rows of a batch."""
    optimizer: OptimizerSettings = OptimizerSettings()
    """Learning rates and their constants."""
    schedule: ScheduleSettings = ScheduleSettings()
    """How the rates move."""

    @property
    def loop(self) -> LoopSettings:
        """The loop's settings: eager, because compiling takes longer than a proxy, and without records."""
        return LoopSettings(optimizer=self.optimizer, schedule=self.schedule, compile=False, log_steps=1_000_000)

    def sizes(self, vocab_size: int) -> ModelSettings:
        """The model."""
        heads = self.width // HEAD_SIZE
        return ModelSettings(
            vocab_size=vocab_size,
            width=self.width,
            layers=self.layers,
            heads=heads,
            kv_heads=heads,
            head_size=HEAD_SIZE,
            hidden=32 * round(self.width * 8 / 3 / 32),
            max_tokens=max(1024, self.row_tokens),
        )


@dataclass(frozen=True)
class Encoded:
    """Texts of one domain as tokens, one part to learn from and one to measure on (either may be missing)."""

    train: Shard | None
    validation: Shard | None


class MixedSource:
    """Rows of several domains, so interleaved that at any time each has its share of the bytes.

    The next row is of the domain that is furthest behind its share (the first of equals); bytes are counted by learned
    tokens and the domain's bytes per token. The cursor is each domain's own, and the bytes so far.
    """

    def __init__(self, sources: Sequence[TokenSource], shares: Sequence[float], batch_rows: int) -> None:
        self.sources, self.batch_rows = sources, batch_rows
        self.shares = np.asarray(shares, np.float64)
        self.bytes_per_token = np.array([s.shard.num_bytes.sum() / max(1, len(s.shard.ids)) for s in sources])

    def batches(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """Batches after `cursor` (None = from the start)."""
        at: list[Any] = list(cursor["at"]) if cursor else [None] * len(self.sources)
        got = np.array(cursor["bytes"] if cursor else [0.0] * len(self.sources))
        streams = [source.rows(place) for source, place in zip(self.sources, at, strict=True)]
        rows: list[tuple[np.ndarray, ...]] = []
        while True:
            behind = np.where(self.shares > 0, self.shares * (got.sum() + 1) - got, -np.inf)
            domain = int(np.argmax(behind))
            row, at[domain] = next(streams[domain])
            got[domain] += float(row[2].sum()) * self.bytes_per_token[domain]
            rows.append(row)
            if len(rows) == self.batch_rows:
                yield batch_of(rows, {"at": list(at), "bytes": got.tolist()})
                rows = []


def train_proxy(work: Workspace, inputs: dict[str, Any], common: tuple[ProxySettings, str, int, int]) -> dict[str, Any]:
    """Train one proxy on the mix `inputs["shares"]` with the seed `inputs["seed"]`; its bits per byte by domain.

    One thread, fp32: the same in every process. `common`: settings, folder of the encoded domains, how many there are,
    vocabulary.
    """
    settings, folder, num_domains, vocab_size = common
    domains = [load_domain(Path(folder), number) for number in range(num_domains)]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    place = work.scratch / f"proxy-{work.name}"
    try:
        bits = proxy_bits(settings, domains, inputs["shares"], inputs["seed"], vocab_size, place)
    finally:
        torch.set_num_threads(before)
        shutil.rmtree(place, ignore_errors=True)
    work.advance()
    return {"in": 1, "bits": bits}


def proxy_bits(
    settings: ProxySettings, domains: list[Encoded], shares: Sequence[float], seed: int, vocab_size: int, folder: Path
) -> list[float | None]:
    """Bits per byte of each domain's validation texts after training on a mix (None for a domain without any).

    Every proxy of a seed begins with the same weights and meets each domain's rows in the same order.
    """
    model = Decoder(settings.sizes(vocab_size), compute_dtype=torch.float32, seed=None)
    model.initialise(seed)
    learned = [(d.train, share) for d, share in zip(domains, shares, strict=True) if d.train is not None]
    rows = {"row_tokens": settings.row_tokens, "batch_rows": settings.batch_rows, "pad_id": 0}
    sources = [TokenSource(shard, **rows, seed=seed) for shard, _ in learned]
    source = MixedSource(sources, [share for _, share in learned], settings.batch_rows)
    out = scratch_out(folder, seed=seed, machine=Machine(threads=1))
    fit(Job(model, source, NextToken(), settings.total_tokens, settings.loop), out)
    return [None if d.validation is None else _bits(model, d.validation, settings) for d in domains]


def _bits(model: Decoder, shard: Shard, settings: ProxySettings) -> float:
    items, num_bytes = whole_documents(shard, settings.row_tokens, len(shard.ids))
    fixed = FixedRows(
        items,
        row_tokens=settings.row_tokens,
        batch_rows=settings.batch_rows,
        pad_id=0,
        device=model.embedding.device,
    )

    def surprise(ids_BT: torch.Tensor, targets_BT: torch.Tensor, segments_BT: torch.Tensor | None) -> torch.Tensor:
        return model.token_nats(model.hidden(ids_BT, None, segments_BT), targets_BT)

    with torch.no_grad():
        return bits_per_byte(fixed.nats(surprise), num_bytes)


def save_domain(folder: Path, number: int, domain: Encoded) -> None:
    """Write the tokens of a domain where workers find them."""
    for part, shard in (("train", domain.train), ("validation", domain.validation)):
        if shard is not None:
            for name in ("ids", "offsets", "num_bytes"):
                np.save(folder / f"{number}.{part}.{name}.npy", getattr(shard, name))


def load_domain(folder: Path, number: int) -> Encoded:
    """The tokens of a domain, mapped into memory."""

    def part(name: str) -> Shard | None:
        files = [folder / f"{number}.{name}.{array}.npy" for array in ("ids", "offsets", "num_bytes")]
        return Shard(*(np.load(file, mmap_mode="r") for file in files)) if files[0].exists() else None

    return Encoded(part("train"), part("validation"))


def proxy_jobs(mixes: Any, seeds: Sequence[int], prefix: str) -> list[jobs.Shard]:
    """One piece of work for each mix and seed."""
    return [
        jobs.Shard(f"{prefix}-{number:04d}-{place}", {"shares": [round(float(x), 9) for x in mix], "seed": seed})
        for number, mix in enumerate(mixes)
        for place, seed in enumerate(seeds)
    ]
