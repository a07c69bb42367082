"""The one model behind the server: names, room, fitting a conversation, tokens as text."""

import pytest
from fake_engine import FakeScheduler, fake_served

from hornbook.core.conversation import Message
from hornbook.serve.api_error import ApiError


def talk(*contents: str) -> list[Message]:
    return [Message("assistant" if n % 2 else "user", content) for n, content in enumerate(contents)]


def test_names() -> None:
    served = fake_served(FakeScheduler())
    served.check_name("")
    served.check_name("tiny")
    with pytest.raises(ApiError) as caught:
        served.check_name("tin")
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("prompt", "asked", "limit", "expected"),
    [(190, 5, 99, 5), (190, 50, 99, 10), (190, None, 99, 10), (100, None, 60, 60), (199, 1, 9, 1), (200, 0, 9, 0)],
)
def test_room_for_the_answer(prompt: int, asked: int | None, limit: int, expected: int) -> None:
    assert fake_served(FakeScheduler()).room_for(prompt, asked, limit, "prompt") == expected


@pytest.mark.parametrize(("prompt", "asked"), [(200, 1), (200, None), (201, 0), (5000, 5)])
def test_no_room_is_said(prompt: int, asked: int | None) -> None:
    with pytest.raises(ApiError) as caught:
        fake_served(FakeScheduler()).room_for(prompt, asked, 99, "prompt")
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "prompt")


def test_oldest_turns_go_first_and_the_system_message_stays() -> None:
    served = fake_served(FakeScheduler())
    messages = [Message("system", "s" * 20), *talk("q" * 60, "a" * 60, "r" * 60, "b" * 60, "last")]
    ids, left_out = served.fit(messages, 20)
    assert left_out == 2
    assert ids == served.render([messages[0], *messages[3:]])
    assert len(ids) <= 180
    assert served.fit(messages, 0)[1] == 2
    assert served.fit(talk("one"), 100) == (served.render(talk("one")), 0)


def test_the_last_message_stays_even_when_it_cannot_fit() -> None:
    served = fake_served(FakeScheduler())
    ids, left_out = served.fit(talk("a", "b", "x" * 500), 20)
    assert left_out == 2 and len(ids) > 200


def test_tokens_as_text() -> None:
    served = fake_served(FakeScheduler())
    assert served.shown(5 + ord("A")) == "A"
    assert served.shown(5 + 0xE2) == "bytes:\\xe2"
    assert served.shown(4) == "<|im_end|>"
    assert served.token_bytes(5 + 0xE2) == [0xE2]
    assert served.token_bytes(4) == list(b"<|im_end|>")
