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
    """x_BTHK, and the log of the softmax's denominator (B, T, H); each document is causal and sees only itself.

    Source: the CPU flash kernel behind torch's scaled_dot_product_attention, called once per document; in bf16
    Dao et al. 2022 (FlashAttention), algorithms 1 and 4, with whole rows of keys instead of tiles, so that no running
    maximum is needed. Deviation: scores are rounded to bf16 by the product before the softmax, which is fp32.
    """
    x_BTHK = torch.empty(q_BTHK.shape, dtype=q_BTHK.dtype)
    lse_BTH = torch.empty(q_BTHK.shape[:3], dtype=torch.promote_types(q_BTHK.dtype, torch.float32))
    for row, first, end in document_spans(segments_BT):
        q, k, v = (_document(x, row, first, end) for x in (q_BTHK, k_BTHK, v_BTHK))
        if q.dtype == torch.bfloat16:
            x, lse = _forward(q[0], k[0], v[0])
            x_BTHK[row, first:end] = x.transpose(0, 1)
            lse_BTH[row, first:end] = lse.t()
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
            for whole, part in zip((dq, dk, dv), _backward_pass(grad[0], q[0], k[0], v[0], x[0], lse[0]), strict=True):
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


def _forward(q_HTK: torch.Tensor, k_HTK: torch.Tensor, v_HTK: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One document: its output, and the log of each softmax's denominator in fp32."""
    scale, outputs, lses = q_HTK.shape[-1] ** -0.5, [], []
    future = _future(q_HTK)
    for first, end in _blocks(q_HTK.shape[1]):
        scores = torch.bmm(q_HTK[:, first:end], k_HTK[:, :end].mT).float().mul_(scale)
        scores[:, :, first:end] += future[: end - first, : end - first]
        most = scores.amax(dim=-1, keepdim=True)
        total = scores.sub_(most).exp_().sum(dim=-1, keepdim=True)
        outputs.append(torch.bmm(scores.to(v_HTK.dtype), v_HTK[:, :end]) / total)
        lses.append((most + total.log())[..., 0])
    return torch.cat(outputs, dim=1).to(q_HTK.dtype), torch.cat(lses, dim=1)


def _backward_pass(
    grad_HTK: torch.Tensor,
    q_HTK: torch.Tensor,
    k_HTK: torch.Tensor,
    v_HTK: torch.Tensor,
    x_HTK: torch.Tensor,
    lse_HT: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of one document's q, k and v; sums over blocks in fp32."""
    scale, dtype = q_HTK.shape[-1] ** -0.5, q_HTK.dtype
    future = _future(q_HTK)
    delta = (grad_HTK.float() * x_HTK.float()).sum(dim=-1, keepdim=True)
    grad_q = []
    grad_k, grad_v = (torch.zeros(k_HTK.shape, dtype=torch.float32) for _ in range(2))
    for first, end in _blocks(q_HTK.shape[1]):
        q, grad = q_HTK[:, first:end], grad_HTK[:, first:end]
        scores = torch.bmm(q, k_HTK[:, :end].mT).float().mul_(scale).sub_(lse_HT[:, first:end, None])
        scores[:, :, first:end] += future[: end - first, : end - first]
        share = scores.exp_()
        grad_v[:, :end] += torch.bmm(share.to(dtype).mT, grad)
        wanted = torch.bmm(grad, v_HTK[:, :end].mT).float().sub_(delta[:, first:end])
        wanted = wanted.mul_(share).mul_(scale).to(dtype)
        grad_q.append(torch.bmm(wanted, k_HTK[:, :end]))
        grad_k[:, :end] += torch.bmm(wanted.mT, q)
    return torch.cat(grad_q, dim=1), grad_k, grad_v


def _blocks(num_tokens: int) -> list[tuple[int, int]]:
    return [(first, min(num_tokens, first + BLOCK_TOKENS)) for first in range(0, num_tokens, BLOCK_TOKENS)]


def _future(x_HTK: torch.Tensor) -> torch.Tensor:
    """Minus infinity above the diagonal of a block."""
    size = min(BLOCK_TOKENS, x_HTK.shape[1])
    return torch.full((size, size), float("-inf"), device=x_HTK.device).triu(1)


def _document(x_BTHK: torch.Tensor, row: int, first: int, end: int) -> torch.Tensor:
    """One document as the kernel wants it, (1, H, T, K), without copying."""
    return x_BTHK[row : row + 1, first:end].transpose(1, 2)
