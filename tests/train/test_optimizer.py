import small
import torch

from hornbook.train.optimizer import Optimizer, OptimizerSettings


def gradients(model: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)


def test_adamw_by_torch_with_the_rate_of_each_kind() -> None:
    """With `matrices = "adamw"` every weight moves as torch's plain AdamW moves it at its own rate."""
    model, twin = small.model(), small.model()
    settings = OptimizerSettings(matrices="adamw", matrix_lr=0.003, embedding_lr=0.02, gain_lr=0.01, weight_decay=0.1)
    ours = Optimizer(model, settings)
    matrices = set(twin.matrix_parts())
    groups = [
        {
            "params": [p],
            "lr": 0.003 if n in matrices else 0.02 if n == "embedding" else 0.01,
            "weight_decay": 0.1 if n in matrices else 0.0,
        }
        for n, p in twin.named_parameters()
    ]
    rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
    plain = torch.optim.AdamW(groups, betas=(0.8, 0.95), eps=1e-10, foreach=False)
    for step, factor in enumerate((0.5, 1.0, 0.25)):
        gradients(model, step)
        gradients(twin, step)
        for group, rate in zip(plain.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        plain.step()
        ours.step(step, factor)
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert (one - other).abs().max() < 1e-6


def test_muon_moves_matrices_and_adamw_the_rest() -> None:
    model = small.model()
    optimizer = Optimizer(model, OptimizerSettings(muon_fp32=True, matrix_lr=0.5, embedding_lr=0.25, gain_lr=0.125))
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    gradients(model, 0)
    optimizer.step(0, 1.0)
    moved = {n: (p - before[n]).detach() for n, p in model.named_parameters()}
    assert torch.allclose(moved["embedding"].abs(), torch.tensor(0.25), atol=1e-5)
    assert torch.allclose(moved["norm.weight"].abs(), torch.tensor(0.125), atol=1e-5)
    query = moved["layers.0.attention.qkv.weight"][:32]
    assert torch.linalg.svdvals(query).median().item() == torch.tensor(0.5).item() or (
        0.4 < torch.linalg.svdvals(query).median().item() < 0.6
    )
    assert all(p.grad is None for p in model.parameters())


def test_clip_shortens_and_keeps_the_direction() -> None:
    model = small.model()
    optimizer = Optimizer(model, OptimizerSettings(clip=0.5))
    gradients(model, 1)
    before = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    norm = optimizer.clip()
    after = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    assert abs(norm - before.norm().item()) < 1e-4 * norm
    assert abs(after.norm().item() - 0.5) < 1e-5 and torch.allclose(after * norm / 0.5, before, rtol=1e-4)


def test_state_is_plain_tensors_and_goes_on() -> None:
    straight, halves = small.model(), small.model()
    settings = OptimizerSettings(muon_fp32=True)
    one, first = Optimizer(straight, settings), Optimizer(halves, settings)
    for step in range(3):
        gradients(straight, step)
        gradients(halves, step)
        one.step(step, 1.0)
        first.step(step, 1.0)
    saved = {name: value.clone() for name, value in first.state().items()}
    assert all(isinstance(value, torch.Tensor) for value in saved.values())
    second = Optimizer(halves, settings)
    second.load(saved)
    for step in range(3, 6):
        gradients(straight, step)
        gradients(halves, step)
        one.step(step, 1.0)
        second.step(step, 1.0)
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), halves.parameters(), strict=True))
