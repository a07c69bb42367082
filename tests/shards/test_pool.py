import io
import pickle
import queue
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from hornbook.shards.pool import ONE_THREAD, Death, WorkerProcess
from hornbook.shards.shard import Limits, Notes, Shard
from hornbook.shards.worker import Assignment, address

sys.path.insert(0, str(Path(__file__).parent))
import jobs


def assignment(folder: Path, function: Any, common: Any) -> Assignment:
    notes = Notes(folder / "n", "")
    return Assignment(address(function), pickle.dumps(common), folder, folder / "scratch", notes, Limits())


def test_a_worker_answers_shard_by_shard_and_its_end_is_noticed(tmp_path: Path) -> None:
    inbox: queue.Queue[tuple[WorkerProcess, tuple[Any, ...]]] = queue.Queue()
    worker = WorkerProcess(assignment(tmp_path, jobs.copy, "n"), inbox, 1)
    for number in (1, 2):
        worker.give(Shard(str(number), [number]))
        messages = [inbox.get(timeout=20)[1]]
        while messages[-1][0] != "done":
            messages.append(inbox.get(timeout=20)[1])
        assert messages[-1] == ("done", {"in": 1}) and sum(n for kind, n in messages if kind == "progress") == 1
    worker.process.kill()
    assert inbox.get(timeout=20) == (worker, ("ended",))
    assert worker.death() == Death(-1, "", False, -signal.SIGKILL)
    worker.give(Shard("3", [3]))  # to a worker that is gone: no exception here, the end was reported
    worker.close()


def test_a_worker_computes_on_one_thread_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ONE_THREAD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    inbox: queue.Queue[tuple[WorkerProcess, tuple[Any, ...]]] = queue.Queue()
    worker = WorkerProcess(assignment(tmp_path, jobs.environment, None), inbox, 1)
    worker.give(Shard("s", ["OMP_NUM_THREADS", "POLARS_MAX_THREADS", "MKL_NUM_THREADS"]))
    found = inbox.get(timeout=20)[1]
    worker.close()
    assert found == ("done", {"MKL_NUM_THREADS": "3", "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"})


class Process:
    """A process that said `said`."""

    def __init__(self, said: bytes) -> None:
        self.stdout, self.done = io.BytesIO(said), list[str]()

    def kill(self) -> None:
        self.done.append("killed")

    def wait(self) -> None:
        self.done.append("waited for")


@pytest.mark.parametrize(
    ("said", "done"),
    [
        (b"", ["waited for"]),
        (b"cno_such_module\nOdd\n.", ["killed", "waited for"]),
        (b"\x80", ["killed", "waited for"]),
    ],
)
def test_whatever_a_worker_says_its_end_is_noticed(said: bytes, done: list[str]) -> None:
    inbox: queue.Queue[Any] = queue.Queue()
    worker = object.__new__(WorkerProcess)
    worker.process = Process(pickle.dumps(("progress", 1)) + said)  # type: ignore[assignment]
    worker._listen(inbox)
    assert [inbox.get_nowait() for _ in range(2)] == [(worker, ("progress", 1)), (worker, ("ended",))]
    assert worker.process.done == done  # type: ignore[attr-defined]
