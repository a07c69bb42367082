"""The chat format: one renderer for training and for serving.

The template is the Jinja file that every Hugging Face tool reads. Contents are put in after the template's text has
been cut at its special tokens, so a content that spells `<|im_end|>` stays text. Where no content does so, the ids are
those of transformers' `apply_chat_template`.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from hornbook.core.conversation import Message
from hornbook.core.errors import DataError
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    import jinja2

MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as ids; `train` marks what an assistant must learn to say: its contents and ends of turn."""

    ids: list[int]
    train: list[bool]


def default_template() -> str:
    """The template that our tokenizers carry."""
    return resources.files("hornbook.tokenizer").joinpath("chat_template.jinja").read_text(encoding="utf-8")


def render(messages: Sequence[Message], tokenizer: Tokenizer, *, add_generation_prompt: bool = False) -> Rendered:
    """Ids of a conversation, BOS first as the template says.

    Rendering k messages gives a prefix of rendering k + 1. Raises DataError when the tokenizer has no template, or
    the template refuses the messages.
    """
    text = _fill(tokenizer, messages, add_generation_prompt)
    ids: list[int] = []
    train: list[bool] = []
    speaking = False
    for segment, special in tokenizer.segments(text):
        if special is not None:
            ids.append(special)
            train.append(speaking and special == tokenizer.end_of_turn_id)
            speaking = False
            continue
        encoded, flags, speaking = _segment(segment, messages, tokenizer, speaking)
        ids += encoded
        train += flags
    return Rendered(ids, train)


def render_text(messages: Sequence[Message], tokenizer: Tokenizer, *, add_generation_prompt: bool = False) -> str:
    """The conversation as the text that other tools see."""
    text = _fill(tokenizer, messages, add_generation_prompt)
    return MARK.sub(lambda match: messages[int(match.group(1))].content, text)


def _segment(
    segment: str, messages: Sequence[Message], tokenizer: Tokenizer, speaking: bool
) -> tuple[list[int], list[bool], bool]:
    """Ids of the text between two special tokens; trained are the tokens that begin inside an assistant's content."""
    spans: list[tuple[int, int]] = []
    parts: list[str] = []
    place = num_bytes = 0
    for match in MARK.finditer(segment):
        before = segment[place : match.start()]
        message = messages[int(match.group(1))]
        num_bytes += len(before.encode())
        length = len(message.content.encode())
        if message.role == "assistant":
            spans.append((num_bytes, num_bytes + length))
            speaking = True
        num_bytes += length
        parts += [before, message.content]
        place = match.end()
    encoded = tokenizer.encode("".join([*parts, segment[place:]]))
    return encoded, _begins_inside(encoded, spans, tokenizer), speaking


def _begins_inside(encoded: list[int], spans: list[tuple[int, int]], tokenizer: Tokenizer) -> list[bool]:
    if not spans:
        return [False] * len(encoded)
    flags: list[bool] = []
    at = 0
    for identity in encoded:
        flags.append(any(first <= at < end for first, end in spans))
        at += len(tokenizer.token_bytes(identity))
    return flags


def _fill(tokenizer: Tokenizer, messages: Sequence[Message], add_generation_prompt: bool) -> str:
    """The template's text with a mark in place of each content."""
    import jinja2

    if tokenizer.template is None:
        raise DataError(
            "this tokenizer has no chat template", where=str(tokenizer.folder), do="Add a chat_template.jinja"
        )
    marked = [{"role": m.role, "content": f"\ue000{i}\ue001"} for i, m in enumerate(messages)]
    names = {identity: name for name, identity in tokenizer.special.items()}
    try:
        return _compiled(tokenizer.template).render(
            messages=marked,
            add_generation_prompt=add_generation_prompt,
            bos_token=names.get(tokenizer.bos_id, ""),
            eos_token=names.get(tokenizer.eos_id, ""),
        )
    except jinja2.TemplateError as error:
        raise DataError(f"the chat template refuses these messages: {error}", where=str(tokenizer.folder)) from None


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> "jinja2.Template":
    """The template, compiled as transformers does it: sandboxed, with `raise_exception`."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = raise_exception
    try:
        return environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise DataError(f"the chat template is not valid Jinja: {error}") from None
