"""Scores on disk, and how a reader sees them: `scores.json` and `samples.jsonl`."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact, write_json
from hornbook.core.errors import ArtifactError
from hornbook.tasks.score import Score

if TYPE_CHECKING:
    from hornbook.report.blocks import Scores

DECIMALS = 6
"""Scores are rounded to so many decimals: the last bits of a sum depend on the number of threads."""


def write_scores(
    folder: Path, scores: Sequence[Score], titles: dict[str, str] | None = None, **more: dict[str, Any]
) -> None:
    """Write `scores.json`: every score as a record (with a `title` for readers), and more tables beside them."""
    records = [_rounded(s.record() | {"title": (titles or {}).get(s.name, s.name)}) for s in scores]
    write_json(folder / "scores.json", {"scores": records} | {name: _rounded(table) for name, table in more.items()})


def read_scores(folder: Path) -> dict[str, Any]:
    """What `scores.json` holds. Raises ArtifactError when it cannot be read."""
    file = folder / "scores.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"the scores cannot be read: {error}", where=str(file), do="Evaluate again") from None


def write_samples(folder: Path, samples: Iterable[dict[str, Any]]) -> int:
    """Write `samples.jsonl`, complete or not at all; returns how many."""
    count = 0
    scratch = folder / ".samples.jsonl.new"
    with scratch.open("w", encoding="utf-8") as out:
        for sample in samples:
            out.write(json.dumps(_rounded(sample), ensure_ascii=False) + "\n")
            count += 1
    scratch.replace(folder / "samples.jsonl")
    return count


def read_samples(folder: Path) -> Iterator[dict[str, Any]]:
    """The records of `samples.jsonl`."""
    with (folder / "samples.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def scores_block(artifact: Artifact, title: str) -> "Scores":
    """Every score with its interval, baseline and bar, for reports."""
    from hornbook.report.blocks import ScoreRow, Scores

    rows = [
        ScoreRow(
            name=record["title"],
            value=record["value"],
            low=record["low"],
            high=record["high"],
            num_cases=record["num_cases"],
            unit=record["unit"],
            baseline=record["baseline"],
            bar=record["bar"],
            protocol=record["protocol"],
            higher_is_better=not record["lower_is_better"],
        )
        for record in read_scores(artifact.path)["scores"]
    ]
    return Scores(title, rows)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
