"""Streams from the engine's thread: order, independence, leaving, failing, closing."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hornbook.core.errors import EngineError
from hornbook.engine.interface import ContextTooLong, Delta, QueueFull, Request
from hornbook.engine.local import LocalModel
from hornbook.engine.scheduler import Scheduler


class Reader:
    """Collects the deltas of one request."""

    def __init__(self) -> None:
        self.deltas: list[Delta] = []
        self.done = threading.Event()

    def __call__(self, delta: Delta) -> None:
        assert not self.done.is_set()
        self.deltas.append(delta)
        if delta.finish_reason is not None:
            self.done.set()

    def wait(self) -> "Reader":
        assert self.done.wait(20)
        return self

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(token for delta in self.deltas for token in delta.ids)

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.deltas)

    @property
    def reason(self) -> str | None:
        return self.deltas[-1].finish_reason


@pytest.fixture
def scheduler(local: LocalModel) -> Iterator[Scheduler]:
    scheduler = Scheduler(local)
    yield scheduler
    scheduler.close()


def requests(num: int) -> list[Request]:
    return [
        Request((5 + i, 9, 11), 8 + i % 13, temperature=(0.0, 0.8)[i % 2], seed=i, ignore_eos=True) for i in range(num)
    ]


def test_32_streams_over_4_slots_get_the_text_they_would_have_alone(local: LocalModel, scheduler: Scheduler) -> None:
    readers = [Reader() for _ in range(32)]
    for request, reader in zip(requests(32), readers, strict=True):
        scheduler.submit(request, reader)
    for request, reader in zip(requests(32), readers, strict=True):
        alone = local.generate([request])[0]
        assert (reader.wait().ids, reader.text, reader.reason) == (alone.ids, alone.text, "length")
    assert scheduler.stats()["finished"] == 32
    assert scheduler.stats()["active"] == scheduler.stats()["waiting"] == 0


def test_a_cancelled_request_ends_and_frees_its_slot(local: LocalModel, scheduler: Scheduler) -> None:
    started, reader = threading.Event(), Reader()

    def slow(delta: Delta) -> None:
        started.set()
        time.sleep(0.002)
        reader(delta)

    ticket = scheduler.submit(Request((5, 6), 190, temperature=0.0, ignore_eos=True), slow)
    assert started.wait(20)
    ticket.cancel()
    assert reader.wait().reason == "cancelled" and len(reader.ids) < 190
    other = Reader()
    scheduler.submit(requests(1)[0], other)
    assert other.wait().reason == "length"
    ticket.cancel()


def test_a_request_cancelled_while_it_waits_never_starts(scheduler: Scheduler) -> None:
    with scheduler.model.lock:
        readers = [Reader() for _ in range(3)]
        tickets = [scheduler.submit(request, reader) for request, reader in zip(requests(3), readers, strict=True)]
        tickets[2].cancel()
    assert readers[2].wait().reason == "cancelled" and readers[2].ids == ()
    assert readers[0].wait().reason == readers[1].wait().reason == "length"


def test_a_reader_that_fails_ends_only_its_own_request(scheduler: Scheduler) -> None:
    def broken(delta: Delta) -> None:
        raise ConnectionError("gone")

    scheduler.submit(Request((5, 6), 190, temperature=0.0, ignore_eos=True), broken)
    reader = Reader()
    scheduler.submit(requests(1)[0], reader)
    assert reader.wait().reason == "length"
    assert wait_for(lambda: scheduler.stats()["active"] == 0)


def test_a_failing_step_ends_the_batch_and_not_the_engine(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(scheduler.model.steps, "run", broken)
        reader = Reader()
        scheduler.submit(requests(1)[0], reader)
        assert reader.wait().reason == "error"
    again = Reader()
    scheduler.submit(requests(1)[0], again)
    assert again.wait().reason == "length"


def test_limits_are_said_at_once(local: LocalModel) -> None:
    scheduler = Scheduler(local, queue_limit=2)
    try:
        with pytest.raises(ContextTooLong):
            scheduler.submit(Request((5,) * 300, 5), Reader())
        with local.lock:
            for request in requests(2):
                scheduler.submit(request, Reader())
            wait_for(lambda: scheduler.stats()["waiting"] < 2, timeout_s=0.2)
            with pytest.raises(QueueFull, match="waiting already"):
                for request in requests(6):
                    scheduler.submit(request, Reader())
    finally:
        scheduler.close()


def test_closing_ends_everybody(local: LocalModel) -> None:
    scheduler = Scheduler(local, num_slots=1)
    readers = [Reader(), Reader()]
    for reader in readers:
        scheduler.submit(Request((5, 6), 190, temperature=0.0, ignore_eos=True), reader)
    scheduler.close()
    assert {reader.wait().reason for reader in readers} <= {"cancelled", "length"}
    with pytest.raises(EngineError, match="closed"):
        scheduler.submit(requests(1)[0], Reader())


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False
