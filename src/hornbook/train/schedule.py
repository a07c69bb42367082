"""Learning-rate factors over the tokens of a run."""

import math
from typing import Literal

import pydantic

from hornbook.core.settings import StrictSettings


class ScheduleSettings(StrictSettings):
    """How the learning rates move: up in a warm-up, then by the named shape."""

    shape: Literal["wsd", "cosine", "linear", "constant"] = "wsd"
    """`wsd`: constant, then a straight line down over the last `decay_frac`; `cosine`; `linear`; `constant`."""
    warmup_steps: int = pydantic.Field(default=20, ge=0)
    """Steps of a straight line up."""
    decay_frac: float = pydantic.Field(default=0.6, ge=0.0, le=1.0)
    """`wsd`: share of the run that the decay takes."""
    final_frac: float = pydantic.Field(default=0.02, ge=0.0, le=1.0)
    """Factor at the end."""


def factor(settings: ScheduleSettings, step: int, progress: float) -> float:
    """Factor on every learning rate at a step (counted from 0) when `progress` of the run is behind it.

    Source: WSD, Hu et al. 2024 (https://arxiv.org/abs/2404.06395), with linear decay as in Haegele et al. 2024.

    >>> factor(ScheduleSettings(warmup_steps=0, decay_frac=0.5, final_frac=0.0), 9, 0.75)
    0.5
    """
    warm = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    progress = min(1.0, max(0.0, progress))
    low = settings.final_frac
    if settings.shape == "constant":
        return warm
    if settings.shape == "cosine":
        return warm * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * progress)))
    length = settings.decay_frac if settings.shape == "wsd" else 1.0
    left = 1.0 if length == 0 else min(1.0, (1 - progress) / length)
    return warm * (low + (1 - low) * left)
