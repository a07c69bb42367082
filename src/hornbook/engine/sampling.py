"""Drawing the next token: each row from its own stream of random numbers, whoever its neighbours are."""

import secrets
from collections.abc import Sequence
from random import Random

import torch

from hornbook.core.seed import stream
from hornbook.engine.interface import Request

GREEDY_BELOW = 1e-5
"""Temperatures below this are greedy: the softmax of logits divided by less has all its weight on one token."""


def random_numbers(request: Request) -> Random:
    """The stream of a request: of its seed, or of a fresh one."""
    return stream(secrets.randbits(63) if request.seed is None else request.seed, "engine.sampling")


def is_greedy(request: Request) -> bool:
    """Whether a request takes the likeliest token every time."""
    return request.temperature < GREEDY_BELOW


def draw(logits_BV: torch.Tensor, requests: Sequence[Request], uniforms: Sequence[float]) -> list[int]:
    """One id per row, by inverting the distribution at the row's number in [0, 1).

    Order of the filters: temperature, top_k, top_p (of what top_k left), min_p (of the likeliest). Rows that filter
    are drawn from the sorted distribution and others from the plain one, so that a row's result never depends on
    what its neighbours asked for. All in fp64.
    Source: top-p: Holtzman et al. 2020, section 3.1; min-p: Nguyen et al. 2024, section 3.
    """
    ids = [0] * len(requests)
    filters = [request.top_k > 0 or request.top_p < 1 for request in requests]
    for wanted in (False, True):
        rows = [row for row, filtered in enumerate(filters) if filtered is wanted]
        if not rows:
            continue
        chosen = [requests[row] for row in rows]
        temperature = torch.tensor([[request.temperature] for request in chosen], dtype=torch.float64)
        probability = torch.softmax(logits_BV[rows].cpu().double() / temperature, dim=-1)
        order = None
        if wanted:
            probability, order = torch.sort(probability, dim=-1, descending=True, stable=True)
            probability = _keep_likeliest(probability, chosen)
        if any(request.min_p > 0 for request in chosen):
            floor = torch.tensor([[request.min_p] for request in chosen], dtype=torch.float64)
            floor = floor * probability.max(dim=-1, keepdim=True).values
            probability = torch.where(probability >= floor, probability, 0.0)
        places = _invert(probability, [uniforms[row] for row in rows])
        if order is not None:
            places = order.gather(-1, places)
        for row, place in zip(rows, places[:, 0].tolist(), strict=True):
            ids[row] = place
    return ids


def _keep_likeliest(sorted_BV: torch.Tensor, requests: Sequence[Request]) -> torch.Tensor:
    """Zero beyond the first top_k, then beyond the smallest head that holds top_p of what is left."""
    size = sorted_BV.shape[1]
    num_kept = torch.tensor([[request.top_k if request.top_k > 0 else size] for request in requests])
    sorted_BV = torch.where(torch.arange(size) < num_kept, sorted_BV, 0.0)
    head = torch.tensor([[request.top_p] for request in requests], dtype=torch.float64)
    head = torch.where(head < 1, head * sorted_BV.sum(dim=-1, keepdim=True), torch.inf)
    before_BV = sorted_BV.cumsum(dim=-1) - sorted_BV
    return torch.where(before_BV < head, sorted_BV, 0.0)


def _invert(probability_BV: torch.Tensor, uniforms: Sequence[float]) -> torch.Tensor:
    """First place (B, 1) whose cumulated probability exceeds the row's number times the whole."""
    cumulated_BV = probability_BV.cumsum(dim=-1)
    aim = torch.tensor([[number] for number in uniforms], dtype=torch.float64) * cumulated_BV[:, -1:]
    places = torch.searchsorted(cumulated_BV, aim, right=True)
    last = cumulated_BV.shape[1]
    return torch.where(places < last, places, probability_BV.argmax(dim=-1, keepdim=True))


def likeliest(logits_V: torch.Tensor, lse: float, num: int) -> dict[int, float]:
    """The `num` likeliest ids of one row and their log-probabilities, likeliest first."""
    values, ids = torch.topk(logits_V, min(num, logits_V.shape[0]))
    return {index: value - lse for index, value in zip(ids.tolist(), values.tolist(), strict=True)}
