import queue
import signal
import sys
from pathlib import Path
from typing import Any

from hornbook.shards.pool import Death, WorkerProcess
from hornbook.shards.shard import Limits, Notes, Shard

sys.path.insert(0, str(Path(__file__).parent))
import jobs


def test_a_worker_answers_shard_by_shard_and_its_end_is_noticed(tmp_path: Path) -> None:
    inbox: queue.Queue[tuple[WorkerProcess, tuple[Any, ...]]] = queue.Queue()
    scratch = tmp_path / "scratch"
    worker = WorkerProcess(jobs.copy, "n", tmp_path, scratch, Notes(tmp_path / "n", ""), Limits(), inbox, 1)
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
