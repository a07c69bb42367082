"""The chat format: one renderer for training and for serving.

The template is the Jinja file that every Hugging Face tool reads. Contents go through it between marks, and what it
writes is cut at special tokens outside of the marks only, so a content that spells `<|im_end|>` stays text. Where no
content does so, the ids are those of transformers' `apply_chat_template`.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from hornbook.core.conversation import Message
from hornbook.core.errors import DataError
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    import jinja2

PRIVATE_USE = range(0xE000, 0xF900)
OUTER = ("\x1c", "\x1f")
"""These count as white space in Python, so that a template which trims a content trims them with it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as ids; `train` marks what an assistant must learn to say: its contents and ends of turn."""

    ids: list[int]
    train: list[bool]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of what the template wrote: a special token's id, or text and the role whose content it is."""

    text: str
    special: int | None = None
    role: str = ""


def default_template() -> str:
    """The template that our tokenizers carry."""
    return resources.files("hornbook.tokenizer").joinpath("chat_template.jinja").read_text(encoding="utf-8")


def render(messages: Sequence[Message], tokenizer: Tokenizer, *, add_generation_prompt: bool = False) -> Rendered:
    """Ids of a conversation, BOS first as the template says.

    Rendering k messages gives a prefix of rendering k + 1. Raises DataError when the tokenizer has no template, the
    template refuses the messages, or it takes contents apart so that nobody can tell what an assistant said.
    """
    marks = _unused(messages)
    text = _fill(
        tokenizer, [_marked(i, m.content, marks) for i, m in enumerate(messages)], messages, add_generation_prompt
    )
    ids: list[int] = []
    train: list[bool] = []
    segment = ""
    spans: list[tuple[int, int]] = []
    speaking = False
    for piece in _pieces(text, messages, tokenizer, marks):
        if piece.special is None:
            if piece.role == "assistant":
                spans.append((len(segment), len(segment) + len(piece.text)))
                speaking = True
            segment += piece.text
            continue
        _append(segment, spans, tokenizer, ids, train)
        ids.append(piece.special)
        train.append(speaking and piece.special == tokenizer.end_of_turn_id)
        segment, spans, speaking = "", [], False
    _append(segment, spans, tokenizer, ids, train)
    return Rendered(ids, train)


def render_text(messages: Sequence[Message], tokenizer: Tokenizer, *, add_generation_prompt: bool = False) -> str:
    """The conversation as the text that other tools see."""
    return _fill(tokenizer, [m.content for m in messages], messages, add_generation_prompt)


def _append(
    segment: str, spans: list[tuple[int, int]], tokenizer: Tokenizer, ids: list[int], train: list[bool]
) -> None:
    if segment:
        encoded, flags = tokenizer.encode_marked(segment, spans)
        ids += encoded
        train += flags


def _pieces(text: str, messages: Sequence[Message], tokenizer: Tokenizer, marks: tuple[str, str]) -> Iterator[_Piece]:
    """What the template wrote, in order: its own text, its special tokens, and contents."""
    first, last = marks
    pattern = rf"(?:{OUTER[0]}(\s*))?{first}(\d+){first}(.*?){last}(?:(\s*){OUTER[1]})?"
    place = 0
    for found in re.finditer(pattern, text, re.DOTALL):
        yield from _own(text[place : found.start()], tokenizer, marks)
        before, number, core, after = found.groups(default="")
        yield _Piece(before + core + after, role=messages[int(number)].role)
        place = found.end()
    yield from _own(text[place:], tokenizer, marks)


def _own(text: str, tokenizer: Tokenizer, marks: tuple[str, str]) -> Iterator[_Piece]:
    """The template's own text and special tokens. Raises DataError for what is left of a content's marks."""
    if any(mark in text for mark in (*marks, *OUTER, "\\u001c", "\\u001f")):
        raise DataError(
            "the chat template takes contents apart, so what an assistant said cannot be told from the rest",
            where=str(tokenizer.folder),
            do="Use a template that writes each content whole",
        )
    for piece, special in tokenizer.segments(text):
        yield _Piece(piece, special)


def _unused(messages: Sequence[Message]) -> tuple[str, str]:
    """Two characters for private use that no content has."""
    used = {ord(c) for m in messages for c in re.findall("[\ue000-\uf8ff]", m.content)}
    free = (chr(point) for point in PRIVATE_USE if point not in used)
    first, last = next(free, ""), next(free, "")
    if not last:
        raise DataError("the contents use every character for private use", where="a conversation")
    return first, last


def _marked(number: int, content: str, marks: tuple[str, str]) -> str:
    """The content between marks that survive trimming, its outer white space between marks that do not."""
    core = content.strip()
    at = content.index(core)
    before, after = content[:at], content[at + len(core) :]
    first, last = marks
    return f"{OUTER[0]}{before}{first}{number}{first}{core}{last}{after}{OUTER[1]}"


def _fill(
    tokenizer: Tokenizer, contents: Sequence[str], messages: Sequence[Message], add_generation_prompt: bool
) -> str:
    """What the template writes for these messages with the given contents in place of theirs."""
    import jinja2

    where = str(tokenizer.folder)
    if tokenizer.template is None:
        raise DataError("this tokenizer has no chat template", where=where, do="Add a chat_template.jinja")
    filled = [{"role": m.role, "content": content} for m, content in zip(messages, contents, strict=True)]
    names = {"bos_token": tokenizer.bos_token, "eos_token": tokenizer.eos_token}
    try:
        return _compiled(tokenizer.template).render(
            messages=filled, add_generation_prompt=add_generation_prompt, **{k: v for k, v in names.items() if v}
        )
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise DataError(f"the chat template refuses these messages: {error}", where=where) from None


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> "jinja2.Template":
    """The template, compiled as transformers does it: sandboxed, with `raise_exception` and loop controls.

    `strftime_now` is left out: the ids of a conversation must not depend on the day.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception  # pyright: ignore[reportArgumentType]
    environment.filters["tojson"] = _to_json
    try:
        # transformers' own block for training masks: here it is only a pair of words
        return environment.from_string(re.sub(r"\{%-?\s*(end)?generation\s*-?%\}", _same_trimming, source))
    except jinja2.TemplateSyntaxError as error:
        raise DataError(f"the chat template is not valid Jinja: {error}") from None


def _same_trimming(block: re.Match[str]) -> str:
    """An empty block that trims white space as the given one does."""
    left, right = "-" if block[0].startswith("{%-") else "", "-" if block[0].endswith("-%}") else ""
    return f"{{%{left} if true {right}%}}" if block[1] is None else f"{{%{left} endif {right}%}}"


def _to_json(value: Any, indent: int | None = None) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=indent)
