"""A stage's classifier: given or trained, made for this stage's task, and kept beside what it classified."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.errors import SettingsError
from hornbook.core.settings import resolve_input
from hornbook.data.learned.classifier import Classifier, load


@dataclass(frozen=True)
class Trained:
    """A classifier with its file in the artifact, for worker processes; `digest`: of the file, for jobs."""

    classifier: Classifier
    file: Path
    digest: str


def settle(
    given: str | None, task: str, setting: str, train: Callable[[], Classifier | None], file: Path
) -> Trained | None:
    """The classifier of the file `given`, else what `train` returns, written to `file`; None where that is None.

    `task`: what it has to be made for; `setting`: the one that names the file, for messages. Raises SettingsError for
    a classifier of another task: it would answer, and every answer would mean something else.
    """
    classifier = for_task(given, task, setting) if given else train()
    if classifier is None:
        return None
    classifier.save(file)
    return Trained(classifier, file, hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest())


def for_task(given: str, task: str, setting: str) -> Classifier:
    """The classifier of a file. Raises SettingsError when it was made for another task."""
    classifier = load(resolve_input(given))
    found = classifier.about.get("task")
    if found != task:
        raise SettingsError(
            f"this classifier is for {found}, not for {task}: it tells {' from '.join(classifier.classes)}",
            where=f'{setting} = "{given}"',
            do=f"Give one that was trained for {task}",
        )
    return classifier
