"""What a client asks for: request bodies read into plain values."""

from dataclasses import dataclass
from typing import Any

from hornbook.core.conversation import ROLES, Message
from hornbook.serve import fields
from hornbook.serve.api_error import bad_request, not_supported

MAX_TOP_LOGPROBS = 20
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen and when to stop; `max_tokens` None means as many as there is room for."""

    max_tokens: int | None
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    seed: int | None
    stop: tuple[str, ...]
    stop_ids: tuple[int, ...]
    num_logprobs: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the answer travels: in one piece or as a stream, in how many versions."""

    model: str
    num_choices: int
    stream: bool
    include_usage: bool
    continuous_usage: bool
    """Usage so far in every chunk (vLLM's `continuous_usage_stats`)."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """POST /v1/chat/completions; `fit_context` (ours) leaves out the oldest turns that do not fit."""

    messages: tuple[Message, ...]
    sampling: Sampling
    delivery: Delivery
    fit_context: bool


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """POST /v1/completions; prompts are texts or token ids."""

    prompts: tuple[str | list[int], ...]
    echo: bool
    sampling: Sampling
    delivery: Delivery


def read_chat(data: dict[str, Any], vocab_size: int) -> ChatRequest:
    """A chat request from its JSON object. Raises ApiError with the field that is wrong."""
    refuse_unsupported(data)
    name = "max_completion_tokens" if data.get("max_completion_tokens") is not None else "max_tokens"
    num_logprobs = fields.whole(data, "top_logprobs", 0, 0, MAX_TOP_LOGPROBS) if fields.flag(data, "logprobs") else None
    max_tokens = fields.whole(data, name, 0, 1, 2**31) or None
    return ChatRequest(
        messages=read_messages(data.get("messages")),
        sampling=read_sampling(data, max_tokens, num_logprobs, vocab_size),
        delivery=read_delivery(data),
        fit_context=fields.flag(data, "fit_context"),
    )


def read_completion(data: dict[str, Any], vocab_size: int) -> CompletionRequest:
    """A completion request from its JSON object. Raises ApiError with the field that is wrong."""
    refuse_unsupported(data)
    if data.get("suffix"):
        raise not_supported("suffix", "This model writes forward only: it cannot fill a gap before a suffix.")
    echo = fields.flag(data, "echo")
    num_logprobs = None
    if data.get("logprobs") is not None and data["logprobs"] is not False:
        num_logprobs = fields.whole(data, "logprobs", 0, 0, MAX_TOP_LOGPROBS) if data["logprobs"] is not True else 0
    return CompletionRequest(
        prompts=read_prompts(data.get("prompt"), vocab_size),
        echo=echo,
        sampling=read_sampling(data, fields.whole(data, "max_tokens", 16, 0, 2**31), num_logprobs, vocab_size),
        delivery=read_delivery(data),
    )


def read_sampling(data: dict[str, Any], max_tokens: int | None, num_logprobs: int | None, vocab_size: int) -> Sampling:
    """The sampling fields, OpenAI's and the ones vLLM added (top_k, min_p, stop_token_ids)."""
    extra = data.get("stop_token_ids") or []
    if not isinstance(extra, list):
        raise bad_request('"stop_token_ids" must be an array of token ids.', "stop_token_ids")
    return Sampling(
        max_tokens=max_tokens,
        temperature=fields.number(data, "temperature", 1.0, 0.0, 100.0),
        top_k=max(0, fields.whole(data, "top_k", 0, -1, 2**31)),
        top_p=max(1e-6, fields.number(data, "top_p", 1.0, 0.0, 1.0)),  # 0, which OpenAI takes, keeps the likeliest
        min_p=fields.number(data, "min_p", 0.0, 0.0, 1.0),
        seed=fields.whole(data, "seed", 0, -MAX_SEED, MAX_SEED) if data.get("seed") is not None else None,
        stop=fields.stops(data),
        stop_ids=tuple(fields.token_ids(extra, vocab_size, "stop_token_ids")),
        num_logprobs=num_logprobs,
    )


