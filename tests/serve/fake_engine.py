"""A deterministic engine without a model, and the server around it: what a request gets can be told beforehand."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from hornbook.core.conversation import Message
from hornbook.engine.interface import Request
from hornbook.engine.scheduler import Delta
from hornbook.serve.app import build_app
from hornbook.serve.served import Served, TokenScore
from hornbook.serve.settings import ServeSettings

SPECIAL = ("<|pad|>", "<|bos|>", "<|eos|>", "<|im_start|>", "<|im_end|>")


class ByteCodec:
    """One token per byte behind the special ones."""

    vocab_size = len(SPECIAL) + 256
    pad_id, bos_id, eos_id, end_of_turn_id = 0, 1, 2, 4

    def encode(self, text: str) -> list[int]:
        return [byte + len(SPECIAL) for byte in text.encode()]

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        parts: list[bytes] = []
        for token in ids:
            if token >= len(SPECIAL):
                parts.append(bytes([token - len(SPECIAL)]))
            elif not skip_special:
                parts.append(SPECIAL[token].encode())
        return b"".join(parts).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        return bytes([token - len(SPECIAL)])


def echo_text(request: Request) -> str:
    """What the fake engine writes: the prompt's last line, upper case, for ever, and the seed in front."""
    codec = ByteCodec()
    line = codec.decode(request.ids).splitlines()[-1] if request.ids else ""
    return f"[{request.seed}] " + (line.upper() + " ") * 200


@dataclass
class FakeTicket:
    request: Request
    on_delta: Callable[[Delta], None]
    cancelled: bool = False
    num_written: int = 0

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeScheduler:
    """Writes one character per live request and step; `step_s` None writes everything inside `submit`."""

    step_s: float | None = None
    num_slots: int = 4
    write: Callable[[Request], str] = echo_text
    tickets: list[FakeTicket] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    fail: Exception | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def __post_init__(self) -> None:
        if self.step_s is not None:
            threading.Thread(target=self._run, daemon=True).start()

    def submit(self, request: Request, on_delta: Callable[[Delta], None]) -> FakeTicket:
        if self.fail is not None:
            raise self.fail
        ticket = FakeTicket(request, on_delta)
        self.requests.append(request)
        if self.step_s is None:
            while not self._step(ticket):
                pass
        else:
            with self._lock:
                self.tickets.append(ticket)
        return ticket

    def stats(self) -> dict[str, Any]:
        with self._lock:
            live = len([item for item in self.tickets if not item.cancelled])
        return {"running": min(live, self.num_slots), "waiting": max(0, live - self.num_slots)}

    def close(self) -> None:
        self._closed = True

    def _run(self) -> None:
        while not self._closed:
            with self._lock:
                self.tickets = [item for item in self.tickets if not item.cancelled]
                running = self.tickets[: self.num_slots]
            done = [item for item in running if self._step(item)]
            with self._lock:
                self.tickets = [item for item in self.tickets if item not in done]
            time.sleep(self.step_s or 0)

    def _step(self, ticket: FakeTicket) -> bool:
        """One character; True at the end. Stop strings end the text before them, as the engine does."""
        text, codec = self.write(ticket.request), ByteCodec()
        for stop in ticket.request.stop:
            text = text.split(stop)[0]
        n = ticket.num_written
        if n < min(len(text), ticket.request.max_tokens):
            ticket.num_written += 1
            ids = codec.encode(text[n])
            num_top = ticket.request.num_logprobs
            top = None if num_top is None else [{token: -0.5, 9: -2.0} for token in ids]
            ticket.on_delta(Delta(text[n], ids, [-0.5] * len(ids), top, None))
            return False
        reason = "stop" if n == len(text) else "length"
        ticket.on_delta(Delta("", [], [], None if ticket.request.num_logprobs is None else [], reason))
        return True


def render(messages: Sequence[Message]) -> list[int]:
    """BOS, then `role: content` lines."""
    return [1, *ByteCodec().encode("\n".join(f"{item.role}: {item.content}" for item in messages))]


def score(prompts: list[list[int]], num_top: int) -> list[list[TokenScore]]:
    """Token number n of a prompt has log-probability -n/8; the likeliest at each place is `a`."""
    best = ByteCodec().encode("a")[0]
    return [[(-n / 8, {best: -0.0625} if num_top else {}) for n in range(1, len(ids))] for ids in prompts]


def fake_served(scheduler: FakeScheduler, **changes: Any) -> Served:
    """A served model over a fake scheduler."""
    values: dict[str, Any] = {
        "name": "tiny",
        "codec": ByteCodec(),
        "writer": scheduler,
        "context_tokens": 200,
        "num_slots": scheduler.num_slots,
        "render": render,
        "score": score,
        "special_ids": frozenset(range(len(SPECIAL))),
        "stats": scheduler.stats,
    }
    return Served(**{**values, **changes})


@contextmanager
def listening(served: Served, **settings: Any) -> Iterator[str]:
    """A real server on a free port of this machine; yields its address."""
    config = uvicorn.Config(
        build_app(served, ServeSettings(port=0, **settings)),
        host="127.0.0.1",
        port=0,
        log_level="warning",
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)


def until(check: Callable[[], bool], limit_s: float = 5.0) -> bool:
    """Whether `check` became true in time."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.002)
    return check()
