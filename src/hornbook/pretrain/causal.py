"""Stage pretrain.causal: a decoder that predicts the next token, trained from scratch on token shards.

Source: the objective of GPT (Radford et al. 2018, section 3.1): the mean negative log-likelihood of each token given
those before it. Deviations: packed documents never attend to each other, and the mean is over a whole global batch.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.compute.device import pick
from hornbook.compute.dtype import compute_dtype
from hornbook.compute.energy import Meter
from hornbook.core.artifact import Artifact, Out
from hornbook.core.errors import SettingsError
from hornbook.core.seed import key
from hornbook.core.settings import StrictSettings, parse
from hornbook.core.units import human_bytes, human_count, human_seconds
from hornbook.model.decoder import Decoder
from hornbook.model.presets import preset
from hornbook.model.settings import ModelSettings
from hornbook.pretrain import dial
from hornbook.pretrain.anneal import AnnealedSource, check_tokenizers
from hornbook.pretrain.samples import sampler
from hornbook.pretrain.source import Fill, TokenSource, open_shard
from hornbook.pretrain.validation import enough_tokens, validator
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.train.curves import training_blocks
from hornbook.train.loop import Job, LoopSettings, Measure, State, fit
from hornbook.train.objective import NextToken

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"tokens": "tokens", "anneal": "tokens?"}
WRITES = "checkpoint"
VERSION = 1
BYTES_PER_TOKEN = 4.0
SAMPLE_TEMPERATURE = 0.7
MUCH_PADDING = 0.1
PEAK_FLOPS = 2e11
"""Assumed of a machine that nobody has measured (a stage called by hand)."""


class Planned(StrictSettings):
    """What a budget became."""

    model: ModelSettings
    """Sizes of the model."""
    batch_rows: int
    """Rows of a batch."""
    total_tokens: int
    """Tokens to train on."""


class Settings(StrictSettings):
    """A model, a budget, and how to spend it."""

    model: str | dict[str, Any] = "auto"
    """A preset (`story-10m`), a table of sizes, or `auto`: chosen by the budget and the size of the corpus."""
    budget: str = ""
    """Time to train, `15min`; one of budget, total_tokens and total_flops is needed."""
    total_tokens: int | None = pydantic.Field(default=None, gt=0)
    """Tokens to train on."""
    total_flops: float | None = pydantic.Field(default=None, gt=0)
    """Training arithmetic to spend, in floating-point operations."""
    row_tokens: int = pydantic.Field(default=256, ge=8)
    """Tokens of a packed row (the context during training)."""
    batch_rows: int = pydantic.Field(default=0, ge=0)
    """Rows of a batch; 0 = chosen for about 2,500 steps."""
    dtype: str = "auto"
    """Number format of matrix products: `auto`, `bf16` or `fp32`."""
    qk_gain: float = pydantic.Field(default=1.2, gt=0)
    """First gain of the query and key norms."""
    embedding_std: float = pydantic.Field(default=0.005, gt=0)
    """Standard deviation of the first embeddings."""
    validation_tokens: int = pydantic.Field(default=0, ge=0)
    """Tokens of the validation documents that are measured ten times in a run; 0 = a hundredth of the run."""
    anneal_frac: float | None = pydantic.Field(default=None, gt=0.0, lt=1.0)
    """With `read.anneal`: share of the run, at its end, that trains on those tokens instead; empty = while the learning
    rate decays (`loop.schedule.decay_frac`)."""
    sample_prompts: tuple[str, ...] = ("",)
    """Beginnings that the model goes on from at every validation; the empty one starts a new document."""
    sample_tokens: int = pydantic.Field(default=48, ge=0)
    """Length of those samples; 0 = none are written."""
    loop: LoopSettings = LoopSettings()
    """Learning rates, schedule, saving, compiling."""
    planned: Planned | None = None
    """Filled in by `plan`: what the budget became on this machine."""

    @pydantic.model_validator(mode="after")
    def _one_budget(self) -> "Settings":
        given = [bool(self.budget), self.total_tokens is not None, self.total_flops is not None]
        if sum(given) != 1:
            raise ValueError("give exactly one of budget, total_tokens and total_flops")
        if self.budget:
            dial.seconds(self.budget)
        return self

    @property
    def anneal_part(self) -> float:
        """Share of the run that trains on the second mix, where there is one."""
        return self.loop.schedule.decay_frac if self.anneal_frac is None else self.anneal_frac


def check(settings: Settings, reads: frozenset[str]) -> None:
    """A second mix needs a time to begin, and `anneal_frac` a second mix. Raises SettingsError."""
    if "anneal" not in reads:
        if settings.anneal_frac is not None:
            raise SettingsError("anneal_frac is set and there is no second mix", do="Give read.anneal, or leave it out")
    elif settings.anneal_frac is None and settings.loop.schedule.shape != "wsd":
        found = f'the schedule "{settings.loop.schedule.shape}" has no decay for the second mix to begin with'
        raise SettingsError(found, do="Set anneal_frac")


def resolve(settings: Settings, *, probe: Any, hints: dict[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """Sizes, tokens and batch from the budget, the machine's speed and the size of the input."""
    learned = hints.get("settings", {}).get("tokenizer.learn")
    vocab_size = getattr(learned, "vocab_size", 4096)
    corpus_tokens = hints.get("input_bytes", 0) / BYTES_PER_TOKEN
    for artifact in hints.get("inputs", {}).get("tokens", ()):
        facts = json.loads(artifact.file("tokens.json").read_text())
        vocab_size, corpus_tokens = facts["vocab_size"], facts["train"]["tokens"]
    planned = _plan(settings, vocab_size, corpus_tokens, probe.peak_flops)
    model = planned.model
    flops = model.flops_per_token(settings.row_tokens) * planned.total_tokens
    loop = _fit_memory(settings.loop, model, planned.batch_rows, settings.row_tokens, probe.memory_bytes)
    rows = loop.micro_rows or planned.batch_rows
    derived: dict[str, Any] = {
        "parameters": model.num_parameters(),
        "model": f"{model.layers} layers, width {model.width}, {model.heads} heads, hidden {model.hidden}",
        "tokens": planned.total_tokens,
        "batch_tokens": planned.batch_rows * settings.row_tokens,
        "steps": planned.total_tokens // (planned.batch_rows * settings.row_tokens),
        "flops": flops,
        "seconds": flops / (probe.peak_flops * dial.peak_frac(model.width)),
        "epochs": round(planned.total_tokens / corpus_tokens, 2) if corpus_tokens else "unknown until tokens exist",
        "memory_bytes": _memory_bytes(model, rows * settings.row_tokens),
        "disk_bytes": 4 * model.num_parameters() * 8,
    }
    if "anneal" in hints.get("inputs", {}):
        derived["anneal_tokens"] = round(settings.anneal_part * planned.total_tokens)
    return settings.model_copy(update={"planned": planned, "loop": loop}), derived


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Train and write the checkpoint folder."""
    tokens: Artifact = inputs["tokens"]
    anneal: Artifact | None = inputs.get("anneal")
    check(settings, frozenset(inputs))
    facts = json.loads(tokens.file("tokens.json").read_text())
    planned = settings.planned or _plan(settings, facts["vocab_size"], facts["train"]["tokens"], PEAK_FLOPS)
    sizes = planned.model.model_copy(update={"vocab_size": facts["vocab_size"]})
    device = pick(out.machine)
    model = Decoder(sizes, compute_dtype=compute_dtype(device, settings.dtype), seed=None)
    model.initialise(out.seed, embedding_std=settings.embedding_std, qk_gain=settings.qk_gain)
    model.to(device)
    source = _source(settings, planned, tokens, anneal, out.seed)
    meter = Meter()
    rows = source.first_rows()
    if rows.padding_frac > MUCH_PADDING:
        out.log.line(
            f"{rows.padding_frac:.0%} of all places are padding; rows longer than {settings.row_tokens} fill better"
        )
    job = Job(
        model=model,
        source=source,
        objective=NextToken(),
        total_tokens=_total_tokens(settings, planned, rows),
        settings=settings.loop,
        measures=_measures(settings, planned, tokens, anneal, model, out.seed),
        budget_s=dial.seconds(settings.budget) if settings.budget else None,
    )
    state = fit(job, out)
    _finish(out, model, tokens.path / "tokenizer", state, rows, meter)


def describe(artifact: Artifact) -> "list[Block]":
    """Sizes, what was spent, and the curves."""
    counts = artifact.manifest.counts
    rows = [
        ("parameters", human_count(counts.get("parameters", 0))),
        ("steps", f"{counts.get('steps', 0):,}"),
        ("tokens", human_count(counts.get("tokens", 0))),
        ("of them padding", f"{100 * counts.get('padding_frac', 0.0):.1f} %"),
        ("training FLOPs", f"{counts.get('flops', 0):.3g}"),
        ("time", human_seconds(counts.get("seconds", 0.0))),
        ("energy", f"{counts.get('wh', 0.0):.2f} Wh ({counts.get('energy_method', 'unknown')})"),
        ("carbon", f"{counts.get('grams_co2', 0.0):.1f} g CO2"),
    ]
    switched = counts.get("anneal_from_tokens")
    if switched is not None:
        part = 1 - switched / max(1, counts.get("tokens", 0))
        rows.insert(3, ("second mix", f"from {human_count(switched)} tokens on ({100 * part:.0f} % of the run)"))
    return training_blocks(artifact, rows, switched)


def _plan(settings: Settings, vocab_size: int, corpus_tokens: float, peak_flops: float) -> Planned:
    row_tokens, batch_rows = settings.row_tokens, settings.batch_rows
    fixed = None if settings.model == "auto" else model_settings(settings.model, vocab_size, row_tokens)
    asked = dial.Asked(
        flops=settings.total_flops,
        seconds=dial.seconds(settings.budget) if settings.budget else None,
        tokens=settings.total_tokens,
    )
    choice = dial.turn(
        asked,
        dial.Known(corpus_tokens=corpus_tokens, vocab_size=vocab_size, peak_flops=peak_flops),
        model=fixed,
        row_tokens=row_tokens,
        batch_rows=batch_rows,
    )
    return Planned(model=choice.model, batch_rows=choice.batch_rows, total_tokens=choice.total_tokens)


def _fit_memory(
    loop: LoopSettings, model: ModelSettings, batch_rows: int, row_tokens: int, memory_bytes: int
) -> LoopSettings:
    """Work on fewer rows at a time until a step fits in memory. Raises SettingsError when one row does not."""
    rows = loop.micro_rows or batch_rows
    while memory_bytes and _memory_bytes(model, rows * row_tokens) > 0.8 * memory_bytes:
        if rows == 1:
            need = human_bytes(_memory_bytes(model, row_tokens))
            found = f"training this model takes {need} of memory and {human_bytes(memory_bytes)} are free"
            raise SettingsError(found, do="Choose a smaller model or a smaller row_tokens")
        rows //= 2
    return loop if rows == (loop.micro_rows or batch_rows) else loop.model_copy(update={"micro_rows": rows})


def model_settings(model: str | dict[str, Any], vocab_size: int, row_tokens: int) -> ModelSettings:
    """Sizes from a preset's name or a recipe's table; the vocabulary is the tokenizer's."""
    if isinstance(model, str):
        sizes = preset(model, vocab_size=vocab_size)
    else:
        width = model.get("width", 64)
        heads = model.get("heads", max(1, width // 64))
        defaults = {"heads": heads, "kv_heads": heads, "hidden": 32 * max(1, round(width * 8 / 3 / 32))}
        sizes = parse(ModelSettings, {**defaults, **model, "vocab_size": vocab_size}, "the table `model`")
    if sizes.max_tokens < row_tokens:
        raise SettingsError(
            f"rows have {row_tokens} tokens and the model reads {sizes.max_tokens}", do="Raise model.max_tokens"
        )
    return sizes


def _source(
    settings: Settings, planned: Planned, tokens: Artifact, anneal: Artifact | None, seed: int
) -> TokenSource | AnnealedSource:
    """Batches of the tokens, and towards the end of those of the second mix where there is one."""

    def of(artifact: Artifact, seed: int) -> TokenSource:
        rows = {"row_tokens": settings.row_tokens, "batch_rows": planned.batch_rows}
        return TokenSource(open_shard(artifact.path, "train"), **rows, pad_id=0, seed=seed)

    if anneal is None:
        return of(tokens, seed)
    check_tokenizers(tokens, anneal)
    return AnnealedSource(of(tokens, seed), of(anneal, key(seed, "pretrain.anneal")), 1 - settings.anneal_part)


def _measures(
    settings: Settings, planned: Planned, tokens: Artifact, anneal: Artifact | None, model: Decoder, seed: int
) -> list[Measure]:
    measures: list[Measure] = []
    for artifact, name in ((tokens, ""), (anneal, "anneal_")):
        if artifact and json.loads(artifact.file("tokens.json").read_text())["validation"]["docs"]:
            measures.append(
                validator(
                    open_shard(artifact.path, "validation"),
                    row_tokens=settings.row_tokens,
                    batch_rows=settings.loop.micro_rows or planned.batch_rows,
                    pad_id=0,
                    max_tokens=settings.validation_tokens or enough_tokens(planned.total_tokens),
                    device=model.embedding.device,
                    name=f"{name}validation_bits_per_byte",
                )
            )
    if settings.sample_tokens and settings.sample_prompts:
        tokenizer = Tokenizer.load(tokens.path / "tokenizer")
        measures.append(
            sampler(
                model,
                tokenizer,
                settings.sample_prompts,
                max_tokens=settings.sample_tokens,
                temperature=SAMPLE_TEMPERATURE,
                seed=seed,
            )
        )
    return measures


def _total_tokens(settings: Settings, planned: Planned, rows: Fill) -> int:
    """Places to train on. A budget in FLOPs is met exactly now that the documents are known: attention is paid for
    within documents only, padding is paid for in full."""
    if settings.total_flops is None:
        return planned.total_tokens
    batch_tokens = planned.batch_rows * settings.row_tokens
    flops = planned.model.flops_per_token(rows.context_tokens) * batch_tokens
    return max(1, int(settings.total_flops // flops)) * batch_tokens


def _finish(out: Out, model: Decoder, tokenizer: Path, state: State, rows: Fill, meter: Meter) -> None:
    flops = model.settings.flops_per_token(rows.context_tokens) * state.tokens
    energy = meter.read()
    restarts = max(1.0, state.elapsed_s / max(energy.seconds, 1e-9))  # what earlier processes of this run used
    out.counts |= {
        "parameters": model.settings.num_parameters(),
        "tokens": state.tokens,
        "steps": state.step,
        "flops": flops,
        "seconds": round(state.elapsed_s, 2),
        "flops_per_s": flops / max(state.elapsed_s, 1e-9),
        "learned_tokens": int(state.learned),
        "skipped_batches": state.skipped,
        "padding_frac": round(1 - state.learned / max(1, state.tokens), 4),
        "wh": energy.wh * restarts,
        "grams_co2": energy.grams_co2 * restarts,
        "energy_method": energy.method,
        "events": state.events,
    }
    switched = (state.cursor or {}).get("from_tokens")
    if switched is not None:
        out.counts["anneal_from_tokens"] = switched
    training = {"tokens": state.tokens, "steps": state.step, "training FLOPs": f"{flops:.4g}"}
    card = {"licences": sorted(set(out.licences)), "sources": sorted(set(out.sources)), "training": training}
    with torch.no_grad():
        checkpoint.save(out.path, model, tokenizer, card=card)


def _memory_bytes(model: ModelSettings, batch_tokens: int) -> int:
    """Weights, gradients, momenta and a step's activations; the larger part is the logits and the hidden layers."""
    weights = 16 * model.num_parameters()
    per_token = 2 * (model.layers * (12 * model.width + 4 * model.hidden) + 3 * model.vocab_size)
    return weights + batch_tokens * per_token + 300_000_000
