"""However a batch is split into micro-batches, the gradient is the same."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
import small

from hornbook.train.objective import NextToken


def gradient(micro_rows: int) -> torch.Tensor:
    """fp64 gradient of one batch of six rows with padding, the way the loop makes it."""
    model = small.model(torch.float64)
    model.initialise(3, embedding_std=0.5, zero_projections=False)
    objective = NextToken()
    batch = next(small.source(num_docs=7, batch_rows=6).batches(None))
    weights = objective.weights(batch)

    def surprise(ids: torch.Tensor, targets: torch.Tensor, segments: torch.Tensor | None) -> torch.Tensor:
        return model.token_nats(model.hidden(ids, None, segments), targets)

    for micro in batch.split(micro_rows):
        term = objective(surprise, micro).terms["nats"]
        (term.sum / weights["nats"]).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("micro_rows", [1, 2, 4, 5])
def test_gradients_agree(micro_rows: int) -> None:
    whole = gradient(0)
    assert (gradient(micro_rows) - whole).abs().max() <= 1e-12 * max(1.0, whole.abs().max().item())


def test_the_whole_run_agrees(tmp_path: Path) -> None:
    """Twelve steps through the loop, in fp64: weights agree to 1e-9."""
    from hornbook.train.loop import Job, fit

    found = []
    for micro_rows in (0, 3):
        model = small.model(torch.float64)
        job = Job(model, small.source(batch_rows=6), NextToken(), 12 * 6 * 64, small.settings(micro_rows=micro_rows))
        fit(job, small.out(tmp_path / str(micro_rows)))
        found.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert (found[0] - found[1]).abs().max() < 1e-9
