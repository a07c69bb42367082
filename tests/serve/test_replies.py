"""Log-probabilities, usage and envelopes as clients read them."""

import math

import pytest
from fake_engine import FakeScheduler, fake_served

from hornbook.engine.scheduler import Delta
from hornbook.serve.replies import Envelope, LegacyLogprobs, chat_logprobs, finite, usage

A, B = 5 + ord("a"), 5 + ord("b")


def test_envelopes_share_everything_but_the_id() -> None:
    one, other = Envelope("cmpl", "tiny"), Envelope("cmpl", "tiny")
    assert one.id != other.id and one.id.startswith("cmpl-")
    body = one.body("text_completion", [], usage=usage(3, 4))
    assert list(body) == ["id", "object", "created", "model", "choices", "usage"]
    assert body["usage"]["total_tokens"] == 7


@pytest.mark.parametrize(("logp", "said"), [(-math.inf, -9999.0), (math.nan, -9999.0), (-0.25, -0.25), (-1e9, -9999.0)])
def test_json_has_no_infinity(logp: float, said: float) -> None:
    assert finite(logp) == said


def test_the_tokens_own_float_stands_among_the_likeliest() -> None:
    served = fake_served(FakeScheduler())
    arrays = LegacyLogprobs(served, 1)
    own = -0.30000001
    arrays.add_all([A, A], [own, -3.0], [{A: -0.3, B: -2.0}, {B: -0.1, A: -3.0000001}])
    taken = arrays.take()
    assert taken["top_logprobs"] == [{"a": own}, {"b": -0.1, "a": -3.0}]
    assert taken["token_logprobs"] == [own, -3.0]
    assert arrays.take()["tokens"] == []


def test_of_two_tokens_written_alike_the_likelier_stays() -> None:
    served = fake_served(FakeScheduler(), special_ids=frozenset())
    served.shown = lambda token: "same"  # type: ignore[method-assign]
    arrays = LegacyLogprobs(served, 2)
    arrays.add(A, -2.0, {B: -0.5, A: -2.0})
    assert arrays.take()["top_logprobs"] == [{"same": -0.5}]


def test_offsets_run_through_pieces_and_skip_special_tokens() -> None:
    arrays = LegacyLogprobs(fake_served(FakeScheduler()), 0)
    arrays.add(1, None, None)
    arrays.add(A, -1.0, None)
    assert arrays.take()["text_offset"] == [0, 0]
    arrays.add(B, -1.0, None)
    assert arrays.take() == {
        "tokens": ["b"],
        "token_logprobs": [-1.0],
        "top_logprobs": [{"b": -1.0}],
        "text_offset": [1],
    }


def test_chat_logprobs_leave_out_the_end_of_the_turn() -> None:
    delta = Delta("a", [A, 4], [-0.5, -0.1], [{A: -0.5, B: -1.0}, {4: -0.1}], "stop")
    content = chat_logprobs(fake_served(FakeScheduler()), delta, 1)["content"]
    assert [item["token"] for item in content] == ["a"]
    assert content[0]["top_logprobs"] == [{"token": "a", "logprob": -0.5, "bytes": [97]}]
