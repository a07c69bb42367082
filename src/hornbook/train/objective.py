"""What is minimised: named terms, each a sum with its own weight, never a mean of means."""

from dataclasses import dataclass, field
from typing import Protocol

import torch

from hornbook.train.batch import Batch


@dataclass(frozen=True)
class Term:
    """A sum over whatever is counted, and how much was counted. The value of a term is sum / weight."""

    sum: torch.Tensor
    weight: float


@dataclass(frozen=True)
class Loss:
    """What an objective returns for rows of a batch: terms that are minimised, metrics that are only reported."""

    terms: dict[str, Term]
    metrics: dict[str, Term] = field(default_factory=dict[str, Term])


class Surprise(Protocol):
    """nats_BT of each target: the model's own forward, compiled or not."""

    def __call__(
        self, ids_BT: torch.Tensor, targets_BT: torch.Tensor, segments_BT: torch.Tensor | None
    ) -> torch.Tensor: ...


class Objective(Protocol):
    """An algorithm's loss. `weights` are of the whole batch, so that micro-batches change no gradient."""

    def weights(self, batch: Batch) -> dict[str, float]:
        """Weight of each term over the whole batch, before any forward."""
        ...

    def __call__(self, surprise: Surprise, batch: Batch) -> Loss:
        """Sums and weights over these rows."""
        ...


class NextToken:
    """Cross-entropy of the next token over the targets that are learned, in nats."""

    def weights(self, batch: Batch) -> dict[str, float]:
        """Number of learned targets."""
        return {"nats": float(batch.weights_BT.sum())}

    def __call__(self, surprise: Surprise, batch: Batch) -> Loss:
        """Sum of nats over the learned targets."""
        nats_BT = surprise(batch.ids_BT, batch.targets_BT, batch.segments_BT)
        total = (nats_BT * batch.weights_BT).sum()
        return Loss({"nats": Term(total, float(batch.weights_BT.sum()))})
