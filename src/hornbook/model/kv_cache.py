"""Keys and values of earlier tokens, in memory that is set aside once."""

import torch

from hornbook.model.settings import ModelSettings


class KVCache:
    """A static cache: one row per slot, one place per position.

    A token at position p of a row is written at place p and sees places 0..p. What lies beyond is never seen, so
    padding that was written there does no harm: the next token overwrites it.
    """

    def __init__(self, k_LBJSK: torch.Tensor, v_LBJSK: torch.Tensor, fresh: bool = False) -> None:
        self.k_LBJSK = k_LBJSK
        self.v_LBJSK = v_LBJSK
        self.fresh = fresh

    @classmethod
    def empty(
        cls,
        settings: ModelSettings,
        num_rows: int,
        num_tokens: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "KVCache":
        """Room for `num_rows` rows of `num_tokens` tokens."""
        shape = (settings.layers, num_rows, settings.kv_heads, num_tokens, settings.head_size)
        return cls(torch.zeros(shape, dtype=dtype, device=device), torch.zeros(shape, dtype=dtype, device=device))

    @property
    def num_rows(self) -> int:
        return self.k_LBJSK.shape[1]

    @property
    def num_tokens(self) -> int:
        return self.k_LBJSK.shape[3]

    def window(self, first_row: int, num_rows: int, num_tokens: int, fresh: bool = False) -> "KVCache":
        """A view of some rows and of their first places: what is written here is written in the whole cache.

        `fresh`: nothing was written before and rows start at position 0, so tokens attend only to each other.
        """
        rows = slice(first_row, first_row + num_rows)
        return KVCache(self.k_LBJSK[:, rows, :, :num_tokens], self.v_LBJSK[:, rows, :, :num_tokens], fresh)

    def write(self, layer: int, positions_BT: torch.Tensor, k_BTJK: torch.Tensor, v_BTJK: torch.Tensor) -> None:
        """Store the keys and values of new tokens at their positions."""
        rows = torch.arange(positions_BT.shape[0], device=positions_BT.device)[:, None]
        self.k_LBJSK[layer][rows, :, positions_BT] = k_BTJK.to(self.k_LBJSK.dtype)
        self.v_LBJSK[layer][rows, :, positions_BT] = v_BTJK.to(self.v_LBJSK.dtype)

    def move_row(self, source: int, target: int) -> None:
        """Copy one row over another."""
        self.k_LBJSK[:, target] = self.k_LBJSK[:, source]
        self.v_LBJSK[:, target] = self.v_LBJSK[:, source]
