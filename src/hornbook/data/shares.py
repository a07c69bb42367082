"""From the weights of domains to how often each is seen, within limits. Plain arithmetic, no documents."""

import math
from dataclasses import dataclass

TINY = 1e-12


@dataclass(frozen=True)
class Portion:
    """One domain of a mix: its size, the share that was asked for, the bytes it gives and how often it is seen."""

    bytes_in: int
    asked_share: float
    wanted_bytes: float
    max_epochs: float

    @property
    def epochs(self) -> float:
        """How often the domain is seen, fractions included."""
        return self.wanted_bytes / self.bytes_in if self.bytes_in else 0.0


def tempered(sizes: dict[str, int], alpha: float) -> dict[str, float]:
    """Weights in proportion to size ** alpha: 1 is the natural mix, 0 the uniform one.

    Source: exponential smoothing of multilingual BERT and XLM (Conneau and Lample 2019, section 3.1).

    >>> tempered({"a": 900, "b": 100}, 0.5)
    {'a': 0.75, 'b': 0.25}
    """
    raised = {name: size**alpha if size else 0.0 for name, size in sizes.items()}
    return {name: value / sum(raised.values()) for name, value in raised.items()}


def scarcest_total(sizes: dict[str, int], shares: dict[str, float], max_epochs: dict[str, float]) -> float:
    """The largest mix, in bytes, that has these shares exactly and repeats no domain too often; at most the sizes' sum.

    >>> scarcest_total({"web": 100, "tales": 10}, {"web": 0.5, "tales": 0.5}, {"web": 4.0, "tales": 4.0})
    80.0
    """
    bounds = [sizes[name] * max_epochs[name] / share for name, share in shares.items() if share > 0]
    return min([float(sum(sizes.values())), *bounds])


def apportion(
    sizes: dict[str, int], shares: dict[str, float], max_epochs: dict[str, float], total_bytes: float
) -> dict[str, Portion]:
    """Bytes of each domain in a mix of `total_bytes`; what a domain cannot give goes to the others by their shares.

    Where no domain can give more, the mix is smaller than asked.

    >>> found = apportion({"a": 10, "b": 90}, {"a": 0.5, "b": 0.5}, {"a": 2.0, "b": 2.0}, 100)
    >>> {name: portion.wanted_bytes for name, portion in found.items()}
    {'a': 20.0, 'b': 80.0}
    """
    wanted = dict.fromkeys(shares, 0.0)
    open_names = [name for name, share in shares.items() if share > 0]
    left = total_bytes
    while open_names and left > TINY * total_bytes:
        weight = sum(shares[name] for name in open_names)
        full = [n for n in open_names if sizes[n] * max_epochs[n] <= left * shares[n] / weight]
        for name in full or open_names:
            wanted[name] = sizes[name] * max_epochs[name] if full else left * shares[name] / weight
        left -= sum(wanted[name] for name in (full or open_names))
        open_names = [name for name in open_names if name not in full] if full else []
    return {name: Portion(sizes[name], share, wanted[name], max_epochs[name]) for name, share in shares.items()}


def shortfall(portions: dict[str, Portion], total_bytes: float) -> list[str]:
    """A sentence for each domain that gives less than its share of `total_bytes` because it may not be repeated more.

    >>> shortfall(apportion({"a": 10, "b": 90}, {"a": 0.5, "b": 0.5}, {"a": 2.0, "b": 2.0}, 100), 100)
    ['"a": 50.0 % asked, 20.0 % possible at 2 epochs']
    """
    got = sum(portion.wanted_bytes for portion in portions.values()) or 1.0  # nothing at all: shares of 0
    return [
        f'"{name}": {100 * p.asked_share:.1f} % asked, '
        f"{100 * p.wanted_bytes / got:.1f} % possible at {p.max_epochs:g} epochs"
        for name, p in portions.items()
        if p.wanted_bytes < p.asked_share * total_bytes * (1 - 1e-9) and not math.isinf(p.max_epochs)
    ]
