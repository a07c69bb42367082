import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.core.artifact import Artifact, Manifest
from hornbook.core.errors import SettingsError
from hornbook.core.settings import parse
from hornbook.pretrain import causal
from hornbook.pretrain.anneal import AnnealedSource
from hornbook.report.blocks import Samples, Series, Table

TINY = {"width": 32, "layers": 1, "heads": 2, "kv_heads": 2, "head_size": 16, "hidden": 32, "max_tokens": 64}
PROBE = SimpleNamespace(peak_flops=4e11, memory_bytes=8 * 10**9)


def settings(**changes: Any) -> causal.Settings:
    table = {"model": TINY, "total_tokens": 4096, "row_tokens": 64, "batch_rows": 4, "dtype": "fp32"}
    table |= {"loop": {"compile": False, "log_steps": 4}, "sample_tokens": 8} | changes
    return parse(causal.Settings, {k: v for k, v in table.items() if v is not None}, "test")


def test_tokens_become_a_checkpoint_that_has_learned(tmp_path: Path) -> None:
    tokens = small.tokens_artifact(tmp_path / "tokens")
    out = small.out(tmp_path / "base")
    out.licences.append("CC-BY-4.0")
    causal.run(settings(total_tokens=64 * 4 * 60), {"tokens": tokens}, out)
    records = small.records(out.path)
    losses = [r["loss"] for r in records if "loss" in r]
    bits = [r["validation_bits_per_byte"] for r in records if "validation_bits_per_byte" in r]
    assert losses[-1] < 0.5 * losses[0] and bits[-1] < 2.0 < bits[0] and len(bits) == 10
    assert all(len(r["samples"]) == 1 for r in records if "samples" in r)
    model = checkpoint.load(out.path)
    assert model.settings.vocab_size == 272 and torch.isfinite(model.embedding).all()
    assert out.counts["tokens"] == 64 * 4 * 60 and out.counts["steps"] == 60
    # documents are shorter than rows, and attention is counted within them
    assert model.settings.flops_per_token(10) < out.counts["flops"] / (64 * 4 * 60) < model.settings.flops_per_token(64)
    assert out.counts["padding_frac"] == round(1 - out.counts["learned_tokens"] / (64 * 4 * 60), 4)
    assert "cc-by-4.0" in (out.path / "README.md").read_text()
    described = causal.describe(Artifact(out.path, Manifest(kind="checkpoint", counts=out.counts)))
    assert {type(block) for block in described} == {Table, Series, Samples}


def test_a_budget_in_flops_is_met_within_a_batch(tmp_path: Path) -> None:
    tokens = small.tokens_artifact(tmp_path / "tokens")
    out = small.out(tmp_path / "base")
    causal.run(settings(total_tokens=None, total_flops=2e9, sample_tokens=0), {"tokens": tokens}, out)
    batch = out.counts["flops"] / out.counts["steps"]
    assert 2e9 - batch < out.counts["flops"] <= 2e9


def test_exactly_one_budget() -> None:
    for changes in ({"total_tokens": None}, {"total_flops": 1e12}, {"budget": "5min"}):
        with pytest.raises(SettingsError, match="exactly one of budget, total_tokens and total_flops"):
            settings(**changes)
    with pytest.raises(SettingsError, match="not a time"):
        settings(total_tokens=None, budget="soon")


def test_resolve_freezes_everything_and_prints_it() -> None:
    hints: dict[str, Any] = {"input_bytes": 4_000_000, "settings": {}, "inputs": {}}
    frozen, derived = causal.resolve(
        settings(total_tokens=None, budget="10min", model="story-10m"), probe=PROBE, hints=hints
    )
    assert frozen.planned is not None and frozen.planned.model.width == 320
    assert derived["tokens"] == frozen.planned.total_tokens and derived["steps"] * 4 * 64 == derived["tokens"]
    assert abs(derived["seconds"] - 600) < 6 and derived["epochs"] == round(derived["tokens"] / 1e6, 2)
    assert parse(causal.Settings, frozen.model_dump(), "the lock") == frozen


def test_known_tokens_and_a_learned_vocabulary_beat_estimates(tmp_path: Path) -> None:
    tokens = small.tokens_artifact(tmp_path)
    facts = json.loads((tmp_path / "tokens.json").read_text())
    hints: dict[str, Any] = {"input_bytes": 10**9, "settings": {}, "inputs": {"tokens": (tokens,)}}
    frozen, derived = causal.resolve(settings(), probe=PROBE, hints=hints)
    assert derived["epochs"] == round(4096 / facts["train"]["tokens"], 2)
    learned = {"settings": {"tokenizer.learn": SimpleNamespace(vocab_size=777)}, "input_bytes": 0}
    assert causal.resolve(settings(), probe=PROBE, hints=learned)[0].planned.model.vocab_size == 777  # type: ignore[union-attr]
    assert frozen.planned is not None and frozen.planned.model.vocab_size == 272


