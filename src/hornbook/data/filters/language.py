"""Filter language: keep documents in the languages asked for."""

from functools import cache
from typing import Any, Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings

RULES = {
    "language.other": "another language (value: its ISO 639 code). Source: langid (Lui & Baldwin 2012) in py3langid",
    "language.unknown": "no language is likely enough (value: the best guess and its probability)",
}


class Settings(StrictSettings):
    """Which languages stay, and how sure the detector has to be."""

    keep: tuple[str, ...] = ("en",)
    """ISO 639-1 codes of the languages to keep."""
    min_confidence: float = pydantic.Field(default=0.5, ge=0, le=1)
    """Below this probability the language counts as unknown."""
    unknown: Literal["keep", "drop"] = "drop"
    """What to do with documents of unknown language (very short ones, mixtures, names, invented languages)."""
    head_bytes: int = pydantic.Field(default=2048, ge=64)
    """How much of the document's beginning is looked at."""


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by the language of the document's beginning."""
    language, confidence = detect(document.text, settings.head_bytes)
    if confidence < settings.min_confidence:
        if settings.unknown == "keep" or (language in settings.keep and settings.min_confidence == 0):
            return Keep()
        return Drop("language.unknown", f"{language} {confidence:.2f}")
    return Keep() if language in settings.keep else Drop("language.other", language)


def detect(text: str, head_bytes: int = 2048) -> tuple[str, float]:
    """The most likely language (ISO 639-1 code) and its probability.

    Only the first `head_bytes` of UTF-8 are read: long documents cost several times less, and accuracy on paragraphs
    is 1.0 either way (docs/decisions/data-language.md).
    """
    head = text[:head_bytes].encode("utf-8", "replace")[:head_bytes]
    language, confidence = _identifier().classify(head)
    return str(language), float(confidence)


@cache
def _identifier() -> Any:
    """py3langid's own model (5 MB, in the package), loaded once per process: it takes half a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
