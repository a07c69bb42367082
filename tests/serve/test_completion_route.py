"""Completion replies: prompts, echoes, scores."""

import asyncio
from typing import Any

import pytest
from fake_engine import ByteCodec, FakeScheduler, fake_served

from hornbook.engine.scheduler import Delta
from hornbook.serve.api_error import ApiError
from hornbook.serve.completion_route import CompletionReply, check_num_texts
from hornbook.serve.requests import read_completion
from hornbook.serve.settings import ServeSettings


def reply(**fields: object) -> CompletionReply:
    made = CompletionReply(
        fake_served(FakeScheduler()), ServeSettings(), read_completion({"prompt": "ab", **fields}, 261)
    )
    if made.wants_scores:
        made.score()
    return made


def test_texts_begin_with_bos_and_ids_are_taken_as_they_are() -> None:
    ids = ByteCodec().encode("ab")
    assert reply().requests[0].ids == (1, *ids)
    assert reply(prompt=[ids]).requests[0].ids == tuple(ids)
    assert reply(prompt="").requests[0].ids == (1,)


def test_each_choice_echoes_its_own_prompt() -> None:
    texts = [Delta(text, [9], [-0.5], None, "stop") for text in "wxyz"]
    whole = reply(prompt=["ab", "cd"], n=2, echo=True).whole(texts)
    assert [item["text"] for item in whole["choices"]] == ["abw", "abx", "cdy", "cdz"]


def test_nothing_is_written_when_nothing_is_asked() -> None:
    quiet = reply(prompt=["ab", "c"], max_tokens=0, echo=True, logprobs=1)
    assert quiet.requests == []
    choices = quiet.whole([])["choices"]
    assert [item["logprobs"]["token_logprobs"] for item in choices] == [[None, -0.125, -0.25], [None, -0.125]]
    assert {item["finish_reason"] for item in choices} == {"length"}


def test_scores_are_computed_only_when_they_are_shown() -> None:
    assert not reply(logprobs=1).wants_scores
    assert not reply(echo=True).wants_scores
    assert reply(echo=True, logprobs=0).wants_scores


def test_a_streamed_echo_is_the_first_piece() -> None:
    quiet = reply(max_tokens=0, echo=True, logprobs=1, stream=True, stream_options={"include_usage": True})

    async def read() -> list[dict[str, Any]]:
        return [chunk async for chunk in quiet.chunks(None)]

    first, last, used = asyncio.run(read())
    assert first["choices"][0]["text"] == "ab"
    assert first["choices"][0]["logprobs"]["tokens"] == ["<|bos|>", "a", "b"]
    assert last["choices"][0]["finish_reason"] == "length"
    assert used["usage"]["prompt_tokens"] == 3 and used["choices"] == []


def test_too_many_texts() -> None:
    check_num_texts(3, 3)
    with pytest.raises(ApiError, match="at most 3"):
        check_num_texts(4, 3)
