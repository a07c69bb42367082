"""A conversation without a server."""

from pathlib import Path

import pytest
from fake_engine import ByteCodec, FakeScheduler, fake_served

from hornbook.core.conversation import Message, read_conversations
from hornbook.engine.interface import Request
from hornbook.serve.api_error import ApiError
from hornbook.serve.session import Session, plain_sampling


def words(request: Request) -> str:
    return f"answer {ByteCodec().decode(request.ids).count('user:')}"


def session(**changes: object) -> Session:
    return Session(fake_served(FakeScheduler(write=words), **changes), plain_sampling(max_tokens=40))


def test_turns_are_kept_and_sent() -> None:
    talk = session()
    assert "".join(talk.ask("one")) == "answer 1"
    assert "".join(talk.ask("two")) == "answer 2"
    assert [item.role for item in talk.messages] == ["user", "assistant"] * 2
    assert (talk.num_tokens, talk.finish_reason) == (8, "stop")


def test_regenerating_replaces_the_last_answer() -> None:
    talk = session()
    assert list(talk.again()) == []
    list(talk.ask("one"))
    assert "".join(talk.again()) == "answer 1"
    assert len(talk.messages) == 2


def test_an_answer_that_is_left_is_kept_as_far_as_it_came_and_cancelled() -> None:
    scheduler = FakeScheduler(step_s=0.001, write=lambda request: "x" * 1000)
    talk = Session(fake_served(scheduler), plain_sampling())
    pieces = talk.ask("go on")
    next(pieces)
    pieces.close()
    assert talk.messages[-1] == Message("assistant", "x")
    assert scheduler.tickets[0].cancelled


def test_what_cannot_be_asked_was_never_said() -> None:
    talk = session()
    with pytest.raises(ApiError, match="at most 200"):
        list(talk.ask("x" * 500))
    assert talk.messages == []


def test_a_base_model_continues_the_text_alone() -> None:
    scheduler = FakeScheduler(write=lambda request: "!")
    talk = Session(fake_served(scheduler, is_chat=False), plain_sampling())
    list(talk.ask("Once"))
    list(talk.ask("Twice"))
    assert scheduler.requests[1].ids == (1, *ByteCodec().encode("Twice"))


def test_old_turns_are_left_out_and_counted() -> None:
    talk = session()
    for number in range(6):
        list(talk.ask(f"{number}" * 30))
    assert talk.num_left_out > 0 and len(talk.messages) == 12
    talk.reset()
    assert (talk.num_left_out, talk.messages) == (0, [])


def test_saved_conversations_can_be_read_for_training(tmp_path: Path) -> None:
    talk = session()
    talk.system = "be kind"
    list(talk.ask("one"))
    talk.save(tmp_path / "talk.jsonl")
    (read,) = read_conversations(tmp_path / "talk.jsonl")
    assert [item.role for item in read.messages] == ["system", "user", "assistant"]


def test_sampling_changes_the_next_answers() -> None:
    scheduler = FakeScheduler(write=lambda request: "!")
    talk = Session(fake_served(scheduler), plain_sampling())
    talk.change(temperature=0.0, seed=5)
    list(talk.ask("x"))
    assert (scheduler.requests[0].temperature, scheduler.requests[0].seed) == (0.0, 5)
