"""What a data stage kept, edited and dropped, as tables and samples for reports and `hornbook look`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact
from hornbook.core.document import Document, from_table
from hornbook.core.units import human_bytes
from hornbook.data.ledger import read_funnel

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

SAMPLE_CHARS = 600


def blocks(artifact: Artifact, rules: dict[str, str], samples: int = 3) -> "list[Block]":
    """The funnel by rule, and samples of what was kept and of what each rule dropped.

    `rules`: the stage's own table of rules, name -> what it means and where it comes from.
    """
    from hornbook.report.blocks import Funnel, Samples, Table, share

    funnel = read_funnel(artifact.path)
    title = f"{artifact.manifest.stage or 'documents'}: what was kept and what was dropped"
    found: list[Block] = [Funnel(title, funnel["in"], funnel["kept"], funnel["dropped"], funnel["edited"])]
    named = sorted(funnel["dropped"].items(), key=lambda item: (-item[1], item[0])) + sorted(funnel["edited"].items())
    if named:
        rows: list[list[object]] = [[rule, n, share(n, funnel["in"]), rules.get(rule, "")] for rule, n in named]
        note = f"{human_bytes(funnel['bytes_in'])} went in, {human_bytes(funnel['bytes_kept'])} of text stayed."
        found.append(Table("Rules", ["rule", "times", "of documents", "meaning and source"], rows, note))
    kept = [_card(document) for document in first_documents(artifact.path / "kept", samples)]
    found.append(Samples("Kept", kept))
    dropped = [_card(document, rule, value) for document, rule, value in dropped_samples(artifact.path, samples)]
    if dropped:
        found.append(Samples("Dropped", dropped))
    return found


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


def dropped_samples(folder: Path, per_rule: int) -> list[tuple[Document, str, str]]:
    """Up to `per_rule` dropped documents of each rule, with the rule and the value."""
    import pyarrow.parquet

    counts: dict[str, int] = {}
    found: list[tuple[Document, str, str]] = []
    for shard in sorted((folder / "dropped").glob("*.parquet")):
        with pyarrow.parquet.ParquetFile(shard) as file:
            for batch in file.iter_batches(batch_size=512):
                columns: list[Any] = [batch.column("rule").to_pylist(), batch.column("value").to_pylist()]
                for document, rule, value in zip(from_table(batch), *columns, strict=True):
                    counts[rule] = counts.get(rule, 0) + 1
                    if counts[rule] <= per_rule:
                        found.append((document, rule, value))
    return sorted(found, key=lambda item: item[1])


def _card(document: Document, rule: str = "", value: str = "") -> dict[str, str]:
    text = document.text if len(document.text) <= SAMPLE_CHARS else document.text[:SAMPLE_CHARS] + " …"
    card = {"id": document.id, "source": document.source, "text": text}
    if document.url:
        card["url"] = document.url
    return {"rule": rule, "value": value, **card} if rule else card
