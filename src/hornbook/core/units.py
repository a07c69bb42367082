"""Units: bits per byte, and numbers as people read them."""

import math


def bits_per_byte(nats: float, num_bytes: int) -> float:
    """Cross-entropy in bits for each byte of the raw UTF-8 text.

    `nats`: summed negative log-likelihood (natural logarithm) of the text; `num_bytes`: bytes of that same text,
    counted from the raw text and never from a table of tokens. Raises ValueError when there are no bytes.

    >>> bits_per_byte(math.log(2) * 16, 8)
    2.0
    """
    if num_bytes <= 0:
        raise ValueError(f"bits per byte need at least one byte, found {num_bytes}")
    return nats / (math.log(2) * num_bytes)


def human_count(n: float) -> str:
    """A count with a suffix: 950, 1.5k, 11.2M, 3.1B.

    >>> human_count(11_210_000), human_count(950)
    ('11.2M', '950')
    """
    for size, suffix in ((1e15, "e15"), (1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(n) >= size:
            return f"{n / size:.3g}{suffix}" if abs(n) < 1e15 else f"{n:.2e}"
    return f"{n:.0f}" if n == int(n) else f"{n:.3g}"


def human_bytes(n: float) -> str:
    """A size in powers of 1,000: 512 B, 1.5 kB, 44.2 MB.

    >>> human_bytes(44_234_672)
    '44.2 MB'
    """
    for size, suffix in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(n) >= size:
            return f"{n / size:.3g} {suffix}"
    return f"{n:.0f} B"


def human_seconds(s: float) -> str:
    """A duration: 4.2 s, 3m 20s, 2h 05m, 3d 4h.

    >>> human_seconds(200), human_seconds(4.21), human_seconds(7500)
    ('3m 20s', '4.2 s', '2h 05m')
    """
    if s < 10:
        return f"{s:.1f} s"
    whole = round(s)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"
