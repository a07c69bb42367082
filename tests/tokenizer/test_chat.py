"""One renderer: the text and ids of transformers, contents that stay text, and an exact training mask."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.core.conversation import ROLES, Message
from hornbook.core.errors import DataError
from hornbook.tokenizer.chat import render, render_text
from hornbook.tokenizer.special import special_tokens
from hornbook.tokenizer.tokenizer import Tokenizer

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(ROLES), ANY_TEXT | st.sampled_from(special_tokens())), max_size=5
)
QUESTION = Message("user", "Who has the kite?")
ANSWER = Message("assistant", "Mira has it.")
TRIMMING = """{{ bos_token }}{% for m in messages %}
{%- if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}
{{- '<|im_start|>' + m['role'] + '\n\n' + m['content'] | trim + '<|im_end|>' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n\n' }}{% endif %}"""


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def test_the_text_and_ids_by_hand(tokenizer: Tokenizer) -> None:
    rendered = render([QUESTION, ANSWER], tokenizer)
    want = [1, 3, *tokenizer.encode("user\nWho has the kite?"), 4, *tokenizer.encode("\n")]
    answer = tokenizer.encode("assistant\nMira has it.")
    want += [3, *answer, 4, *tokenizer.encode("\n")]
    assert rendered.ids == want
    assert tokenizer.decode(rendered.ids, skip_special=False) == render_text([QUESTION, ANSWER], tokenizer)
    assert render_text([QUESTION, ANSWER], tokenizer) == (
        "<|bos|><|im_start|>user\nWho has the kite?<|im_end|>\n<|im_start|>assistant\nMira has it.<|im_end|>\n"
    )


def test_trained_are_the_answer_and_its_end(tokenizer: Tokenizer) -> None:
    tool = Message("tool", "12")
    rendered = render([Message("system", "Be kind."), QUESTION, ANSWER, tool, Message("assistant", "No.")], tokenizer)
    trained = [i for i, flag in zip(rendered.ids, rendered.train, strict=True) if flag]
    assert tokenizer.decode(trained, skip_special=False) == "Mira has it.<|im_end|>No.<|im_end|>"


@settings(max_examples=150, deadline=None)
@given(MESSAGES, st.booleans())
def test_as_transformers_where_no_content_spells_a_special_token(
    tokenizer: Tokenizer, theirs: Any, messages: list[Message], add_generation_prompt: bool
) -> None:
    plain = [QUESTION, *(m for m in messages if not any(name in m.content for name in special_tokens()))]
    table = [{"role": m.role, "content": m.content} for m in plain]
    text = theirs.apply_chat_template(table, tokenize=False, add_generation_prompt=add_generation_prompt)
    assert render_text(plain, tokenizer, add_generation_prompt=add_generation_prompt) == text
    ids = theirs(text, add_special_tokens=False).input_ids
    assert render(plain, tokenizer, add_generation_prompt=add_generation_prompt).ids == ids


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_special_ids_come_from_the_template_alone(tokenizer: Tokenizer, messages: list[Message]) -> None:
    rendered = render(messages, tokenizer)
    special = [i for i in rendered.ids if tokenizer.is_special(i)]
    assert special == [1] + [3, 4] * len(messages)
    assert tokenizer.decode(rendered.ids, skip_special=False) == render_text(messages, tokenizer)


@settings(max_examples=100, deadline=None)
@given(MESSAGES, st.builds(Message, st.sampled_from(ROLES), ANY_TEXT))
def test_rendering_is_a_prefix_of_rendering_more(tokenizer: Tokenizer, messages: list[Message], more: Message) -> None:
    short, long = render(messages, tokenizer), render([*messages, more], tokenizer)
    assert long.ids[: len(short.ids)] == short.ids
    assert long.train[: len(short.train)] == short.train


@settings(max_examples=100, deadline=None)
@given(MESSAGES, ANY_TEXT.filter(lambda text: text[:1].strip() != ""))
def test_serving_begins_as_training_did(tokenizer: Tokenizer, messages: list[Message], answer: str) -> None:
    prompt = render(messages, tokenizer, add_generation_prompt=True)
    whole = render([*messages, Message("assistant", answer)], tokenizer)
    assert whole.ids[: len(prompt.ids)] == prompt.ids
    assert not any(prompt.train[-2:])
    said = [i for i, flag in zip(whole.ids[len(prompt.ids) :], whole.train[len(prompt.ids) :], strict=True) if flag]
    assert tokenizer.decode(said, skip_special=False) == answer + "<|im_end|>"


def test_a_foreign_template_that_trims(folder: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    changed = _with_template(folder, tmp_path / "t", TRIMMING)
    reference = AutoTokenizer.from_pretrained(tmp_path / "t")
    for content in ("  hello \n", "hello", "", " \n ", "a\n\nb "):
        table = [{"role": "user", "content": content}, {"role": "assistant", "content": content}]
        messages = [Message(m["role"], m["content"]) for m in table]
        rendered = render(messages, changed)
        text = reference.apply_chat_template(table, tokenize=False)
        assert render_text(messages, changed) == text
        assert rendered.ids == reference(text, add_special_tokens=False).input_ids
        trained = [i for i, flag in zip(rendered.ids, rendered.train, strict=True) if flag]
        assert changed.decode(trained, skip_special=False) == content.strip() + "<|im_end|>"


def test_templates_that_refuse_or_take_apart(folder: Path, tmp_path: Path) -> None:
    trimming = _with_template(folder, tmp_path / "a", TRIMMING)
    with pytest.raises(DataError, match="refuses these messages: no tools here"):
        render([Message("tool", "x")], trimming)
    cutting = _with_template(
        folder, tmp_path / "b", "{% for m in messages %}{{ m.content.split('|')[-1] }}{% endfor %}"
    )
    with pytest.raises(DataError, match="takes contents apart"):
        render([Message("user", "a|b")], cutting)
    with pytest.raises(DataError, match="not valid Jinja"):
        render([QUESTION], _with_template(folder, tmp_path / "c", "{% for %}"))
    with pytest.raises(DataError, match="refuses"):
        render([QUESTION], _with_template(folder, tmp_path / "d", "{{ messages.append(1) }}"))


def test_without_a_template(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "t")
    (tmp_path / "t" / "chat_template.jinja").unlink()
    with pytest.raises(DataError, match="no chat template"):
        render([QUESTION], Tokenizer.load(tmp_path / "t"))


def test_templates_inside_the_configuration(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "t")
    template = (tmp_path / "t" / "chat_template.jinja").read_text()
    (tmp_path / "t" / "chat_template.jinja").unlink()
    file = tmp_path / "t" / "tokenizer_config.json"
    config = json.loads(file.read_text())
    for written in (template, [{"name": "tool_use", "template": "x"}, {"name": "default", "template": template}]):
        file.write_text(json.dumps(config | {"chat_template": written}))
        assert render_text([QUESTION], Tokenizer.load(tmp_path / "t")).startswith("<|bos|><|im_start|>user\n")


def test_blocks_of_transformers_for_masks_are_read(folder: Path, tmp_path: Path) -> None:
    block = "{%- for m in messages -%}{%- generation -%}{{- m['content'] -}}{%- endgeneration -%}{%- endfor -%}"
    written = render_text([QUESTION, ANSWER], _with_template(folder, tmp_path / "t", block))
    assert written == QUESTION.content + ANSWER.content


def test_contents_with_characters_for_private_use(tokenizer: Tokenizer) -> None:
    content = "\ue0000\ue000x\ue001 \x1c \x1f"
    rendered = render([Message("assistant", content)], tokenizer)
    trained = [i for i, flag in zip(rendered.ids, rendered.train, strict=True) if flag]
    assert tokenizer.decode(trained, skip_special=False) == content + "<|im_end|>"


def _with_template(folder: Path, copy: Path, template: str) -> Tokenizer:
    shutil.copytree(folder, copy)
    (copy / "chat_template.jinja").write_text(template)
    return Tokenizer.load(copy)
