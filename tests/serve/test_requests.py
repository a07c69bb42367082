"""Bodies of requests become plain values, or an error of their own; nothing else can come out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.conversation import Message
from hornbook.serve.api_error import ApiError
from hornbook.serve.requests import read_chat, read_completion

USER = {"messages": [{"role": "user", "content": "hi"}]}
NAMES = (
    "messages",
    "prompt",
    "max_tokens",
    "n",
    "stop",
    "seed",
    "logprobs",
    "echo",
    "stream",
    "stream_options",
    "tools",
)


def test_defaults_are_openais() -> None:
    asked = read_chat(USER, 100)
    assert (asked.sampling.temperature, asked.sampling.top_p, asked.sampling.max_tokens) == (1.0, 1.0, None)
    assert (asked.delivery.num_choices, asked.delivery.stream, asked.sampling.seed) == (1, False, None)
    assert read_completion({"prompt": "x"}, 100).sampling.max_tokens == 16


def test_both_names_of_the_longest_answer() -> None:
    assert read_chat(USER | {"max_tokens": 7}, 100).sampling.max_tokens == 7
    assert read_chat(USER | {"max_tokens": 7, "max_completion_tokens": 9}, 100).sampling.max_tokens == 9


def test_messages_in_all_their_forms() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    said = [
        {"role": "developer", "content": "be kind"},
        {"role": "user", "content": parts, "name": "me"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]
    assert read_chat({"messages": said}, 100).messages == (
        Message("system", "be kind"),
        Message("user", "ab"),
        Message("assistant", ""),
        Message("tool", "42"),
    )


def test_logprobs_in_both_dialects() -> None:
    assert read_chat(USER | {"top_logprobs": 3}, 100).sampling.num_logprobs is None
    assert read_chat(USER | {"logprobs": True}, 100).sampling.num_logprobs == 0
    assert read_chat(USER | {"logprobs": True, "top_logprobs": 3}, 100).sampling.num_logprobs == 3
    for value, expected in ((None, None), (False, None), (True, 0), (0, 0), (5, 5)):
        assert read_completion({"prompt": "x", "logprobs": value}, 100).sampling.num_logprobs == expected


def test_prompts_in_all_their_forms() -> None:
    for value, expected in (("a", ("a",)), (["a", "b"], ("a", "b")), ([1, 2], ([1, 2],)), ([[1], [2]], ([1], [2]))):
        assert read_completion({"prompt": value}, 100).prompts == expected
    for value in (None, [], [[]], ["a", 1], [[1], "a"], [["a"]], {"a": 1}, 3):
        with pytest.raises(ApiError) as caught:
            read_completion({"prompt": value}, 100)
        assert caught.value.param == "prompt"


@pytest.mark.parametrize(
    "change",
    [
        {"frequency_penalty": 0.5},
        {"repetition_penalty": 1.2},
        {"logit_bias": {"5": 1}},
        {"best_of": 3},
        {"response_format": {"type": "json_schema"}},
        {"tool_choice": "required"},
    ],
)
def test_what_would_change_the_answer_is_refused_not_ignored(change: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        read_chat(USER | change, 100)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", next(iter(change)))


def test_fields_that_ask_for_nothing_are_fine() -> None:
    nothing = {"frequency_penalty": 0.0, "repetition_penalty": 1, "logit_bias": {}, "best_of": 1, "tool_choice": "auto"}
    read_chat(USER | nothing | {"response_format": {"type": "text"}}, 100)


@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.from_type(type(None)) | st.integers() | st.text() | st.lists(st.integers())
    )
)
def test_any_object_is_read_or_refused(data: dict[str, Any]) -> None:
    json.dumps(data)
    for read in (read_chat, read_completion):
        try:
            read(data, 50)
        except ApiError as error:
            assert error.status == 400
