"""The optimizer of a run: Muon for hidden matrices, AdamW for everything else (or AdamW for all).

Source: AdamW is torch.optim.AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101); Muon: train/muon.py.
"""

from typing import Literal

import pydantic
import torch

from hornbook.core.settings import StrictSettings
from hornbook.model.decoder import Decoder
from hornbook.train.muon import Muon


class OptimizerSettings(StrictSettings):
    """Learning rates at their peak, and the constants of the two methods."""

    matrices: Literal["muon", "adamw"] = "muon"
    """What moves the hidden matrices."""
    matrix_lr: float = pydantic.Field(default=0.02, gt=0)
    """Rate of hidden matrices (Muon: relative to an orthogonal update; for AdamW about .003 fits)."""
    embedding_lr: float = pydantic.Field(default=0.03, gt=0)
    """Rate of the embedding (and of a head of its own)."""
    gain_lr: float = pydantic.Field(default=0.01, gt=0)
    """Rate of the norms' gains."""
    momentum: float = pydantic.Field(default=0.95, ge=0, lt=1)
    """Muon's momentum, reached after `momentum_steps`."""
    momentum_steps: int = pydantic.Field(default=300, ge=0)
    """Steps over which the momentum rises from .85."""
    beta1: float = pydantic.Field(default=0.8, ge=0, lt=1)
    """AdamW: decay of the mean gradient."""
    beta2: float = pydantic.Field(default=0.95, ge=0, lt=1)
    """AdamW: decay of the mean square."""
    weight_decay: float = pydantic.Field(default=0.0, ge=0)
    """Decay of hidden matrices, in units of their learning rate."""
    clip: float = pydantic.Field(default=0.0, ge=0)
    """Longest gradient (Euclidean norm over all weights); 0 = no limit."""
    muon_fp32: bool = False
    """Orthogonalise in fp32 instead of bf16 (needed where different machines must agree)."""


class Optimizer:
    """Muon and AdamW behind one step; its state is plain tensors."""

    def __init__(self, model: Decoder, settings: OptimizerSettings) -> None:
        self.settings = settings
        parameters = dict(model.named_parameters())
        parts = model.matrix_parts() if settings.matrices == "muon" else {}
        dtype = torch.float32 if settings.muon_fp32 else torch.bfloat16
        if model.embedding.dtype == torch.float64:
            dtype = torch.float64
        self._muon = Muon(
            parameters,
            parts,
            lr=settings.matrix_lr,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            momentum_steps=settings.momentum_steps,
            dtype=dtype,
        )
        self._names = [name for name in parameters if name not in parts]
        groups = [self._group(name, parameters[name], model) for name in self._names]
        fused = model.embedding.device.type in ("cpu", "cuda")
        self._adam = torch.optim.AdamW(groups, betas=(settings.beta1, settings.beta2), eps=1e-10, fused=fused)
        self._parameters = list(parameters.values())

    def _group(self, name: str, parameter: torch.nn.Parameter, model: Decoder) -> dict[str, object]:
        matrix = name in model.matrix_parts()
        lr = self.settings.gain_lr if parameter.dim() == 1 else self.settings.embedding_lr
        lr = self.settings.matrix_lr if matrix else lr
        decay = self.settings.weight_decay if matrix else 0.0
        return {"params": [parameter], "lr": lr, "peak_lr": lr, "weight_decay": decay}

    @torch.no_grad()
    def clip(self) -> float:
        """Shorten the gradient when it is too long; returns its norm before."""
        grads = [p.grad for p in self._parameters if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in grads]))
        if self.settings.clip and norm > self.settings.clip:
            for grad in grads:
                grad.mul_(self.settings.clip / (norm + 1e-12))
        return float(norm)

    def step(self, step: int, factor: float) -> None:
        """Move every weight and forget the gradients."""
        for group in self._adam.param_groups:
            group["lr"] = group["peak_lr"] * factor
        self._muon.step(step, factor)
        self._adam.step()
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Drop all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def state(self) -> dict[str, torch.Tensor]:
        """Everything a later process needs to go on, by name."""
        tensors = self._muon.state()
        for name, group in zip(self._names, self._adam.param_groups, strict=True):
            for key, value in self._adam.state.get(group["params"][0], {}).items():
                tensors[f"adamw.{key}.{name}"] = value
        return tensors

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take a saved state back."""
        self._muon.load(tensors)
        for name, group in zip(self._names, self._adam.param_groups, strict=True):
            keys = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"adamw.{key}.{name}" in tensors]
            if keys:
                self._adam.state[group["params"][0]] = {key: tensors[f"adamw.{key}.{name}"].clone() for key in keys}
