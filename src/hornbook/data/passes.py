"""A stage's passes over documents: those that leave notes, and the one that writes every shard again, all booked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import Document, document_shards, from_table
from hornbook.data.ledger import conclude
from hornbook.shards.runner import ShardFunction, run_shards
from hornbook.shards.shard import Limits, Shard
from hornbook.shards.workspace import Workspace

Summaries = list[dict[str, Any]]


@dataclass(frozen=True)
class Passes:
    """The shards of a stage's documents, for one pass over them or several.

    `job`: everything that decides the result; `notes`: where passes before the last one write, a folder of the stage
    that goes when the stage is complete.
    """

    artifacts: tuple[Artifact, ...]
    shards: list[Shard]
    job: str
    out: Out
    notes: Out

    @property
    def names(self) -> list[str]:
        """The shards' names, in the order of the documents."""
        return [shard.name for shard in self.shards]

    @property
    def folder(self) -> Path:
        """Where the notes are."""
        return self.notes.path

    @property
    def num_bytes(self) -> int:
        """Sizes of the shards' files."""
        return sum(Path(shard.inputs["file"]).stat().st_size for shard in self.shards)

    def numbered(self) -> list[Shard]:
        """The shards with their `number` and the folder of the notes (`work`), to fetch what they sent to a meeting."""
        return [
            Shard(shard.name, shard.inputs | {"work": str(self.folder), "number": number})
            for number, shard in enumerate(self.shards)
        ]

    def look(
        self, function: ShardFunction, label: str, common: Any = None, shards: list[Shard] | None = None
    ) -> Summaries:
        """A pass that only leaves notes; its summaries, in the order of the shards.

        `shards`: these with more inputs.
        """
        total = self._num_docs()
        return run_shards(
            function, shards or self.shards, self.notes, label=label, common=common, job=self.job, total=total
        )

    def rewrite(
        self,
        function: ShardFunction,
        label: str,
        common: Any = None,
        shards: list[Shard] | None = None,
        *,
        job: str = "",
        limits: Limits | None = None,
    ) -> Summaries:
        """The pass that writes every shard again, each document kept or dropped; closes the books.

        A summary is what the shard's ledger closed with, and whatever else the stage wants to know. `job`: what the
        passes before have found, where it decides. Raises DataError when no document is kept.
        """
        found = run_shards(
            function, shards or self.shards, self.out, label=label, common=common, job=f"{self.job} {job}",
            limits=limits, total=self._num_docs(),
        )  # fmt: skip
        conclude(self.out, found, ", ".join(str(artifact.path) for artifact in self.artifacts), self.names)
        return found

    def _num_docs(self) -> int | None:
        """Documents that a pass meets, None where an artifact has not counted them."""
        counts = [artifact.manifest.counts for artifact in self.artifacts]
        return sum(count["docs"] for count in counts) if all("docs" in count for count in counts) else None


def passes(documents: Artifact | tuple[Artifact, ...], out: Out, job: str, folder: str = "work") -> Passes:
    """Passes over every Parquet file of the documents (`inputs["file"]`).

    Shards have the files' names; with several artifacts, numbers. `job`: everything but the documents that decides the
    result; `folder`: of the notes, where a stage makes several of these.
    """
    artifacts = documents if isinstance(documents, tuple) else (documents,)
    files = [file for artifact in artifacts for file in document_shards(artifact.path)]
    names = [file.stem for file in files] if len(artifacts) == 1 else [f"{n:05d}" for n in range(len(files))]
    shards = [Shard(name, {"file": str(file)}) for name, file in zip(names, files, strict=True)]
    notes = replace(out, path=Path(out.resume) / folder)
    notes.path.mkdir(exist_ok=True)
    hashes = [artifact.manifest.payload_hash for artifact in artifacts]
    return Passes(artifacts, shards, f"{job} {hashes}", out, notes)


def batches(work: Workspace, file: str, num_docs: int = 256) -> Iterator[list[Document]]:
    """The documents of one Parquet file, some at a time; each batch counts as progress when the next is asked for."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as opened:
        for batch in opened.iter_batches(batch_size=num_docs):
            documents = list(from_table(batch))
            yield documents
            work.advance(len(documents))
