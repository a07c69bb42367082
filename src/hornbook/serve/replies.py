"""The bodies that clients read: completions, chunks, log-probabilities, usage."""

import math
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hornbook.engine.scheduler import Delta
from hornbook.serve.served import Served

NEVER = -9999.0
"""Stands for a log-probability of minus infinity, which JSON cannot say (vLLM's value)."""


@dataclass
class Envelope:
    """What all pieces of one reply share: id, kind, time and model."""

    prefix: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or f"{self.prefix}-{uuid.uuid4().hex}"

    def body(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """A reply or a chunk."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **more,
        }


def usage(num_prompt_tokens: int, num_completion_tokens: int) -> dict[str, Any]:
    """Tokens read and written."""
    return {
        "prompt_tokens": num_prompt_tokens,
        "completion_tokens": num_completion_tokens,
        "total_tokens": num_prompt_tokens + num_completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def finite(logp: float) -> float:
    """A log-probability that JSON can carry."""
    return max(float(logp), NEVER) if not math.isnan(logp) else NEVER


def chat_logprobs(served: Served, delta: Delta, num_top: int) -> dict[str, Any]:
    """Log-probabilities in the chat form: one object per token of the text, most likely alternatives inside."""
    content: list[dict[str, Any]] = []
    for position, (token, logp) in enumerate(zip(delta.ids, delta.logps, strict=True)):
        if token in served.special_ids:  # the end of the turn is no part of what was said
            continue
        entry = _entry(served, token, logp)
        likely = delta.top[position] if delta.top else {}
        ranked = sorted(likely.items(), key=lambda item: -item[1])[:num_top]
        entry["top_logprobs"] = [_entry(served, other, value) for other, value in ranked]
        content.append(entry)
    return {"content": content, "refusal": None}


def _entry(served: Served, token: int, logp: float) -> dict[str, Any]:
    return {"token": served.shown(token), "logprob": finite(logp), "bytes": served.token_bytes(token)}


class LegacyLogprobs:
    """Log-probabilities in the completions form: four parallel arrays, filled token by token.

    The token's own log-probability is the same float in `token_logprobs` and `top_logprobs` (lm-evaluation-harness
    tells a greedy token by equality), and of two tokens written alike the likelier stays.
    """

    def __init__(self, served: Served, num_top: int) -> None:
        self.served = served
        self.num_top = num_top
        self.offset = 0
        self.arrays: dict[str, list[Any]] = {}
        self.clear()

    def clear(self) -> None:
        """Begin the arrays of the next piece; text offsets go on."""
        self.arrays = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}

    def add(self, token: int, logp: float | None, likely: dict[int, float] | None) -> None:
        """One more token; `logp` None is the first of a prompt, which nothing precedes."""
        shown = self.served.shown(token)
        self.arrays["tokens"].append(shown)
        self.arrays["token_logprobs"].append(None if logp is None else finite(logp))
        self.arrays["top_logprobs"].append(None if logp is None else self._top(token, logp, likely or {}))
        self.arrays["text_offset"].append(self.offset)
        self.offset += 0 if token in self.served.special_ids else len(shown)

    def add_all(self, ids: Sequence[int], logps: Sequence[float], top: Sequence[dict[int, float]] | None) -> None:
        """The tokens of a delta."""
        for position, (token, logp) in enumerate(zip(ids, logps, strict=True)):
            self.add(token, logp, top[position] if top else None)

    def take(self) -> dict[str, list[Any]]:
        """The arrays so far; the next piece begins empty."""
        taken = self.arrays
        self.clear()
        return taken

    def _top(self, token: int, logp: float, likely: dict[int, float]) -> dict[str, float]:
        ranked = sorted(likely.items(), key=lambda item: -item[1])[: self.num_top]
        by_text: dict[str, float] = {}
        for other, value in [*ranked, (token, logp)]:
            shown = self.served.shown(other)
            value = finite(logp if other == token else value)
            by_text[shown] = max(value, by_text.get(shown, NEVER))
        return by_text