def read_delivery(data: dict[str, Any]) -> Delivery:
    """Model, number of choices and streaming."""
    options = data.get("stream_options") or {}
    if not isinstance(options, dict):
        raise bad_request('"stream_options" must be an object.', "stream_options")
    model = data.get("model")
    return Delivery(
        model="" if model is None else fields.text(model, "model"),
        num_choices=fields.whole(data, "n", 1, 1, 128),
        stream=fields.flag(data, "stream"),
        include_usage=fields.flag(options, "include_usage"),
        continuous_usage=fields.flag(options, "continuous_usage_stats"),
    )


def read_messages(value: Any) -> tuple[Message, ...]:
    """Messages whose contents are strings or arrays of text parts; `developer` speaks as `system`."""
    if not isinstance(value, list) or not value:
        raise bad_request('"messages" must be an array with at least one message.', "messages")
    return tuple(read_message(item, f"messages[{position}]") for position, item in enumerate(value))


def read_message(item: Any, where: str) -> Message:
    """One message of a conversation."""
    if not isinstance(item, dict):
        raise bad_request(f'"{where}" must be an object with "role" and "content".', where)
    role = "system" if item.get("role") == "developer" else item.get("role")
    if role not in ROLES:
        raise bad_request(f'"{where}.role" is {fields.shown(role)}; roles are {", ".join(ROLES)}.', f"{where}.role")
    return Message(role, read_content(item.get("content"), role, f"{where}.content"))


def read_content(content: Any, role: str, where: str) -> str:
    """The text of a message; a turn of the assistant that only called tools has none."""
    if content is None and role == "assistant":
        return ""
    if not isinstance(content, list):
        return fields.text(content, where)
    parts: list[str] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in ("text", "input_text"):
            raise bad_request(f'"{where}" has a part of type {fields.shown(kind)}; this model reads text only.', where)
        parts.append(fields.text(part.get("text"), where))
    return "".join(parts)


def read_prompts(value: Any, vocab_size: int) -> tuple[str | list[int], ...]:
    """One prompt or many, as text or as token ids: str, [str], [int] or [[int]]."""
    if isinstance(value, str):
        return (fields.text(value, "prompt"),)
    if not isinstance(value, list) or not value:
        raise bad_request('"prompt" must be a string, an array of strings, or token ids.', "prompt")
    if all(isinstance(item, str) for item in value):
        return tuple(fields.text(item, "prompt") for item in value)
    if all(isinstance(item, list) for item in value):
        if not all(value):
            raise bad_request('"prompt" has an empty array of token ids.', "prompt")
        return tuple(fields.token_ids(item, vocab_size, "prompt") for item in value)
    return (fields.token_ids(value, vocab_size, "prompt"),)


def refuse_unsupported(data: dict[str, Any]) -> None:
    """Known fields that this server cannot honour are refused, unless they ask for nothing."""
    for name, nothing in (("frequency_penalty", 0), ("presence_penalty", 0), ("repetition_penalty", 1)):
        if data.get(name) not in (None, nothing):
            raise not_supported(name, f'"{name}" is not supported; leave it at {nothing}.')
    if data.get("logit_bias"):
        raise not_supported("logit_bias", '"logit_bias" is not supported.')
    if data.get("best_of") not in (None, 1, data.get("n")):
        raise not_supported("best_of", '"best_of" is not supported; ask for "n" answers and choose.')
    wanted = data.get("response_format")
    if wanted is not None and (not isinstance(wanted, dict) or wanted.get("type", "text") != "text"):
        raise not_supported("response_format", "This model answers in plain text only.")
    choice = data.get("tool_choice")
    if choice not in (None, "none", "auto"):
        raise not_supported("tool_choice", "This server does not make a model call a tool.")
