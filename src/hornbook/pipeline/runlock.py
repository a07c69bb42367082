"""One process at a time writes a run: a lock file that the operating system frees when the process ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hornbook.core.errors import ArtifactError

LOCK_FILE = ".running"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the run's lock while the body runs. Raises ArtifactError when another process holds it."""
    file = (folder / LOCK_FILE).open("a+")
    try:
        if not _take(file):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise ArtifactError(
                f"another process (number {holder}) is writing this run",
                where=str(folder),
                do=f"Watch it with `hornbook look {folder}`, or wait until it has ended",
            )
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.seek(0)
        file.truncate()
    finally:
        file.close()


def is_running(folder: Path) -> bool:
    """Whether a process is writing this run now."""
    path = folder / LOCK_FILE
    if not path.exists():
        return False
    with path.open("a+") as file:
        return not _take(file)


def _take(file: IO[str]) -> bool:
    """Lock an open file without waiting; whether that worked. Closing the file, or dying, unlocks it."""
    if os.name == "nt":
        import msvcrt

        try:
            file.seek(1 << 20)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
