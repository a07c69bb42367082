"""Stage posttrain.sft: supervised fine-tuning on conversations; only what the assistant says is learned.

Source: instruction tuning as in Ouyang et al. 2022 (https://arxiv.org/abs/2203.02155), section 3.5. Deviation: the loss
is the sum over all answer tokens of a batch divided by their number, so long answers weigh more than short ones and
micro-batches change nothing.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pydantic
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.compute.device import pick
from hornbook.compute.dtype import compute_dtype
from hornbook.core.artifact import Artifact, Out
from hornbook.core.conversation import read_conversations
from hornbook.core.errors import DataError
from hornbook.core.seed import key
from hornbook.core.settings import StrictSettings
from hornbook.core.units import human_count, human_seconds
from hornbook.model.decoder import Decoder
from hornbook.posttrain.examples import ExampleSource, rendered
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.train.curves import training_blocks
from hornbook.train.loop import Job, LoopSettings, Measure, fit
from hornbook.train.objective import NextToken
from hornbook.train.optimizer import OptimizerSettings
from hornbook.train.packing import Piece, best_fit, row_arrays
from hornbook.train.schedule import ScheduleSettings

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"model": "checkpoint", "conversations": "conversations"}
WRITES = "checkpoint"
VERSION = 1


class Settings(StrictSettings):
    """How long and how fast."""

    epochs: float = pydantic.Field(default=2.0, gt=0)
    """Times that every conversation is seen; ignored when total_tokens is given."""
    total_tokens: int | None = pydantic.Field(default=None, gt=0)
    """Tokens to train on, prompts and padding included."""
    row_tokens: int = pydantic.Field(default=256, ge=8)
    """Tokens of a packed row; longer conversations are left out and counted."""
    batch_rows: int = pydantic.Field(default=8, gt=0)
    """Rows of a batch."""
    validation_frac: float = pydantic.Field(default=0.02, ge=0, lt=1)
    """Share of conversations kept out to measure on."""
    dtype: str = "auto"
    """Number format of matrix products: `auto`, `bf16` or `fp32`."""
    loop: LoopSettings = LoopSettings(
        optimizer=OptimizerSettings(matrix_lr=0.005, embedding_lr=0.005, gain_lr=0.002, momentum_steps=0),
        schedule=ScheduleSettings(warmup_steps=10, decay_frac=1.0),
    )
    """Learning rates (a quarter of pretraining's), schedule, saving, compiling."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Fine-tune and write the checkpoint folder."""
    before: Artifact = inputs["model"]
    tokenizer = Tokenizer.load(before.path)
    train, validation, left_out = _items(settings, inputs["conversations"], tokenizer)
    device = pick(out.machine)
    model = checkpoint.load(before.path, device, compute_dtype(device, settings.dtype))
    source = ExampleSource(
        train,
        row_tokens=settings.row_tokens,
        batch_rows=settings.batch_rows,
        pad_id=tokenizer.pad_id,
        seed=out.seed,
    )
    rows = len(source.epoch_rows(0))
    total = settings.total_tokens or math.ceil(settings.epochs * rows) * settings.row_tokens
    measures = [_validator(model, validation, settings.row_tokens, tokenizer.pad_id)] if validation else []
    job = Job(model, source, NextToken(), total, settings.loop, measures)
    state = fit(job, out)
    out.counts |= {
        "conversations": len(train),
        "left_out": left_out,
        "tokens": state.tokens,
        "steps": state.step,
        "parameters": model.settings.num_parameters(),
        "seconds": round(state.elapsed_s, 2),
        "flops": model.settings.flops_per_token(settings.row_tokens) * state.tokens,
    }
    if left_out:
        out.log.line(f"{left_out} conversations were left out: longer than {settings.row_tokens} tokens or no answer")
    training = {"fine-tuned on": f"{len(train):,} conversations", "tokens": state.tokens, "steps": state.step}
    card = {"licences": sorted(set(out.licences)), "sources": sorted(set(out.sources)), "training": training}
    checkpoint.save(out.path, model, before.path, card=card)


def describe(artifact: Artifact) -> "list[Block]":
    """What was learned from, what it took, and the curves."""
    counts = artifact.manifest.counts
    rows = [
        ("conversations", f"{counts.get('conversations', 0):,} ({counts.get('left_out', 0):,} left out)"),
        ("tokens", human_count(counts.get("tokens", 0))),
        ("steps", f"{counts.get('steps', 0):,}"),
        ("time", human_seconds(counts.get("seconds", 0.0))),
    ]
    return training_blocks(artifact, rows)


def _items(settings: Settings, artifact: Artifact, tokenizer: Tokenizer) -> tuple[list[Piece], list[Piece], int]:
    """Training and validation conversations, rendered; split by a hash of the conversation's id."""
    everything = list(read_conversations(artifact.path))
    limit = settings.validation_frac * 2**64
    kept_out = {c.id for c in everything if key(0, f"posttrain.sft/{c.id}") < limit}
    train, left_out = rendered([c for c in everything if c.id not in kept_out], tokenizer, settings.row_tokens)
    validation, _ = rendered([c for c in everything if c.id in kept_out], tokenizer, settings.row_tokens)
    if not train:
        raise DataError(
            "no conversation is left to learn from",
            where=str(artifact.path),
            do=f"Each needs an assistant's message and must fit {settings.row_tokens} tokens (row_tokens)",
        )
    return train, validation, left_out


def _validator(model: Decoder, items: list[Piece], row_tokens: int, pad_id: int) -> Measure:
    """Nats per answer token on conversations that were kept out."""
    packed = best_fit([len(weights) for _, weights in items], row_tokens)
    rows = [row_arrays([items[i] for i in row], row_tokens, pad_id) for row in packed]
    parts = [torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True)]

    @torch.no_grad()
    def measure() -> dict[str, float]:
        device = model.embedding.device
        nats = weight = 0.0
        for first in range(0, len(rows), 8):
            ids, targets, weights, segments = (part[first : first + 8].to(device) for part in parts)
            found = model.token_nats(model.hidden(ids, None, segments), targets)
            nats += float((found.double() * weights).sum())
            weight += float(weights.sum())
        return {"validation_nats": nats / weight}

    return measure
