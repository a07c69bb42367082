"""Conversations: pure text with roles; no token is known here."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.core.errors import DataError

ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who speaks (`system`, `user`, `assistant` or `tool`) and what is said."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order, with an id that never changes."""

    id: str
    messages: tuple[Message, ...]
    meta: dict[str, Any] = field(default_factory=dict[str, Any])


def conversation_from(record: Any, where: str) -> Conversation:
    """A conversation from a decoded JSON object. Raises DataError that names the record and what is wrong in it."""
    if not isinstance(record, dict) or not isinstance(record.get("messages"), list) or not record["messages"]:
        raise DataError('a conversation needs a list "messages" with at least one message', where=where)
    messages: list[Message] = []
    for position, item in enumerate(record["messages"]):
        role, content = (item.get("role"), item.get("content")) if isinstance(item, dict) else (None, None)
        if role not in ROLES or not isinstance(content, str):
            raise DataError(
                f"message {position} has role {role!r} and content of type {type(content).__name__}",
                where=where,
                do=f"Roles are {', '.join(ROLES)}; contents are strings",
            )
        messages.append(Message(role, content))
    return Conversation(str(record.get("id", where)), tuple(messages), dict(record.get("meta") or {}))


def read_conversations(path: Path) -> Iterator[Conversation]:
    """The conversations of a JSONL file (or of `conversations.jsonl` in a folder). Raises DataError with the line."""
    file = path / "conversations.jsonl" if path.is_dir() else path
    with file.open(encoding="utf-8", errors="strict") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"not JSON: {error.msg}", where=f"{file}:{number}") from None
            yield conversation_from(record, f"{file.name}:{number}")


def write_conversations(path: Path, conversations: Iterable[Conversation]) -> int:
    """Write JSONL (`conversations.jsonl` when `path` is a folder); returns how many."""
    file = path / "conversations.jsonl" if path.is_dir() else path
    count = 0
    with file.open("w", encoding="utf-8") as out:
        for item in conversations:
            messages = [{"role": m.role, "content": m.content} for m in item.messages]
            record = {"id": item.id, "messages": messages, "meta": item.meta}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    return count
