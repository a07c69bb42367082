"""Keys and values of earlier tokens, in memory that is set aside once."""

import numpy
import torch

from hornbook.model.settings import ModelSettings


class KVCache:
    """A static cache: one row per slot, one place per position.

    A token at position p of a row is written at place p and sees places 0..p. What lies beyond is never seen, so
    padding that was written there does no harm: the next token overwrites it.
    """

    def __init__(self, k: tuple[torch.Tensor, ...], v: tuple[torch.Tensor, ...], fresh: bool = False) -> None:
        """`k` and `v`: one (B, J, S, K) per layer. `fresh`: see `window`."""
        self.k = k
        self.v = v
        self.fresh = fresh

    @classmethod
    def empty(
        cls,
        settings: ModelSettings,
        num_rows: int,
        num_tokens: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        take_memory: bool = False,
    ) -> "KVCache":
        """Room for `num_rows` rows of `num_tokens` tokens.

        `take_memory`: now, and not page by page where tokens are written: a new page of 2 MB took between .1 and 5 ms
        (a prompt of 31 tokens 10 or 100 ms), which those who wait for an answer would feel.
        """
        shape = (num_rows, settings.kv_heads, num_tokens, settings.head_size)
        k, v = (tuple(_zeros(shape, dtype, device, take_memory) for _ in range(settings.layers)) for _ in range(2))
        return cls(k, v)

    @property
    def num_rows(self) -> int:
        return self.k[0].shape[0]

    @property
    def num_tokens(self) -> int:
        return self.k[0].shape[2]

    def window(self, first_row: int, num_rows: int, num_tokens: int, fresh: bool = False) -> "KVCache":
        """A view of some rows and of their first places: what is written here is written in the whole cache.

        `fresh`: nothing was written before and rows start at position 0, so tokens attend only to each other.
        """
        rows = slice(first_row, first_row + num_rows)
        k, v = (tuple(layer_BJSK[rows, :, :num_tokens] for layer_BJSK in layers) for layers in (self.k, self.v))
        return KVCache(k, v, fresh)

    def write(self, layer: int, positions_BT: torch.Tensor, k_BTJK: torch.Tensor, v_BTJK: torch.Tensor) -> None:
        """Store the keys and values of new tokens at their positions."""
        rows = torch.arange(positions_BT.shape[0], device=positions_BT.device)[:, None]
        self.k[layer][rows, :, positions_BT] = k_BTJK.to(self.k[layer].dtype)
        self.v[layer][rows, :, positions_BT] = v_BTJK.to(self.v[layer].dtype)

    def copy_row(self, source: int, target: int, num_tokens: int | None = None) -> None:
        """Copy the first places (or all) of one row over another."""
        for layer_BJSK in (*self.k, *self.v):
            layer_BJSK[target, :, :num_tokens] = layer_BJSK[source, :, :num_tokens]


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str, take_memory: bool) -> torch.Tensor:
    """Zeros; they take memory only where they are written, unless asked (numpy asks the system for zero pages)."""
    if torch.device(device).type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    num_bytes = dtype.itemsize
    zeros = numpy.zeros(shape, dtype=f"i{num_bytes}")
    if take_memory:
        zeros.fill(0)
    return torch.from_numpy(zeros).view(dtype)
