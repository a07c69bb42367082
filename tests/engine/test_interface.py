import pytest

from hornbook.core.errors import EngineError
from hornbook.engine.interface import ContextTooLong, Request, check_room


@pytest.mark.parametrize(
    "wrong",
    [
        {"ids": ()},
        {"max_tokens": -1},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"min_p": -0.1},
        {"stop": ("a", "")},
        {"num_logprobs": -1},
    ],
)
def test_impossible_requests_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(EngineError):
        Request(**{"ids": (1,), "max_tokens": 5, **wrong})  # type: ignore[arg-type]


def test_a_prompt_must_leave_room_for_a_token() -> None:
    check_room(199, 200)
    with pytest.raises(ContextTooLong, match=r"the prompt has 200 tokens and the model's context is 200") as caught:
        check_room(200, 200)
    assert caught.value.code == "context_length_exceeded"
