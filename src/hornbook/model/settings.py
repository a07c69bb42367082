"""The sizes of a decoder, and what they cost: parameters, arithmetic, memory of the cache."""

from typing import Literal

import pydantic

from hornbook.core.settings import StrictSettings


class ModelSettings(StrictSettings):
    """The sizes of one decoder-only model; they are all that its `config.json` needs."""

    architecture: Literal["qwen3", "llama"] = "qwen3"
    """`qwen3` normalises queries and keys per head; `llama` does not. The rest is the same."""
    vocab_size: int = pydantic.Field(ge=2)
    """Number of token ids."""
    width: int = pydantic.Field(ge=1)
    """Numbers per token in the residual stream (D)."""
    layers: int = pydantic.Field(ge=1)
    """Blocks of attention and feed-forward (L)."""
    heads: int = pydantic.Field(ge=1)
    """Query heads (H)."""
    kv_heads: int = pydantic.Field(ge=1)
    """Key/value heads (J); a divisor of `heads`."""
    head_size: int = pydantic.Field(default=64, ge=2)
    """Numbers per head (K), even because rotary embedding turns pairs."""
    hidden: int = pydantic.Field(ge=1)
    """Numbers inside the feed-forward (F)."""
    rope_theta: float = pydantic.Field(default=10_000.0, gt=0)
    """Base of the rotary wavelengths."""
    norm_eps: float = pydantic.Field(default=1e-6, gt=0)
    """Added to the mean square before its root is taken."""
    tied: bool = True
    """Whether the output head is the embedding."""
    max_tokens: int = pydantic.Field(default=1024, ge=1)
    """Longest context the model is meant for."""

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "ModelSettings":
        if self.heads % self.kv_heads:
            raise ValueError(f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})")
        if self.head_size % 2:
            raise ValueError(f"head_size must be even, found {self.head_size}")
        return self

    @property
    def qk_norm(self) -> bool:
        """Whether queries and keys are normalised per head."""
        return self.architecture == "qwen3"

    def matrix_parameters(self) -> int:
        """Weights that every token is multiplied with, without the head."""
        attention = self.width * self.head_size * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + 3 * self.width * self.hidden)

    def num_parameters(self) -> int:
        """All weights; a tied head counts once.

        >>> ModelSettings(vocab_size=10, width=4, layers=1, heads=1, kv_heads=1, head_size=2, hidden=3).num_parameters()
        124
        """
        gains = self.layers * (2 * self.width + (2 * self.head_size if self.qk_norm else 0)) + self.width
        tables = self.vocab_size * self.width * (1 if self.tied else 2)
        return self.matrix_parameters() + gains + tables

    def forward_flops_per_token(self, num_tokens: float) -> float:
        """Floating-point operations to read one token in a row of `num_tokens`, averaged over the row.

        A multiply and an add are two. Causal attention counts only what is attended, (T + 1) / 2 positions on
        average; norms, rotations and the softmax are left out, as everybody does.
        """
        matrices = 2 * (self.matrix_parameters() + self.vocab_size * self.width)
        attention = 4 * self.layers * self.heads * self.head_size * (num_tokens + 1) / 2
        return matrices + attention

    def flops_per_token(self, num_tokens: float) -> float:
        """Floating-point operations to train on one token: forward once, backward twice as much."""
        return 3 * self.forward_flops_per_token(num_tokens)

    def cache_bytes_per_token(self, bytes_per_number: int = 4) -> int:
        """Memory that one token takes in the key/value cache."""
        return 2 * self.layers * self.kv_heads * self.head_size * bytes_per_number
