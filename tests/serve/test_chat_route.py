"""Chat replies: what is sent to the engine, what is said about it."""

import pytest
from fake_engine import FakeScheduler, fake_served

from hornbook.engine.scheduler import Delta
from hornbook.serve.api_error import ApiError
from hornbook.serve.chat_route import ChatReply
from hornbook.serve.requests import read_chat
from hornbook.serve.settings import ServeSettings


def reply(**fields: object) -> ChatReply:
    data = {"messages": [{"role": "user", "content": "hi"}], **fields}
    return ChatReply(fake_served(FakeScheduler()), ServeSettings(max_tokens=50), read_chat(data, 261))


def test_the_answer_is_as_long_as_fits_and_the_server_allows() -> None:
    assert reply().requests[0].max_tokens == 50
    assert reply(max_tokens=7).requests[0].max_tokens == 7
    long = [{"role": "user", "content": "x" * 180}]
    assert reply(messages=long, max_tokens=40).requests[0].max_tokens == 200 - 1 - len("user: ") - 180


def test_ends_of_turn_stop_the_answer() -> None:
    assert reply(stop_token_ids=[77]).requests[0].stop_ids == (4, 2, 77)


def test_turns_are_left_out_only_when_that_is_asked() -> None:
    turns = [{"role": "user", "content": f"{n}" * 90} for n in range(3)]
    with pytest.raises(ApiError):
        reply(messages=turns)
    fitted = reply(messages=turns, fit_context=True)
    assert fitted.num_left_out == 2
    whole = fitted.whole([Delta("x", [9], [0.0], None, "stop")])
    assert whole["hornbook"] == {"messages_left_out": 2}
    assert "hornbook" not in reply().whole([Delta("x", [9], [0.0], None, "stop")])


def test_an_answer_in_one_piece() -> None:
    texts = [Delta("a", [9], [0.0], None, "stop"), Delta("bc", [9, 9], [0.0, 0.0], None, "length")]
    whole = reply(n=2).whole(texts)
    assert [item["message"]["content"] for item in whole["choices"]] == ["a", "bc"]
    assert [item["finish_reason"] for item in whole["choices"]] == ["stop", "length"]
    assert whole["usage"]["completion_tokens"] == 3
