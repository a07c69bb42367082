"""The one model behind the server: its names, its tokenizer, its renderer and its engine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hornbook.core.conversation import Message
from hornbook.serve.api_error import bad_request, model_not_found, too_long
from hornbook.serve.generation import Writer


class Codec(Protocol):
    """What the server needs of a tokenizer (`tokenizer.tokenizer.Tokenizer` has it)."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""
        ...

    @property
    def bos_id(self) -> int | None:
        """Begins a text."""
        ...

    @property
    def eos_id(self) -> int | None:
        """Ends a text."""
        ...

    @property
    def pad_id(self) -> int | None:
        """Fills rows."""
        ...

    @property
    def end_of_turn_id(self) -> int | None:
        """Ends a turn."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of a text; no special ones."""
        ...

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        """The text of ids."""
        ...

    def token_bytes(self, identity: int, /) -> bytes:
        """The bytes of one token."""
        ...


TokenScore = tuple[float, dict[int, float]]
"""Log-probability (nats) of a token given those before, and the likeliest tokens at its place."""


@dataclass
class Served:
    """A loaded model with everything the routes ask of it."""

    name: str
    codec: Codec
    writer: Writer
    context_tokens: int
    num_slots: int
    render: Callable[[Sequence[Message]], list[int]]
    """Conversation -> prompt ids, ready for the assistant's turn."""
    score: Callable[[list[list[int]], int], list[list[TokenScore]]]
    """Ids and how many likely tokens to list -> the scores of every token but the first."""
    special_ids: frozenset[int] = frozenset()
    is_chat: bool = True
    about: dict[str, Any] = field(default_factory=dict[str, Any])
    """Facts shown on the page: parameters, folder, recipe."""
    created: int = field(default_factory=lambda: int(time.time()))
    stats: Callable[[], dict[str, Any]] = dict

    def check_name(self, asked: str) -> None:
        """Empty means the only model. Raises ApiError (404) for another name."""
        if asked and asked != self.name:
            raise model_not_found(asked, self.name)

    def room_for(self, num_prompt_tokens: int, max_tokens: int | None, limit_tokens: int, param: str) -> int:
        """How many tokens the answer may have. Raises ApiError when the context has room for none."""
        left_tokens = self.context_tokens - num_prompt_tokens
        if left_tokens < 0 or (left_tokens == 0 and max_tokens != 0):
            raise too_long(num_prompt_tokens, self.context_tokens, param)
        asked_tokens = left_tokens if max_tokens is None else max_tokens
        return min(asked_tokens, left_tokens, limit_tokens)

    def fit(self, messages: Sequence[Message], answer_tokens: int) -> tuple[list[int], int]:
        """The prompt of a conversation without its oldest turns, so that the answer has room.

        Returns the ids and how many messages were left out. A system message and the last message always stay.
        """
        head = [message for message in messages[:1] if message.role == "system"]
        turns = list(messages[len(head) :])
        num_left_out = 0
        while True:
            ids = self.render([*head, *turns[num_left_out:]])
            if len(ids) + answer_tokens <= self.context_tokens or num_left_out >= len(turns) - 1:
                return ids, num_left_out
            num_left_out += 1
            while num_left_out < len(turns) - 1 and turns[num_left_out].role != "user":
                num_left_out += 1

    def plain_ids(self, prompt: str | list[int]) -> list[int]:
        """The ids of a completion prompt: a text begins with BOS, given ids are taken as they are."""
        if isinstance(prompt, list):
            return prompt
        ids = self.codec.encode(prompt)
        ids = ids if self.codec.bos_id is None else [self.codec.bos_id, *ids]
        if not ids:
            raise bad_request("The prompt is empty, and this model has no token to begin a text with.", "prompt")
        return ids

    def special_named(self, text: str) -> list[int]:
        """The special token that is called exactly so, or nothing.

        lm-evaluation-harness learns the id of BOS by asking /tokenize for its name. Inside a longer text a special
        token's name stays text.
        """
        return [token for token in self.special_ids if self.codec.decode([token], skip_special=False) == text][:1]

    def shown(self, token: int) -> str:
        """A token as text; bytes that are no whole character as `bytes:\\xe2\\x80`, as OpenAI writes them."""
        if token in self.special_ids:
            return self.codec.decode([token], skip_special=False)
        raw = self.codec.token_bytes(token)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)

    def token_bytes(self, token: int) -> list[int]:
        """The bytes of a token."""
        if token in self.special_ids:
            return list(self.codec.decode([token], skip_special=False).encode())
        return list(self.codec.token_bytes(token))
