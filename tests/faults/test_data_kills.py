"""The whole data floor killed with SIGKILL and run again: the same bytes as never killed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import decontaminate, dedup, extract, line_dedup, substring_dedup
from hornbook.data import filter as filters
from hornbook.shards import cluster, runner
from hornbook.shards.shard import Notes, Shard

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import warcs

STAGES = ("extract", "filter", "lines", "substrings", "dedup", "decontaminate")


def run(folder: Path, pages: str, workers: int, runner: str = "process") -> None:
    """Pages to documents deduplicated in three ways."""
    machine = Machine(workers=workers, runner=runner)
    settings = parse(extract.Settings, {"path": pages, "profile": "fast", "shard_bytes": 2500}, "test")
    extract.run(settings, {}, scratch_out(folder / "extract", machine=machine))
    rules = parse(filters.Settings, {"rules": ["language", "pii"]}, "test")
    filters.run(rules, {"documents": read(folder / "extract")}, scratch_out(folder / "filter", machine=machine))
    lines = parse(line_dedup.Settings, {"min_pages": 2, "everywhere": "first"}, "test")
    line_dedup.run(lines, {"documents": read(folder / "filter")}, scratch_out(folder / "lines", machine=machine))
    passages = parse(substring_dedup.Settings, {"min_tokens": 12}, "test")
    out = scratch_out(folder / "substrings", machine=machine)
    substring_dedup.run(passages, {"documents": read(folder / "filter")}, out)
    copies = parse(dedup.Settings, {}, "test")
    dedup.run(copies, {"documents": (read(folder / "filter"),)}, scratch_out(folder / "dedup", machine=machine))


def run_all(folder: Path, pages: str, workers: int) -> None:
    """The same, and the documents without what an evaluation set has."""
    run(folder, pages, workers)
    looked = {"sets": [str(Path(pages).with_name("exam.txt"))], "min_share": 0.99}
    exam = parse(decontaminate.Settings, looked, "test")
    out = scratch_out(folder / "decontaminate", machine=Machine(workers=workers))
    decontaminate.run(exam, {"documents": read(folder / "filter")}, out)


def read(folder: Path) -> Artifact:
    return Artifact(folder, Manifest(kind="documents"))


def main() -> None:
    """`kill`: "LABEL:SHARD" ends this process between the outputs of that shard and its note."""
    folder, pages, workers, kill = sys.argv[1:5]
    runner.WORTH_S = 0.0  # two workers, however little there is to do
    finish = Notes.finish

    def killing(self: Notes, shard: Shard, outputs: list[str], summary: dict[str, object]) -> None:
        if kill == f"{self.folder.name}:{shard.name}":
            os.kill(os.getpid(), signal.SIGKILL)
        finish(self, shard, outputs, summary)

    if kill:
        Notes.finish = killing  # type: ignore[method-assign, assignment]
    run_all(Path(folder), pages, int(workers))


def start(folder: Path, pages: Path, workers: int, kill: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, str(folder), str(pages), str(workers), kill])


def hashes(folder: Path) -> dict[str, str]:
    return {stage: payload_hash(folder / stage) for stage in STAGES if (folder / stage).exists()}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pages") / "a.warc.gz"
    names = [f"market town number {i // 2}" for i in range(24)]  # each page twice
    records = [warcs.response(f"https://a.example/{i}", warcs.page(name)) for i, name in enumerate(names)]
    file.write_bytes(b"".join(warcs.members(records)))
    file.with_name("exam.txt").write_text(warcs.body(names[7])[0] + "\n")
    return file


@pytest.fixture(scope="module")
def straight(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("straight")
    run_all(folder, str(pages), 1)
    return hashes(folder)


POINTS = [
    ("filter:00001", "line-dedup:00001", "signatures:00002"),
    ("edge-meet:0000", "windows:00002", "shingles:00001", "search:00001"),
    ("window-meet:0000", "copies:all"),
    ("substring-dedup:00001", "dedup:00000", "decontaminate:00001"),
]


@pytest.mark.parametrize("points", POINTS, ids=" ".join)
def test_killed_at_named_points(points: list[str], pages: Path, straight: dict[str, str], tmp_path: Path) -> None:
    for point in points:  # each goes on where the one before it was killed
        assert start(tmp_path, pages, 1, point).wait() == -signal.SIGKILL
    run_all(tmp_path, str(pages), 1)
    assert hashes(tmp_path) == straight


def test_killed_at_a_random_moment(pages: Path, straight: dict[str, str], tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "little")
    print("seed", seed)
    process = start(tmp_path, pages, 2)
    time.sleep(random.Random(seed).uniform(0.3, 2.5))
    process.kill()
    process.wait()
    run_all(tmp_path, str(pages), 1)
    assert hashes(tmp_path) == straight


def test_a_ray_cluster_that_loses_a_worker(pages: Path, straight: dict[str, str], tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="ray (extra: cluster) is missing")
    psutil = pytest.importorskip("psutil", reason="psutil (extra: dev) is missing")
    killed: list[int] = []

    def kill_one() -> None:
        deadline_s = time.monotonic() + 60
        while not killed and time.monotonic() < deadline_s:
            for process in psutil.Process().children(recursive=True):
                try:
                    if "ray::Host.work" in " ".join(process.cmdline()):
                        process.kill()
                        killed.append(process.pid)
                        return
                except psutil.Error:
                    continue
            time.sleep(0.002)

    cluster.connect(2)
    thread = threading.Thread(target=kill_one)
    try:
        thread.start()
        run(tmp_path, str(pages), 2, "ray")
    finally:
        thread.join()
        ray.shutdown()
    assert killed
    assert hashes(tmp_path) | {"decontaminate": straight["decontaminate"]} == straight


if __name__ == "__main__":
    main()
