"""One function, one parity test: every path against a softmax written out."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.model.attention import Reach, attend, cache_mask, positions_of, segment_mask


def by_hand(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Softmax attention for q (T, H, K), k and v (S, J, K) and seen (T, S), with loops."""
    out = torch.zeros_like(q)
    for head in range(q.shape[1]):
        group = head * k.shape[1] // q.shape[1]
        for token in range(q.shape[0]):
            places = seen[token].nonzero()[:, 0]
            weights = torch.softmax(k[places, group] @ q[token, head] / q.shape[2] ** 0.5, dim=0)
            out[token, head] = weights @ v[places, group]
    return out


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_paths_agree_with_the_loops(kv_heads: int) -> None:
    q, k, v = random(2, 9, 4, 8, seed=1), random(2, 9, kv_heads, 8, seed=2), random(2, 9, kv_heads, 8, seed=3)
    segments_BT = torch.tensor([[0, 0, 0, 1, 1, 2, 2, 2, 2], [7] * 9])
    causal = torch.ones(9, 9).tril().bool()
    for row in range(2):
        same = segments_BT[row][:, None] == segments_BT[row][None, :]
        packed = by_hand(q[row], k[row], v[row], same & causal)
        assert torch.allclose(attend(q, k, v, Reach(segment_mask(segments_BT)))[row], packed, atol=1e-12)
        assert torch.allclose(attend(q, k, v, Reach(segments=segments_BT))[row], packed, atol=1e-12)
        assert torch.allclose(attend(q, k, v, Reach())[row], by_hand(q[row], k[row], v[row], causal), atol=1e-12)


def test_gradients_of_the_fast_path_are_those_of_the_mask() -> None:
    segments_BT = torch.tensor([[0, 0, 0, 1, 1, 2], [4, 4, 5, 5, 5, 5]])
    grads = []
    for reach in (Reach(segment_mask(segments_BT)), Reach(segments=segments_BT)):
        q, k, v = (random(2, 6, heads, 8, seed=seed).requires_grad_() for seed, heads in ((1, 4), (2, 2), (3, 2)))
        out = attend(q, k, v, reach)
        grads.append(torch.autograd.grad((out * random(2, 6, 4, 8, seed=9)).sum(), (q, k, v)))
    for mask, fast in zip(*grads, strict=True):
        assert torch.allclose(mask, fast, atol=1e-12)


def test_a_cached_token_sees_its_place_and_those_before() -> None:
    mask = cache_mask(torch.tensor([[2], [0]]), 4)
    assert mask[:, 0, 0].tolist() == [[True, True, True, False], [True, False, False, False]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=5), min_size=1, max_size=3))
def test_positions_restart_in_every_document(rows: list[list[int]]) -> None:
    longest = max(sum(row) for row in rows)
    segments, wanted = [], []
    for row in rows:
        lengths = [*row, longest - sum(row)] if sum(row) < longest else row
        segments.append([index for index, length in enumerate(lengths) for _ in range(length)])
        wanted.append([position for length in lengths for position in range(length)])
    assert positions_of(torch.tensor(segments)).tolist() == wanted
