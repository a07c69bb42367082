"""Named places in the model where activations can be read or replaced."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

Patch = Callable[[torch.Tensor], torch.Tensor]


@dataclass
class Taps:
    """Reads some named activations and replaces others; a model called without taps pays nothing.

    Names: `embedding`, `layers.3.attention` and `layers.3.mlp` (what the block adds to the residual stream),
    `layers.3` (the stream after block 3), `final` (after the last norm). All are x_BTD.
    """

    read: frozenset[str] = frozenset()
    patches: dict[str, Patch] = field(default_factory=dict)
    values: dict[str, torch.Tensor] = field(default_factory=dict)

    def at(self, name: str, x_BTD: torch.Tensor) -> torch.Tensor:
        """The activation that goes on from here: patched first, then kept if it is wanted."""
        if name in self.patches:
            x_BTD = self.patches[name](x_BTD)
        if name in self.read:
            self.values[name] = x_BTD
        return x_BTD
