"""A training run as a reader sees it: the table of what it took and its curves."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact
from hornbook.train.loop import METRICS

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

CURVES = {
    "loss": ("Loss", "nats per token"),
    "validation_bits_per_byte": ("Validation", "bits per byte"),
    "anneal_validation_bits_per_byte": ("Validation", "bits per byte"),
    "validation_nats": ("Validation", "nats per answer token"),
    "grad_norm": ("Length of the gradient", "norm"),
}


def training_blocks(
    artifact: Artifact, rows: Sequence[tuple[str, str]], switch_tokens: int | None = None
) -> "list[Block]":
    """A table of facts, one plot for every quantity that was recorded, and what the model wrote on the way.

    `switch_tokens`: where the run went over to its second mix; the loss has another line from there.
    """
    from hornbook.report.blocks import Samples, Series, Table

    blocks: list[Block] = [Table("Training", ["what", "value"], [list(row) for row in rows])]
    file = artifact.path / METRICS
    records = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    plots: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = {}
    for name, heading in CURVES.items():
        points = [(float(r["tokens"]), float(r[name])) for r in records if name in r]
        if len(points) > 1:
            parts = _parted(name, points, switch_tokens) if name == "loss" else {name.replace("_", " "): points}
            plots[heading] = plots.get(heading, {}) | parts
    blocks += [Series(title, "tokens", unit, lines) for (title, unit), lines in plots.items()]
    written = [{"step": str(r["step"]), **sample} for r in records for sample in r.get("samples", ())]
    if written:
        blocks.append(Samples("What it wrote while it learned", written))
    return blocks


def _parted(name: str, points: list[tuple[float, float]], switch_tokens: int | None) -> dict[str, Any]:
    """The curve in one line, or in two where the run changed its data."""
    if switch_tokens is None:
        return {name: points}
    after = [point for point in points if point[0] > switch_tokens]
    parts = {f"{name}, main mix": points[: len(points) - len(after)], f"{name}, second mix": after}
    return {part: line for part, line in parts.items() if line}
