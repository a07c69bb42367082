"""Attention in packed rows, document by document: nothing is computed for pairs that may not see each other.

An operator of its own, because the number of documents differs from batch to batch while a compiled step wants fixed
shapes: the compiler sees one opaque call. Registered when this module is imported. fp32 and fp64 go through torch's
flash kernel, bf16 through matrix products over blocks of queries, which is 1.5-2 times as fast there
(`docs/decisions/model-attention.md`).
"""

import itertools
from typing import Any

import torch

BLOCK_TOKENS = 128


def document_spans(segments_BT: torch.Tensor) -> list[tuple[int, int, int]]:
    """(row, first, end) of every run of equal document numbers."""
    changes = segments_BT[:, 1:] != segments_BT[:, :-1]
    num_tokens = segments_BT.shape[1]
    spans: list[tuple[int, int, int]] = []
    for row, change in enumerate(changes):
        edges = [0, *(change.nonzero()[:, 0] + 1).tolist(), num_tokens]
        spans.extend((row, first, end) for first, end in itertools.pairwise(edges))
    return spans


@torch.library.custom_op("hornbook::attend_documents", mutates_args=(), device_types="cpu")
def attend_documents(
    q_BTHK: torch.Tensor, k_BTHK: torch.Tensor, v_BTHK: torch.Tensor, segments_BT: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """x_BTHK, and the log of the softmax's denominator (B, T, H; unused in bf16); documents are causal and alone.

    Source: the CPU flash kernel behind torch's scaled_dot_product_attention, called once per document; in bf16
    Dao et al. 2022 (FlashAttention), algorithms 1 and 4, with whole rows of keys instead of tiles, so that no running
    maximum is needed. Deviation: scores and shares are rounded to bf16 between products; the softmax is fp32 inside.
    """
    x_BTHK = torch.empty(q_BTHK.shape, dtype=q_BTHK.dtype)
    lse_BTH = torch.empty(q_BTHK.shape[:3], dtype=torch.promote_types(q_BTHK.dtype, torch.float32))
    for row, first, end in document_spans(segments_BT):
        q, k, v = (_document(x, row, first, end) for x in (q_BTHK, k_BTHK, v_BTHK))
        if q.dtype == torch.bfloat16:
            x_BTHK[row, first:end] = _forward(q[0], k[0], v[0]).transpose(0, 1)
            lse_BTH[row, first:end] = 0.0
            continue
        x, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, True)
        x_BTHK[row, first:end] = x[0].transpose(0, 1)
        lse_BTH[row, first:end] = lse[0].t()
    return x_BTHK, lse_BTH


