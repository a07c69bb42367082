"""Attention in packed rows, document by document: nothing is computed for pairs that may not see each other.

An operator of its own, because the number of documents differs from batch to batch while a compiled step wants fixed
shapes: the compiler sees one opaque call. Registered when this module is imported. fp32 and fp64 go through torch's
flash kernel, bf16 through matrix products over blocks of queries of all documents of like length at once
(`docs/decisions/model-attention.md`).
"""

import itertools
from typing import Any

import torch

BLOCK_TOKENS = 128
PADDED_TO_TOKENS = 32
"""bf16: documents that are as long when rounded up to a multiple of this go together. Padding follows the document,
where causal attention never looks."""

Span = tuple[int, int, int]


def document_spans(segments_BT: torch.Tensor) -> list[Span]:
    """(row, first, end) of every run of equal document numbers."""
    changes = segments_BT[:, 1:] != segments_BT[:, :-1]
    num_tokens = segments_BT.shape[1]
    spans: list[Span] = []
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
    if q_BTHK.dtype == torch.bfloat16:
        for spans in _groups(segments_BT):
            _scatter(_forward(*(_gather(x, spans) for x in (q_BTHK, k_BTHK, v_BTHK))), spans, x_BTHK)
        return x_BTHK, lse_BTH.zero_()
    for row, first, end in document_spans(segments_BT):
        q, k, v = (_document(x, row, first, end) for x in (q_BTHK, k_BTHK, v_BTHK))
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
    if q_BTHK.dtype == torch.bfloat16:
        for spans in _groups(segments_BT):
            parts = _backward_pass(*(_gather(x, spans) for x in (grad_BTHK, q_BTHK, k_BTHK, v_BTHK)))
            for whole, part in zip((dq, dk, dv), parts, strict=True):
                _scatter(part, spans, whole)
        return dq, dk, dv
    for row, first, end in document_spans(segments_BT):
        grad, q, k, v, x = (_document(t, row, first, end) for t in (grad_BTHK, q_BTHK, k_BTHK, v_BTHK, x_BTHK))
        lse = lse_BTH[row : row + 1, first:end].transpose(1, 2)
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


def _groups(segments_BT: torch.Tensor) -> list[list[Span]]:
    """Documents by padded length."""
    groups: dict[int, list[Span]] = {}
    for span in document_spans(segments_BT):
        groups.setdefault(_padded(span), []).append(span)
    return list(groups.values())


def _padded(span: Span) -> int:
    _, first, end = span
    return -(-(end - first) // PADDED_TO_TOKENS) * PADDED_TO_TOKENS


def _gather(x_BTHK: torch.Tensor, spans: list[Span]) -> torch.Tensor:
    """The heads of some documents one after the other, (documents x H, T, K), zero where a document has ended."""
    num_heads, size = x_BTHK.shape[2:]
    heads = torch.zeros((len(spans), num_heads, _padded(spans[0]), size), dtype=x_BTHK.dtype)
    for number, (row, first, end) in enumerate(spans):
        heads[number, :, : end - first] = x_BTHK[row, first:end].transpose(0, 1)
    return heads.flatten(0, 1)


def _scatter(heads: torch.Tensor, spans: list[Span], into_BTHK: torch.Tensor) -> None:
    """Write the documents back to their places in the rows."""
    heads = heads.unflatten(0, (len(spans), -1))
    for number, (row, first, end) in enumerate(spans):
        into_BTHK[row, first:end] = heads[number, :, : end - first].transpose(0, 1)


def _forward(q_BTK: torch.Tensor, k_BTK: torch.Tensor, v_BTK: torch.Tensor) -> torch.Tensor:
    """Output of heads of documents of one length, block of queries by block."""
    q_BTK = q_BTK * q_BTK.shape[-1] ** -0.5
    future = _future(q_BTK)
    outputs = []
    for first, end in _blocks(q_BTK.shape[1]):
        outputs.append(torch.bmm(_shares(q_BTK, k_BTK, first, end, future), v_BTK[:, :end]))
    return torch.cat(outputs, dim=1)


def _backward_pass(
    grad_BTK: torch.Tensor, q_BTK: torch.Tensor, k_BTK: torch.Tensor, v_BTK: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of q, k and v; the softmax is computed again, sums over blocks are fp32.

    Queries of the padding have no gradient, so they add nothing to those of keys and values.
    """
    scale = q_BTK.shape[-1] ** -0.5
    q_BTK = q_BTK * scale
    future = _future(q_BTK)
    grad_q = []
    grad_k, grad_v = (torch.zeros(k_BTK.shape, dtype=torch.float32) for _ in range(2))
    for first, end in _blocks(q_BTK.shape[1]):
        grad = grad_BTK[:, first:end]
        shares = _shares(q_BTK, k_BTK, first, end, future)
        grad_v[:, :end] += torch.bmm(shares.mT, grad)
        wanted = torch.bmm(grad, v_BTK[:, :end].mT)
        scores = torch.ops.aten._softmax_backward_data(wanted, shares, -1, shares.dtype)
        grad_q.append(torch.bmm(scores, k_BTK[:, :end]))
        grad_k[:, :end] += torch.bmm(scores.mT, q_BTK[:, first:end])
    return torch.cat(grad_q, dim=1) * scale, grad_k, grad_v


def _shares(q_BTK: torch.Tensor, k_BTK: torch.Tensor, first: int, end: int, future: torch.Tensor) -> torch.Tensor:
    """How much each query of a block attends to every key up to the block's end; statistics are fp32 inside."""
    scores = torch.bmm(q_BTK[:, first:end], k_BTK[:, :end].mT)
    scores[:, :, first:] += future[: end - first, : end - first]
    return torch.softmax(scores, dim=-1)


def _blocks(num_tokens: int) -> list[tuple[int, int]]:
    return [(first, min(num_tokens, first + BLOCK_TOKENS)) for first in range(0, num_tokens, BLOCK_TOKENS)]


def _future(x_BTK: torch.Tensor) -> torch.Tensor:
    """Minus infinity above the diagonal of a block."""
    size = min(BLOCK_TOKENS, x_BTK.shape[1])
    return torch.full((size, size), float("-inf"), dtype=x_BTK.dtype, device=x_BTK.device).triu(1)


def _document(x_BTHK: torch.Tensor, row: int, first: int, end: int) -> torch.Tensor:
    """One document as the kernel wants it, (1, H, T, K), without copying."""
    return x_BTHK[row : row + 1, first:end].transpose(1, 2)
