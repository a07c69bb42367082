"""A shard: the unit of work, of retry and of resume; and the notes on disk that say which shards are finished."""

import hashlib
import json
import os
import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Shard:
    """One piece of a job: a name that orders the output, and inputs that JSON can hold (paths, ranges)."""

    name: str
    inputs: Any


@dataclass(frozen=True, slots=True)
class Limits:
    """What one record may cost before its worker is ended and the record set aside.

    `cpu_s`: CPU seconds of the worker (None: no limit, and one worker may then run inside this process);
    `wall_factor`: a record that waits without computing is ended after `cpu_s * wall_factor` seconds on the clock;
    `max_deaths`: how often a shard may lose its worker without getting further before the run fails.
    """

    cpu_s: float | None = None
    wall_factor: float = 30.0
    max_deaths: int = 3


@dataclass(frozen=True, slots=True)
class Notes:
    """The folder of a job's notes: one file for each finished shard, one for each shard with records set aside.

    `folder`: inside the artifact's resume folder; `job`: settings and version as text. A note written for other
    settings or other inputs does not count.
    """

    folder: Path
    job: str

    def summary(self, shard: Shard, root: Path) -> dict[str, Any] | None:
        """The summary of a finished shard, or None when it must be (re)done."""
        note = self._read(self.folder / f"{shard.name}.done.json", shard)
        if note is None or not all((root / name).is_file() for name in note["outputs"]):
            return None
        return note["summary"]

    def finish(self, shard: Shard, outputs: Iterable[str], summary: dict[str, Any]) -> None:
        """Say that a shard is finished; its outputs already carry their final names."""
        record = {"key": self._key(shard), "outputs": sorted(outputs), "summary": summary}
        write_whole(self.folder / f"{shard.name}.done.json", record)

    def set_aside(self, shard: Shard) -> dict[int, str]:
        """Records of this shard that are to be left out, by position, with the reason."""
        note = self._read(self.folder / f"{shard.name}.aside.json", shard)
        return {int(position): reason for position, reason in note["records"].items()} if note else {}

    def add_aside(self, shard: Shard, position: int, reason: str) -> None:
        """Leave a record out from now on, in every later attempt and after every restart."""
        records = {str(p): r for p, r in self.set_aside(shard).items()} | {str(position): reason}
        write_whole(self.folder / f"{shard.name}.aside.json", {"key": self._key(shard), "records": records})

    def _key(self, shard: Shard) -> str:
        text = json.dumps([self.job, shard.name, shard.inputs], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def _read(self, file: Path, shard: Shard) -> dict[str, Any] | None:
        try:
            note = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return note if isinstance(note, dict) and note.get("key") == self._key(shard) else None


@dataclass(slots=True)
class Failure:
    """What went wrong in a worker, in a form that crosses process borders.

    `error`: the error itself where it is an explained one and both sides know its class; `errno`: that of the
    operating system, and of a full disk in any case.
    """

    kind: str
    message: str
    traceback: str
    shard: str
    record: str
    errno: int | None = None
    error: Any = field(default=None)

    def __reduce__(self) -> tuple[Any, ...]:
        """Words always arrive; the error only if it can (a class of the main script has another name elsewhere)."""
        words = (self.kind, self.message, self.traceback, self.shard, self.record, self.errno)
        try:
            return _arrived, (*words, pickle.dumps(self.error))
        except Exception:  # noqa: BLE001 - what a foreign class raises when it is pickled
            return Failure, words


def _arrived(*values: Any) -> Failure:
    *words, error = values
    try:
        return Failure(*words, error=pickle.loads(error))
    except Exception:  # noqa: BLE001 - a class that this process does not know, or cannot make
        return Failure(*words)


def write_whole(file: Path, record: Any) -> None:
    """Write JSON under a name that is either absent, old or complete, never half; keys keep their order."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    partial.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    os.replace(partial, file)
