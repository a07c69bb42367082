"""Shares with intervals that know which cases belong together, and the other numbers a task may ask for."""

from collections.abc import Sequence
from typing import Any

from hornbook.tasks.graders import normalise
from hornbook.tasks.score import Score, bootstrap_ratio, wilson


def grouped_share(name: str, grades: Sequence[float], groups: Sequence[str], **about: Any) -> Score:
    """The mean of grades between 0 and 1; cases of one group (wordings of one question) are not independent.

    Wilson's interval for the number of independent cases that would vary as much.
    Source: Korn and Graubard 1998 (effective number of cases), with Wilson's interval in place of the exact one.
    """
    total = sum(grades)
    num_effective = int(effective_cases(grades, groups))
    value = total / max(1, len(grades))
    low, high = wilson(value * num_effective, num_effective)
    return Score(name, value, low, high, len(grades), unit="share", **about)


def effective_cases(grades: Sequence[float], groups: Sequence[str]) -> float:
    """How many independent cases would vary as much: between the number of groups and the number of cases.

    >>> effective_cases([1, 1, 0, 0], ["a", "a", "b", "b"]), effective_cases([1, 0, 1, 0], ["a", "a", "b", "b"])
    (2.0, 4.0)
    """
    num_cases, names = len(grades), sorted(set(groups))
    if len(names) in (0, 1, num_cases):
        return float(len(names))
    mean = sum(grades) / num_cases
    sums = dict.fromkeys(names, 0.0)
    for grade, group in zip(grades, groups, strict=True):
        sums[group] += grade - mean
    between = sum(s * s for s in sums.values()) * len(names) / (len(names) - 1) / num_cases**2
    alone = sum((grade - mean) ** 2 for grade in grades) / num_cases**2
    inflation = between / alone if alone > 0 else num_cases / len(names)
    return num_cases / min(max(inflation, 1.0), num_cases / len(names))


def distinct_share(name: str, texts: Sequence[str], bar: float | None) -> Score:
    """The share of answers that are not the same words as an earlier one."""
    num_distinct = len({normalise(text) for text in texts})
    low, high = wilson(num_distinct, len(texts))
    protocol = "answers that repeat no earlier one (letters and digits compared)"
    return Score(name, num_distinct / max(1, len(texts)), low, high, len(texts), "share", None, bar, protocol)


def mean_bits(name: str, bits: Sequence[float], floors: Sequence[float], seed: int) -> Score:
    """Bits that a model needs for a generator's own answers, beside the generator's exact entropy."""
    value, floor = sum(bits) / len(bits), sum(floors) / len(floors)
    low, high = bootstrap_ratio(bits, [1.0] * len(bits), seed)
    excess = max(0.0, value - floor)
    protocol = (
        f"bits of fresh answers of the generator and their ends, given the question; fp32; bootstrap; baseline: the "
        f"generator's exact entropy, {floor:.2f} bits; at temperature 1 at least 2^-{excess:.2f} = {2**-excess:.3f} "
        f"of the samples would be right"
    )
    return Score(name, value, low, high, len(bits), "bits", floor, None, protocol, True)
