"""Workers on a Ray cluster: each is an actor that keeps one of our own worker processes on its node.

Ray places the work, notices dead nodes and moves bytes; everything about a shard (limits of a record, what is set
aside, names given at the end, notes) is done by the same code as on one machine. The folders of a run must be at the
same path on every node. Without the variable RAY_ADDRESS a cluster of this machine alone is started.
"""

import logging
import os
import queue
import threading
from typing import Any

from hornbook.core.errors import DataError, HornbookError, SettingsError
from hornbook.shards.pool import Death, Inbox, WorkerProcess
from hornbook.shards.shard import Failure, Shard
from hornbook.shards.worker import Assignment

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
NEAR = "the folder of the run is not there on this node of the cluster"


def connect(num_workers: int) -> int:
    """Join the cluster of RAY_ADDRESS, or start one on this machine with a CPU for each worker; once per process.

    Returns how many CPUs all its nodes have. Raises SettingsError when Ray is not installed or the cluster does not
    answer.
    """
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    try:
        import ray
    except ImportError:
        raise SettingsError(
            'runner "ray" needs the package ray', where="[machine]", do="pip install 'hornbook[cluster]'"
        ) from None
    if not ray.is_initialized():
        _join(ray, num_workers)
    return max(1, int(ray.cluster_resources().get("CPU", 0)))


def _join(ray: Any, num_workers: int) -> None:
    there = os.environ.get("RAY_ADDRESS", "")
    try:
        size: dict[str, Any] = {} if there else {"num_cpus": num_workers, "include_dashboard": False}
        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=False, **size)
    except (ConnectionError, RuntimeError, ValueError) as error:
        what = f"the Ray cluster at {there} does not answer" if there else "no local Ray cluster could be started"
        raise SettingsError(f"{what}: {error}", where="[machine], runner", do="Check RAY_ADDRESS") from None


class RayWorker:
    """One worker somewhere on the cluster, with the surface of a WorkerProcess."""

    def __init__(self, assignment: Assignment, inbox: Inbox, number: int) -> None:
        import ray

        self.shard: Shard | None = None
        self._inbox = inbox
        self._death: Death = Death()
        host: Any = ray.remote(num_cpus=1, max_restarts=0)(Host)
        self.actor = host.remote(assignment, number)

    def give(self, shard: Shard) -> None:
        """Start on a shard."""
        self.shard = shard
        threading.Thread(target=self._wait, args=(self.actor.work.remote(shard),), daemon=True).start()

    def check_clock(self) -> None:
        """Its own node watches the clock."""

    def death(self) -> Death:
        """At which record it ended, and of what."""
        return self._death

    def close(self) -> None:
        """End the actor and its process."""
        import ray

        ray.kill(self.actor)

    def _wait(self, reference: Any) -> None:
        import ray
        from ray.exceptions import RayError, RayTaskError

        messages: list[tuple[Any, ...]] = [("ended", Death())]  # also what a lost actor or node comes to
        try:
            messages = ray.get(reference)
        except RayTaskError as error:
            messages = [("done", self._failed(error))]
        except RayError:
            pass
        for message in messages:
            if message[0] == "ended":
                self._death = message[1]
            self._inbox.put((self, message))

    def _failed(self, error: Any) -> Failure:
        cause = error.cause if isinstance(error.cause, HornbookError) else None
        name = self.shard.name if self.shard else ""
        return Failure(type(error.cause).__name__, str(error.cause), str(error), name, "", error=cause)


class Host:
    """The actor: it lives on a node and passes shards to a worker process there."""

    def __init__(self, assignment: Assignment, number: int) -> None:
        self._assignment, self._number = assignment, number
        self._inbox: Inbox = queue.Queue()
        self._worker: WorkerProcess | None = None

    def work(self, shard: Shard) -> list[tuple[Any, ...]]:
        """Run one shard; returns ("progress", n) and ("done", summary or Failure), or ("ended", Death).

        Raises DataError when this node does not see the folder of the run.
        """
        root = self._assignment.root
        if not root.is_dir():
            import socket

            raise DataError(NEAR, where=f"{socket.gethostname()}:{root}", do="Use a folder that all nodes share")
        self._worker = self._worker or WorkerProcess(self._assignment, self._inbox, self._number)
        self._worker.give(shard)
        records = 0
        while True:
            try:
                _, message = self._inbox.get(timeout=0.5)
            except queue.Empty:
                self._worker.check_clock()
                continue
            if message[0] == "progress":
                records += message[1]
                continue
            if message[0] == "ended":
                self._worker.close()
                message = ("ended", self._worker.death())
            return [("progress", records), message]
