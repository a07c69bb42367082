"""Errors in the form that OpenAI's clients understand: a status and one `error` object."""

from starlette.responses import JSONResponse

from hornbook.core.errors import ServeError


class ApiError(ServeError):
    """A request that cannot be answered, with everything its HTTP reply needs."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        """`{"error": {message, type, param, code}}`."""
        return {"error": {"message": self.found, "type": self.kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The whole HTTP reply."""
        return JSONResponse(self.body(), status_code=self.status, headers=self.headers)


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """400: the request itself is wrong; `param` names the field."""
    return ApiError(400, message, param=param, code=code)


def too_long(num_prompt_tokens: int, context_tokens: int, param: str) -> ApiError:
    """400 `context_length_exceeded`: the prompt leaves no room for even one token of the answer."""
    return bad_request(
        f"The prompt has {num_prompt_tokens:,} tokens and this model reads at most {context_tokens:,}, "
        "the answer included. Shorten the prompt, or leave out older messages.",
        param,
        "context_length_exceeded",
    )


def not_supported(param: str, message: str) -> ApiError:
    """400 `unsupported_parameter`: ignoring this field would change what the caller gets without a word."""
    return bad_request(message, param, "unsupported_parameter")


def model_not_found(asked: str, served: str) -> ApiError:
    """404: another model is asked for than the one that is served."""
    message = f'The model "{asked}" is not served here. This server has "{served}".'
    return ApiError(404, message, param="model", code="model_not_found")


def invalid_key() -> ApiError:
    """401: the server has a key and the request does not carry it."""
    return ApiError(
        401,
        "This server needs an API key: send the header `Authorization: Bearer KEY`.",
        code="invalid_api_key",
        headers={"WWW-Authenticate": "Bearer"},
    )


def too_busy() -> ApiError:
    """429: the queue is full; clients try again after the `Retry-After` seconds."""
    return ApiError(
        429,
        "All places are taken: as many texts are being written, or wait, as this server allows. Try again in a moment.",
        kind="rate_limit_error",
        code="rate_limit_exceeded",
        headers={"Retry-After": "1"},
    )


def too_big(limit_bytes: int) -> ApiError:
    """413: the body is larger than the server accepts."""
    return ApiError(413, f"The body is larger than {limit_bytes:,} bytes.", code="request_too_large")


def out_of_time(limit_s: float) -> ApiError:
    """504: the answer was not finished within the time one request may take; trying again would not help."""
    return ApiError(
        504,
        f"The answer was not finished within {limit_s:g} seconds, the time one request may take here.",
        kind="server_error",
        code="timeout",
        headers={"x-should-retry": "false"},
    )


def machine_failed(message: str) -> ApiError:
    """500: our failure, not the caller's."""
    return ApiError(500, message, kind="server_error", code="internal_error")
