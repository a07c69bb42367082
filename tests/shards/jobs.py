"""Plain functions for the tests of the runner, found by worker processes through this file."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from hornbook.core.artifact import scratch_out
from hornbook.core.errors import DataError
from hornbook.core.recipe import Machine
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Limits, Notes, Shard
from hornbook.shards.workspace import Workspace


def copy(work: Workspace, inputs: list[int], common: str) -> dict[str, Any]:
    """Write the numbers, one a line; negative ones do what `act` says, -8 ends the worker before its record begins."""
    with work.output(f"kept/{work.name}.txt").open("w") as out:
        for position, number in enumerate(inputs):
            if number == -8:
                os.kill(os.getpid(), signal.SIGKILL)
            aside = work.begin(position, f"record-{number}")
            if aside:
                out.write(f"{aside}\n")
                continue
            act(number)
            out.write(f"{common}{number}\n")
            work.advance()
    return {"in": len(inputs)}


def act(number: int) -> None:
    """-1 hangs in native code, -2 crashes, -3 and -5 raise, -4 kills the parent, -6 waits long, -7 briefly."""
    if number == -1:
        deep = (1 << 300_000_000) - 1
        str(deep.bit_count() * pow(deep, 2))  # one native call without end
    elif number == -2:
        ctypes.string_at(0)
    elif number == -3:
        raise KeyError("no such word")
    elif number == -4:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(10)
    elif number == -5:
        raise DataError("this file is odd", do="Fix it")
    elif number == -6:
        time.sleep(60)
    elif number == -7:
        time.sleep(0.002)


def environment(work: Workspace, inputs: list[str], common: None) -> dict[str, Any]:
    """What these variables are in a worker."""
    return {name: os.environ.get(name) for name in inputs}


def run_numbers(folder: Path, numbers: list[list[int]], workers: int, limits: Limits | None = None) -> list[Any]:
    """Run `copy` over shards of numbers into `folder`; two workers are two processes, however little there is to do."""
    if workers > 1 and limits is None:
        limits = Limits(cpu_s=60.0)
    out = scratch_out(folder, machine=Machine(workers=workers))
    shards = [Shard(f"{index:03d}", part) for index, part in enumerate(numbers)]
    return run_shards(copy, shards, out, label="copy", common="n", job="v1", limits=limits)


def contents(folder: Path) -> dict[str, str]:
    """What the job wrote, by name."""
    return {file.name: file.read_text() for file in sorted((folder / "kept").iterdir())}


def main() -> None:
    """Run 20 slow shards; `kill`: "N" ends this process before the note of shard N, "wait" hangs in two of them."""
    folder, workers, kill = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if kill == "wait":
        run_numbers(folder, [[1, -6], [2, -6], [3]], workers)
    if kill:
        finish = Notes.finish

        def killing(self: Notes, shard: Shard, outputs: list[str], summary: dict[str, Any]) -> None:
            if shard.name == kill:
                os.kill(os.getpid(), signal.SIGKILL)
            finish(self, shard, outputs, summary)

        Notes.finish = killing  # type: ignore[method-assign, assignment]
    run_numbers(folder, [[100 * shard + i for i in range(5)] + [-7] * 5 for shard in range(20)], workers)


if __name__ == "__main__":
    main()
