"""Server-sent events, and what happens when the reader goes away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hornbook.serve.api_error import ApiError, machine_failed

Result = TypeVar("Result")
DONE = b"data: [DONE]\n\n"


class ClientGone(Exception):
    """The client closed the connection before its answer was ready."""


def frame(value: Any) -> bytes:
    """One event: `data: {json}` and a blank line."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


class EventStream(Response):
    """A stream of events that ends its source whatever happens: finished, failed, cancelled or nobody listening.

    Errors after the start travel as an event `{"error": …}`, which clients raise; then the stream ends.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[Any], on_close: Callable[[], None]) -> None:
        self.status_code = 200
        self.background = None
        self.events = events
        self.on_close = on_close
        self.init_headers({"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sender = asyncio.create_task(self._send_all(send))
        watcher = asyncio.create_task(until_disconnect(receive))
        try:
            await asyncio.wait({sender, watcher}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.on_close()
            await end(watcher)
            await end(sender)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for event in self.events:
                await send({"type": "http.response.body", "body": frame(event), "more_body": True})
            last = DONE
        except ApiError as error:
            last = frame(error.body())
        except OSError:
            return
        except Exception as error:  # noqa: BLE001 - the status is sent already: an event is the only way to say it
            last = frame(machine_failed(f"{type(error).__name__}: {error}").body())
        await send({"type": "http.response.body", "body": last, "more_body": False})


async def until_disconnect(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(request: Request, work: Awaitable[Result], on_gone: Callable[[], None]) -> Result:
    """The result of `work`, raced against the client's leaving (Starlette does not stop a handler for that).

    Raises ClientGone after `on_gone` when the client was faster.
    """
    working = asyncio.ensure_future(work)
    watcher = asyncio.create_task(until_disconnect(request.receive))
    try:
        await asyncio.wait({working, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        on_gone()
        await end(watcher)
        await end(working)


async def end(task: "asyncio.Future[Any]") -> None:
    """Cancel a task and wait until it is gone."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # marks it as seen
