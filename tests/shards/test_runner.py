import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import Out, scratch_out
from hornbook.core.errors import DataError, SettingsError, is_disk_full
from hornbook.core.recipe import Machine
from hornbook.core.runlog import Progress, RunLog
from hornbook.shards import runner
from hornbook.shards.pool import Death
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Limits, Shard
from hornbook.shards.worker import perform
from hornbook.shards.workspace import Beat, Workspace

sys.path.insert(0, str(Path(__file__).parent))
import jobs

NUMBERS = [[1, 2], [], [3], [4, 5, 6]]
WANTED = {"000.txt": "n1\nn2\n", "001.txt": "", "002.txt": "n3\n", "003.txt": "n4\nn5\nn6\n"}


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_gives_the_same_files_and_summaries_in_order(tmp_path: Path, workers: int) -> None:
    assert jobs.run_numbers(tmp_path, NUMBERS, workers) == [{"in": 2}, {"in": 0}, {"in": 1}, {"in": 3}]
    assert jobs.contents(tmp_path) == WANTED


@pytest.mark.parametrize(("worth_s", "workers", "here"), [(0.0, 2, 1), (60.0, 2, 6), (0.0, 1, 6)])
def test_workers_start_when_there_is_work_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worth_s: float, workers: int, here: int
) -> None:
    monkeypatch.setattr(runner, "WORTH_S", worth_s)
    done: list[str] = []

    def counting(*arguments: Any) -> Any:
        done.append(arguments[2].name)
        return perform(*arguments)

    monkeypatch.setattr(runner, "perform", counting)
    out = scratch_out(tmp_path, machine=Machine(workers=workers))
    shards = [Shard(f"{index:03d}", [index]) for index in range(6)]
    assert run_shards(jobs.copy, shards, out, label="copy", common="n") == [{"in": 1}] * 6
    assert len(jobs.contents(tmp_path)) == 6 and len(done) == here


def test_finished_shards_are_not_done_again(tmp_path: Path) -> None:
    jobs.run_numbers(tmp_path, NUMBERS, 1)
    times = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").iterdir()}
    (tmp_path / "kept/002.txt").unlink()
    assert jobs.run_numbers(tmp_path, NUMBERS, 1)[3] == {"in": 3}
    assert jobs.contents(tmp_path) == WANTED
    again = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").iterdir()}
    assert {file.name for file in times if times[file] != again[file]} == {"002.txt"}


def test_a_hang_and_a_crash_are_set_aside_and_everything_else_survives(tmp_path: Path) -> None:
    numbers = [[1, -1, 2], [3, -2], [4]]
    jobs.run_numbers(tmp_path, numbers, 2, Limits(cpu_s=0.3))
    assert jobs.contents(tmp_path) == {"000.txt": "n1\ntimeout\nn2\n", "001.txt": "n3\ncrash\n", "002.txt": "n4\n"}
    # what was set aside stays so: a restart needs no new hang, and gives the same bytes
    (tmp_path / "kept/000.txt").unlink()
    began_s = time.monotonic()
    jobs.run_numbers(tmp_path, numbers, 1, Limits(cpu_s=30))
    assert jobs.contents(tmp_path)["000.txt"] == "n1\ntimeout\nn2\n" and time.monotonic() - began_s < 10


def test_a_record_that_waits_without_computing_is_ended_by_the_clock(tmp_path: Path) -> None:
    jobs.run_numbers(tmp_path, [[1, -6, 2]], 1, Limits(cpu_s=0.2, wall_factor=2))
    assert jobs.contents(tmp_path) == {"000.txt": "n1\ntimeout\nn2\n"}


def test_the_clock_is_watched_while_others_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, workers = started(scratch_out(tmp_path), Limits()), [FakeWorker(), FakeWorker()]
    for poll_s, looks in ((3600.0, 1), (0.0, 4)):
        monkeypatch.setattr(runner, "POLL_S", poll_s)
        run.next_look_s = 0.0
        for _ in range(4):
            run.inbox.put((workers[0], ("progress", 1)))
            run._step(workers, deque())  # type: ignore[arg-type]
        assert [worker.looks for worker in workers] == [looks, looks]
        workers = [FakeWorker(), FakeWorker()]


def test_a_death_between_records_blames_none_and_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="workers died 2 times on shard 000") as caught:
        jobs.run_numbers(tmp_path, [[1, -8, 2]], 1, Limits(cpu_s=60.0, max_deaths=1))
    assert "after record record-1" in str(caught.value)
    assert not list((tmp_path / ".resume").rglob("*.aside.json"))


