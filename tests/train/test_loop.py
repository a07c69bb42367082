import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small
import torch

from hornbook.compute import threads
from hornbook.compute.compile import can_compile
from hornbook.core.errors import TrainingError
from hornbook.train import loop
from hornbook.train.batch import Batch
from hornbook.train.loop import Job, fit
from hornbook.train.objective import Loss, NextToken, Surprise, Term
from hornbook.train.schedule import ScheduleSettings


def job(tokens: int = 64 * 4 * 12, **changes: Any) -> Job:
    return replace(Job(small.model(), small.source(), NextToken(), tokens, small.settings()), **changes)


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_loss_reaches_the_entropy_of_the_source(tmp_path: Path) -> None:
    """An order-1 source of known entropy: the trained model is within .04 nats of the floor on fresh documents."""
    docs, _ = small.documents(3000, seed=3)
    source = small.TokenSource(small.shard(docs), row_tokens=64, batch_rows=16, pad_id=0, seed=7)
    fresh, floor = small.documents(300, seed=99)
    model = small.model()
    schedule = ScheduleSettings(warmup_steps=10, decay_frac=0.6)
    fit(Job(model, source, NextToken(), 16 * 64 * 150, small.settings(schedule=schedule)), small.out(tmp_path))
    rows = loop_rows(fresh)
    with torch.no_grad():
        nats = rows.nats(lambda i, t, s: model.token_nats(model.hidden(i, None, s), t)) / rows.weight
    assert floor - 0.005 < nats < floor + 0.04


def loop_rows(docs: list[Any]) -> Any:
    import numpy as np

    from hornbook.train.measure import FixedRows

    items = [(d, np.ones(len(d) - 1, dtype=np.float32)) for d in docs]
    return FixedRows(items, row_tokens=64, batch_rows=16, pad_id=0, device=torch.device("cpu"))


def test_records_state_and_measurements(tmp_path: Path) -> None:
    out = small.out(tmp_path)
    seen = []

    def measure(surprise: Surprise) -> dict[str, float]:
        seen.append(1)
        return {"validation_bits_per_byte": float(len(seen))}

    settings = small.settings(log_steps=5, measure_steps=6)
    state = fit(job(measures=(measure,), settings=settings), out)
    assert (state.step, state.tokens, state.threads) == (12, 12 * 256, 1)
    records = small.records(out.path)
    assert [r["step"] for r in records if "loss" in r] == [5, 10, 12]
    assert [(r["step"], r["validation_bits_per_byte"]) for r in records if "loss" not in r] == [(6, 1.0), (12, 2.0)]
    assert set(records[0]) == {"step", "tokens", "loss", "lr", "grad_norm"}  # no clocks in the payload
    assert [r["step"] for r in small.records(out.path, "timing.jsonl")] == [5, 10, 12]
    batches = small.source().batches(None)
    assert state.learned == sum(float(next(batches).weights_BT.sum()) for _ in range(12))


def test_ten_measurements_unless_told_otherwise(tmp_path: Path) -> None:
    out = small.out(tmp_path)
    fit(job(tokens=256 * 30, measures=(lambda s: {"validation_nats": 1.0},)), out)
    assert [r["step"] for r in small.records(out.path) if "validation_nats" in r] == list(range(3, 31, 3))


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    out = small.out(tmp_path)
    first = job()
    fit(first, out)
    before = (out.path / "metrics.jsonl").read_bytes()
    again = job()
    state = fit(again, out)
    assert state.step == 12 and torch.equal(weights(first.model), weights(again.model))
    assert (out.path / "metrics.jsonl").read_bytes() == before


def test_ctrl_c_finishes_the_step_and_goes_on_later(tmp_path: Path) -> None:
    straight = job()
    fit(straight, small.out(tmp_path / "straight"))
    out = small.out(tmp_path / "stopped")

    class Interrupting(NextToken):
        calls = 0

        def __call__(self, surprise: Surprise, batch: Batch) -> Loss:
            Interrupting.calls += 1
            if Interrupting.calls == 5:
                os.kill(os.getpid(), signal.SIGINT)
            return super().__call__(surprise, batch)

    with pytest.raises(KeyboardInterrupt):
        fit(job(objective=Interrupting()), out)
    resumed = job()
    state = fit(resumed, out)
    assert state.step == 12 and Interrupting.calls == 5
    assert torch.equal(weights(straight.model), weights(resumed.model))
    kept = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("straight", "stopped")]
    assert kept[0] == kept[1]


def test_a_loss_that_is_no_number_stops_before_it_is_learned(tmp_path: Path) -> None:
    class Broken(NextToken):
        def __call__(self, surprise: Surprise, batch: Batch) -> Loss:
            term = super().__call__(surprise, batch).terms["nats"]
            return Loss({"nats": Term(term.sum * float("nan"), term.weight)})

    broken = job(objective=Broken())
    before = weights(broken.model)
    with pytest.raises(TrainingError, match="step 1"):
        fit(broken, small.out(tmp_path))
    assert torch.equal(before, weights(broken.model))


