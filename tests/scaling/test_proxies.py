from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import small
import torch

from hornbook.core.settings import parse
from hornbook.pretrain.source import TokenSource
from hornbook.scaling.proxies import (
    Encoded,
    MixedSource,
    ProxySettings,
    load_domain,
    proxy_bits,
    proxy_jobs,
    save_domain,
    train_proxy,
)
from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Workspace

SHIFT = 20
TINY = {"width": 32, "layers": 1, "total_tokens": 64 * 4 * 40, "row_tokens": 64, "batch_rows": 4}


def settings(**changes: object) -> ProxySettings:
    return parse(ProxySettings, {**TINY, **changes}, "test")


def domain(by: int, seed: int, num_docs: int = 120) -> Encoded:
    """Markov documents in letters of their own; bytes per token differ between domains."""
    docs = [np.where(d >= small.FIRST, d + by, d) for d in small.documents(num_docs, seed)[0]]
    return Encoded(small.shard(docs[20:]), small.shard(docs[:20]))


def sources(*shards: Encoded) -> list[TokenSource]:
    rows = {"row_tokens": 64, "batch_rows": 4, "pad_id": 0, "seed": 3}
    return [TokenSource(d.train, **rows) for d in shards if d.train is not None]


def test_every_batch_has_its_shares_of_bytes() -> None:
    """At .7 to .3 in bytes, where the second domain has three bytes to a token; within two rows at any time."""
    one, two = domain(0, 3), domain(SHIFT, 9)
    assert two.train is not None
    two.train.num_bytes[:] *= 3
    source = MixedSource(sources(one, two), [0.7, 0.3], 4)
    tokens = np.zeros(2)
    for batch in islice(source.batches(None), 60):
        second = batch.targets_BT >= small.FIRST + SHIFT
        first = (batch.targets_BT >= small.FIRST) & ~second
        tokens += [float(first.sum()), float(second.sum())]
    size = tokens * np.array([1.0, 3.0])
    assert size[0] / size.sum() == pytest.approx(0.7, abs=0.02)
    got = np.array(batch.cursor["bytes"])
    assert np.abs(got - np.array([0.7, 0.3]) * got.sum()).max() < 2 * 64 * 3


def test_a_share_of_nothing_is_never_read_and_any_cursor_goes_on() -> None:
    made = MixedSource(sources(domain(0, 3), domain(SHIFT, 9)), [1.0, 0.0], 4)
    assert all((b.targets_BT < small.FIRST + SHIFT).all() for b in islice(made.batches(None), 20))
    mixed = MixedSource(sources(domain(0, 3), domain(SHIFT, 9)), [0.5, 0.5], 4)
    straight = list(islice(mixed.batches(None), 12))
    for at in (0, 4, 9):
        again = list(islice(mixed.batches(straight[at].cursor), 2))
        for one, other in zip(again, straight[at + 1 :], strict=False):
            assert torch.equal(one.ids_BT, other.ids_BT) and one.cursor == other.cursor


def test_a_proxy_learns_what_its_mix_holds(tmp_path: Path) -> None:
    """All of one domain: its texts become cheap, the other's do not; the same bits again."""
    domains = [domain(0, 3), domain(SHIFT, 9)]
    first = proxy_bits(settings(), domains, [1.0, 0.0], 5, 64, tmp_path / "a")
    second = proxy_bits(settings(), domains, [0.0, 1.0], 5, 64, tmp_path / "b")
    assert first[0] is not None and first[1] is not None and second[1] is not None
    assert first[0] < 2.5 and second[1] < 2.5 and first[1] > 5
    assert proxy_bits(settings(), domains, [1.0, 0.0], 5, 64, tmp_path / "c") == first
    measured_only = [*domains, Encoded(None, domains[0].validation)]
    third = proxy_bits(settings(), measured_only, [1.0, 0.0, 0.0], 5, 64, tmp_path / "d")
    assert third[:2] == first and third[2] == first[0]


def test_a_worker_gives_the_same_and_leaves_nothing(tmp_path: Path) -> None:
    domains = [domain(0, 3), domain(SHIFT, 9)]
    for number, one in enumerate(domains):
        save_domain(tmp_path, number, one)
    assert load_domain(tmp_path, 5) == Encoded(None, None)
    [job] = proxy_jobs([[0.25, 0.75]], [5], "p")
    assert job.name == "p-0000-0" and job.inputs == {"shares": [0.25, 0.75], "seed": 5}
    work = Workspace(job.name, tmp_path, tmp_path / "scratch", {}, Limits())
    summary = train_proxy(work, job.inputs, (settings(), str(tmp_path), 2, 64))
    assert summary == {"in": 1, "bits": proxy_bits(settings(), domains, [0.25, 0.75], 5, 64, tmp_path / "x")}
    assert not list((tmp_path / "scratch").iterdir())


def test_sizes() -> None:
    sizes = ProxySettings().sizes(4096)
    assert (sizes.width, sizes.heads, sizes.hidden) == (64, 2, 160) and sizes.num_parameters() < 500_000
