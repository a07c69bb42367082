import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.train.muon import Muon, orthogonalise


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    seed=st.integers(0, 2**30),
    scale=st.sampled_from([1e-6, 1.0, 1e4]),
)
def test_singular_values_come_near_one(rows: int, columns: int, seed: int, scale: float) -> None:
    """Five steps bring every singular value that is not tiny into the published band."""
    x = torch.randn(2, rows, columns, generator=torch.Generator().manual_seed(seed)) * scale
    before = torch.linalg.svdvals(x)
    values = torch.linalg.svdvals(orthogonalise(x, torch.float32))
    large = before > 0.01 * before.amax(dim=-1, keepdim=True)
    assert values[large].min() > 0.8 and values.max() < 1.15


def test_directions_are_kept_and_tall_is_wide_turned() -> None:
    x = torch.randn(3, 12, 20, generator=torch.Generator().manual_seed(1))
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    assert (orthogonalise(x, torch.float64) - u @ v).norm() < 0.12 * (u @ v).norm()
    assert torch.equal(orthogonalise(x.mT, torch.float32), orthogonalise(x, torch.float32).mT)
    low = orthogonalise(x)
    assert low.dtype == torch.float32 and (low - u @ v).norm() < 0.15 * (u @ v).norm()


def naive(weights: list[torch.Tensor], grads: list[list[torch.Tensor]], lr: float, decay: float) -> list[torch.Tensor]:
    """Keller Jordan's loop over single matrices: momentum, Nesterov, orthogonalise, scale."""
    buffers = [torch.zeros_like(w) for w in weights]
    weights = [w.clone() for w in weights]
    for step, row in enumerate(grads):
        momentum = 0.85 + 0.1 * min(1.0, step / 4)
        for weight, buffer, grad in zip(weights, buffers, row, strict=True):
            buffer.mul_(momentum).add_(grad, alpha=1 - momentum)
            update = orthogonalise((momentum * buffer + (1 - momentum) * grad)[None], torch.float64)[0]
            scale = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
            weight.mul_(1 - lr * decay).sub_(lr * scale * update)
    return weights


def test_oracle_one_matrix_at_a_time() -> None:
    """Three parameters, one of them three matrices fused by rows, give what single matrices give."""
    generator = torch.Generator().manual_seed(0)
    fused, square, tall = (torch.randn(s, dtype=torch.float64, generator=generator) for s in ((14, 6), (6, 6), (9, 6)))
    parameters = {n: torch.nn.Parameter(t.clone()) for n, t in (("qkv", fused), ("out", square), ("up", tall))}
    muon = Muon(
        parameters,
        {"qkv": (6, 4, 4), "out": (6,), "up": (9,)},
        lr=0.1,
        weight_decay=0.3,
        momentum_steps=4,
        dtype=torch.float64,
    )
    singles = [*fused.split((6, 4, 4)), square, tall]
    history = []
    for step in range(7):
        row = [torch.randn(s.shape, dtype=torch.float64, generator=generator) for s in singles]
        history.append(row)
        parameters["qkv"].grad = torch.cat(row[:3])
        parameters["out"].grad, parameters["up"].grad = row[3].clone(), row[4].clone()
        muon.step(step, 1.0)
    expected = naive(singles, history, 0.1, 0.3)
    found = [*parameters["qkv"].split((6, 4, 4)), parameters["out"], parameters["up"]]
    for one, other in zip(found, expected, strict=True):
        assert (one - other).abs().max() < 1e-12


def test_state_goes_on() -> None:
    def fresh() -> tuple[dict[str, torch.nn.Parameter], Muon]:
        parameters = {"a": torch.nn.Parameter(torch.eye(4))}
        return parameters, Muon(parameters, {"a": (4,)}, lr=0.1)

    generator = torch.Generator().manual_seed(0)
    grads = torch.randn(6, 4, 4, generator=generator)
    straight, muon = fresh()
    for step, grad in enumerate(grads):
        straight["a"].grad = grad.clone()
        muon.step(step, 0.5)
    halves, first = fresh()
    for step, grad in enumerate(grads[:3]):
        halves["a"].grad = grad.clone()
        first.step(step, 0.5)
    saved = {name: value.clone() for name, value in first.state().items()}
    second = Muon(halves, {"a": (4,)}, lr=0.1)
    second.load(saved)
    for step, grad in enumerate(grads[3:], 3):
        halves["a"].grad = grad.clone()
        second.step(step, 0.5)
    assert torch.equal(straight["a"], halves["a"])


def test_a_matrix_without_gradient_is_named() -> None:
    muon = Muon({"a": torch.nn.Parameter(torch.eye(2))}, {"a": (2,)}, lr=0.1)
    with pytest.raises(AssertionError, match="gradient"):
        muon.step(0, 1.0)
