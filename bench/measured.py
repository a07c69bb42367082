"""Run a command and say how long it took and how much memory its whole tree of processes held at most."""

import subprocess
import threading
import time
from dataclasses import dataclass

import psutil

EVERY_S = 0.1


@dataclass(frozen=True)
class Measured:
    """Seconds on the clock, peak of the tree's memory (proportional set size, shared pages counted once), output."""

    seconds: float
    peak_mb: float
    output: str


def run_measured(command: list[str], **options: object) -> Measured:
    """Run to the end; raises RuntimeError with what was printed when the exit code is not 0."""
    began_s = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    )
    peak = [0]
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, ended), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - began_s
    ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-3000:]}")
    return Measured(seconds, peak[0] / 1e6, output)


def _watch(pid: int, peak: list[int], ended: threading.Event) -> None:
    while not ended.wait(EVERY_S):
        peak[0] = max(peak[0], _tree_bytes(pid))


def _tree_bytes(pid: int) -> int:
    try:
        top = psutil.Process(pid)
        tree = [top, *top.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for process in tree:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total
