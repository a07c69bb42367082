"""Map a plain function over shards, in worker processes of our own on this machine or on a Ray cluster.

The result does not depend on the number of workers, on their order or on interruptions: a shard's outputs are a
function of its inputs, they get their final names together when the shard is finished, and a note then says so. A
restart skips the shards that have a note.
"""

import pickle
import queue
import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Out
from hornbook.core.errors import DataError, HornbookError, SettingsError
from hornbook.core.runlog import Progress
from hornbook.core.settings import did_you_mean
from hornbook.shards.cluster import RayWorker, connect
from hornbook.shards.pool import Death, Inbox, WorkerProcess
from hornbook.shards.shard import Failure, Limits, Notes, Shard
from hornbook.shards.worker import Assignment, address, perform
from hornbook.shards.workspace import Workspace

POLL_S = 0.5
WORTH_S = 2.0
"""Work for fewer seconds is done in this process: starting workers, with their imports, takes about one."""
RUNNERS: "dict[str, type[WorkerProcess] | type[RayWorker]]" = {"process": WorkerProcess, "ray": RayWorker}

Worker = WorkerProcess | RayWorker
ShardFunction = Callable[[Workspace, Any, Any], dict[str, Any]]
"""`function(work, inputs, common) -> summary`: reads what `inputs` names, writes to `work.output(...)`."""


def run_shards(
    function: ShardFunction,
    shards: Sequence[Shard],
    out: Out,
    *,
    label: str,
    common: Any = None,
    job: str = "",
    limits: Limits | None = None,
    unit: str = "docs",
    total: int | None = None,
) -> list[dict[str, Any]]:
    """Run `function` on every shard; returns the summaries in the order of the shards, as JSON gives them back.

    `out`: what the stage writes into (path, resume folder, machine, log); `label` names this step's notes; `job`:
    everything but the inputs that decides the result (settings, version), as text.
    One worker, or less than WORTH_S seconds of work, runs inside this process unless a CPU limit asks for one that can
    be ended (or the runner is a cluster). Raises the worker's own HornbookError, or DataError with the record and, as
    a note, the worker's traceback.
    """
    if out.machine.runner not in RUNNERS:
        raise SettingsError(
            f'runner "{out.machine.runner}" is not known{did_you_mean(out.machine.runner, list(RUNNERS))}',
            where="[machine]",
        )
    names = [shard.name for shard in shards]
    if len(set(names)) != len(names):
        raise ValueError(f"shard names of {label} are not unique")
    with out.log.task(label, total=total, unit=unit) as progress:
        return _Run(function, shards, out, label, common, job, limits or Limits(), progress).all()


