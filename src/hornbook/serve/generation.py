"""From the engine's thread to the event loop: texts under way, their pieces, their end."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from hornbook.engine.interface import Request
from hornbook.engine.scheduler import Delta
from hornbook.serve.api_error import ApiError, machine_failed, out_of_time, too_busy


class Ticket(Protocol):
    """A request that the scheduler holds."""

    def cancel(self) -> None:
        """Stop it; its slot is free at the engine's next step."""
        ...


class Writer(Protocol):
    """What the server needs of a scheduler (`engine.scheduler.Scheduler` has it)."""

    def submit(self, request: Request, on_delta: Callable[[Delta], None]) -> Ticket:
        """Queue a request; its deltas arrive in order from the engine's thread."""
        ...


class Text:
    """One text being written: the pieces that arrived and were not yet taken."""

    def __init__(self, index: int, room: "Room", ready: asyncio.Event) -> None:
        self.index = index
        self.done = False
        self.begun = False
        self.ticket: Ticket | None = None
        self._pieces: list[Delta] = []
        self._room = room
        self._ready = ready

    def arrive(self, delta: Delta) -> None:
        """Called on the event loop."""
        self._pieces.append(delta)
        self._ready.set()
        if delta.finish_reason is not None:
            self.leave()

    def leave(self) -> None:
        """Give the place back, once."""
        if not self.done:
            self.done = True
            self._room.free(1)

    def take(self) -> Delta | None:
        """Everything that arrived since the last call, as one delta."""
        pieces, self._pieces = self._pieces, []
        return merge(pieces) if pieces else None


class Room:
    """How many texts may be under way, and the way their pieces take from the engine's thread to the loop.

    The engine's thread only appends to a deque. The loop is woken at once for the first and the last piece of a text
    and otherwise every `flush_s` seconds, for all pieces of all texts together: what readers cost a fast model depends
    on the clock and not on its tokens.
    """

    def __init__(self, writer: Writer, limit: int, flush_s: float) -> None:
        self.writer = writer
        self.limit = limit
        self.flush_s = flush_s
        self.num_texts = 0
        self._flushed_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._post: deque[tuple[Text, Delta]] = deque()
        self._woken = threading.Event()

    def open(self, requests: Sequence[Request], max_s: float) -> "Generation":
        """Submit the texts of one HTTP request. Raises ApiError (429) when all places are taken."""
        if self.num_texts >= self.limit:
            raise too_busy()
        self._loop = asyncio.get_running_loop()
        return Generation(self, requests, max_s)

    def submit(self, request: Request, text: Text) -> Ticket:
        """Hand one text to the engine."""
        return self.writer.submit(request, lambda delta: self._posted(text, delta))

    def take(self, num_texts: int) -> None:
        """Places taken by the texts of one request."""
        self.num_texts += num_texts

    def free(self, num_texts: int) -> None:
        """Places given back."""
        self.num_texts -= num_texts

    def _posted(self, text: Text, delta: Delta) -> None:
        at_once = not text.begun or delta.finish_reason is not None
        text.begun = True
        self._post.append((text, delta))
        if self._loop is None or (self._woken.is_set() and not at_once):
            return
        self._woken.set()
        try:
            self._loop.call_soon_threadsafe(self._deliver if at_once else self._deliver_in_time)
        except RuntimeError:  # the loop is closed: the server is gone and nobody reads
            self._post.clear()

    def _deliver_in_time(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(self._flushed_at + self.flush_s, self._deliver)

    def _deliver(self) -> None:
        self._flushed_at = asyncio.get_running_loop().time()
        self._woken.clear()  # before emptying: a piece posted from now on wakes the loop again
        while self._post:
            text, delta = self._post.popleft()
            if not text.done:
                text.arrive(delta)


class Generation:
    """The texts of one HTTP request; leaving it early cancels what is still being written."""

    def __init__(self, room: Room, requests: Sequence[Request], max_s: float) -> None:
        self.max_s = max_s
        self._ready = asyncio.Event()
        self.texts = [Text(index, room, self._ready) for index in range(len(requests))]
        room.take(len(self.texts))
        try:
            for text, request in zip(self.texts, requests, strict=True):
                text.ticket = room.submit(request, text)
        except Exception:
            self.cancel()
            raise

    async def pieces(self) -> AsyncIterator[tuple[int, Delta]]:
        """Deltas of all texts as they come, each with its text's index. Raises ApiError when time is up."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.max_s
        open_texts = list(self.texts)
        while open_texts:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._ready.wait()
            except TimeoutError:
                raise out_of_time(self.max_s) from None
            if clock() > deadline:  # a wait that need not wait does not look at the clock
                raise out_of_time(self.max_s)
            self._ready.clear()
            for text in list(open_texts):
                delta = text.take()
                if delta is None:
                    continue
                check_finished(delta)
                if delta.finish_reason is not None:
                    open_texts.remove(text)
                yield text.index, delta

    async def whole(self) -> list[Delta]:
        """Every text, complete."""
        parts: list[list[Delta]] = [[] for _ in self.texts]
        async for index, delta in self.pieces():
            parts[index].append(delta)
        return [merge(item) for item in parts]

    def cancel(self) -> None:
        """Stop every text that is not finished; safe to call again."""
        for text in self.texts:
            if not text.done:
                text.leave()
                if text.ticket is not None:
                    text.ticket.cancel()


def check_finished(delta: Delta) -> None:
    """Turn the engine's own end of a text into an error. Raises ApiError."""
    if delta.finish_reason in (None, "stop", "length"):
        return
    raise engine_stopped(delta.finish_reason)


def engine_stopped(reason: str | None) -> ApiError:
    """The engine gave a text up: it is closing, or it failed."""
    return machine_failed(f"The engine ended this text before it was finished ({reason}).")


def merge(pieces: Sequence[Delta]) -> Delta:
    """Pieces of one text, in order, as one."""
    if len(pieces) == 1:
        return pieces[0]
    has_top = any(piece.top is not None for piece in pieces)
    return Delta(
        text="".join(piece.text for piece in pieces),
        ids=[token for piece in pieces for token in piece.ids],
        logps=[logp for piece in pieces for logp in piece.logps],
        top=[item for piece in pieces for item in (piece.top or [])] if has_top else None,
        finish_reason=pieces[-1].finish_reason,
    )
