"""How likely texts are: batches of like length, fp32, logits never whole."""

from collections.abc import Iterator, Sequence

import numpy
import torch

from hornbook.engine.interface import ContextTooLong
from hornbook.model.decoder import Decoder

TokenScore = tuple[float, dict[int, float]]
"""Log-probability in nats of a token given those before, and the likeliest ids at its place with theirs."""

BATCH_TOKENS = 8192
CHUNK_ROWS = 1024


def score(model: Decoder, ids: Sequence[Sequence[int]], num_top: int = 0) -> list[list[TokenScore]]:
    """Scores of every token but the first, for each text in the order given.

    Computed in fp32 whatever the engine writes with. Raises ContextTooLong for a text longer than the context.
    """
    longest = max((len(text) for text in ids), default=0)
    if longest > model.settings.max_tokens:
        found = f"a text has {longest:,} tokens and the model's context is {model.settings.max_tokens:,}"
        raise ContextTooLong(found, do="Score it in windows, or cut it")
    scores: list[list[TokenScore]] = [[] for _ in ids]
    for batch in _batches([len(text) for text in ids]):
        for index, found in zip(batch, _score_batch(model, [ids[i] for i in batch], num_top), strict=True):
            scores[index] = found
    return scores


def log_probabilities(model: Decoder, ids: Sequence[Sequence[int]]) -> list[numpy.ndarray]:
    """Log-probability (nats, fp32) of each token given those before: n - 1 numbers for n ids."""
    return [numpy.array([logp for logp, _ in text], dtype=numpy.float32) for text in score(model, ids)]


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of texts, longest first, as many together as padding to the longest allows; nothing of one token."""
    order = sorted((index for index, length in enumerate(lengths) if length > 1), key=lambda i: (-lengths[i], i))
    first = 0
    while first < len(order):
        num_rows = max(1, BATCH_TOKENS // lengths[order[first]])
        yield order[first : first + num_rows]
        first += num_rows


@torch.inference_mode()
def _score_batch(model: Decoder, texts: Sequence[Sequence[int]], num_top: int) -> list[list[TokenScore]]:
    """Padding stands to the right, where causal attention never looks from a token that counts."""
    num_tokens = max(len(text) for text in texts)
    padded = [[*text, *([0] * (num_tokens - len(text)))] for text in texts]
    ids = torch.tensor(padded, device=model.embedding.device)
    x_BTD, targets_BT = model.hidden(ids[:, :-1]), ids[:, 1:]
    counted = torch.tensor([[place < len(text) - 1 for place in range(num_tokens - 1)] for text in texts])
    x_ND, targets_N = x_BTD[counted.to(x_BTD.device)], targets_BT[counted.to(ids.device)]
    flat: list[TokenScore] = []
    for x, targets in zip(x_ND.split(CHUNK_ROWS), targets_N.split(CHUNK_ROWS), strict=True):
        logp = torch.log_softmax(model.unembed(x), dim=-1)
        own = logp.gather(-1, targets[:, None])[:, 0].tolist()
        if num_top:
            values, likeliest = logp.topk(min(num_top, logp.shape[1]))
            tops = [dict(zip(i, v, strict=True)) for i, v in zip(likeliest.tolist(), values.tolist(), strict=True)]
        else:
            tops = [{} for _ in own]
        flat.extend(zip(own, tops, strict=True))
    scores, first = [], 0
    for text in texts:
        scores.append(flat[first : first + len(text) - 1])
        first += len(text) - 1
    return scores
