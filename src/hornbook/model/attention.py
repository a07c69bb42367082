"""Attention: one function, whoever may see whom."""

from typing import NamedTuple

import torch
from torch.nn import functional

from hornbook.model.document_attention import attend_documents


class Reach(NamedTuple):
    """Which positions a token may attend to.

    `mask`: boolean, True = seen, (B, 1, T, S). `segments`: document numbers of packed rows, (B, T), each document
    causal and alone. Neither means causal over a square.
    """

    mask: torch.Tensor | None = None
    segments: torch.Tensor | None = None


def attend(q_BTHK: torch.Tensor, k_BSJK: torch.Tensor, v_BSJK: torch.Tensor, reach: Reach) -> torch.Tensor:
    """Scaled dot-product attention, x_BTHK; every J key/value heads serve H / J query heads each.

    Source: Vaswani et al. 2017, eq. 1; grouped heads: Ainslie et al. 2023. The reference is torch's SDPA with a
    boolean mask; packed rows on a CPU go document by document (`docs/decisions/model-attention.md`).
    """
    if reach.segments is not None:
        if q_BTHK.device.type == "cpu":
            return _attend_documents(q_BTHK, k_BSJK, v_BSJK, reach.segments)
        reach = Reach(segment_mask(reach.segments))
    if reach.mask is not None and q_BTHK.shape[1] == 1 and q_BTHK.is_cpu:
        return _attend_once(q_BTHK, k_BSJK, v_BSJK, reach.mask)
    q_BHTK, k_BJSK, v_BJSK = q_BTHK.transpose(1, 2), k_BSJK.transpose(1, 2), v_BSJK.transpose(1, 2)
    x_BHTK = functional.scaled_dot_product_attention(
        q_BHTK,
        k_BJSK,
        v_BJSK,
        attn_mask=reach.mask,
        is_causal=reach.mask is None,
        enable_gqa=q_BHTK.shape[1] != k_BJSK.shape[1],
    )
    return x_BHTK.transpose(1, 2)


def _attend_once(
    q_B1HK: torch.Tensor, k_BSJK: torch.Tensor, v_BSJK: torch.Tensor, mask_B11S: torch.Tensor
) -> torch.Tensor:
    """One query per row, written out: a row's bits depend neither on its place in the batch nor on the thread that has
    it, as they do in SDPA. The compiler makes of it two loops over the cache as it lies in memory, in .79 of SDPA's
    time; uncompiled it takes 1.7 times as long (16 rows, 128 places, fp32, two threads of an AMD Zen 4)."""
    exact = torch.promote_types(k_BSJK.dtype, torch.float32)
    q_BJGK = q_B1HK[:, 0].unflatten(1, (k_BSJK.shape[2], -1)).to(exact)
    k_BJSK, v_BJSK = k_BSJK.transpose(1, 2).to(exact), v_BSJK.transpose(1, 2).to(exact)
    scores_BJGS = (q_BJGK[:, :, :, None] * k_BJSK[:, :, None]).sum(dim=-1) * q_BJGK.shape[-1] ** -0.5
    weights_BJGS = torch.where(mask_B11S, scores_BJGS, -torch.inf).softmax(dim=-1)
    x_BJGK = (weights_BJGS[..., None] * v_BJSK[:, :, None]).sum(dim=3)
    return x_BJGK.flatten(1, 2)[:, None]


def _attend_documents(
    q_BTHK: torch.Tensor, k_BTJK: torch.Tensor, v_BTJK: torch.Tensor, segments_BT: torch.Tensor
) -> torch.Tensor:
    share = q_BTHK.shape[2] // k_BTJK.shape[2]
    if share > 1:
        k_BTJK, v_BTJK = k_BTJK.repeat_interleave(share, dim=2), v_BTJK.repeat_interleave(share, dim=2)
    return attend_documents(q_BTHK, k_BTJK, v_BTJK, segments_BT)[0]


def segment_mask(segments_BT: torch.Tensor) -> torch.Tensor:
    """Who sees whom in packed rows, (B, 1, T, T): the same document, and not the future."""
    same = segments_BT[:, None, :, None] == segments_BT[:, None, None, :]
    num_tokens = segments_BT.shape[1]
    past = torch.ones(num_tokens, num_tokens, dtype=torch.bool, device=segments_BT.device).tril()
    return same & past


def cache_mask(positions_BT: torch.Tensor, num_places: int) -> torch.Tensor:
    """Who sees which place of a cache, (B, 1, T, S): the token's own place and those before."""
    places = torch.arange(num_places, device=positions_BT.device)
    return places <= positions_BT[:, None, :, None]


def positions_of(segments_BT: torch.Tensor) -> torch.Tensor:
    """Position of each token in its own document, from the document numbers of packed rows."""
    num_tokens = segments_BT.shape[1]
    index = torch.arange(num_tokens, device=segments_BT.device).expand_as(segments_BT)
    first = torch.ones_like(segments_BT, dtype=torch.bool)
    first[:, 1:] = segments_BT[:, 1:] != segments_BT[:, :-1]
    return index - torch.where(first, index, 0).cummax(dim=1).values
