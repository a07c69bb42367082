"""What a function that works on a shard is given: outputs, the record it is at, progress."""

import mmap
import os
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from hornbook.shards.shard import Limits

BEAT = struct.Struct("<qd256s")
POSITION = struct.Struct("<q")
PROGRESS_EVERY_S = 0.2


class Beat:
    """A few bytes shared with the parent: which record a worker is at, and since when.

    They live in a file, so that they can be read after the worker died, whatever it died of.
    """

    def __init__(self, file: Path, create: bool = False) -> None:
        if create:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(BEAT.pack(-1, 0.0, b""))
        with file.open("r+b") as handle:
            self.memory = mmap.mmap(handle.fileno(), BEAT.size)

    def write(self, position: int, record: str) -> None:
        """Note the record that starts now (position -1: none)."""
        BEAT.pack_into(self.memory, 0, position, time.monotonic(), record.encode("utf-8", "replace")[:256])

    def rest(self) -> None:
        """Note that no record is being worked on; the name of the last one stays."""
        POSITION.pack_into(self.memory, 0, -1)

    def read(self) -> tuple[int, float, str]:
        """Position (-1: none), seconds since that record began, and its name (or that of the last one)."""
        position, began_s, name = BEAT.unpack_from(self.memory, 0)
        return position, time.monotonic() - began_s, name.rstrip(b"\0").decode("utf-8", "replace")


class Workspace:
    """The desk of one shard: temporary outputs that get their names together, and a guard around each record.

    `name`: the shard's; `set_aside`: positions of records that ended a worker before, with the reason;
    `record`: what an error names (`begin` sets it; work on many records at once may say which).
    """

    def __init__(
        self,
        name: str,
        root: Path,
        scratch: Path,
        set_aside: dict[int, str],
        limits: Limits,
        beat: Beat | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.name = name
        self.root = root
        self.scratch = scratch
        self.set_aside = set_aside
        self.record = ""
        self._cpu_s = limits.cpu_s or 0.0
        self._timed = beat is not None and limits.cpu_s is not None and hasattr(signal, "setitimer")
        self._beat = beat
        self._at_record = False
        self._progress = progress
        self._outputs: dict[str, Path] = {}
        self._num_done = 0
        self._next_report_s = time.monotonic() + PROGRESS_EVERY_S

    def output(self, name: str) -> Path:
        """Where to write the output `name` (relative to the artifact); it appears there when the shard is finished."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        path = self.scratch / f"{os.getpid()}.{name.replace('/', '.')}"
        self._outputs[name] = path
        return path

    def begin(self, position: int, record: str = "") -> str | None:
        """Start on a record, which lasts until `advance`. Returns why it is to be left out, or None."""
        self.record = record
        reason = self.set_aside.get(position) if self.set_aside else None
        if self._beat is not None:
            self._arm(0.0 if reason else self._cpu_s)
            self._beat.write(position, record)
            self._at_record = True
        return reason

    def advance(self, num_records: int = 1) -> None:
        """Records are done: what follows is charged to none. Progress is sent on at most five times a second."""
        if self._at_record and self._beat is not None:
            self._arm(0.0)
            self._beat.rest()
            self._at_record = False
        self._num_done += num_records
        if self._progress is not None and time.monotonic() >= self._next_report_s:
            self._report()

    def end(self) -> None:
        """No record is being worked on any more: writing and renaming are not charged to one."""
        self._arm(0.0)
        if self._beat is not None:
            self._beat.write(-1, "")
            self._at_record = False
        if self._progress is not None and self._num_done:
            self._report()

    def publish(self) -> list[str]:
        """Give all outputs their final names; returns the names."""
        for name, path in self._outputs.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, self.root / name)
        return sorted(self._outputs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arm(0.0)
        for path in self._outputs.values():
            path.unlink(missing_ok=True)

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(self._num_done)
        self._num_done = 0
        self._next_report_s = time.monotonic() + PROGRESS_EVERY_S

    def _arm(self, cpu_s: float) -> None:
        """The kernel ends this process when it has used that much CPU time (0: never), even inside native code.

        ITIMER_PROF with its default action (terminate) needs no Python code to run, so a parser that hangs with the
        interpreter lock held is ended too. Where it does not exist (Windows), the parent's clock is the only guard.
        """
        if self._timed:
            signal.setitimer(signal.ITIMER_PROF, cpu_s)