def test_memory_shrinks_the_micro_batch_or_refuses() -> None:
    wide = settings(model="story-100m", row_tokens=512, batch_rows=64)
    probe = SimpleNamespace(peak_flops=4e11, memory_bytes=6 * 10**9)
    frozen, derived = causal.resolve(wide, probe=probe, hints={})
    assert 0 < frozen.loop.micro_rows < 64 and derived["memory_bytes"] < 0.8 * 6e9
    with pytest.raises(SettingsError, match="smaller model"):
        causal.resolve(wide, probe=SimpleNamespace(peak_flops=4e11, memory_bytes=10**9), hints={})


def test_a_model_shorter_than_its_rows_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"rows have 64 tokens.*reads 32"):
        causal.resolve(settings(model={**TINY, "max_tokens": 32}), probe=PROBE, hints={})


def test_a_table_needs_only_width_and_layers() -> None:
    model = causal.model_settings({"width": 128, "layers": 3}, 500, 64)
    assert (model.heads, model.kv_heads, model.hidden, model.vocab_size) == (2, 2, 352, 500)
    with pytest.raises(SettingsError, match="widht"):
        causal.model_settings({"widht": 128}, 500, 64)


def shifted(folder: Path, by: int) -> Artifact:
    """The Markov documents in other letters."""
    artifact = small.tokens_artifact(folder)
    for part in ("train", "validation"):
        ids = np.fromfile(folder / f"{part}.bin", dtype=np.uint16)
        np.where(ids >= small.FIRST, ids + by, ids).astype(np.uint16).tofile(folder / f"{part}.bin")
    return artifact


def test_a_second_mix_is_learned_at_the_end(tmp_path: Path) -> None:
    """Unseen until half of the run, learned after; both are validated, and the report shows where it began."""
    inputs = {"tokens": small.tokens_artifact(tmp_path / "tokens"), "anneal": shifted(tmp_path / "anneal", 40)}
    out = small.out(tmp_path / "base")
    causal.run(settings(total_tokens=64 * 4 * 60, anneal_frac=0.5), inputs, out)
    records = [r for r in small.records(out.path) if "anneal_validation_bits_per_byte" in r]
    second = [r["anneal_validation_bits_per_byte"] for r in records]
    assert [r["step"] for r in records] == list(range(6, 61, 6))
    assert min(second[:5]) > 6.0 and second[-1] < 2.5
    assert records[4]["validation_bits_per_byte"] < 2.0
    assert out.counts["anneal_from_tokens"] == 64 * 4 * 30
    table, *blocks = causal.describe(Artifact(out.path, Manifest(kind="checkpoint", counts=out.counts)))
    assert isinstance(table, Table) and ["second mix", "from 7.68k tokens on (50 % of the run)"] in table.rows
    lines = {name: points for b in blocks if isinstance(b, Series) for name, points in b.lines.items()}
    assert lines["loss, main mix"][-1][0] == 28 * 256 and lines["loss, second mix"][0][0] == 32 * 256
    assert len(lines["validation bits per byte"]) == len(lines["anneal validation bits per byte"]) == 10


def test_when_a_second_mix_begins() -> None:
    """With the decay of the schedule unless it is said; a schedule without one must say it."""
    assert settings().anneal_part == 0.6 and settings(anneal_frac=0.25).anneal_part == 0.25
    causal.check(settings(), frozenset({"tokens", "anneal"}))
    with pytest.raises(SettingsError, match="there is no second mix"):
        causal.check(settings(anneal_frac=0.2), frozenset({"tokens"}))
    cosine = {"compile": False, "schedule": {"shape": "cosine"}}
    with pytest.raises(SettingsError, match='"cosine" has no decay'):
        causal.check(settings(loop=cosine), frozenset({"tokens", "anneal"}))
    causal.check(settings(loop=cosine, anneal_frac=0.2), frozenset({"tokens", "anneal"}))
    hints: dict[str, Any] = {"input_bytes": 0, "settings": {}, "inputs": {"tokens": (), "anneal": ()}}
    assert causal.resolve(settings(), probe=PROBE, hints=hints)[1]["anneal_tokens"] == round(0.6 * 4096)


def test_the_second_mix_has_an_order_of_its_own(tmp_path: Path) -> None:
    """The same tokens as both mixes: the second pass does not follow the first one's order."""
    tokens = small.tokens_artifact(tmp_path / "tokens")
    planned = causal.Planned(model=small.sizes(), batch_rows=4, total_tokens=4096)
    made = causal._source(settings(), planned, tokens, tokens, 5)
    assert isinstance(made, AnnealedSource) and made.start_frac == 0.4
    assert made.main.seed == 5 and (made.main.order(0) != made.anneal.order(0)).any()
