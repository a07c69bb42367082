"""What using a model means, wherever it runs: write text after a prompt, and judge how likely a text is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy

from hornbook.core.errors import EngineError

FinishReason = Literal["stop", "length", "cancelled", "error"]


class ContextTooLong(EngineError):
    """A prompt, or a text to be scored, is longer than the model's context."""

    code = "context_length_exceeded"


class QueueFull(EngineError):
    """More requests wait than the scheduler was told to keep."""

    code = "queue_full"


@dataclass(frozen=True)
class Request:
    """A prompt in ids and how to go on from it.

    `temperature` 0 is greedy. `top_k` 0 and `top_p` 1 leave everything in; `min_p` drops tokens less likely than that
    share of the likeliest. `seed`: the same seed gives the same text, whoever else is in the batch; None draws one.
    `stop`: texts that end the answer and are not part of it; `stop_ids`: ids that do, beside the model's own (which
    `ignore_eos` switches off). `num_logprobs`: how many of the likeliest tokens to report at every place.
    """

    ids: tuple[int, ...]
    max_tokens: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    num_logprobs: int | None = None
    stop_ids: tuple[int, ...] = ()
    ignore_eos: bool = False

    def __post_init__(self) -> None:
        checks = (
            (len(self.ids) > 0, "the prompt has no token"),
            (self.max_tokens >= 0, f"max_tokens is {self.max_tokens}, which is negative"),
            (0 <= self.temperature <= 100, f"temperature is {self.temperature}, not between 0 and 100"),
            (self.top_k >= 0, f"top_k is {self.top_k}, which is negative"),
            (0 < self.top_p <= 1, f"top_p is {self.top_p}, not above 0 and at most 1"),
            (0 <= self.min_p <= 1, f"min_p is {self.min_p}, not between 0 and 1"),
            (all(self.stop), "a stop text is empty"),
            (self.num_logprobs is None or self.num_logprobs >= 0, f"num_logprobs is {self.num_logprobs}"),
        )
        for fine, sentence in checks:
            if not fine:
                raise EngineError(sentence, where="a request to the engine")


@dataclass(frozen=True)
class Completion:
    """What was written.

    `ids` has every token that was drawn, an end token included; `text` leaves out special tokens and what follows a
    stop text. `logp`: log-probability (nats) of each id under the model itself, before temperature and filters;
    `top`: the likeliest ids at each place with theirs.
    """

    ids: tuple[int, ...]
    text: str
    logp: list[float]
    top: list[dict[int, float]] | None
    finish_reason: FinishReason


@dataclass(frozen=True)
class Delta:
    """A piece of an answer: text that is certain, and the ids drawn since the last piece.

    Text lags behind ids while it could be the beginning of a stop text or half a character.
    """

    text: str
    ids: list[int]
    logps: list[float]
    top: list[dict[int, float]] | None
    finish_reason: FinishReason | None


class LanguageModel(Protocol):
    """A model that can be used: in this process or behind an address."""

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        """Go on from every prompt; answers in the order of the requests."""
        ...

    def score(self, ids: Sequence[Sequence[int]]) -> list[numpy.ndarray]:
        """Log-probability (nats, fp32) of each token given those before: n - 1 numbers for n ids."""
        ...

    def refresh(self, model: Any) -> None:
        """Take over changed weights."""
        ...


def check_room(num_prompt_tokens: int, context_tokens: int) -> None:
    """Raises ContextTooLong unless a prompt leaves room for one token."""
    if num_prompt_tokens >= context_tokens:
        found = f"the prompt has {num_prompt_tokens:,} tokens and the model's context is {context_tokens:,}"
        raise ContextTooLong(found, do="Shorten the prompt or leave out earlier turns")
