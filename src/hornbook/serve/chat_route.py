"""POST /v1/chat/completions."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from hornbook.engine.scheduler import Delta
from hornbook.serve.generation import Generation
from hornbook.serve.replies import Envelope, chat_logprobs, usage
from hornbook.serve.requests import ChatRequest
from hornbook.serve.sampling import engine_requests, turn_ends
from hornbook.serve.served import Served
from hornbook.serve.settings import ServeSettings

SHARE_FOR_ANSWER = 4
"""A conversation that is made to fit leaves at least this part of the context (one in …) to the answer."""


class ChatReply:
    """One chat request on its way: prompt, generation and the forms its answer can take."""

    def __init__(self, served: Served, settings: ServeSettings, asked: ChatRequest) -> None:
        served.check_name(asked.delivery.model)
        self.served = served
        self.asked = asked
        self.envelope = Envelope("chatcmpl", served.name)
        self.num_written_tokens = 0
        self.ids, self.num_left_out = prompt_ids(served, asked)
        max_tokens = served.room_for(len(self.ids), asked.sampling.max_tokens, settings.max_tokens, "messages")
        self.requests = engine_requests(
            [self.ids], asked.delivery.num_choices, [max_tokens], asked.sampling, turn_ends(served.codec)
        )

    def whole(self, texts: Sequence[Delta]) -> dict[str, Any]:
        """The answer in one piece."""
        choices: list[dict[str, Any]] = []
        for index, text in enumerate(texts):
            choices.append(
                {
                    "index": index,
                    "message": {"role": "assistant", "content": text.text, "refusal": None},
                    "logprobs": self._logprobs(text),
                    "finish_reason": text.finish_reason,
                }
            )
        used = usage(len(self.ids), sum(len(text.ids) for text in texts))
        return self.envelope.body("chat.completion", choices, usage=used, **self._about())

    async def chunks(self, generation: Generation) -> AsyncIterator[dict[str, Any]]:
        """The answer as a stream: roles, contents, ends, usage."""
        for index in range(len(self.requests)):
            yield self._chunk(index, {"role": "assistant", "content": ""}, None, **self._about())
        async for index, delta in generation.pieces():
            self.num_written_tokens += len(delta.ids)
            if delta.text or (delta.ids and self.asked.sampling.num_logprobs is not None):
                yield self._chunk(index, {"content": delta.text}, None, self._logprobs(delta))
            if delta.finish_reason is not None:
                yield self._chunk(index, {}, delta.finish_reason)
        if self.asked.delivery.include_usage:
            yield self.envelope.body("chat.completion.chunk", [], usage=self._usage())

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        finish_reason: str | None,
        logprobs: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        if self.asked.delivery.include_usage:
            more["usage"] = self._usage() if self.asked.delivery.continuous_usage else None
        return self.envelope.body("chat.completion.chunk", [choice], **more)

    def _usage(self) -> dict[str, Any]:
        return usage(len(self.ids), self.num_written_tokens)

    def _logprobs(self, delta: Delta) -> dict[str, Any] | None:
        num_top = self.asked.sampling.num_logprobs
        return None if num_top is None else chat_logprobs(self.served, delta, num_top)

    def _about(self) -> dict[str, Any]:
        return {"hornbook": {"messages_left_out": self.num_left_out}} if self.asked.fit_context else {}


def prompt_ids(served: Served, asked: ChatRequest) -> tuple[list[int], int]:
    """The prompt of a conversation, and how many old messages were left out to make it fit."""
    if not asked.fit_context:
        return served.render(asked.messages), 0
    answer_tokens = min(asked.sampling.max_tokens or served.context_tokens, served.context_tokens // SHARE_FOR_ANSWER)
    return served.fit(asked.messages, answer_tokens)
