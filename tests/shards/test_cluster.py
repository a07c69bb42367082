"""The same jobs on a real local Ray cluster of two workers."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import scratch_out
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.shards import cluster, runner
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Limits, Notes, Shard
from hornbook.shards.worker import Assignment
from hornbook.shards.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent))
import jobs


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[Any]:
    ray = pytest.importorskip("ray", reason="ray (extra: cluster) is missing")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RAY_ADDRESS", *cluster.QUIET):
            patch.delenv(name, raising=False)
        cluster.connect(2)
        yield ray
        ray.shutdown()


def run(folder: Path, function: Any, numbers: list[list[int]], limits: Limits | None = None) -> list[Any]:
    out = scratch_out(folder, machine=Machine(workers=2, runner="ray"))
    shards = [Shard(f"{index:03d}", part) for index, part in enumerate(numbers)]
    return run_shards(function, shards, out, label="copy", common="n", job="v1", limits=limits)


def test_the_same_files_and_summaries_as_in_processes(tmp_path: Path) -> None:
    numbers = [[1, 2], [], [3], [4, 5, 6]]
    assert run(tmp_path / "ray", jobs.copy, numbers) == jobs.run_numbers(tmp_path / "here", numbers, 1)
    assert jobs.contents(tmp_path / "ray") == jobs.contents(tmp_path / "here")
    (tmp_path / "ray/kept/002.txt").unlink()
    assert run(tmp_path / "ray", jobs.copy, numbers)[2] == {"in": 1}  # what is finished is not done again


def test_a_hang_and_a_crash_are_set_aside(tmp_path: Path) -> None:
    run(tmp_path, jobs.copy, [[1, -1, 2], [3, -2], [4]], Limits(cpu_s=0.3))
    assert jobs.contents(tmp_path) == {"000.txt": "n1\ntimeout\nn2\n", "001.txt": "n3\ncrash\n", "002.txt": "n4\n"}


def kill_host_once(work: Workspace, inputs: list[int], common: str) -> dict[str, Any]:
    """As `copy`, but the first time the third shard is at work its Ray actor is killed."""
    mark = work.root / "killed"
    if work.name == "002" and not mark.exists():
        mark.write_text(str(os.getppid()))
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(10)
    return jobs.copy(work, inputs, common)


def test_a_worker_killed_in_the_middle_is_replaced(tmp_path: Path) -> None:
    numbers = [[shard, 10 + shard] for shard in range(6)]
    assert run(tmp_path / "ray", kill_host_once, numbers) == [{"in": 2}] * 6
    killed = int((tmp_path / "ray/killed").read_text())
    assert killed != os.getpid() and not Path(f"/proc/{killed}").exists()
    jobs.run_numbers(tmp_path / "here", numbers, 1)
    assert jobs.contents(tmp_path / "ray") == jobs.contents(tmp_path / "here")


def test_errors_come_back_with_their_record(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such word") as caught:
        run(tmp_path, jobs.copy, [[1], [2, -3, 5]])
    assert "shard 001, record record--3" in str(caught.value) and "in act" in caught.value.__notes__[0]
    with pytest.raises(DataError, match="this file is odd"):
        run(tmp_path, jobs.copy, [[1], [-5]])


def test_a_node_without_the_folder_says_so(tmp_path: Path) -> None:
    where, far = ("jobs", str(jobs.__file__), "copy"), tmp_path / "far"
    host = cluster.Host(Assignment(where, b"", far, far, Notes(far, ""), Limits()), 1)
    with pytest.raises(DataError, match="not there on this node") as caught:
        host.work(Shard("000", [1]))
    assert str(tmp_path / "far") in str(caught.value)


class Counted:
    """A worker that has done a shard as soon as it gets it."""

    started = 0

    def __init__(self, _: Assignment, inbox: Any, number: int) -> None:
        Counted.started = number
        self.inbox = inbox

    def give(self, shard: Shard) -> None:
        self.shard = shard
        self.inbox.put((self, ("done", {"in": 1})))

    def check_clock(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(("workers", "wanted"), [(0, 2), (3, 3)])
def test_without_a_number_there_is_a_worker_for_each_cpu_of_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, wanted: int
) -> None:
    monkeypatch.setitem(runner.RUNNERS, "ray", Counted)
    monkeypatch.setattr(Machine, "num_workers", workers or 5)  # the cores of this machine do not count
    out = scratch_out(tmp_path, machine=Machine(workers=workers, runner="ray"))
    shards = [Shard(f"{index:03d}", []) for index in range(6)]
    assert run_shards(jobs.copy, shards, out, label="copy") == [{"in": 1}] * 6
    assert Counted.started == wanted


def test_ray_reports_to_nobody() -> None:
    psutil = pytest.importorskip("psutil", reason="psutil (extra: dev) is missing")
    nodes = [process for process in psutil.Process().children(recursive=True) if process.name() == "raylet"]
    assert [process.environ()["RAY_USAGE_STATS_ENABLED"] for process in nodes] == ["0"]


def test_no_ray_and_no_answer_are_explained(monkeypatch: pytest.MonkeyPatch, ray: Any) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError, match=r"hornbook\[cluster\]"):
        cluster.connect(1)
    monkeypatch.undo()

    def refuse(**_: Any) -> None:
        raise ConnectionError("nobody there")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.setenv("RAY_ADDRESS", "head.example:6379")
    with pytest.raises(SettingsError, match="Ray cluster at head.example:6379 does not answer: nobody there"):
        cluster.connect(1)
