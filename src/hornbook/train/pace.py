"""Keeping a budget in time: how many tokens the time that is left is worth."""

MARGIN_FRAC = 0.15


def replanned_tokens(tokens: int, total_tokens: int, tokens_per_s: float, elapsed_s: float, budget_s: float) -> int:
    """The total that fits the budget at this speed; the old total when it is at most 15 % off the clock.

    `tokens` of `total_tokens` took `elapsed_s`, starting up included; `tokens_per_s` is the speed since then.

    >>> replanned_tokens(1_000, 10_000, 80.0, 20.0, 100.0)
    7400
    >>> replanned_tokens(1_000, 10_000, 110.0, 12.0, 100.0)
    10000
    """
    expected_s = elapsed_s + (total_tokens - tokens) / tokens_per_s
    if abs(expected_s / budget_s - 1) <= MARGIN_FRAC:
        return total_tokens
    return tokens + int(max(0.0, budget_s - elapsed_s) * tokens_per_s)
