"""One pass over a documents artifact: every shard written again, every document of it kept or dropped, all booked."""

from collections.abc import Iterator
from typing import Any

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import Document, document_shards, from_table
from hornbook.data.ledger import conclude
from hornbook.shards.runner import ShardFunction, run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace


def rewrite(
    function: ShardFunction, documents: Artifact, out: Out, *, label: str, common: Any, job: str
) -> list[dict[str, Any]]:
    """Run `function` on every shard (`inputs["file"]`) and close the books; its summaries, in the order of the shards.

    A summary has the `funnel` of the shard's ledger beside whatever else the stage wants to know. `job`: everything
    but the documents that decides the result. Raises DataError when no document is kept.
    """
    found = over_shards(function, documents, out, label=label, common=common, job=job)
    names = [shard.name for shard in shards_of(documents)]
    conclude(out, [summary["funnel"] for summary in found], str(documents.path), names)
    return found


def over_shards(
    function: ShardFunction, documents: Artifact, out: Out, *, label: str, common: Any = None, job: str
) -> list[dict[str, Any]]:
    """Run `function` on every shard without books: a pass that only measures."""
    total = documents.manifest.counts.get("docs")
    job = f"{job} {documents.manifest.payload_hash}"
    return run_shards(function, shards_of(documents), out, label=label, common=common, job=job, total=total)


def shards_of(documents: Artifact) -> list[Shard]:
    """A shard for each Parquet file, under the file's name."""
    return [Shard(file.stem, {"file": str(file)}) for file in document_shards(documents.path)]


def batches(work: Workspace, file: str, num_docs: int = 256) -> Iterator[list[Document]]:
    """The documents of one Parquet file, some at a time; each batch counts as progress when the next is asked for."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as opened:
        for batch in opened.iter_batches(batch_size=num_docs):
            documents = list(from_table(batch))
            yield documents
            work.advance(len(documents))
