"""What every request passes first: who may ask, from where, how much; and errors as JSON, whatever happens."""

import secrets
import uuid

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hornbook.serve.api_error import ApiError, bad_request, invalid_key, machine_failed, too_big
from hornbook.serve.settings import ServeSettings, is_loopback

KEPT_PRIVATE = ("/v1/", "/tokenize", "/detokenize", "/tokenizer_info")
"""Paths that need the key; the page's files and /health do not."""
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}


class Guard:
    """ASGI middleware: host and origin checks, API key, headers, preflights, last-resort errors."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self.app = app
        self.settings = settings
        self.local_only = is_loopback(settings.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        started = False
        extra = self._headers(headers)

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            self._check(scope, headers)
            if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                await _preflight(send_with_headers)
                return
            self._check_key(scope, headers)
            await self.app(scope, receive, send_with_headers)
        except ApiError as error:
            if not started:
                await error.response()(scope, receive, send_with_headers)
        except Exception as error:
            if not started:
                reply = machine_failed(f"{type(error).__name__}: {error}").response()
                await reply(scope, receive, send_with_headers)
            raise

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        if self.local_only and not is_loopback(host_name(host)):
            # a page elsewhere may point its own name at 127.0.0.1 and would then count as this server's own page
            raise ApiError(
                403, f'This server answers to localhost only, not to "{host[:100]}".', code="host_not_allowed"
            )
        origin = headers.get("origin")
        if origin is None or origin in self.settings.allow_origins or "*" in self.settings.allow_origins:
            return
        if origin != f"{scope.get('scheme', 'http')}://{host}":
            raise ApiError(
                403,
                f'Pages of "{origin[:100]}" may not call this server. Start it with --allow-origin to let them.',
                code="origin_not_allowed",
            )

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        if not self.settings.api_key or not scope["path"].startswith(KEPT_PRIVATE):
            return
        scheme, _, key = headers.get("authorization", "").partition(" ")
        same = secrets.compare_digest(key.strip().encode(), self.settings.api_key.encode())
        if scheme.lower() != "bearer" or not same:
            raise invalid_key()

    def _headers(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        extra = dict(SECURITY_HEADERS)
        extra["x-request-id"] = (headers.get("x-request-id") or uuid.uuid4().hex)[:128]
        origin = headers.get("origin")
        allowed = self.settings.allow_origins
        if origin is not None and (origin in allowed or "*" in allowed):
            extra["access-control-allow-origin"] = origin
            extra["vary"] = "Origin"
            extra["access-control-allow-headers"] = "*, Authorization, Content-Type"
            extra["access-control-allow-methods"] = "GET, POST, OPTIONS"
            extra["cross-origin-resource-policy"] = "cross-origin"
        return [(name.encode(), value.encode("latin-1", "replace")) for name, value in extra.items()]


def host_name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def _preflight(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The body of a request. Raises ApiError (413) as soon as it is too large, ClientDisconnect when it breaks off."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise too_big(limit_bytes)
    parts: list[bytes] = []
    size_bytes = 0
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise too_big(limit_bytes)
        parts.append(part)
    if not size_bytes:
        raise bad_request("The body is empty; this address needs a JSON object.")
    return b"".join(parts)