class _Run:
    """One call of `run_shards`: the queue of shards, the workers, what is finished."""

    def __init__(
        self,
        function: ShardFunction,
        shards: Sequence[Shard],
        out: Out,
        label: str,
        common: Any,
        job: str,
        limits: Limits,
        progress: Progress,
    ) -> None:
        self.function, self.shards, self.common, self.limits = function, shards, common, limits
        self.root = Path(out.path)
        self.scratch = Path(out.resume) / f"{label}.scratch"
        self.notes = Notes(Path(out.resume) / label, job)
        self.machine = out.machine
        self.progress = progress
        self.summaries: dict[str, dict[str, Any]] = {}
        self.deaths: dict[str, list[int]] = {}
        self.inbox: Inbox = queue.Queue()
        self.num_started = 0
        self.next_look_s = 0.0
        self.reported: Counter[str] = Counter()
        """Records that the present attempt at a shard has reported."""

    def all(self) -> list[dict[str, Any]]:
        shutil.rmtree(self.scratch, ignore_errors=True)
        waiting: deque[Shard] = deque()
        for shard in self.shards:
            summary = self.notes.summary(shard, self.root)
            if summary is None:
                waiting.append(shard)
            else:
                self.summaries[shard.name] = summary
        self.progress.resume_at(sum(int(summary.get("in", 0)) for summary in self.summaries.values()))
        if self.machine.runner == "process" and self.limits.cpu_s is None:
            self._here(waiting)
        if waiting:
            self._in_processes(waiting)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return [self.summaries[shard.name] for shard in self.shards]

    def _here(self, waiting: deque[Shard]) -> None:
        """Work on shards in this process until what is left is worth starting workers (with one worker: all)."""
        began_s, num_done = time.monotonic(), 0
        while waiting:
            shard = waiting.popleft()
            aside = self.notes.set_aside(shard)
            work = Workspace(shard.name, self.root, self.scratch, aside, self.limits, progress=self.progress.advance)
            self._finish(shard, perform(self.function, self.common, shard, self.notes, work))
            num_done += 1
            left_s = (time.monotonic() - began_s) / num_done * len(waiting)
            if min(self.machine.num_workers, len(waiting)) > 1 and left_s > WORTH_S:
                return

    def _in_processes(self, waiting: deque[Shard]) -> None:
        workers: list[Worker] = []
        num_workers = self.machine.num_workers
        if self.machine.runner == "ray":
            num_cpus = connect(num_workers)
            num_workers = self.machine.workers or num_cpus
        try:
            for _ in range(min(num_workers, len(waiting))):
                workers.append(self._start(waiting.popleft()))
            while workers:
                self._step(workers, waiting)
        finally:
            for worker in workers:
                worker.close()

    @cached_property
    def assignment(self) -> Assignment:
        """What every worker is told."""
        common = pickle.dumps(self.common)
        return Assignment(address(self.function), common, self.root, self.scratch, self.notes, self.limits)

    def _start(self, shard: Shard) -> Worker:
        self.num_started += 1
        worker: Worker = RUNNERS[self.machine.runner](self.assignment, self.inbox, self.num_started)
        worker.give(shard)
        return worker

    def _step(self, workers: list[Worker], waiting: deque[Shard]) -> None:
        if time.monotonic() >= self.next_look_s:  # by the clock: messages of the others never leave it silent
            self.next_look_s = time.monotonic() + POLL_S
            for worker in workers:
                worker.check_clock()
        try:
            worker, message = self.inbox.get(timeout=POLL_S)
        except queue.Empty:
            return
        if message[0] == "progress":
            self._count(worker, message[1])
        elif message[0] == "done":
            shard, worker.shard = worker.shard, None
            assert shard is not None
            self._finish(shard, message[1])
            if waiting:
                worker.give(waiting.popleft())
            else:
                workers.remove(worker)
                worker.close()
        elif worker in workers:  # it ended with a shard in its hands
            workers.remove(worker)
            worker.close()
            assert worker.shard is not None
            self._count(worker, -self.reported[worker.shard.name])  # it starts again
            self._after_death(worker.death(), worker.shard)
            workers.append(self._start(worker.shard))

    def _count(self, worker: Worker, num_records: int) -> None:
        if worker.shard is not None:
            self.reported[worker.shard.name] += num_records
        self.progress.advance(num_records)

    def _finish(self, shard: Shard, result: dict[str, Any] | Failure) -> None:
        if isinstance(result, Failure):
            raise _as_error(result)
        self.summaries[shard.name] = result

    def _after_death(self, death: Death, shard: Shard) -> None:
        """Decide what to do about a shard whose worker died.

        Out of time: the record is set aside at once. Anything else (the kernel's memory killer, a crash of native
        code, somebody's `kill`): the shard is tried again; the second death at the same record sets it aside, and the
        count begins anew. A death between records, or at one that is set aside already, only counts.
        """
        position, deaths = death.position, self.deaths.setdefault(shard.name, [])
        to_blame = position >= 0 and position not in self.notes.set_aside(shard)
        if to_blame and (death.out_of_time or position in deaths):
            self.notes.add_aside(shard, position, "timeout" if death.out_of_time else "crash")
            deaths.clear()
            return
        deaths.append(position)
        if len(deaths) > self.limits.max_deaths:
            place = f"{'at' if position >= 0 else 'after'} record {death.record}"
            raise DataError(
                f"workers died {len(deaths)} times on shard {shard.name} (last exit status {death.status})",
                where=place if death.record else "outside any record",
                do="Status -9 usually means that memory ran out: use fewer workers, or smaller shards",
                exit_code=1,
            )


def _as_error(failure: Failure) -> BaseException:
    """The error to raise here for one that happened in a worker; its traceback travels as a note."""
    place = f"shard {failure.shard}" + (f", record {failure.record}" if failure.record else "")
    if isinstance(failure.error, HornbookError):
        error: HornbookError = failure.error
        error.where = error.where or place
    else:
        error = DataError(f"{failure.kind}: {failure.message}", where=place, exit_code=1)
    if failure.errno is not None and error.__cause__ is None:
        error.__cause__ = OSError(failure.errno, failure.message)
    error.add_note(failure.traceback)
    return error
