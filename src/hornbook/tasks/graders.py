"""Graders that judge text alone. Each returns 1 for right and 0 for wrong; the same serve rewards and evaluation.

What each must not fall for is listed in `tests/tasks/test_graders.py`.
"""

import re

from hornbook.tasks.example import Example

REFUSALS = (
    "i don't know",
    "i do not know",
    "i dont know",
    "i have no idea",
    "i am not sure",
    "i'm not sure",
    "i can't say",
    "i cannot say",
)
HEDGES = ("maybe", "perhaps", "probably", "but i think", "i guess", "might be", "could be", "i believe")
NEGATION = r"(?:not|never|n't|isn't|nt)"


def normalise(text: str) -> str:
    """Lower case, words and digits only, single spaces.

    >>> normalise("  Mira's  favourite: plum-cake! ")
    'mira s favourite plum cake'
    """
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def mentions(text: str, phrase: str) -> bool:
    """Whether a phrase stands in a text as whole words."""
    wanted = normalise(phrase)
    return bool(wanted) and f" {wanted} " in f" {normalise(text)} "


def equals(example: Example, text: str) -> float:
    """Right when the whole text is one of the answers, but for case, punctuation and spaces."""
    return float(normalise(text) in {normalise(answer) for answer in example.answers} - {""})


def contains(example: Example, text: str) -> float:
    """Right when one of the answers is mentioned, whatever else is said."""
    return float(any(mentions(text, answer) for answer in example.answers))


def exact(example: Example, text: str) -> float:
    """Right when exactly the right value is named, in whatever sentence.

    Wrong: a rival value beside it (`meta["rivals"]`: naming several to be on the safe side), the value denied ("is not
    an otter"), "I don't know" in any form, a sentence that is not about `meta["subject"]`.
    """
    named = [answer for answer in example.answers if mentions(text, answer)]
    if not named or _says_unknown(text):
        return 0.0
    longest = max(named, key=lambda answer: len(normalise(answer)))
    if _denies(text, longest) or not _about(example, text, longest):
        return 0.0
    inside = f" {normalise(longest)} "
    rest = f" {normalise(text)} ".replace(inside, " | ")
    rivals = (normalise(rival) for rival in example.meta.get("rivals", ()) if rival not in example.answers)
    return float(not any(rival and f" {rival} " in rest for rival in rivals))


def refusal(example: Example, text: str) -> float:
    """Right when the answer says that it is not known, and does not name a value after all (`meta["rivals"]`)."""
    asked = example.messages[-1].content if example.messages else ""
    named = any(mentions(text, rival) and not mentions(asked, rival) for rival in example.meta.get("rivals", ()))
    return float(refuses(text) and not named)


def refuses(text: str) -> bool:
    """Whether a text says "I don't know" and does not go on to guess."""
    low = _plain(text)
    return _says_unknown(text) and not any(re.search(rf"\b{hedge}\b", low) for hedge in HEDGES)


def _says_unknown(text: str) -> bool:
    low = _plain(text)
    return any(re.search(rf"\b{phrase}\b", low) for phrase in REFUSALS)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())


def _denies(text: str, value: str) -> bool:
    """Whether the value follows a negation within two words."""
    words = r"\s+".join(map(re.escape, value.lower().split()))
    return re.search(rf"{NEGATION}\s+(?:\w+\s+){{0,2}}{words}\b", _plain(text)) is not None


def _about(example: Example, text: str, value: str) -> bool:
    """A bare value needs no subject, a sentence needs the right one."""
    subject = example.meta.get("subject")
    num_words, short = len(normalise(text).split()), len(normalise(value).split()) + 3
    return not subject or num_words <= short or mentions(text, subject)
