"""Filter entities: replace names of people and places that a model of named entities finds (presidio and spaCy)."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pydantic

from hornbook.core.document import Decision, Document, Edit, Keep
from hornbook.core.errors import SettingsError
from hornbook.core.settings import StrictSettings
from hornbook.data.language.spans import replace_spans

Kind = Literal["person", "location", "organization", "group", "date"]
Find = Callable[[str], list[tuple[int, int, Kind]]]
"""Where the entities of a text are: first character, last + 1, kind; in order, without overlaps."""

SOURCE = "Source: presidio-analyzer's names for the labels of spaCy's models"
RULES = {
    "entities.person": f"edit: a person's name. {SOURCE}",
    "entities.location": f"edit: a country, city, river, ... {SOURCE}",
    "entities.organization": f"edit: a company, an office, a club. {SOURCE}",
    "entities.group": f"edit: a nationality, a religious or political group. {SOURCE}",
    "entities.date": f"edit: a date or a time. {SOURCE}",
}
LABELS: dict[str, Kind] = {
    "PERSON": "person",
    "LOCATION": "location",
    "ORGANIZATION": "organization",
    "NRP": "group",
    "DATE_TIME": "date",
}
PIECE_CHARS = 50_000
"""So much is looked at at once: spaCy refuses more than a million characters, and its memory grows with the text."""


class Settings(StrictSettings):
    """Which model looks, and for what. Needs the extra `pii` and a spaCy pipeline; over a hundred times slower
    than the filter `pii`, which has patterns for everything with a form of its own."""

    model: str = "en_core_web_lg"
    """A spaCy pipeline with named entities: the name of an installed one, or its folder."""
    language: str = pydantic.Field(default="en", pattern=r"^[a-z]{2,3}$")
    """The model's language, as ISO 639 code."""
    mask: tuple[Kind, ...] = ("person",)
    """What to replace by its kind in brackets (`[PERSON]`)."""
    min_score: float = pydantic.Field(default=0.5, ge=0, le=1)
    """How sure presidio has to be (models of spaCy give no probability: all they find counts .85)."""


def load(settings: Settings) -> Find:
    """The analyzer with the model. Raises SettingsError where one of them is not installed; nothing is downloaded."""
    try:
        import spacy  # pyright: ignore[reportMissingImports]  # an extra
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # pyright: ignore[reportMissingImports]
        from presidio_analyzer.nlp_engine import SpacyNlpEngine  # pyright: ignore[reportMissingImports]
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise SettingsError(
            "presidio-analyzer is not installed", where="rule entities", do="pip install 'hornbook[pii]'"
        ) from None
    if not (spacy.util.is_package(settings.model) or Path(settings.model).is_dir()):
        raise SettingsError(
            f'no spaCy pipeline is called "{settings.model}", and no folder either',
            where="rule entities, model",
            do=f"python -m spacy download {settings.model}",
        )
    engine = SpacyNlpEngine(models=[{"lang_code": settings.language, "model_name": settings.model}])
    recognizer = SpacyRecognizer(supported_language=settings.language, supported_entities=list(LABELS))
    registry = RecognizerRegistry(recognizers=[recognizer], supported_languages=[settings.language])
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[settings.language])
    asked = [label for label, kind in LABELS.items() if kind in settings.mask]

    def find(text: str) -> list[tuple[int, int, Kind]]:
        found: list[Any] = analyzer.analyze(
            text=text, language=settings.language, entities=asked, score_threshold=settings.min_score
        )
        return without_overlaps([(one.start, one.end, LABELS[one.entity_type]) for one in found])

    return find


def without_overlaps(found: list[tuple[int, int, Kind]]) -> list[tuple[int, int, Kind]]:
    """Entities in order; of two that overlap the first, of two with one beginning the longer.

    >>> without_overlaps([(4, 6, "date"), (0, 3, "person"), (0, 5, "location")])
    [(0, 5, 'location')]
    """
    kept: list[tuple[int, int, Kind]] = []
    for one in sorted(found, key=lambda item: (item[0], -item[1])):
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept


def decide(document: Document, settings: Settings, find: Find) -> Decision:
    """Replace what is found; the counts say how often, by kind."""
    counts: Counter[str] = Counter()
    parts: list[str] = []
    for piece in pieces(document.text):
        found = find(piece)
        counts.update(f"entities.{kind}" for _, _, kind in found)
        parts.append(replace_spans(piece, ((begin, end, f"[{kind.upper()}]") for begin, end, kind in found)))
    return Edit("".join(parts), dict(counts)) if counts else Keep()


def pieces(text: str) -> Iterator[str]:
    """A text in parts of at most PIECE_CHARS, cut at a line end, else at a space, where there is one."""
    begin = 0
    while len(text) - begin > PIECE_CHARS:
        limit = begin + PIECE_CHARS
        end = max(text.rfind("\n", begin, limit), 0) or max(text.rfind(" ", begin, limit), 0) or limit - 1
        yield text[begin : end + 1]
        begin = end + 1
    yield text[begin:]
