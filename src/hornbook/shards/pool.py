"""The parent's side of a worker process: start it, hand it a shard, notice its end."""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hornbook
from hornbook.shards.shard import Shard
from hornbook.shards.worker import Assignment
from hornbook.shards.workspace import Beat

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")
START = "from hornbook.shards.worker import main; main()"


Inbox = queue.Queue[tuple[Any, tuple[Any, ...]]]
"""Where the messages of workers arrive: (worker, message)."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker ended: at which record (position -1: none, or unknown), out of time or not, with which status."""

    position: int = -1
    record: str = ""
    out_of_time: bool = False
    status: int | None = None


class WorkerProcess:
    """One worker. Its messages, and its end, arrive in `inbox` as (worker, message)."""

    def __init__(self, assignment: Assignment, inbox: Inbox, number: int) -> None:
        beat_file = assignment.scratch / f"worker-{os.getpid()}-{number}.beat"
        self.beat = Beat(beat_file, create=True)
        self.shard: Shard | None = None
        self.out_of_time = False
        self._limits = assignment.limits
        environment = dict.fromkeys(ONE_THREAD, "1") | {"RUST_BACKTRACE": "0"} | dict(os.environ)
        source = str(Path(hornbook.__path__[0]).parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._send((assignment, str(beat_file)))
        threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()

    def give(self, shard: Shard) -> None:
        """Start on a shard."""
        self.shard = shard
        self._send(shard)

    def check_clock(self) -> None:
        """End the worker when its record has waited too long on the clock (a hang that uses no CPU)."""
        if self.shard is None or self._limits.cpu_s is None or self.out_of_time:
            return
        position, spent_s, _ = self.beat.read()
        if position >= 0 and spent_s > self._limits.cpu_s * self._limits.wall_factor:
            self.out_of_time = True
            self.process.kill()

    def death(self) -> Death:
        """At which record it ended, and of what: the CPU limit or the clock, or anything else."""
        position, _, record = self.beat.read()
        status = self.process.returncode
        return Death(position, record, self.out_of_time or status == -getattr(signal, "SIGPROF", 0), status)

    def close(self) -> None:
        """End the process and wait for it; its work on an unfinished shard is lost, nothing else."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # unsent bytes for a worker that is gone
                    pass

    def _send(self, message: Any) -> None:
        assert self.process.stdin is not None
        try:
            pickle.dump(message, self.process.stdin)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the listener reports its end

    def _listen(self, inbox: Inbox) -> None:
        assert self.process.stdout is not None
        try:
            while True:
                inbox.put((self, pickle.load(self.process.stdout)))
        except EOFError:
            pass
        except Exception:  # noqa: BLE001 - torn or damaged bytes raise anything; nothing behind them can be understood
            self.process.kill()
        self.process.wait()
        inbox.put((self, ("ended",)))
