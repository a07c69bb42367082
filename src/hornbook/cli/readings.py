"""`hornbook readings`: what each reading of the published rules would drop of my documents, and where they part."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.find import find_place
from hornbook.cli.screen import screen
from hornbook.core.artifact import MANIFEST, Artifact, open_artifact
from hornbook.core.errors import ArtifactError


def readings(
    path: Annotated[str, typer.Argument(help="A documents artifact, or a run: its first documents are taken.")],
    rule: Annotated[list[str] | None, typer.Option(help="Only this filter (again for more).")] = None,
    docs: Annotated[int, typer.Option(min=1, help="How many documents to read.")] = 10_000,
    samples: Annotated[int, typer.Option(min=0, help="How many disagreements of each filter to show.")] = 5,
) -> int:
    """Run every reading of the filter rules (paper, datatrove, dolma, dclm) side by side on the same documents."""
    from hornbook.core.document import read_documents
    from hornbook.data.readings import blocks, compare, filters_with_readings
    from hornbook.report.terminal import show

    artifact = _first_documents(find_place(path))
    found = compare(islice(read_documents(artifact.path), docs), rule or filters_with_readings(), samples)
    print(f"{artifact.path}: {found[0].num_docs:,} documents, each filter alone, with its defaults")
    show(blocks(found), screen(), samples)
    return 0


def _first_documents(folder: Path) -> Artifact:
    """The artifact itself, or the first of a run: what its filters read. Raises ArtifactError when there is none."""
    if (folder / MANIFEST).exists():
        return open_artifact(folder, "documents")
    for file in sorted(folder.glob(f"[0-9]*-*/{MANIFEST}")):
        artifact = open_artifact(file.parent)
        if artifact.kind == "documents":
            return artifact
    raise ArtifactError("this run has no finished documents yet", where=str(folder))
