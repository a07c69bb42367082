"""Filter language: keep documents, and if you like only lines, in the languages asked for."""

from typing import Any, Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.settings import StrictSettings
from hornbook.data.language.codes import UNDETERMINED, canonical
from hornbook.data.language.langid import Guess, Library, detect
from hornbook.data.language.languages import META_CONFIDENCE, META_LANGUAGE

RULES = {
    "language.other": "another language (value: its ISO 639 code). Source: langid (Lui & Baldwin 2012) in py3langid",
    "language.unknown": "no language is as likely as min_confidence (value: the best guess and its probability; `und` "
    "for code, numbers and encoded data)",
    "language.mixed": "more than max_other_frac of the characters are lines of other languages, or all lines are "
    "(value: the share)",
    "language.line": "edit: a line is in another language (with lines = true)",
}


class Settings(StrictSettings):
    """Which languages stay, how sure the detector has to be, and whether single lines are judged."""

    keep: tuple[str, ...] = ("en",)
    """ISO 639 codes of the languages to keep (`en`, `eng` and `en-GB` mean the same); `[]` = every language, noted in
    `meta`."""
    min_confidence: float = pydantic.Field(default=0.5, ge=0, le=1)
    """Below this probability the language counts as unknown."""
    unknown: Literal["keep", "drop"] = "drop"
    """What to do with documents of unknown language (very short ones, mixtures, names, code, invented languages)."""
    head_bytes: int = pydantic.Field(default=1024, ge=64)
    """How much of the document's beginning is looked at."""
    library: Library = "py3langid"
    """`lingua` (extra `langid`) is better on texts of a few words, 20 times slower and needs 1.1 GB of memory."""
    lines: bool = False
    """Judge each line too, and remove those in other languages."""
    min_line_chars: int = pydantic.Field(default=60, ge=1)
    """Shorter lines are not judged: they stay or go with the line before (the first ones with the line after)."""
    line_confidence: float = pydantic.Field(default=0.9, ge=0, le=1)
    """A line goes only when another language is at least this likely."""
    max_other_frac: float = pydantic.Field(default=0.5, ge=0, le=1)
    """With `lines`: drop the document when more of its characters are in other languages."""

    @pydantic.field_validator("keep")
    @classmethod
    def _codes(cls, keep: tuple[str, ...]) -> tuple[str, ...]:
        for code in keep:
            if not canonical(code):
                raise ValueError(f'"{code}" is no code of a language; codes are those of ISO 639: "en", "de", "ceb"')
        return tuple(map(canonical, keep))

    def wanted(self, language: str) -> bool:
        """Whether a language is one of those to keep."""
        return not self.keep or language in self.keep


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by the language of the document's beginning, after lines of other languages are gone.

    The language and its probability are noted in `meta` (`language`, `language_confidence`; `und` when unknown).
    """
    text, num_removed = document.text, 0
    if settings.lines and "\n" in text:
        text, num_removed, other = _own_lines(text, settings)
        if other > settings.max_other_frac or not text:
            guess = detect(document.text, settings.head_bytes, settings.library)
            return Drop("language.mixed", other, _noted(guess, settings))
    guess = detect(text, settings.head_bytes, settings.library)
    noted = _noted(guess, settings)
    if noted[META_LANGUAGE] == UNDETERMINED:
        if settings.unknown == "drop":
            return Drop("language.unknown", f"{guess.language} {guess.confidence:.2f}", noted)
    elif not settings.wanted(guess.language):
        return Drop("language.other", guess.language, noted)
    return Edit(text, {"language.line": num_removed}, noted) if num_removed else Keep(noted)


def _noted(guess: Guess, settings: Settings) -> dict[str, Any]:
    known = guess.confidence >= settings.min_confidence
    return {
        META_LANGUAGE: guess.language if known else UNDETERMINED,
        META_CONFIDENCE: round(guess.confidence, 4),
    }


def _own_lines(text: str, settings: Settings) -> tuple[str, int, float]:
    """The text without lines of other languages, how many went, and their share of the characters."""
    lines = text.split("\n")
    foreign = _foreign(lines, settings)
    gone = [line for line, other in zip(lines, foreign, strict=True) if other and line.strip()]
    if not gone:
        return text, 0, 0.0
    kept = [line for line, other in zip(lines, foreign, strict=True) if not other]
    total = sum(len(line) for line in lines)
    return "\n".join(kept).strip("\n"), len(gone), sum(map(len, gone)) / total


def _foreign(lines: list[str], settings: Settings) -> list[bool]:
    """For each line whether it is surely in another language; short and doubtful lines go with the one before."""
    verdicts = [_is_foreign(line, settings) for line in lines]
    current = next((verdict for verdict in verdicts if verdict is not None), False)
    foreign: list[bool] = []
    for verdict in verdicts:
        current = current if verdict is None else verdict
        foreign.append(current)
    return foreign


def _is_foreign(line: str, settings: Settings) -> bool | None:
    """None: too short or too doubtful to judge."""
    if len(line) < settings.min_line_chars:
        return None
    guess = detect(line, settings.head_bytes, settings.library)
    if guess.language == UNDETERMINED:
        return None
    if settings.wanted(guess.language):
        return False
    return True if guess.confidence >= settings.line_confidence else None
