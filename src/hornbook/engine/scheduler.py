"""A thread that serves many readers: requests join and leave the batch between steps."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import EngineError
from hornbook.engine.interface import Delta, FinishReason, QueueFull, Request
from hornbook.engine.slots import Row, Slots

if TYPE_CHECKING:
    from hornbook.engine.local import LocalModel

__all__ = ["Delta", "Scheduler", "Ticket"]

PROMPT_TOKENS_PER_STEP = 512
"""Prompts read between two steps while others are being answered, so that nobody's stream stands still for long."""


class Ticket:
    """A submitted request."""

    def __init__(self, row: Row, scheduler: "Scheduler") -> None:
        self._row = row
        self._scheduler = scheduler

    def cancel(self) -> None:
        """Stop it before the next step; it ends with the reason `cancelled`. Safe to call at any time."""
        self._row.cancelled = True
        self._scheduler.wake()


class Scheduler:
    """Continuous batching over one model, in a thread of its own.

    Deltas of a request arrive in order, from the engine's thread; the last one has a finish_reason, and there is
    always a last one. What a callback raises ends its own request only.
    """

    def __init__(self, model: "LocalModel", *, num_slots: int | None = None, queue_limit: int = 256) -> None:
        self.model = model
        self.queue_limit = queue_limit
        self._slots = Slots(model, num_slots or model.num_slots, background=True)
        self._queue: deque[Row] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._num_finished = 0
        self._num_tokens = 0
        self._recent: deque[tuple[float, int]] = deque(maxlen=64)
        self._thread = threading.Thread(target=self._run, name="hornbook-engine", daemon=True)
        self._thread.start()

    def submit(self, request: Request, on_delta: Callable[[Delta], None]) -> Ticket:
        """Queue a request. Raises ContextTooLong, QueueFull, or EngineError when the engine is closed."""
        row = self._slots.row(request, on_delta)
        with self._changed:
            if self._closed:
                raise EngineError("the engine is closed", where="a request to the engine", exit_code=1)
            if len(self._queue) >= self.queue_limit:
                do = "Try again later"
                raise QueueFull(f"{len(self._queue)} requests are waiting already", do=do, exit_code=1)
            self._queue.append(row)
            self._changed.notify()
        return Ticket(row, self)

    def stats(self) -> dict[str, Any]:
        """How busy the engine is; tokens per second over the last steps."""
        now = time.monotonic()
        recent = [(at, num) for at, num in list(self._recent) if now - at < 5.0]
        span = now - recent[0][0] if recent else 0.0
        return {
            "active": len(self._slots.active),
            "waiting": len(self._queue),
            "slots": self._slots.num_slots,
            "queue_limit": self.queue_limit,
            "finished": self._num_finished,
            "tokens": self._num_tokens,
            "tokens_per_s": sum(num for _, num in recent) / span if span > 0 else 0.0,
        }

    def wake(self) -> None:
        """Look at the queue and at cancelled requests again."""
        with self._changed:
            self._changed.notify()

    def close(self, timeout_s: float = 30.0) -> None:
        """End every request as cancelled and stop the thread; safe to call again."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._closed or self._queue or self._slots.active):
                    self._changed.wait()
                if self._closed:
                    break
            try:
                with self.model.lock:
                    self._drop_cancelled()
                    self._admit()
                    self._step()
            except Exception:  # noqa: BLE001 - the model failed: nobody in the batch can go on, the next requests may
                self._end_all("error")
        with self._changed:
            waiting, self._queue = list(self._queue), deque()
        for row in waiting:
            self._deliver(row, row.end("cancelled"))
        self._end_all("cancelled")

    def _drop_cancelled(self) -> None:
        gone = [row for row in self._slots.active if row.cancelled]
        self._slots.drop(gone)
        for row in gone:
            self._deliver(row, row.end("cancelled"))

    def _admit(self) -> None:
        """Let waiting requests in while there are slots; a few at a time when others are being answered."""
        budget_tokens = PROMPT_TOKENS_PER_STEP if self._slots.active else float("inf")
        while self._slots.num_free and budget_tokens > 0:
            with self._changed:
                if not self._queue:
                    return
                row = self._queue.popleft()
            if row.cancelled:
                self._deliver(row, row.end("cancelled"))
                continue
            try:
                delta = self._slots.admit(row)
            except Exception:
                self._deliver(row, row.end("error"))
                raise
            budget_tokens -= len(row.request.ids)
            self._deliver(row, delta)

    def _step(self) -> None:
        written = self._slots.step()
        if written:
            self._recent.append((time.monotonic(), len(written)))
        for row, delta in written:
            self._deliver(row, delta)

    def _deliver(self, row: Row, delta: Delta) -> None:
        """Hand over a piece; a reader that fails is a reader that left."""
        self._num_tokens += len(delta.ids)
        self._num_finished += delta.finish_reason is not None
        try:
            if row.on_delta is not None:
                row.on_delta(delta)
        except Exception:  # noqa: BLE001 - whatever a reader raises
            row.cancelled = True

    def _end_all(self, reason: FinishReason) -> None:
        rows = list(self._slots.active)
        self._slots.active.clear()
        for row in itertools.filterfalse(lambda row: row.finish_reason, rows):
            self._deliver(row, row.end(reason))
