"""Events on the wire, and sources that always end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request

from hornbook.serve.api_error import bad_request
from hornbook.serve.stream import ClientGone, EventStream, frame, unless_gone


def run(events: AsyncIterator[Any], gone_after: int | None = None) -> tuple[list[bytes], int]:
    """Bodies that were sent, and how often the source was closed."""
    sent: list[bytes] = []
    closed: list[int] = []

    async def main() -> None:
        leave = asyncio.Event()

        async def receive() -> dict[str, str]:
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                sent.append(message["body"])
                if gone_after is not None and len(sent) >= gone_after:
                    leave.set()
                    await asyncio.sleep(10)

        await EventStream(events, lambda: closed.append(1))({"type": "http"}, receive, send)

    asyncio.run(main())
    return sent, len(closed)


async def count(n: int, error: Exception | None = None) -> AsyncIterator[Any]:
    for number in range(n):
        yield {"n": number}
    if error is not None:
        raise error


def test_a_frame_is_one_line_of_json() -> None:
    assert frame({"text": "a\n\nb é"}) == 'data: {"text":"a\\n\\nb é"}\n\n'.encode()


def test_a_stream_ends_with_done() -> None:
    assert run(count(2)) == ([b'data: {"n":0}\n\n', b'data: {"n":1}\n\n', b"data: [DONE]\n\n"], 1)


@pytest.mark.parametrize(
    ("error", "kind"), [(bad_request("no"), b"invalid_request_error"), (RuntimeError("boom"), b"server_error")]
)
def test_an_error_is_the_last_event(error: Exception, kind: bytes) -> None:
    sent, closed = run(count(1, error))
    assert len(sent) == 2 and kind in sent[1] and b"[DONE]" not in sent[1] and closed == 1


def test_a_reader_that_leaves_ends_the_source() -> None:
    sent, closed = run(count(100), gone_after=3)
    assert (len(sent), closed) == (3, 1)


@pytest.mark.parametrize("leaves", [True, False])
def test_work_is_raced_against_the_client(leaves: bool) -> None:
    stopped: list[int] = []

    async def main() -> str:
        async def receive() -> dict[str, str]:
            await asyncio.sleep(0 if leaves else 60)
            return {"type": "http.disconnect"}

        async def work() -> str:
            await asyncio.sleep(60 if leaves else 0)
            return "done"

        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        return await unless_gone(request, work(), lambda: stopped.append(1))

    if leaves:
        with pytest.raises(ClientGone):
            asyncio.run(main())
    else:
        assert asyncio.run(main()) == "done"
    assert stopped == [1]


def test_failing_work_fails_the_request() -> None:
    async def main() -> None:
        async def receive() -> dict[str, str]:
            await asyncio.sleep(60)
            return {}

        async def work() -> None:
            raise bad_request("no")

        await unless_gone(Request({"type": "http", "headers": []}, receive), work(), lambda: None)

    with pytest.raises(type(bad_request("x")), match="no"):
        asyncio.run(main())
