"""POST /v1/completions: plain continuations, and the log-probabilities of prompts (`echo`)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from hornbook.engine.scheduler import Delta
from hornbook.serve.api_error import bad_request
from hornbook.serve.generation import Generation
from hornbook.serve.replies import Envelope, LegacyLogprobs, usage
from hornbook.serve.requests import CompletionRequest
from hornbook.serve.sampling import engine_requests, text_ends
from hornbook.serve.served import Served, TokenScore
from hornbook.serve.settings import ServeSettings

NOTHING_ASKED = "length"
"""How a text ends that was asked to have no tokens."""


class CompletionReply:
    """One completion request on its way. Texts are numbered prompt by prompt, choice by choice."""

    def __init__(self, served: Served, settings: ServeSettings, asked: CompletionRequest) -> None:
        served.check_name(asked.delivery.model)
        self.served = served
        self.asked = asked
        self.envelope = Envelope("cmpl", served.name)
        self.num_written_tokens = 0
        self.prompts = [served.plain_ids(prompt) for prompt in asked.prompts]
        room_tokens = [
            served.room_for(len(ids), asked.sampling.max_tokens, settings.max_tokens, "prompt") for ids in self.prompts
        ]
        self.writes = asked.sampling.max_tokens != 0
        self.num_texts = len(self.prompts) * asked.delivery.num_choices
        self.requests = engine_requests(
            self.prompts if self.writes else [],
            asked.delivery.num_choices,
            room_tokens if self.writes else [],
            asked.sampling,
            text_ends(served.codec),
        )
        self.scores: list[list[TokenScore]] = []

    @property
    def wants_scores(self) -> bool:
        """Whether the prompts' own log-probabilities are asked for."""
        return self.asked.echo and self.asked.sampling.num_logprobs is not None

    def score(self) -> None:
        """Compute the log-probabilities of the prompts; blocking."""
        self.scores = self.served.score(self.prompts, self.asked.sampling.num_logprobs or 0)

    def whole(self, texts: Sequence[Delta]) -> dict[str, Any]:
        """The answer in one piece."""
        texts = texts or [nothing() for _ in range(self.num_texts)]
        choices: list[dict[str, Any]] = []
        for index, text in enumerate(texts):
            logprobs = self._begin(index)
            if logprobs is not None:
                logprobs.add_all(text.ids, text.logps, text.top)
            choices.append(
                {
                    "index": index,
                    "text": self._echoed(index) + text.text,
                    "logprobs": logprobs.take() if logprobs is not None else None,
                    "finish_reason": text.finish_reason,
                }
            )
        used = usage(sum(map(len, self.prompts)), sum(len(text.ids) for text in texts))
        return self.envelope.body("text_completion", choices, usage=used)

    async def chunks(self, generation: Generation | None) -> AsyncIterator[dict[str, Any]]:
        """The answer as a stream; an echoed prompt is the first piece of its text."""
        running = [self._begin(index) for index in range(self.num_texts)]
        if self.asked.echo:
            for index, logprobs in enumerate(running):
                yield self._chunk(index, self._echoed(index), None, logprobs)
        if generation is None:
            for index in range(self.num_texts):
                yield self._chunk(index, "", NOTHING_ASKED, None)
        else:
            async for index, delta in generation.pieces():
                self.num_written_tokens += len(delta.ids)
                logprobs = running[index]
                if logprobs is not None:
                    logprobs.add_all(delta.ids, delta.logps, delta.top)
                yield self._chunk(index, delta.text, delta.finish_reason, logprobs)
        if self.asked.delivery.include_usage:
            yield self.envelope.body("text_completion", [], usage=self._usage())

    def _chunk(
        self, index: int, text: str, finish_reason: str | None, logprobs: LegacyLogprobs | None
    ) -> dict[str, Any]:
        arrays = None if logprobs is None else logprobs.take()
        choice = {"index": index, "text": text, "logprobs": arrays, "finish_reason": finish_reason}
        more: dict[str, Any] = {}
        if self.asked.delivery.include_usage:
            more["usage"] = self._usage() if self.asked.delivery.continuous_usage else None
        return self.envelope.body("text_completion", [choice], **more)

    def _usage(self) -> dict[str, Any]:
        return usage(sum(map(len, self.prompts)), self.num_written_tokens)

    def _begin(self, index: int) -> LegacyLogprobs | None:
        num_top = self.asked.sampling.num_logprobs
        if num_top is None:
            return None
        logprobs = LegacyLogprobs(self.served, num_top)
        if self.asked.echo:
            prompt = index // self.asked.delivery.num_choices
            ids = self.prompts[prompt]
            logprobs.add(ids[0], None, None)
            for token, (logp, likely) in zip(ids[1:], self.scores[prompt], strict=True):
                logprobs.add(token, logp, likely)
        return logprobs

    def _echoed(self, index: int) -> str:
        if not self.asked.echo:
            return ""
        prompt = self.asked.prompts[index // self.asked.delivery.num_choices]
        return prompt if isinstance(prompt, str) else self.served.codec.decode(prompt)


def nothing() -> Delta:
    """The text of a request for no tokens."""
    return Delta(text="", ids=[], logps=[], top=None, finish_reason=NOTHING_ASKED)


def check_num_texts(num_texts: int, limit: int) -> None:
    """Refuse more texts in one request than the server allows. Raises ApiError."""
    if num_texts > limit:
        raise bad_request(f"The request asks for {num_texts} texts; at most {limit} are allowed.", "prompt")
