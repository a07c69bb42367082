"""Graders that judge text alone. Each returns 1 for right and 0 for wrong; the same serve rewards and evaluation."""

import re

from hornbook.tasks.example import Example

REFUSALS = ("i don't know", "i do not know", "i don’t know")
HEDGES = ("maybe", "perhaps", "probably", "but i think", "i guess", "might be", "i believe")


def normalise(text: str) -> str:
    """Lower case, words and digits only, single spaces.

    >>> normalise("  Mira's  favourite: plum-cake! ")
    'mira s favourite plum cake'
    """
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def mentions(text: str, phrase: str) -> bool:
    """Whether a phrase stands in a text as whole words."""
    return f" {normalise(phrase)} " in f" {normalise(text)} "


def exact(example: Example, text: str) -> float:
    """Right when one of the answers is named and no rival answer is (`meta["rivals"]`); a refusal is wrong.

    Naming several possibilities to be on the safe side is wrong too.
    """
    if refuses(text):
        return 0.0
    named = [answer for answer in example.answers if mentions(text, answer)]
    longest = max((normalise(answer) for answer in named), key=len, default="")
    rivals = [r for r in example.meta.get("rivals", ()) if r not in example.answers and normalise(r) not in longest]
    return float(bool(named) and not any(mentions(text, rival) for rival in rivals))


def refusal(example: Example, text: str) -> float:
    """Right when the answer says that it is not known, and names nothing after all."""
    rivals = example.meta.get("rivals", ())
    named = any(mentions(text, rival) and not mentions(example.messages[-1].content, rival) for rival in rivals)
    return float(refuses(text) and not named)


def refuses(text: str) -> bool:
    """Whether a text says "I don't know" and does not go on to guess."""
    low = text.lower().replace("’", "'")
    return any(phrase in low for phrase in REFUSALS) and not any(hedge in low for hedge in HEDGES)
