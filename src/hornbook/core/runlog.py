"""What a run says while it works: lines, events and progress with honest estimates of the time left."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from hornbook.core.units import human_count, human_seconds

LINE_EVERY_S = 5.0
PROGRESS_EVERY_S = 0.5


class Progress:
    """One piece of work under way: `advance` as it goes; rate and time left follow from the clock."""

    def __init__(self, log: "RunLog", label: str, total: float | None, unit: str) -> None:
        self.label = label
        self.total = total
        self.unit = unit
        self.done = 0.0
        self.info: dict[str, Any] = {}
        self._log = log
        self._start = time.monotonic()
        self._start_done = 0.0
        self._shown = self._start

    def advance(self, n: float = 1, **info: object) -> None:
        """`n` more units are done; `info` (loss=1.2) is shown beside."""
        self.done += n
        self.info.update(info)
        self._log._moved(self)

    def resume_at(self, done: float) -> None:
        """Work done by an earlier process: counts as done, but not towards the rate."""
        self.done = self._start_done = done

    @property
    def elapsed_s(self) -> float:
        """Seconds since this process began the task."""
        return time.monotonic() - self._start

    @property
    def rate(self) -> float:
        """Units per second in this process (0 before the first)."""
        return (self.done - self._start_done) / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Estimated seconds left, or None while nothing can be said."""
        if self.total is None or self.rate <= 0:
            return None
        return max(0.0, self.total - self.done) / self.rate

    def text(self) -> str:
        """One plain line: what, how far, how fast, how long still."""
        far = f"{human_count(self.done)}/{human_count(self.total)}" if self.total else human_count(self.done)
        parts = [f"{self.label}: {far} {self.unit}", f"{human_count(self.rate)}/s"]
        if self.total:
            parts.insert(1, f"{100 * min(1.0, self.done / self.total):.0f}%")
        if self.left_s is not None:
            parts.append(f"{human_seconds(self.left_s)} left")
        parts += [
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in self.info.items()
        ]
        return "  ".join(parts)


class RunLog:
    """Where stages report: a bar on a terminal, plain lines elsewhere, and files another terminal can read.

    `folder`: where `run.log` (append-only lines) and `progress.json` (the task under way) are kept, or None.
    """

    def __init__(self, folder: Path | None = None, stream: IO[str] | None = None, quiet: bool = False) -> None:
        self.folder = folder
        self.quiet = quiet
        self._stream = stream or sys.stderr
        self._terminal = not quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._bar: Any = None
        self._saved = 0.0

    def line(self, text: str) -> None:
        """Say one line."""
        if not self.quiet:
            if self._bar is not None:
                self._bar.console.print(text, markup=False, highlight=False)
            else:
                print(text, file=self._stream, flush=True)
        self._keep({"line": text})

    def event(self, name: str, **fields: object) -> None:
        """Record something that happened without showing it."""
        self._keep({"event": name, **fields})

    @contextmanager
    def task(self, label: str, total: float | None = None, unit: str = "items") -> Iterator[Progress]:
        """Show progress while the body runs. `total` in `unit`s, None when unknown."""
        progress = Progress(self, label, total, unit)
        if self._terminal and self._bar is None:
            with self._rich_bar(progress):
                yield progress
        else:
            yield progress
        spent = human_seconds(progress.elapsed_s)
        if progress.elapsed_s > 2:
            self.line(f"{label}: {human_count(progress.done)} {unit} in {spent}")
        self._save(progress, finished=True)

    @contextmanager
    def _rich_bar(self, progress: Progress) -> Iterator[None]:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[text]}"))
        with Bar(*columns, console=Console(file=self._stream), transient=True, refresh_per_second=4) as bar:
            self._bar = bar
            self._bar_task = bar.add_task(progress.label, total=progress.total, text="")
            try:
                yield
            finally:
                self._bar = None

    def _moved(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._bar is not None:
            text = progress.text().removeprefix(f"{progress.label}: ")
            self._bar.update(self._bar_task, completed=progress.done, total=progress.total, text=text)
        elif not self.quiet and now - progress._shown >= LINE_EVERY_S:
            progress._shown = now
            print(progress.text(), file=self._stream, flush=True)
        if now - self._saved >= PROGRESS_EVERY_S:
            self._saved = now
            self._save(progress)

    def _save(self, progress: Progress, finished: bool = False) -> None:
        if self.folder is None or not self.folder.exists():
            return
        state = {
            "label": progress.label,
            "done": progress.done,
            "total": progress.total,
            "unit": progress.unit,
            "rate": progress.rate,
            "left_s": progress.left_s,
            "finished": finished,
            "info": {name: value for name, value in progress.info.items() if isinstance(value, (int, float, str))},
            "text": progress.text(),
            "time": time.time(),
        }
        scratch = self.folder / ".progress.json.new"
        scratch.write_text(json.dumps(state))
        scratch.replace(self.folder / "progress.json")

    def _keep(self, record: dict[str, object]) -> None:
        if self.folder is None or not self.folder.exists():
            return
        with (self.folder / "run.log").open("a", encoding="utf-8") as out:
            out.write(json.dumps({"time": round(time.time(), 3), **record}, ensure_ascii=False, default=str) + "\n")
