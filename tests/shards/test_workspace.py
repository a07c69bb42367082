import signal
import subprocess
import sys
from pathlib import Path

from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Beat, Workspace


def workspace(tmp_path: Path, **more: object) -> Workspace:
    return Workspace("s", tmp_path / "root", tmp_path / "scratch", {4: "timeout"}, Limits(), **more)  # type: ignore[arg-type]


def test_outputs_appear_together_and_only_when_published(tmp_path: Path) -> None:
    with workspace(tmp_path) as work:
        work.output("kept/a.txt").write_text("1")
        work.output("dropped/a.txt").write_text("2")
        assert not (tmp_path / "root").exists()
        assert work.publish() == ["dropped/a.txt", "kept/a.txt"]
    assert (tmp_path / "root/kept/a.txt").read_text() == "1"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_failed_shard_leaves_nothing(tmp_path: Path) -> None:
    try:
        with workspace(tmp_path) as work:
            work.output("a.txt").write_text("half")
            raise ValueError
    except ValueError:
        pass
    assert list((tmp_path / "scratch").iterdir()) == [] and not (tmp_path / "root").exists()


def test_begin_says_which_records_are_left_out(tmp_path: Path) -> None:
    work = workspace(tmp_path)
    assert work.begin(3, "three") is None and work.record == "three"
    assert work.begin(4, "four") == "timeout"


def test_a_record_is_charged_from_begin_to_advance(tmp_path: Path) -> None:
    beat = Beat(tmp_path / "beat", create=True)
    work = Workspace("s", tmp_path, tmp_path, {4: "timeout"}, Limits(cpu_s=1000.0), beat)

    def charged() -> tuple[int, str, bool]:
        position, _, record = beat.read()
        return position, record, signal.getitimer(signal.ITIMER_PROF)[0] > 0

    with work:
        assert work.begin(3, "three") is None and charged() == (3, "three", True)
        work.advance()
        assert charged() == (-1, "three", False)
        work.begin(5, "five")
        assert work.begin(4, "four") == "timeout" and charged() == (4, "four", False)
        work.begin(6, "six")
        work.end()
        assert charged() == (-1, "", False)
        work.begin(7, "seven")
    assert not charged()[2]


def test_progress_is_reported_whole(tmp_path: Path) -> None:
    seen: list[int] = []
    work = workspace(tmp_path, progress=seen.append)
    for _ in range(100):
        work.advance()
    work.end()
    assert sum(seen) == 100 and len(seen) < 10


def test_the_beat_outlives_its_process(tmp_path: Path) -> None:
    file = tmp_path / "beat"
    beat = Beat(file, create=True)
    assert beat.read()[0] == -1
    code = (
        "import os, signal, sys; from pathlib import Path; from hornbook.shards.workspace import Beat\n"
        "Beat(Path(sys.argv[1])).write(12, 'rec€'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(file)]).returncode == -9
    position, spent_s, record = beat.read()
    assert (position, record) == (12, "rec€") and 0 <= spent_s < 60