def started(out: Out, limits: Limits) -> runner._Run:
    """A run of one shard, for messages and deaths made up here."""
    return runner._Run(jobs.copy, [Shard("s", [])], out, "x", "n", "v", limits, Progress(out.log, "x", None, "docs"))


def test_each_record_that_crashes_twice_is_set_aside_however_many_there_are(tmp_path: Path) -> None:
    run, shard = started(scratch_out(tmp_path), Limits(max_deaths=2)), Shard("s", [])
    for position in (4, 1, 3):
        run._after_death(Death(position, "x"), shard)
        run._after_death(Death(position, "x"), shard)
    run._after_death(Death(2, "x", out_of_time=True), shard)
    assert run.notes.set_aside(shard) == {4: "crash", 1: "crash", 3: "crash", 2: "timeout"}


@pytest.mark.parametrize(
    ("deaths", "where"),
    [
        ([Death(0, "a"), Death(1, "b"), Death(2, "c")], "at record c"),
        ([Death(5, "f"), Death(5, "f"), *[Death(5, "f")] * 3], "at record f"),  # set aside, and yet it ends there
        ([Death(5, "f", True), *[Death(5, "f", True)] * 3], "at record f"),
        ([Death(0, "a"), Death(-1, "a"), Death(-1, "a", status=-9)], "after record a"),
        ([Death()] * 3, "outside any record"),
    ],
)
def test_a_shard_that_gets_no_further_fails(tmp_path: Path, deaths: list[Death], where: str) -> None:
    run = started(scratch_out(tmp_path), Limits(max_deaths=2))
    for death in deaths[:-1]:
        run._after_death(death, Shard("s", []))
    with pytest.raises(DataError, match="workers died 3 times on shard s") as caught:
        run._after_death(deaths[-1], Shard("s", []))
    assert where in str(caught.value) and "memory ran out" in str(caught.value)


class Log(RunLog):
    """Keeps the progress of its last task."""

    @contextmanager
    def task(self, label: str, total: float | None = None, unit: str = "items") -> Iterator[Progress]:
        with super().task(label, total, unit) as self.progress:
            yield self.progress


def test_finished_shards_count_as_done_but_not_towards_the_rate(tmp_path: Path) -> None:
    jobs.run_numbers(tmp_path, NUMBERS, 1)
    (tmp_path / "kept/001.txt").unlink()
    (tmp_path / "kept/002.txt").unlink()
    log = Log(quiet=True)
    shards = [Shard(f"{index:03d}", part) for index, part in enumerate(NUMBERS)]
    run_shards(jobs.copy, shards, Out(tmp_path, log, Machine()), label="copy", common="n", job="v1")
    assert log.progress.done == 6 and log.progress.done - log.progress._start_done == 1


def test_what_a_lost_attempt_reported_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, worker = started(scratch_out(tmp_path), Limits()), FakeWorker()
    monkeypatch.setattr(run, "_start", lambda shard: worker)
    workers: list[Any] = [worker]
    for message in (("progress", 5), ("progress", 2), ("ended",), ("progress", 4)):
        run.inbox.put((worker, message))
        run._step(workers, deque())
    assert run.progress.done == 4 and workers == [worker]


class FakeWorker:
    """Enough of a worker for `_step`."""

    shard = Shard("s", [])
    looks = 0

    def check_clock(self) -> None:
        self.looks += 1

    def close(self) -> None: ...

    def death(self) -> Death:
        return Death()


LOCAL = """
from dataclasses import dataclass

@dataclass
class Settings:
    word: str

def say(work, inputs, common):
    return {"in": 1, "said": common.word * inputs}
"""


def test_a_stage_in_a_file_may_pass_its_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_stage.py").write_text(LOCAL)
    spec = importlib.util.spec_from_file_location("hornbook_local_my_stage", tmp_path / "my_stage.py")
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    common, limits = module.Settings("ha"), Limits(cpu_s=60.0)
    found = run_shards(
        module.say, [Shard("a", 2)], scratch_out(tmp_path / "out"), label="x", common=common, limits=limits
    )
    assert found == [{"in": 1, "said": "haha"}]


def summary_of_many_kinds(work: Workspace, inputs: None, common: None) -> dict[str, Any]:
    return {"in": 1, "b": (1, 2), "a": {10: "x", 9: "y"}}


def test_a_fresh_summary_is_what_a_restart_reads(tmp_path: Path) -> None:
    fresh, resumed = (
        run_shards(summary_of_many_kinds, [Shard("s", None)], scratch_out(tmp_path), label="x") for _ in range(2)
    )
    assert fresh == resumed == [{"in": 1, "b": [1, 2], "a": {"10": "x", "9": "y"}}]
    assert repr(fresh) == repr(resumed) and list(fresh[0]["a"]) == ["10", "9"]  # keys in the order they were made


