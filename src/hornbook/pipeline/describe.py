"""An artifact as blocks: what its stage says about it, or what its kind lets anybody see."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Artifact
from hornbook.core.errors import HornbookError
from hornbook.pipeline.stage import load_stage
from hornbook.report.blocks import Block, Funnel, Samples, Series, Table, Text

SAMPLE_DOCS = 4


def describe(artifact: Artifact, folder: Path | None = None) -> list[Block]:
    """Blocks of an artifact. `folder`: where the user's own stage files lie (the run's folder).

    A stage that cannot be imported or fails to describe costs its own words only: the kind's remain.
    """
    name = artifact.manifest.stage
    if name and not name.startswith("("):
        try:
            stage = load_stage(_copied(name, folder), folder)
        except HornbookError:
            return by_kind(artifact)
        if stage.describe is not None:
            try:
                return list(stage.describe(artifact))
            except Exception as error:  # noqa: BLE001 - a report must not end because one stage cannot be shown
                return [Text("", f"{name} could not describe this: {error}"), *by_kind(artifact)]
    return by_kind(artifact)


def by_kind(artifact: Artifact) -> list[Block]:
    """What the files of a kind show: the funnel, documents, conversations, tasks, scores, curves, files."""
    shows = {
        "documents": _documents,
        "conversations": _conversations,
        "tasks": _tasks,
        "scores": _scores,
        "checkpoint": _checkpoint,
    }
    blocks = shows.get(artifact.kind, lambda _: [])(artifact)
    return blocks or [_files(artifact)]


def funnel_of(artifact: Artifact) -> Funnel | None:
    """The funnel of a documents artifact, where one was written."""
    file = artifact.path / "funnel.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Funnel("", data["in"], data["kept"], data.get("dropped", {}), data.get("edited", {}))
    except (OSError, ValueError, KeyError):
        return None


def score_records(artifact: Artifact) -> list[dict[str, Any]]:
    """The scores of a scores artifact as they are on disk (none when they cannot be read)."""
    try:
        return list(json.loads((artifact.path / "scores.json").read_text(encoding="utf-8"))["scores"])
    except (OSError, ValueError, KeyError):
        return []


def _copied(name: str, folder: Path | None) -> str:
    """A stage file of the user's own as the run keeps it, so that an edited original is not believed."""
    if folder is None or not name.endswith(".py"):
        return name
    copy = folder / "stage_files" / Path(name).name
    return f"./stage_files/{copy.name}" if copy.exists() else name


def _documents(artifact: Artifact) -> list[Block]:
    from hornbook.core.document import read_documents

    blocks: list[Block] = []
    funnel = funnel_of(artifact)
    if funnel is not None:
        blocks.append(funnel)
    if any((artifact.path / "kept").glob("*.parquet")):
        texts = [{"id": d.id, "text": d.text} for d in islice(read_documents(artifact.path), SAMPLE_DOCS)]
        blocks.append(Samples("Documents", texts))
    return blocks


def _conversations(artifact: Artifact) -> list[Block]:
    from hornbook.core.conversation import read_conversations

    items = [
        {"id": talk.id, "text": "\n".join(f"{m.role}: {m.content}" for m in talk.messages)}
        for talk in islice(read_conversations(artifact.path), SAMPLE_DOCS)
    ]
    return [Samples("Conversations", items)]


def _tasks(artifact: Artifact) -> list[Block]:
    items = [
        {"task": file.stem} | {name: _plain(value) for name, value in record.items() if name != "meta"}
        for file in sorted(artifact.path.glob("*.jsonl"))
        for record in islice(_records(file), 1)
    ]
    return [Samples("Tasks", items)]


def _scores(artifact: Artifact) -> list[Block]:
    from hornbook.evaluate.results import scores_block

    return [scores_block(artifact, "Scores")]


def _checkpoint(artifact: Artifact) -> list[Block]:
    """Every quantity of metrics.jsonl that has a step, as a curve."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for record in _records(artifact.path / "metrics.jsonl"):
        x = record.get("tokens", record.get("step"))
        for name, value in record.items():
            if name not in ("step", "tokens") and isinstance(value, (int, float)) and isinstance(x, (int, float)):
                lines.setdefault(name, []).append((float(x), float(value)))
    return [Series(name.replace("_", " "), "tokens", "", {name: points}) for name, points in lines.items()]


def _files(artifact: Artifact) -> Table:
    files = [p for p in sorted(artifact.path.rglob("*")) if p.is_file() and p.name != "manifest.json"]
    rows: list[list[object]] = [[p.relative_to(artifact.path).as_posix(), p.stat().st_size] for p in files]
    return Table("Files", ["file", "bytes"], rows)


def _records(file: Path) -> Iterator[dict[str, Any]]:
    from hornbook.pipeline.history import read_records

    yield from read_records(file)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
