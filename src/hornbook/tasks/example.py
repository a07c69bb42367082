"""Examples: what is asked and what would be right. Text only."""

import importlib
import importlib.util
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from hornbook.core.conversation import Message, conversation_from
from hornbook.core.errors import DataError, SettingsError


@dataclass(frozen=True, slots=True)
class Example:
    """One case of a task: the messages that ask, the answers that are right, and what a grader may need."""

    id: str
    messages: tuple[Message, ...]
    answers: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict[str, Any])


Grader = Callable[[Example, str], float]
"""From an example and the text a model gave to a score, 1 = right."""


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write JSON lines; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for item in examples:
            messages = [{"role": m.role, "content": m.content} for m in item.messages]
            record = {"id": item.id, "messages": messages, "answers": list(item.answers), "meta": item.meta}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_examples(path: Path) -> Iterator[Example]:
    """Read JSON lines. Raises DataError with the line that is wrong."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"not JSON: {error.msg}", where=where) from None
            conversation = conversation_from(record, where)
            answers = tuple(str(answer) for answer in record.get("answers", ()))
            yield Example(conversation.id, conversation.messages, answers, conversation.meta)


def load_grader(address: str) -> Grader:
    """The grader at `module:function`, or `./file.py:function` for one of the user's own.

    Raises SettingsError when there is none.
    """
    place, _, name = address.rpartition(":")
    try:
        grader: Any = getattr(_local(Path(place)) if place.endswith(".py") else importlib.import_module(place), name)
    except (ImportError, AttributeError, ValueError) as error:
        do = 'Write "module:function" or "./file.py:function"'
        raise SettingsError(f'there is no grader at "{address}": {error}', do=do) from None
    if not callable(grader):
        raise SettingsError(f'the grader at "{address}" is a {type(grader).__name__}, not a function')
    return cast(Grader, grader)


def _local(file: Path) -> ModuleType:
    """The module in a file of the user's. Raises SettingsError with whatever goes wrong while it is loaded."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.exists():
        raise ImportError(f"no file {file}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - whatever the user's file raises
        raise SettingsError(f"the grader's file fails: {type(error).__name__}: {error}", where=str(file)) from None
    return module
