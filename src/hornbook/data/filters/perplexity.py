"""Filter perplexity: how surprising a document is to a small language model of texts that you like."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Keep, document_shards, read_documents
from hornbook.core.errors import DataError
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.data.language.ngrams import CharacterModel

SOURCE = "Source: Wenzek et al. 2020 (CCNet), section 3.3"
RULES = {
    "perplexity.too_high": f"perplexity above max_perplexity (value: perplexity of a character). {SOURCE}",
    "perplexity.too_low": "perplexity below min_perplexity: boilerplate and lists (value: perplexity of a character)",
    "perplexity.part": f"the document is in a part that is not kept (value: head, middle or tail). {SOURCE}",
}
BLOCK_CHARS = 1 << 16
Part = Literal["head", "middle", "tail"]


class Settings(StrictSettings):
    """What is familiar, and how unfamiliar a document may be."""

    reference: InputPath
    """Texts that you like: a documents artifact, a text file (texts parted by empty lines), or JSONL with a field
    `text`. The model is counted from them when the stage begins, in each worker (about a second for a million
    characters)."""
    reference_chars: int = pydantic.Field(default=3_000_000, ge=100)
    """How much of the reference is read, from its beginning."""
    order: int = pydantic.Field(default=5, ge=1, le=8)
    """Length of the n-grams in characters."""
    head_chars: int = pydantic.Field(default=2000, ge=20)
    """How much of each document is judged."""
    min_perplexity: float = pydantic.Field(default=0.0, ge=0)
    """Drop documents less surprising than this; plain English stories have 4 to 6, articles 7 to 12."""
    max_perplexity: float | None = pydantic.Field(default=None, gt=0)
    """Drop documents more surprising than this; empty = none."""
    cuts: tuple[float, float] = (0.3, 0.6)
    """Where head, middle and tail part: shares of `calibration`."""
    calibration: InputPath | None = None
    """Documents whose perplexities set the cuts: the crawl itself, as CCNet does; empty = each tenth text of the
    reference, which the model then does not see."""
    parts: tuple[Part, ...] = ("head", "middle", "tail")
    """Which parts to keep; each document's part is noted in `meta` either way."""


@dataclass(frozen=True)
class Loaded:
    """The model and the perplexities at the two cuts."""

    model: CharacterModel
    cuts: tuple[float, float]


def load(settings: Settings) -> Loaded:
    """Count the model and find the cuts. Raises DataError when the reference has too few texts."""
    import numpy as np

    texts = list(_texts(resolve_input(settings.reference), settings.reference_chars))
    if settings.calibration is not None:
        held = list(_texts(resolve_input(settings.calibration), settings.reference_chars))
    else:
        held, texts = texts[::10], [text for number, text in enumerate(texts) if number % 10]
    if not texts or not held:
        raise DataError(
            "the reference of the filter perplexity has fewer than two texts",
            where=settings.reference,
            do="Give a documents artifact, JSONL with a field text, or a text file with empty lines between texts",
        )
    model = CharacterModel(texts, settings.order)
    found = [_perplexity(model, text[: settings.head_chars]) for text in held]
    low, high = np.quantile(found, settings.cuts)
    return Loaded(model, (float(low), float(high)))


def decide(document: Document, settings: Settings, loaded: Loaded) -> Decision:
    """Keep or drop by the perplexity of the document's beginning; `meta` notes `perplexity` and `perplexity_part`.

    Source: Wenzek et al. 2020, 3.3. Deviations: characters instead of pieces of words, the user's own reference instead
    of Wikipedia, cuts by quantiles of that reference unless a calibration set is given.
    """
    value = round(_perplexity(loaded.model, document.text[: settings.head_chars]), 3)
    part: Part = "head" if value <= loaded.cuts[0] else "middle" if value <= loaded.cuts[1] else "tail"
    noted: dict[str, Any] = {"perplexity": value, "perplexity_part": part}
    if settings.max_perplexity is not None and value > settings.max_perplexity:
        return Drop("perplexity.too_high", value, noted)
    if value < settings.min_perplexity:
        return Drop("perplexity.too_low", value, noted)
    return Keep(noted) if part in settings.parts else Drop("perplexity.part", part, noted)


def _perplexity(model: CharacterModel, text: str) -> float:
    return 2.0 ** model.bits_per_character(text)


def _texts(path: Path, most_chars: int) -> Iterator[str]:
    """Texts of a reference until `most_chars` characters."""
    total = 0
    try:
        for text in _all_texts(path, most_chars):
            if text.strip():
                yield text
                total += len(text)
            if total >= most_chars:
                return
    except UnicodeDecodeError as error:
        raise DataError(f"the reference is not UTF-8 text: {error}", where=str(path), do="Save it as UTF-8") from error


def _all_texts(path: Path, most_chars: int) -> Iterator[str]:
    if path.is_dir():
        document_shards(path)  # says what is missing
        yield from (document.text for document in read_documents(path))
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _field(line, f"{path}, line {number}")
    else:
        yield from _parted(path, most_chars)


def _parted(path: Path, most_chars: int) -> Iterator[str]:
    """Texts parted by empty lines; one that is longer than `most_chars` ends there."""
    rest = ""
    with path.open(encoding="utf-8") as file:
        while len(rest) < most_chars and (block := file.read(BLOCK_CHARS)):
            *whole, rest = (rest + block).split("\n\n")
            yield from whole
    yield rest[:most_chars]


def _field(line: str, where: str) -> str:
    try:
        return str(json.loads(line)["text"])
    except (ValueError, KeyError, TypeError):
        raise DataError('this is no JSON object with a field "text"', where=where) from None
