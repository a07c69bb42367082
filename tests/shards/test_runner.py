import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import scratch_out
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.shards import runner
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Limits, Shard
from hornbook.shards.worker import perform

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
        [sys.executable, str(Path(jobs.__file__)), str(tmp_path), "2", ""],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 10  # a busy machine takes long to start; the workers must be at work
    while not any(file.is_file() for file in tmp_path.rglob("*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.6)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert errors.count(b"Traceback") <= 1  # the parent's own KeyboardInterrupt; the workers say nothing
    assert process.returncode != 0 or len(jobs.contents(tmp_path)) == 20


def test_wrong_runner_and_equal_names(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="spark"):
        run_shards(jobs.copy, [], scratch_out(tmp_path, machine=Machine(runner="spark")), label="x")
    with pytest.raises(ValueError, match="unique"):
        run_shards(jobs.copy, [Shard("a", []), Shard("a", [])], scratch_out(tmp_path), label="x")
