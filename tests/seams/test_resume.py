"""N steps are N / 2 steps, a new process, and N / 2 more: the same bits, whatever moves the weights."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
import small

from hornbook.train.loop import Job, LoopSettings, fit
from hornbook.train.objective import NextToken
from hornbook.train.optimizer import OptimizerSettings
from hornbook.train.stop import Stop

STEPS = 14


def run(folder: Path, settings: LoopSettings, dtype: torch.dtype, stop_at: int | None = None) -> torch.Tensor:
    """Train in `folder`, going on from what is there; end with Ctrl-C after a step when `stop_at` says so."""
    model = small.model()
    model.compute_dtype = dtype
    job = Job(model, small.source(), NextToken(), STEPS * 256, settings)
    if stop_at is None:
        fit(job, small.out(folder))
    else:
        from hornbook.train.loop import Fit

        stopping = Stop()
        one = Fit(job, small.out(folder), stopping)
        step = one.step

        def counting(batch: Any) -> tuple[float, float]:
            stopping.asked = one.state.step + 1 == stop_at
            return step(batch)

        one.step = counting  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            one.run()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("matrices", ["muon", "adamw"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_halves_are_the_whole(tmp_path: Path, matrices: Any, dtype: torch.dtype) -> None:
    optimizer = OptimizerSettings(matrices=matrices, matrix_lr=0.01, momentum_steps=20, weight_decay=0.1, clip=1.0)
    settings = small.settings(optimizer=optimizer, log_steps=3)
    straight = run(tmp_path / "straight", settings, dtype)
    for stop_at in (1, 7, 13):
        folder = tmp_path / f"stopped-{stop_at}"
        run(folder, settings, dtype, stop_at=stop_at)
        assert torch.equal(run(folder, settings, dtype), straight)
        assert (folder / "metrics.jsonl").read_bytes() == (tmp_path / "straight" / "metrics.jsonl").read_bytes()


def test_a_stop_at_every_step(tmp_path: Path) -> None:
    settings = small.settings(log_steps=4)
    straight = run(tmp_path / "straight", settings, torch.float32)
    for stop_at in range(1, STEPS):
        run(tmp_path / "crumbs", settings, torch.float32, stop_at=stop_at)
    assert torch.equal(run(tmp_path / "crumbs", settings, torch.float32), straight)
    assert (tmp_path / "crumbs" / "metrics.jsonl").read_bytes() == (
        tmp_path / "straight" / "metrics.jsonl"
    ).read_bytes()
