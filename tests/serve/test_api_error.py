"""Errors as OpenAI's clients read them."""

import json

import pytest

from hornbook.serve import api_error
from hornbook.serve.api_error import ApiError


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (api_error.bad_request("no", "n"), 400, "invalid_request_error", None),
        (api_error.too_long(600, 512, "messages"), 400, "invalid_request_error", "context_length_exceeded"),
        (api_error.not_supported("logit_bias", "no"), 400, "invalid_request_error", "unsupported_parameter"),
        (api_error.invalid_key(), 401, "invalid_request_error", "invalid_api_key"),
        (api_error.model_not_found("a", "b"), 404, "invalid_request_error", "model_not_found"),
        (api_error.too_big(10), 413, "invalid_request_error", "request_too_large"),
        (api_error.too_busy(), 429, "rate_limit_error", "rate_limit_exceeded"),
        (api_error.machine_failed("no"), 500, "server_error", "internal_error"),
        (api_error.out_of_time(3), 504, "server_error", "timeout"),
    ],
)
def test_status_type_and_code(error: ApiError, status: int, kind: str, code: str | None) -> None:
    reply = error.response()
    body = json.loads(bytes(reply.body))
    assert reply.status_code == status
    assert set(body) == {"error"} and set(body["error"]) == {"message", "type", "param", "code"}
    assert (body["error"]["type"], body["error"]["code"]) == (kind, code)


def test_headers_say_when_to_try_again() -> None:
    assert api_error.too_busy().response().headers["retry-after"] == "1"
    assert api_error.out_of_time(3).response().headers["x-should-retry"] == "false"
    assert api_error.invalid_key().response().headers["www-authenticate"] == "Bearer"


def test_a_prompt_that_is_too_long_is_told_both_numbers() -> None:
    message = api_error.too_long(1600, 512, "messages").found
    assert "1,600 tokens" in message and "512" in message
