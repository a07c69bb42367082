"""Muon: momentum made orthogonal, for matrices.

Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/ (Nesterov momentum, update scaled by
sqrt(max(1, rows / columns))); orthogonalisation by Polar Express, Amsel et al. 2025, https://arxiv.org/abs/2505.16932,
five steps with their published coefficients. Deviations: matrices of one shape are worked on as one batch; matrices
that are stored fused (q, k, v; gate, up) are orthogonalised one by one.
"""

import torch

POLAR_EXPRESS = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
)


def orthogonalise(stack: torch.Tensor, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    """The nearest orthogonal matrix of each in a stack (matrices, rows, columns): all singular values near 1."""
    tall = stack.shape[-2] > stack.shape[-1]
    x = (stack.mT if tall else stack).to(dtype)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) * 1.01 + 1e-7)
    for a, b, c in POLAR_EXPRESS:
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.mT if tall else x).to(stack.dtype)


class Muon:
    """One momentum for every logical matrix, kept in stacks of equal shape.

    `parts`: name of a parameter -> rows of the matrices fused in it, in order.
    """

    def __init__(
        self,
        parameters: dict[str, torch.nn.Parameter],
        parts: dict[str, tuple[int, ...]],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        momentum_steps: int = 300,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.momentum_steps, self.dtype = momentum_steps, dtype
        self._places: dict[tuple[int, int], list[tuple[torch.nn.Parameter, int]]] = {}
        for name, rows in parts.items():
            parameter, first = parameters[name], 0
            for count in rows:
                self._places.setdefault((count, parameter.shape[1]), []).append((parameter, first))
                first += count
        self._state = {
            shape: torch.zeros(len(places), *shape, dtype=places[0][0].dtype, device=places[0][0].device)
            for shape, places in self._places.items()
        }

    @torch.no_grad()
    def step(self, step: int, factor: float) -> None:
        """Move every matrix; `factor` is the schedule's, `step` counts from 0 (momentum warms up from .85)."""
        warm = min(1.0, step / self.momentum_steps) if self.momentum_steps else 1.0
        momentum = 0.85 + (self.momentum - 0.85) * warm if self.momentum > 0.85 else self.momentum
        for (rows, columns), places in self._places.items():
            grads = torch.stack([_part(p.grad, first, rows) for p, first in places])
            state = self._state[rows, columns]
            state.lerp_(grads, 1 - momentum)
            update = orthogonalise(grads.lerp_(state, momentum), self.dtype)
            size = self.lr * factor * max(1.0, rows / columns) ** 0.5
            for (parameter, first), change in zip(places, update, strict=True):
                matrix = _part(parameter, first, rows)
                if self.weight_decay:
                    matrix.mul_(1 - self.lr * factor * self.weight_decay)
                matrix.sub_(change, alpha=size)

    def state(self) -> dict[str, torch.Tensor]:
        """The momenta by shape, for saving."""
        return {f"muon.{rows}x{columns}": value for (rows, columns), value in self._state.items()}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take saved momenta back."""
        for (rows, columns), value in self._state.items():
            value.copy_(tensors[f"muon.{rows}x{columns}"])


def _part(tensor: torch.Tensor | None, first: int, rows: int) -> torch.Tensor:
    assert tensor is not None, "a matrix got no gradient"
    return tensor[first : first + rows]