def test_a_batch_with_nothing_to_learn_moves_nothing_and_is_counted(tmp_path: Path) -> None:
    class Prompts:
        def batches(self, cursor: dict[str, Any] | None) -> Any:
            for batch in small.source().batches(cursor):
                yield replace(batch, weights_BT=torch.zeros_like(batch.weights_BT))

    empty = job(source=Prompts())
    before = weights(empty.model)
    state = fit(empty, small.out(tmp_path))
    assert state.skipped == state.step == 12 and state.learned == 0
    assert torch.equal(before, weights(empty.model))


def test_terms_are_divided_by_their_own_weight(tmp_path: Path) -> None:
    """Two terms of different weights add up as sum / weight each, whatever the micro-batches."""

    class Two:
        def weights(self, batch: Batch) -> dict[str, float]:
            return {"all": float(batch.ids_BT.numel()), "rows": float(batch.ids_BT.shape[0]), "never": 0.0}

        def __call__(self, surprise: Surprise, batch: Batch) -> Loss:
            nats_BT = surprise(batch.ids_BT, batch.targets_BT, batch.segments_BT)
            rows = float(batch.ids_BT.shape[0])
            return Loss(
                {
                    "all": Term(nats_BT.sum(), rows * 64),
                    "rows": Term(nats_BT[:, 0].sum(), rows),
                    "never": Term(nats_BT.sum(), 0.0),
                }
            )

    found = []
    for micro_rows in (0, 1, 3):
        one = job(tokens=256, objective=Two(), settings=small.settings(micro_rows=micro_rows))
        out = small.out(tmp_path / str(micro_rows))
        fit(one, out)
        found.append(small.records(out.path)[0]["loss"])
    model, batch = small.model(), next(small.source().batches(None))
    nats = model.token_nats(model.hidden(batch.ids_BT, None, batch.segments_BT), batch.targets_BT)
    assert found == pytest.approx([(nats.mean() + nats[:, 0].mean()).item()] * 3, rel=1e-5)


def test_a_budget_in_time_is_planned_again_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def plan(tokens: int, total: int, speed: float, elapsed_s: float, budget_s: float) -> int:
        asked.append((tokens, total, budget_s))
        return 256 * 20

    monkeypatch.setattr(loop, "replanned_tokens", plan)
    out = small.out(tmp_path)
    state = fit(job(tokens=256 * 40, budget_s=100.0), out)
    assert asked == [(256 * 6, 256 * 40, 100.0)] and state.step == 20
    assert [(e["event"], e["step"], e["total_tokens"]) for e in state.events] == [("replanned", 6, 5120)]
    assert small.records(out.path)[-1]["lr"] < 0.2  # the decay ends where the new plan ends


def test_threads_are_chosen_watched_and_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adaptive: a trial at the start leaves no trace in the weights; the choice is an event that a restart restores."""
    chosen = []

    def choose(step: Any, *_: Any) -> int:
        step()
        chosen.append(1)
        torch.set_num_threads(1)
        return 1

    monkeypatch.setattr(threads, "choose_threads", choose)
    adaptive = job()
    out = small.out(tmp_path / "adaptive", threads=0)
    state = fit(adaptive, out)
    assert chosen == [1] and state.events == [{"event": "threads", "step": 0, "threads": 1}]
    fixed = job()
    assert fit(fixed, small.out(tmp_path / "fixed")).events == []
    assert torch.equal(weights(adaptive.model), weights(fixed.model))
    fit(job(tokens=256 * 14), out)
    assert chosen == [1]


def test_the_right_number_of_saves(tmp_path: Path) -> None:
    out = small.out(tmp_path)
    fit(job(settings=small.settings(save_s=1e-9)), out)
    assert sorted(p.name for p in out.resume.iterdir()) == ["state-0.safetensors", "state-1.safetensors"]


@pytest.mark.skipif(not can_compile(), reason="no C++ compiler (g++)")
def test_compiled_is_eager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one compiled test of training: the same losses as eager code to fp32's accuracy, code kept in our cache."""
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    curves = []
    for compile_ in (False, True):
        out = small.out(tmp_path / str(compile_), cache=str(tmp_path / "cache"))
        one = job(model=small.model(layers=1), tokens=256 * 4, settings=small.settings(compile=compile_, log_steps=1))
        fit(one, out)
        curves.append([r["loss"] for r in small.records(out.path)])
    assert curves[0] == pytest.approx(curves[1], rel=1e-4) and (tmp_path / "cache" / "inductor").exists()
