"""A training run as a reader sees it: the table of what it took and its curves."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hornbook.core.artifact import Artifact
from hornbook.train.loop import METRICS

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

CURVES = {
    "loss": ("Loss", "nats per token"),
    "validation_bits_per_byte": ("Validation", "bits per byte"),
    "validation_nats": ("Validation", "nats per answer token"),
    "grad_norm": ("Length of the gradient", "norm"),
}


def training_blocks(artifact: Artifact, rows: Sequence[tuple[str, str]]) -> "list[Block]":
    """A table of facts, one plot for every quantity that was recorded, and what the model wrote on the way."""
    from hornbook.report.blocks import Samples, Series, Table

    blocks: list[Block] = [Table("Training", ["what", "value"], [list(row) for row in rows])]
    file = artifact.path / METRICS
    records = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    for name, (title, unit) in CURVES.items():
        points = [(float(r["tokens"]), float(r[name])) for r in records if name in r]
        if len(points) > 1:
            blocks.append(Series(title, "tokens", unit, {name.replace("_", " "): points}))
    written = [{"step": str(r["step"]), **sample} for r in records for sample in r.get("samples", ())]
    if written:
        blocks.append(Samples("What it wrote while it learned", written))
    return blocks
