"""The one dial: a budget becomes sizes, batch and tokens. A pure function; nothing is measured here.

Source: compute-optimal training (Hoffmann et al. 2022), tokens proportional to parameters; the ratio of 12 tokens to
a parameter is nanochat's measured one. Deviation for small corpora: at most five epochs, a larger model instead
(`docs/decisions/pretrain-dial.md`).
"""

import math
import re
from dataclasses import dataclass

from hornbook.core.errors import SettingsError
from hornbook.model.settings import ModelSettings

TOKENS_PER_PARAMETER = 12.0
MAX_EPOCHS = 5.0
STEPS_WANTED = 2500
LEAST_BATCH_TOKENS, MOST_BATCH_TOKENS = 2048, 524_288
UNITS_S = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Asked:
    """The budget: exactly one of training FLOPs, seconds, or tokens (padding included)."""

    flops: float | None = None
    seconds: float | None = None
    tokens: float | None = None


@dataclass(frozen=True)
class Known:
    """What the dial is told: size of the corpus (0 = unknown), vocabulary, matrix speed in FLOP/s."""

    corpus_tokens: float
    vocab_size: int
    peak_flops: float


@dataclass(frozen=True)
class Choice:
    """What the dial chooses: sizes, rows of a batch, and tokens to train on (padding included)."""

    model: ModelSettings
    batch_rows: int
    total_tokens: int


def turn(
    asked: Asked, known: Known, *, model: ModelSettings | None = None, row_tokens: int, batch_rows: int = 0
) -> Choice:
    """Sizes, batch and tokens for a budget; `model` and `batch_rows` (0 = open) may be given."""
    if asked.tokens is not None:
        model = model or nearest_model(asked.tokens / TOKENS_PER_PARAMETER, known.vocab_size, row_tokens)
        return _choice(model, asked.tokens, row_tokens, batch_rows)
    model = model or _model_for(asked, known, row_tokens)
    return _choice(model, _flops(asked, known, model) / model.flops_per_token(row_tokens), row_tokens, batch_rows)


def seconds(budget: str) -> float:
    """Seconds of a budget in time, `90s`, `15min`, `2h`. Raises SettingsError for anything else.

    >>> seconds("15min"), seconds("1.5h")
    (900.0, 5400.0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", budget)
    if not match or match.group(2) not in UNITS_S or float(match.group(1)) <= 0:
        raise SettingsError(f'"{budget}" is not a time', where="budget", do='Write "90s", "15min" or "2h"')
    return float(match.group(1)) * UNITS_S[match.group(2)]


def peak_frac(width: int) -> float:
    """Share of the matrix peak that a training step of this width reaches.

    Fitted to compiled bf16 steps on a CPU (`docs/decisions/pretrain-dial.md`); the loop plans again when it is wrong.

    >>> round(peak_frac(320), 2)
    0.46
    """
    return 0.55 * width / (width + 60)


def default_rows(total_tokens: float, row_tokens: int) -> int:
    """Rows of a batch: a power of two of tokens that leaves about 2,500 steps, from 2,048 to 524,288 tokens.

    >>> default_rows(1_500_000, 256), default_rows(30_000_000, 512)
    (8, 32)
    """
    batch = min(MOST_BATCH_TOKENS, max(LEAST_BATCH_TOKENS, total_tokens / STEPS_WANTED))
    return max(1, 2 ** round(math.log2(batch)) // row_tokens)


def nearest_model(parameters: float, vocab_size: int, row_tokens: int) -> ModelSettings:
    """The decoder whose multiplying weights (head included) are nearest to `parameters`; width / depth about 40."""
    ladder = [_sized(64 * n, vocab_size, row_tokens) for n in range(1, 25)]
    return min(ladder, key=lambda m: abs(math.log((m.matrix_parameters() + vocab_size * m.width) / parameters)))


def _model_for(asked: Asked, known: Known, row_tokens: int) -> ModelSettings:
    """The size for a budget. A budget in time is worth more FLOPs on a wider model: two rounds settle it."""
    model = nearest_model(1e6, known.vocab_size, row_tokens)
    for _ in range(2):
        flops = _flops(asked, known, model)
        wanted = math.sqrt(flops / (6 * TOKENS_PER_PARAMETER))
        if known.corpus_tokens > 0:
            wanted = max(wanted, flops / (6 * MAX_EPOCHS * known.corpus_tokens))
        model = nearest_model(wanted, known.vocab_size, row_tokens)
    return model


def _flops(asked: Asked, known: Known, model: ModelSettings) -> float:
    if asked.flops is not None:
        return asked.flops
    return (asked.seconds or 0.0) * known.peak_flops * peak_frac(model.width)


def _choice(model: ModelSettings, tokens: float, row_tokens: int, batch_rows: int) -> Choice:
    """Whole batches only, at least one."""
    rows = batch_rows or default_rows(tokens, row_tokens)
    steps = max(1, int(tokens // (rows * row_tokens)))
    return Choice(model, rows, steps * rows * row_tokens)


def _sized(width: int, vocab_size: int, row_tokens: int) -> ModelSettings:
    heads = width // 64
    return ModelSettings(
        vocab_size=vocab_size,
        width=width,
        layers=max(2, round(width / 40)),
        heads=heads,
        kv_heads=heads,
        hidden=32 * round(width * 8 / 3 / 32),
        max_tokens=max(1024, row_tokens),
    )
