"""The program a worker process runs: one shard after the other, until its parent closes the pipe.

A plain subprocess instead of `multiprocessing`: nothing is inherited from a parent that may hold torch, polars or
progress threads (fork is unsafe then), the parent's main script is never imported again, and one worker can be ended
and replaced without touching the others. Start-up is one interpreter plus the imports of the function.
"""

import errno
import importlib
import importlib.util
import json
import logging
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hornbook.core.errors import HornbookError, is_disk_full
from hornbook.shards.shard import Failure, Limits, Notes, Shard
from hornbook.shards.workspace import Beat, Workspace

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Assignment:
    """What every worker of a run is told once: which function, what its shards have in common, where and how.

    `where`: the function's address; `common`: pickled, since its classes may be known only once the function's file is
    loaded.
    """

    where: tuple[str, str, str]
    common: bytes
    root: Path
    scratch: Path
    notes: Notes
    limits: Limits


def address(function: Callable[..., Any]) -> tuple[str, str, str]:
    """Module, file and name of a plain function, enough to find it in another process."""
    module = sys.modules[function.__module__]
    if "<" in function.__qualname__:
        raise ValueError(f"{function.__qualname__} is not a module-level function: another process cannot find it")
    return function.__module__, str(getattr(module, "__file__", "") or ""), function.__qualname__


def find_function(where: tuple[str, str, str]) -> Callable[..., Any]:
    """The function at an address: by module name, else from its file (scripts, tests)."""
    name, file, qualname = where
    try:
        if name == "__main__":
            raise ImportError(name)
        module = importlib.import_module(name)
    except ImportError:
        stand_in = "hornbook_main_script" if name == "__main__" else name
        spec = importlib.util.spec_from_file_location(stand_in, file)
        if spec is None or spec.loader is None:
            raise
        module = importlib.util.module_from_spec(spec)
        sys.modules[stand_in] = module
        spec.loader.exec_module(module)
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def perform(
    function: Callable[..., dict[str, Any]], common: Any, shard: Shard, notes: Notes, work: Workspace
) -> dict[str, Any] | Failure:
    """Run the function on one shard, publish its outputs, then note that it is finished.

    The summary is what a restart reads from the note: lists for tuples, text for keys.
    """
    try:
        with work:
            summary = function(work, shard.inputs, common)
            work.end()
            notes.finish(shard, work.publish(), summary)
            return json.loads(json.dumps(summary))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of a native library is no Exception
        return _failure(error, shard, work.record)


def _failure(error: BaseException, shard: Shard, record: str) -> Failure:
    number = error.errno if isinstance(error, OSError) else None
    return Failure(
        kind=type(error).__name__,
        message=str(error),
        traceback="".join(traceback.format_exception(error)),
        shard=shard.name,
        record=record,
        errno=number or (errno.ENOSPC if is_disk_full(error) else None),
        error=error if isinstance(error, HornbookError) else None,
    )


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Take shards from one pipe and answer on the other: ("progress", n) and ("done", summary or Failure)."""

    def send(*message: Any) -> None:
        pickle.dump(message, outgoing)
        outgoing.flush()

    assignment, beat_file = pickle.load(incoming)
    assert isinstance(assignment, Assignment)
    root, scratch, notes, limits = assignment.root, assignment.scratch, assignment.notes, assignment.limits
    beat = Beat(Path(beat_file))
    function: Callable[..., Any] | None = None
    common: Any = None
    while True:
        try:
            shard = pickle.load(incoming)
        except EOFError:
            return
        work = Workspace(shard.name, root, scratch, notes.set_aside(shard), limits, beat, lambda n: send("progress", n))
        try:
            if function is None:
                function, common = find_function(assignment.where), pickle.loads(assignment.common)
        except Exception as error:  # noqa: BLE001 - the job's own errors, whatever they are
            send("done", _failure(error, shard, ""))
            continue
        send("done", perform(function, common, shard, notes, work))


def main() -> None:
    """Entry point of the subprocess. Standard output is kept for messages; what code prints goes to standard error."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    logging.getLogger().addHandler(logging.NullHandler())
    _end_with_parent(int(sys.argv[1]))
    try:
        serve(incoming, outgoing)
    except BrokenPipeError:
        os._exit(1)


def _end_with_parent(parent: int) -> None:
    """On Linux the kernel ends a worker whose parent was killed, so that it cannot write beside a restarted run.

    `parent`: its process id. Process 1 can be it (the entry point of a container), or whoever adopts orphans.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main()
