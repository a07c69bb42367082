"""Every reading of a rule side by side: how many documents each drops, and on which they disagree."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from hornbook.core.document import Document, Drop
from hornbook.core.errors import SettingsError
from hornbook.data.rules import Decide, find_filter, known_filters, prepare

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

SAMPLE_CHARS = 300


@dataclass
class Comparison:
    """What the readings of one filter make of the same documents."""

    name: str
    readings: tuple[str, ...]
    num_docs: int = 0
    num_disagreed: int = 0
    dropped: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    """Reading -> rule -> documents."""
    disagreed: list[tuple[Document, dict[str, Drop | None]]] = field(default_factory=list[Any])
    """The first documents on which readings part, with what each says (None: it keeps the document)."""


def readings_of(name: str) -> tuple[str, ...]:
    """The readings that a filter offers; none when it has no such setting."""
    setting = find_filter(name).Settings.model_fields.get("reading")
    return get_args(setting.annotation) if setting is not None else ()


def filters_with_readings() -> list[str]:
    """The built-in filters that offer readings."""
    return [name for name in known_filters() if readings_of(name)]


def compare(documents: Iterable[Document], names: list[str], examples: int = 20) -> list[Comparison]:
    """Run every reading of the named filters, with its own defaults, over the same documents.

    Each filter sees the documents as they come, not what others have left; up to `examples` documents on which its
    readings part are kept. Raises SettingsError for a filter without readings.
    """
    chains: list[tuple[Comparison, dict[str, Decide]]] = []
    for name in names:
        readings = readings_of(name)
        if not readings:
            known = ", ".join(filters_with_readings())
            raise SettingsError(f'the filter "{name}" has no readings', do=f"These have: {known}")
        decides = {reading: prepare([name], {name: {"reading": reading}})[0] for reading in readings}
        chains.append((Comparison(name, readings, dropped={reading: Counter() for reading in readings}), decides))
    for document in documents:
        for comparison, decides in chains:
            _add(comparison, decides, document, examples)
    return [comparison for comparison, _ in chains]


def _add(comparison: Comparison, decides: dict[str, Decide], document: Document, examples: int) -> None:
    said: dict[str, Drop | None] = {}
    for reading, decide in decides.items():
        decision = decide(document)
        said[reading] = decision if isinstance(decision, Drop) else None
        if isinstance(decision, Drop):
            comparison.dropped[reading][decision.rule] += 1
    comparison.num_docs += 1
    if len({drop is None for drop in said.values()}) > 1:
        comparison.num_disagreed += 1
        if len(comparison.disagreed) < examples:
            comparison.disagreed.append((document, said))


def blocks(comparisons: list[Comparison]) -> "list[Block]":
    """What was found, as tables and samples."""
    from hornbook.report.blocks import Samples, Table, share

    rows: list[list[object]] = []
    for found in comparisons:
        for reading in found.readings:
            rules = found.dropped[reading]
            worst = ", ".join(f"{rule} {count}" for rule, count in rules.most_common(4))
            rows.append([found.name, reading, rules.total(), share(rules.total(), found.num_docs), worst])
    made: list[Block] = [Table("Dropped by reading", ["filter", "reading", "dropped", "of documents", "by"], rows)]
    for found in comparisons:
        title = f"{found.name}: the readings disagree on {found.num_disagreed:,} of {found.num_docs:,} documents"
        made.append(Samples(title, [_card(document, said) for document, said in found.disagreed]))
    return made


def _card(document: Document, said: dict[str, Drop | None]) -> dict[str, str]:
    card = {"id": document.id}
    if document.url:
        card["url"] = document.url
    for reading, drop in said.items():
        card[reading] = "keeps it" if drop is None else f"{drop.rule} ({_value(drop.value)})"
    text = document.text
    return card | {"text": text if len(text) <= SAMPLE_CHARS else text[:SAMPLE_CHARS] + " …"}


def _value(value: float | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
