"""Rotary position embedding: pairs of numbers in a query or key are turned by an angle that grows with position."""

import torch


def rope_tables(max_tokens: int, head_size: int, theta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines, each (max_tokens, head_size / 2) in fp32.

    Source: Su et al. 2021 (RoFormer), eq. 15; wavelengths and the order of operations as in transformers
    (`modeling_rope_utils._compute_default_rope_parameters`), in fp32, so that long positions round the same way.
    """
    exponents = torch.arange(0, head_size, 2, dtype=torch.int64, device="cpu").float() / head_size
    angles = torch.arange(max_tokens, device="cpu").float()[:, None] * (1.0 / theta**exponents)[None, :]
    return angles.cos(), angles.sin()


def rotate(x_BTHK: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """`x_BTHK` turned by position: number i is paired with number i + K/2, as Hugging Face's Llama and Qwen do.

    `cos` and `sin` are (T, K/2), or (B, T, K/2) where rows have positions of their own. The result has the dtype of x.
    """
    cos, sin = cos[..., None, :], sin[..., None, :]
    first, second = x_BTHK.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).to(x_BTHK.dtype)