@torch.library.register_fake("hornbook::attend_documents")
def _(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    wide = torch.promote_types(q.dtype, torch.float32)
    return torch.empty(q.shape, dtype=q.dtype, device=q.device), torch.empty(q.shape[:3], dtype=wide, device=q.device)


@torch.library.custom_op("hornbook::attend_documents_backward", mutates_args=(), device_types="cpu")
def attend_documents_backward(
    grad_BTHK: torch.Tensor,
    q_BTHK: torch.Tensor,
    k_BTHK: torch.Tensor,
    v_BTHK: torch.Tensor,
    x_BTHK: torch.Tensor,
    lse_BTH: torch.Tensor,
    segments_BT: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of q, k and v."""
    dq, dk, dv = (torch.empty(x.shape, dtype=x.dtype) for x in (q_BTHK, k_BTHK, v_BTHK))
    for row, first, end in document_spans(segments_BT):
        grad, q, k, v, x = (_document(t, row, first, end) for t in (grad_BTHK, q_BTHK, k_BTHK, v_BTHK, x_BTHK))
        lse = lse_BTH[row : row + 1, first:end].transpose(1, 2)
        if q.dtype == torch.bfloat16:
            for whole, part in zip((dq, dk, dv), _backward_pass(grad[0], q[0], k[0], v[0]), strict=True):
                whole[row, first:end] = part.transpose(0, 1)
            continue
        parts = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(grad, q, k, v, x, lse, 0.0, True)
        for whole, part in zip((dq, dk, dv), parts, strict=True):
            whole[row, first:end] = part[0].transpose(0, 1)
    return dq, dk, dv


@torch.library.register_fake("hornbook::attend_documents_backward")
def _(
    grad: torch.Tensor,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    x: torch.Tensor,
    lse: torch.Tensor,
    segments: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return tuple(torch.empty(t.shape, dtype=t.dtype, device=t.device) for t in (q, k, v))  # type: ignore[return-value]


def _keep(ctx: Any, inputs: tuple[torch.Tensor, ...], output: tuple[torch.Tensor, torch.Tensor]) -> None:
    q, k, v, segments = inputs
    ctx.save_for_backward(q, k, v, *output, segments)


def _backward(ctx: Any, grad: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    q, k, v, x, lse, segments = ctx.saved_tensors
    return (*attend_documents_backward(grad, q, k, v, x, lse, segments), None)


torch.library.register_autograd("hornbook::attend_documents", _backward, setup_context=_keep)


def _forward(q_HTK: torch.Tensor, k_HTK: torch.Tensor, v_HTK: torch.Tensor) -> torch.Tensor:
    """One document's output."""
    q_HTK = q_HTK * q_HTK.shape[-1] ** -0.5
    future = _future(q_HTK)
    outputs = []
    for first, end in _blocks(q_HTK.shape[1]):
        outputs.append(torch.bmm(_shares(q_HTK, k_HTK, first, end, future), v_HTK[:, :end]))
    return torch.cat(outputs, dim=1)


def _backward_pass(
    grad_HTK: torch.Tensor, q_HTK: torch.Tensor, k_HTK: torch.Tensor, v_HTK: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of one document's q, k and v; the softmax is computed again, sums over blocks are fp32."""
    scale = q_HTK.shape[-1] ** -0.5
    q_HTK = q_HTK * scale
    future = _future(q_HTK)
    grad_q = []
    grad_k, grad_v = (torch.zeros(k_HTK.shape, dtype=torch.float32) for _ in range(2))
    for first, end in _blocks(q_HTK.shape[1]):
        grad = grad_HTK[:, first:end]
        shares = _shares(q_HTK, k_HTK, first, end, future)
        grad_v[:, :end] += torch.bmm(shares.mT, grad)
        wanted = torch.bmm(grad, v_HTK[:, :end].mT)
        scores = torch.ops.aten._softmax_backward_data(wanted, shares, -1, shares.dtype)
        grad_q.append(torch.bmm(scores, k_HTK[:, :end]))
        grad_k[:, :end] += torch.bmm(scores.mT, q_HTK[:, first:end])
    return torch.cat(grad_q, dim=1) * scale, grad_k, grad_v


def _shares(q_HTK: torch.Tensor, k_HTK: torch.Tensor, first: int, end: int, future: torch.Tensor) -> torch.Tensor:
    """How much each query of a block attends to every key up to the block's end; statistics are fp32 inside."""
    scores = torch.bmm(q_HTK[:, first:end], k_HTK[:, :end].mT)
    scores[:, :, first:] += future[: end - first, : end - first]
    return torch.softmax(scores, dim=-1)


def _blocks(num_tokens: int) -> list[tuple[int, int]]:
    return [(first, min(num_tokens, first + BLOCK_TOKENS)) for first in range(0, num_tokens, BLOCK_TOKENS)]


def _future(x_HTK: torch.Tensor) -> torch.Tensor:
    """Minus infinity above the diagonal of a block."""
    size = min(BLOCK_TOKENS, x_HTK.shape[1])
    return torch.full((size, size), float("-inf"), dtype=x_HTK.dtype, device=x_HTK.device).triu(1)


def _document(x_BTHK: torch.Tensor, row: int, first: int, end: int) -> torch.Tensor:
    """One document as the kernel wants it, (1, H, T, K), without copying."""
    return x_BTHK[row : row + 1, first:end].transpose(1, 2)
