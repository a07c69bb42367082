"""One conversation with one model, without a server: what the terminal chat talks to."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from hornbook.core.conversation import Conversation, Message, write_conversations
from hornbook.core.errors import HornbookError
from hornbook.engine.interface import Delta
from hornbook.serve.chat_route import SHARE_FOR_ANSWER
from hornbook.serve.generation import check_finished
from hornbook.serve.requests import Sampling
from hornbook.serve.sampling import engine_requests, text_ends, turn_ends
from hornbook.serve.served import Served

PATIENCE_S = 0.1
"""How often a waiting reader looks for Ctrl-C (a plain `get` would not let it through on every system)."""


def plain_sampling(temperature: float = 0.7, max_tokens: int | None = None, seed: int | None = None) -> Sampling:
    """Sampling with nothing cut off."""
    return Sampling(max_tokens, temperature, 0, 1.0, 0.0, seed, (), (), None)


@dataclass
class Session:
    """What was said so far and how the next answer is sampled. A base model continues each text on its own."""

    served: Served
    sampling: Sampling = field(default_factory=plain_sampling)
    system: str = ""
    messages: list[Message] = field(default_factory=list[Message])
    num_left_out: int = 0
    num_tokens: int = 0
    finish_reason: str | None = None

    def ask(self, text: str) -> Iterator[str]:
        """Say something; the answer comes piece by piece. Leaving early stops it and keeps what was written."""
        self.messages.append(Message("user", text))
        try:
            yield from self._answer()
        except HornbookError:
            if self.messages[-1].role == "user":  # nothing was written: as if it had not been said
                self.messages.pop()
            raise

    def again(self) -> Iterator[str]:
        """Another answer to what was said last; nothing when nothing was."""
        if self.messages and self.messages[-1].role == "assistant":
            self.messages.pop()
        if self.messages:
            yield from self._answer()

    def reset(self) -> None:
        """Begin a new conversation."""
        self.messages.clear()
        self.num_left_out = 0

    def change(self, **fields: object) -> None:
        """Sample the next answers otherwise."""
        self.sampling = replace(self.sampling, **fields)  # type: ignore[arg-type]

    def save(self, path: Path) -> None:
        """Write the conversation as JSON lines, as `data.read` and `posttrain.sft` take it."""
        write_conversations(path, [Conversation(path.stem, tuple(self._all()))])

    def _all(self) -> list[Message]:
        return [*([Message("system", self.system)] if self.system else []), *self.messages]

    def prompt_ids(self) -> list[int]:
        """The next prompt: the conversation without turns that no longer fit, or a base model's beginning."""
        if not self.served.is_chat:
            return self.served.plain_ids(self.messages[-1].content)
        ids, self.num_left_out = self.served.fit(self._all(), self.served.context_tokens // SHARE_FOR_ANSWER)
        return ids

    def _answer(self) -> Iterator[str]:
        ids = self.prompt_ids()
        room_tokens = self.served.room_for(len(ids), self.sampling.max_tokens, self.served.context_tokens, "message")
        ends = turn_ends(self.served.codec) if self.served.is_chat else text_ends(self.served.codec)
        request = engine_requests([ids], 1, [room_tokens], self.sampling, ends)[0]
        deltas: queue.SimpleQueue[Delta] = queue.SimpleQueue()
        written: list[str] = []
        self.num_tokens, self.finish_reason = 0, None
        ticket = self.served.writer.submit(request, deltas.put)
        try:
            while self.finish_reason is None:
                try:
                    delta = deltas.get(timeout=PATIENCE_S)
                except queue.Empty:
                    continue
                self.num_tokens += len(delta.ids)
                self.finish_reason = delta.finish_reason
                written.append(delta.text)
                yield delta.text
                check_finished(delta)
        finally:
            ticket.cancel()
            self.messages.append(Message("assistant", "".join(written)))
