"""What a data stage kept, edited and dropped, as tables and samples for reports and `hornbook look`."""

import heapq
import math
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact
from hornbook.core.document import Document, from_table
from hornbook.core.units import human_bytes
from hornbook.data.ledger import read_funnel
from hornbook.data.limits import Rule, as_number, what_if, with_limits

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block, Spreads

SAMPLE_CHARS = 600
RULE_SAMPLES = 10
BINS = 24
SHARES = (0.1, 0.25, 0.5)


def blocks(artifact: Artifact, rules: Mapping[str, str | Rule], samples: int = 3) -> "list[Block]":
    """The funnel by rule, what other limits would keep, and samples of what was kept and of what each rule dropped.

    `rules`: the stage's own table of rules, name -> what it means and where it comes from.
    """
    from hornbook.report.blocks import Funnel, Samples, Table, share

    funnel = read_funnel(artifact.path)
    known = with_limits(rules, artifact.manifest.settings)
    title = f"{artifact.manifest.stage or 'documents'}: what was kept and what was dropped"
    found: list[Block] = [Funnel(title, funnel["in"], funnel["kept"], funnel["dropped"], funnel["edited"])]
    named = sorted(funnel["dropped"].items(), key=lambda item: (-item[1], item[0])) + sorted(funnel["edited"].items())
    if named:
        about = {name: rule.about for name, rule in known.items()}
        rows: list[list[object]] = [[rule, n, share(n, funnel["in"]), about.get(rule, "")] for rule, n in named]
        note = f"{human_bytes(funnel['bytes_in'])} went in, {human_bytes(funnel['bytes_kept'])} of text stayed."
        found.append(Table("Rules", ["rule", "times", "of documents", "meaning and source"], rows, note))
    found += other_limits(artifact.path, known)
    kept = [_card(document) for document in first_documents(artifact.path / "kept", samples)]
    found.append(Samples("Kept", kept))
    by_rule: dict[str, list[dict[str, str]]] = {}
    for document, rule, value in dropped_samples(artifact.path, RULE_SAMPLES):
        by_rule.setdefault(rule, []).append(_card(document, rule, value))
    for rule, cards in by_rule.items():
        total = funnel["dropped"].get(rule, len(cards))
        found.append(Samples(f"Dropped by {rule}: {len(cards)} of {total:,}", cards, folded=True))
    return found


def other_limits(folder: Path, rules: dict[str, Rule]) -> "list[Spreads]":
    """For every rule with a limit: how the values of what it dropped are spread, and what wider limits would keep."""
    from hornbook.report.blocks import Spread, Spreads

    rows: list[Spread] = []
    for name, values in sorted(dropped_values(folder).items()):
        rule = rules.get(name)
        if rule is None or not rule.sign:
            continue
        low, high = min(float(values.min()), rule.limit), max(float(values.max()), rule.limit)
        wider = [rule.past(value) for value in what_if(rule, values.tolist(), SHARES)]
        cells: list[object] = [rule.limit, len(values), *wider, rule.setting]
        rows.append(Spread(name, low, high, histogram(values, low, high), float(rule.limit), cells))
    if not rows:
        return []
    columns = ["limit", "dropped", *(f"keeps {100 * share:.0f} %" for share in SHARES), "setting"]
    note = (
        "The mark is the limit. `keeps 25 %` is the limit that would let through a quarter of what this rule dropped "
        "here; a rule that comes later may still drop some of it."
    )
    return [Spreads("What other limits would keep", columns, rows, note)]


def histogram(values: "np.ndarray", low: float, high: float, bins: int = BINS) -> list[int]:
    """Counts of values in bins of equal width; what lies on the last border belongs to the last bin.

    >>> import numpy
    >>> histogram(numpy.array([0.0, 0.1, 0.5, 1.0]), 0.0, 1.0, bins=2)
    [2, 2]
    """
    import numpy as np

    width = (high - low) / bins or 1.0
    places = np.minimum(bins - 1, (values - low) / width).astype(np.int64)
    return np.bincount(places, minlength=bins).tolist()


def dropped_values(folder: Path) -> "dict[str, np.ndarray]":
    """The finite numbers that were measured of dropped documents, by rule; the texts are not read."""
    import numpy as np
    import pyarrow.parquet

    found: dict[str, array[float]] = {}
    for shard in sorted((folder / "dropped").glob("*.parquet")):
        table = pyarrow.parquet.read_table(shard, columns=["rule", "value"])
        for rule, value in zip(table["rule"].to_pylist(), table["value"].to_pylist(), strict=True):
            number = as_number(value)
            if number is not None and math.isfinite(number):
                found.setdefault(rule, array("d")).append(number)
    return {rule: np.frombuffer(numbers) for rule, numbers in found.items()}


def first_documents(folder: Path, limit: int) -> list[Document]:
    """A few documents spread over the shards of a folder."""
    import pyarrow.parquet

    shards = sorted(folder.glob("*.parquet"))
    step = max(1, len(shards) // limit) if limit else 1
    found: list[Document] = []
    for shard in shards[::step]:
        with pyarrow.parquet.ParquetFile(shard) as file:
            batch = next(file.iter_batches(batch_size=limit), None)
        if batch is not None and batch.num_rows:
            found.extend(from_table(batch) if len(shards) < limit else [next(from_table(batch))])
        if len(found) >= limit:
            break
    return found[:limit]


def dropped_samples(folder: Path, per_rule: int, only: str = "") -> list[tuple[Document, str, str]]:
    """Up to `per_rule` dropped documents of each rule (or of one rule), with the rule and the value.

    Those with the smallest ids: ids are hashes, so that is a random sample over all shards, the same every time. Only
    the row groups that hold one of them are read whole.
    """
    import pyarrow.parquet

    best: dict[str, list[tuple[str, int, int, int]]] = {}
    shards = sorted((folder / "dropped").glob("*.parquet"))
    for place, shard in enumerate(shards):
        with pyarrow.parquet.ParquetFile(shard) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=["id", "rule"])
                rows = enumerate(zip(table["id"].to_pylist(), table["rule"].to_pylist(), strict=True))
                for row, (identity, rule) in rows:
                    if not only or rule == only:
                        best.setdefault(rule, []).append((identity, place, group, row))
        for rule, listed in best.items():
            best[rule] = heapq.nsmallest(per_rule, listed)
    wanted: dict[tuple[int, int], list[int]] = {}
    for listed in best.values():
        for _, place, group, row in listed:
            wanted.setdefault((place, group), []).append(row)
    found: list[tuple[Document, str, str]] = []
    for (place, group), rows in sorted(wanted.items()):
        with pyarrow.parquet.ParquetFile(shards[place]) as file:
            table = file.read_row_group(group).take(sorted(rows))
        marks: list[Any] = [table["rule"].to_pylist(), table["value"].to_pylist()]
        found += zip(from_table(table), *marks, strict=True)
    return sorted(found, key=lambda item: (item[1], item[0].id))


def _card(document: Document, rule: str = "", value: str = "") -> dict[str, str]:
    text = document.text if len(document.text) <= SAMPLE_CHARS else document.text[:SAMPLE_CHARS] + " …"
    card = {"id": document.id, "source": document.source, "text": text}
    if document.url:
        card["url"] = document.url
    return {"rule": rule, "value": value, **card} if rule else card
