"""A batch, and the cursor that resumes after it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch


@dataclass(frozen=True)
class Batch:
    """Packed rows of tokens.

    `ids_BT`: what is read; `targets_BT`: what comes next; `weights_BT`: 1 where the target is learned, 0 where not
    (padding, prompts); `segments_BT`: number of the document in its row (padding has its own), None when every row is
    one document; `num_bytes`: raw text bytes behind the learned targets, 0 when unknown; `cursor`: JSON, where the
    source goes on after this batch.
    """

    ids_BT: torch.Tensor
    targets_BT: torch.Tensor
    weights_BT: torch.Tensor
    segments_BT: torch.Tensor | None
    cursor: dict[str, Any]

    @property
    def num_tokens(self) -> int:
        """Places in the batch, padding included: what the arithmetic is spent on."""
        return self.ids_BT.numel()

    def rows(self, first: int, end: int) -> "Batch":
        """Some of the rows."""
        segments_BT = None if self.segments_BT is None else self.segments_BT[first:end]
        return replace(
            self,
            ids_BT=self.ids_BT[first:end],
            targets_BT=self.targets_BT[first:end],
            weights_BT=self.weights_BT[first:end],
            segments_BT=segments_BT,
        )

    def split(self, num_rows: int) -> Iterator["Batch"]:
        """Micro-batches of at most `num_rows` rows (0 = all at once)."""
        total = self.ids_BT.shape[0]
        step = num_rows or total
        for first in range(0, total, step):
            yield self.rows(first, min(first + step, total))

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        segments_BT = None if self.segments_BT is None else self.segments_BT.to(device)
        return replace(
            self,
            ids_BT=self.ids_BT.to(device),
            targets_BT=self.targets_BT.to(device),
            weights_BT=self.weights_BT.to(device),
            segments_BT=segments_BT,
        )


class Source(Protocol):
    """Where batches come from: an endless stream that can begin after any cursor it has given out."""

    def batches(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """Batches from the start, or from just after the batch that carried `cursor`."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A source whose batches depend on how far the run is (a second mix for its end)."""

    def follow(self, pace: Callable[[], tuple[int, int]]) -> None:
        """`pace` tells, whenever it is asked, the tokens that are behind the run and those it will have in all."""
        ...
