"""Surprise per token without keeping fp32 logits."""

from typing import Any

import torch
from torch.nn import functional

MAX_SAVED_NUMBERS = 2**28
"""Logits up to this many are kept for the backward pass (512 MB in bf16); beyond, they are computed again."""


class TokenNats(torch.autograd.Function):
    """Linear head and cross-entropy in one: the only large tensor kept is the logits in the compute dtype.

    Source: cross-entropy's gradient, softmax minus one-hot. Deviation from a plain autograd graph: fp32 logits and
    fp32 probabilities never exist as a whole once compiled, and the one-hot is a comparison, so that no scatter
    (whose atomic adds are not deterministic) is needed.
    """

    @staticmethod
    def forward(ctx: Any, x_ND: torch.Tensor, weight_VD: torch.Tensor, targets_N: torch.Tensor) -> torch.Tensor:
        logits_NV = functional.linear(x_ND, weight_VD.to(x_ND.dtype))
        wide_NV = logits_NV.to(_wide(x_ND.dtype))
        lse_N = torch.logsumexp(wide_NV, dim=-1)
        kept = logits_NV if logits_NV.numel() <= MAX_SAVED_NUMBERS else None
        ctx.save_for_backward(x_ND, weight_VD, targets_N, lse_N, kept)
        return lse_N - wide_NV.gather(-1, targets_N[:, None])[:, 0]

    @staticmethod
    def backward(ctx: Any, grad_N: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x_ND, weight_VD, targets_N, lse_N, logits_NV = ctx.saved_tensors
        weight = weight_VD.to(x_ND.dtype)
        if logits_NV is None:
            logits_NV = functional.linear(x_ND, weight)
        probability_NV = torch.exp(logits_NV.to(lse_N.dtype) - lse_N[:, None])
        hit = torch.arange(weight.shape[0], device=x_ND.device) == targets_N[:, None]
        error_NV = ((probability_NV - hit.to(lse_N.dtype)) * grad_N[:, None]).to(x_ND.dtype)
        return error_NV @ weight, (error_NV.t() @ x_ND).to(weight_VD.dtype), None


def token_nats(x_BTD: torch.Tensor, weight_VD: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood in nats of each target, nats_BT in fp32 (fp64 for fp64 input)."""
    rows = x_BTD.reshape(-1, x_BTD.shape[-1])
    return TokenNats.apply(rows, weight_VD, targets_BT.reshape(-1)).view(targets_BT.shape)


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)
