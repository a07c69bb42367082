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
    def forward(ctx: Any, x_TD: torch.Tensor, weight_VD: torch.Tensor, targets_T: torch.Tensor) -> torch.Tensor:
        logits_TV = functional.linear(x_TD, weight_VD.to(x_TD.dtype))
        wide_TV = logits_TV.to(_wide(x_TD.dtype))
        lse_T = torch.logsumexp(wide_TV, dim=-1)
        kept = logits_TV if logits_TV.numel() <= MAX_SAVED_NUMBERS else None
        ctx.save_for_backward(x_TD, weight_VD, targets_T, lse_T, kept)
        return lse_T - wide_TV.gather(-1, targets_T[:, None])[:, 0]

    @staticmethod
    def backward(ctx: Any, grad_T: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x_TD, weight_VD, targets_T, lse_T, logits_TV = ctx.saved_tensors
        weight = weight_VD.to(x_TD.dtype)
        if logits_TV is None:
            logits_TV = functional.linear(x_TD, weight)
        probability_TV = torch.exp(logits_TV.to(lse_T.dtype) - lse_T[:, None])
        hit = torch.arange(weight.shape[0], device=x_TD.device) == targets_T[:, None]
        error_TV = ((probability_TV - hit.to(lse_T.dtype)) * grad_T[:, None]).to(x_TD.dtype)
        return error_TV @ weight, (error_TV.t() @ x_TD).to(weight_VD.dtype), None


def token_nats(x_BTD: torch.Tensor, weight_VD: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood in nats of each target, nats_BT in fp32 (fp64 for fp64 input)."""
    rows = x_BTD.reshape(-1, x_BTD.shape[-1])
    return TokenNats.apply(rows, weight_VD, targets_BT.reshape(-1)).view(targets_BT.shape)


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)