def fill_the_disk(work: Workspace, inputs: str, common: None) -> dict[str, Any]:
    try:
        raise OSError("8000000 requested and 4096 written")  # as numpy says it
    except OSError as error:
        if inputs == "explained":
            raise DataError("the table cannot be written") from error
        raise


@pytest.mark.parametrize("inputs", ["plain", "explained"])
@pytest.mark.parametrize("cpu_s", [None, 60.0])
def test_a_full_disk_is_known_from_within_a_worker(tmp_path: Path, inputs: str, cpu_s: float | None) -> None:
    with pytest.raises(DataError) as caught:
        run_shards(fill_the_disk, [Shard("s", inputs)], scratch_out(tmp_path), label="x", limits=Limits(cpu_s=cpu_s))
    assert is_disk_full(caught.value)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_comes_back_with_its_record_and_traceback(tmp_path: Path, workers: int) -> None:
    with pytest.raises(DataError) as caught:
        jobs.run_numbers(tmp_path, [[1], [2, -3, 5]], workers)
    assert "no such word" in str(caught.value) and "shard 001, record record--3" in str(caught.value)
    assert caught.value.exit_code == 1
    assert "in act" in caught.value.__notes__[0]
    assert not (tmp_path / "kept/001.txt").exists()


def test_an_explained_error_keeps_its_kind_and_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this file is odd.*Fix it") as caught:
        jobs.run_numbers(tmp_path, [[1], [-5]], 2)
    assert caught.value.exit_code == 2


def run_script(folder: Path, workers: int, kill: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(Path(jobs.__file__)), str(folder), str(workers), kill])


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("straight")
    assert run_script(folder, 1).wait() == 0
    return jobs.contents(folder)


def test_killed_between_the_outputs_and_the_note_of_a_shard(tmp_path: Path, straight: dict[str, str]) -> None:
    assert run_script(tmp_path, 1, "007").wait() == -signal.SIGKILL
    assert len(jobs.contents(tmp_path)) == 8
    assert run_script(tmp_path, 2).wait() == 0
    assert jobs.contents(tmp_path) == straight


def test_killed_at_a_random_moment(tmp_path: Path, straight: dict[str, str]) -> None:
    seed = int.from_bytes(os.urandom(4), "little")
    print("seed", seed)
    process = run_script(tmp_path, 2)
    time.sleep(random.Random(seed).uniform(0.2, 1.0))
    process.kill()
    process.wait()
    assert run_script(tmp_path, 1).wait() == 0
    assert jobs.contents(tmp_path) == straight
    assert not list((tmp_path / ".resume").glob("*.scratch"))


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(jobs.__file__).parent)!r}); import jobs; from pathlib import Path\n"
        f"jobs.run_numbers(Path({str(tmp_path)!r}), [[1, -4], [-6]], 2)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    psutil = pytest.importorskip("psutil", reason="psutil (extra: dev) is missing")
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        mine = [
            p for p in psutil.process_iter(["cmdline"]) if "hornbook.shards.worker" in " ".join(p.info["cmdline"] or [])
        ]
        left = [p for p in mine if any(str(tmp_path) in f.path for f in _maps(p))]
        if not left:
            return
        time.sleep(0.05)
    pytest.fail("a worker is still running")


def _maps(process: "object") -> "list[object]":
    try:
        return process.memory_maps(grouped=True)  # type: ignore[attr-defined]
    except Exception:
        return []


def test_control_c_stops_cleanly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(Path(jobs.__file__)), str(tmp_path), "2", "wait"],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline_s, at_work = time.monotonic() + 10, 0  # a busy machine takes long to start; both workers must be at work
    while at_work < 2 and time.monotonic() < deadline_s:
        time.sleep(0.02)
        beats = list(tmp_path.rglob("*.beat"))
        at_work = sum(file.stat().st_size > 0 and Beat(file).read()[0] == 1 for file in beats)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=10)  # ends when parent and workers have closed it, long before they would
    assert at_work == 2 and process.returncode == -signal.SIGINT
    assert errors.count(b"Traceback") == errors.count(b"KeyboardInterrupt") == 1  # the parent's; workers say nothing


def test_wrong_runner_and_equal_names(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="spark"):
        run_shards(jobs.copy, [], scratch_out(tmp_path, machine=Machine(runner="spark")), label="x")
    with pytest.raises(ValueError, match="unique"):
        run_shards(jobs.copy, [Shard("a", []), Shard("a", [])], scratch_out(tmp_path), label="x")
