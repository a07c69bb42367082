"""Stage posttrain.sft: supervised fine-tuning on conversations; only what the assistant says is learned.

Source: instruction tuning as in Ouyang et al. 2022 (https://arxiv.org/abs/2203.02155), section 3.5. Deviation: the loss
is the sum over all answer tokens of a batch divided by their number, so long answers weigh more than short ones and
micro-batches change nothing.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.checkpoint import folder as checkpoint
from hornbook.compute.device import pick
from hornbook.compute.dtype import compute_dtype
from hornbook.core.artifact import Artifact, Out
from hornbook.core.conversation import Conversation, read_conversations
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import StrictSettings
from hornbook.core.units import human_count, human_seconds
from hornbook.model.decoder import Decoder
from hornbook.posttrain.answers import answerer
from hornbook.posttrain.examples import ExampleSource, rendered, split
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.train.curves import training_blocks
from hornbook.train.loop import Job, LoopSettings, Measure, State, fit
from hornbook.train.measure import FixedRows
from hornbook.train.objective import NextToken
from hornbook.train.optimizer import OptimizerSettings
from hornbook.train.schedule import ScheduleSettings

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"model": "checkpoint", "conversations": "conversations"}
WRITES = "checkpoint"
VERSION = 1


class SftOptimizer(OptimizerSettings):
    """A quarter of pretraining's rates."""

    matrix_lr: float = pydantic.Field(default=0.005, gt=0)
    """Rate of hidden matrices (Muon: relative to an orthogonal update)."""
    embedding_lr: float = pydantic.Field(default=0.005, gt=0)
    """Rate of the embedding (and of a head of its own)."""
    gain_lr: float = pydantic.Field(default=0.002, gt=0)
    """Rate of the norms' gains."""
    momentum_steps: int = pydantic.Field(default=0, ge=0)
    """Steps over which the momentum rises from .85."""


class SftSchedule(ScheduleSettings):
    """A short warm-up, then down all the way."""

    warmup_steps: int = pydantic.Field(default=10, ge=0)
    """Steps of a straight line up."""
    decay_frac: float = pydantic.Field(default=1.0, ge=0.0, le=1.0)
    """`wsd`: share of the run that the decay takes."""


class SftLoop(LoopSettings):
    """The loop with fine-tuning's rates."""

    optimizer: SftOptimizer = SftOptimizer()  # pyright: ignore[reportIncompatibleVariableOverride]
    """Learning rates and their constants."""
    schedule: SftSchedule = SftSchedule()  # pyright: ignore[reportIncompatibleVariableOverride]
    """How the rates move."""


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
    sample_tokens: int = pydantic.Field(default=48, ge=0)
    """Length of the answers that are written to a few kept-out questions at every validation; 0 = none."""
    loop: SftLoop = SftLoop()
    """Learning rates, schedule, saving, compiling."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Fine-tune and write the checkpoint folder."""
    before: Artifact = inputs["model"]
    tokenizer = Tokenizer.load(before.path)
    device = pick(out.machine)
    model = checkpoint.load(before.path, device, compute_dtype(device, settings.dtype))
    _check_room(settings, model, before)
    kept = split(list(read_conversations(inputs["conversations"].path)), settings.validation_frac)
    train, left_out = rendered(kept.train, tokenizer, settings.row_tokens)
    if not train:
        raise DataError(
            "no conversation is left to learn from",
            where=str(inputs["conversations"].path),
            do=f"Each needs an assistant's message and must fit {settings.row_tokens} tokens (row_tokens)",
        )
    source = ExampleSource(
        train,
        row_tokens=settings.row_tokens,
        batch_rows=settings.batch_rows,
        pad_id=tokenizer.pad_id,
        seed=out.seed,
    )
    rows = len(source.epoch_rows(0))
    total = settings.total_tokens or math.ceil(settings.epochs * rows) * settings.row_tokens
    measures = _measures(settings, kept.validation, model, tokenizer, out.seed)
    state = fit(Job(model, source, NextToken(), total, settings.loop, measures), out)
    _finish(settings, out, model, before, state, len(train), left_out)


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


def _check_room(settings: Settings, model: Decoder, artifact: Artifact) -> None:
    if settings.row_tokens > model.settings.max_tokens:
        raise SettingsError(
            f"row_tokens is {settings.row_tokens} and the model reads {model.settings.max_tokens} tokens",
            where=str(artifact.path),
            do=f"Set row_tokens to at most {model.settings.max_tokens}",
        )


def _measures(
    settings: Settings, conversations: Sequence[Conversation], model: Decoder, tokenizer: Tokenizer, seed: int
) -> list[Measure]:
    items, _ = rendered(conversations, tokenizer, settings.row_tokens)
    if not items:
        return []
    rows = FixedRows(
        items,
        row_tokens=settings.row_tokens,
        batch_rows=settings.loop.micro_rows or settings.batch_rows,
        pad_id=tokenizer.pad_id,
        device=model.embedding.device,
    )
    measures: list[Measure] = [lambda surprise: {"validation_nats": rows.nats(surprise) / rows.weight}]
    if settings.sample_tokens:
        measures.append(answerer(model, tokenizer, conversations, max_tokens=settings.sample_tokens, seed=seed))
    return measures


def _finish(
    settings: Settings, out: Out, model: Decoder, before: Artifact, state: State, num_train: int, left_out: int
) -> None:
    out.counts |= {
        "conversations": num_train,
        "left_out": left_out,
        "tokens": state.tokens,
        "learned_tokens": int(state.learned),
        "skipped_batches": state.skipped,
        "steps": state.step,
        "parameters": model.settings.num_parameters(),
        "seconds": round(state.elapsed_s, 2),
        "flops": model.settings.flops_per_token(settings.row_tokens) * state.tokens,
        "events": state.events,
    }
    if left_out:
        out.log.line(f"{left_out} conversations were left out: longer than {settings.row_tokens} tokens or no answer")
    training = {"fine-tuned on": f"{num_train:,} conversations", "tokens": state.tokens, "steps": state.step}
    card = {"licences": sorted(set(out.licences)), "sources": sorted(set(out.sources)), "training": training}
    checkpoint.save(out.path, model, before.path, card=card)
