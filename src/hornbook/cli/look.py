"""`hornbook look`: any artifact or run as it lies on disk, complete or under way."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.cli.find import RECIPE, documents_of, find_place
from hornbook.cli.screen import screen
from hornbook.core.artifact import MANIFEST, Artifact, Manifest, open_artifact
from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.core.settings import did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from hornbook.report.blocks import Block

NEAR = 10
SAMPLES = 3
SHORT_CHARS = 200


def look(
    path: Annotated[str, typer.Argument(help="A run by name or folder, or an artifact's folder.")],
    samples: Annotated[int | None, typer.Option(min=0, help="How many samples of each kind to show.")] = None,
    rule: Annotated[str | None, typer.Option(help="Show documents that this rule dropped.")] = None,
    dropped: Annotated[bool, typer.Option("--dropped", help="Show ten documents that each rule dropped.")] = False,
    id_: Annotated[str | None, typer.Option("--id", help="What became of the document with this id.")] = None,
    url: Annotated[str | None, typer.Option(help="What became of the document from this address.")] = None,
    near: Annotated[str | None, typer.Option(help="In an index: the documents nearest to this text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> int:
    """Show a run or an artifact: what it is, counts, samples, drops by rule, curves, progress.

    It only reads, so a run can be watched from another terminal.
    """
    folder = find_place(path)
    if near is not None:
        _show_near(folder, near, NEAR if samples is None else samples)
    elif rule is not None or dropped:
        show_dropped(documents_of(folder), rule or "", samples)
    elif id_ is not None or url is not None:
        column, value = ("id", id_) if id_ is not None else ("url", url)
        _show_fate(documents_of(folder), column, str(value))
    elif as_json:
        print(json.dumps(_record(folder), ensure_ascii=False, default=str))
    elif (folder / RECIPE).exists():
        _show_run(folder)
    elif (folder / MANIFEST).exists():
        _show_artifact(folder, SAMPLES if samples is None else samples)
    else:
        _show_partial(folder)
    return 0


def _show_run(folder: Path) -> None:
    from hornbook.core.units import human_seconds
    from hornbook.pipeline.advice import advice
    from hornbook.pipeline.history import view_run
    from hornbook.pipeline.report import curve, main_counts, outcome
    from hornbook.report.blocks import Table

    run = view_run(folder)
    num_complete = sum(stage.state == "complete" for stage in run.stages)
    print(f"{folder}: {run.state}, {num_complete} of {len(run.stages)} stages complete")
    if run.problem:
        print(run.problem)
    if run.state == "running":
        print(_progress(folder))
    rows: list[list[object]] = []
    for stage in run.stages:
        made, counts = (stage.artifact.kind, main_counts(stage.artifact)) if stage.artifact else ("", "")
        took = human_seconds(stage.cost.duration_s) if stage.cost.duration_s else ""
        rows.append([f"{stage.number}-{stage.id}", stage.state, made, counts, took])
    rows.append(["all", run.state, "", "", human_seconds(run.cost.duration_s)])
    _print([Table("", ["stage", "state", "makes", "counts", "time"], rows), *curve(run), *outcome(run)])
    said = advice(run) if run.state != "running" else []
    if said:
        print("\nWhat to try next\n" + "\n".join(f"- {line}" for line in said))
    if (folder / "report.html").exists():
        print(f"\nReport: {folder / 'report.html'}    One stage: hornbook look {folder}/NN-ID")


def _show_artifact(folder: Path, num_samples: int) -> None:
    from hornbook.pipeline.describe import describe
    from hornbook.report.blocks import Table

    artifact = open_artifact(folder)
    manifest = artifact.manifest
    made = f", made by {manifest.stage} (Hornbook {manifest.code_version})" if manifest.stage else ""
    print(f"{folder}: {manifest.kind}{made}")
    print(f"fingerprint {manifest.fingerprint or 'none'}, payload {manifest.payload_hash}, seed {manifest.seed}")
    for name, values in (("licences", manifest.licences), ("sources", manifest.sources)):
        if values:
            print(f"{name}: {', '.join(values)}")
    counts: list[list[object]] = [[name, value] for name, value in manifest.counts.items() if not _is_long(value)]
    blocks: list[Block] = [Table("Counts", ["what", "how many"], counts)] if counts else []
    _print([*blocks, *describe(artifact, _run_of(folder))], num_samples)


def _show_partial(folder: Path) -> None:
    """An artifact that is being built, or was interrupted: progress, and what it has written so far."""
    from hornbook.pipeline.describe import by_kind
    from hornbook.pipeline.runlock import is_running

    run = _run_of(folder)
    if run is not None and is_running(run):
        print(f"{folder}: being built\n{_progress(run)}")
    else:
        print(f"{folder}: not complete and not being built; the same `hornbook run` again goes on from here")
    if (folder / "metrics.jsonl").exists():
        _print(by_kind(Artifact(folder, Manifest(kind="checkpoint"))))


def _progress(run: Path) -> str:
    """What the process that writes this run said last."""
    try:
        said = json.loads((run / "progress.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "It has said nothing about its progress yet."
    return f"{said.get('text', '')}{'  (finished)' if said.get('finished') else ''}"


def show_dropped(artifacts: list[Artifact], only: str, most: int | None) -> None:
    """Documents that each rule (or one) dropped, through a pager. Raises SettingsError for no such rule."""
    from hornbook.data.funnel import RULE_SAMPLES, dropped_samples
    from hornbook.pipeline.describe import funnel_of
    from hornbook.report.blocks import Samples

    most = RULE_SAMPLES if most is None else most
    known: set[str] = set()
    found: list[Block] = []
    for artifact in artifacts:
        funnel = funnel_of(artifact)
        counts = {rule: n for rule, n in (funnel.dropped if funnel else {}).items() if n}
        known.update(counts)
        shown = {rule: n for rule, n in counts.items() if only in ("", rule)}
        if not shown:
            continue
        cards: dict[str, list[dict[str, str]]] = {}
        for document, rule, value in dropped_samples(artifact.path, most, only):
            text = document.text if only else " ".join(document.text[:SHORT_CHARS].split())
            card = {"id": document.id, "url": document.url, "value": value, "text": text}
            cards.setdefault(rule, []).append({name: part for name, part in card.items() if part})
        for rule, count in sorted(shown.items(), key=lambda item: -item[1]):
            items = cards.get(rule, [])
            found.append(Samples(f"{artifact.path.name}: {count:,} dropped by {rule}, {len(items)} of them", items))
    if not known:
        print("No document was dropped here.")
        return
    if not found:
        hint = did_you_mean(only, sorted(known))
        raise SettingsError(f'no document was dropped by a rule "{only}"{hint}', where=str(artifacts[0].path))
    console = screen()
    if console.is_terminal and len(found) > 1:
        with console.pager():
            _print(found, most, console)
    else:
        _print(found, most, console)


def _show_fate(artifacts: list[Artifact], column: str, value: str) -> None:
    """What became of the documents with this id or address. Raises ArtifactError when no stage has seen it."""
    from hornbook.cli.why import tell
    from hornbook.data.trace import follow, with_value

    ids = list(dict.fromkeys(identity for artifact in artifacts for identity in with_value(artifact, column, value)))
    if not ids:
        where = ", ".join(artifact.path.name for artifact in artifacts)
        raise ArtifactError(f'no document has the {column} "{value}"', where=where)
    for fates in follow(artifacts, ids).values():
        tell(fates, artifacts)


def _show_near(folder: Path, text: str, most: int) -> None:
    """The documents of an index that are nearest to a text, shared words in capitals."""
    import re

    from hornbook.data.index import Searcher
    from hornbook.report.blocks import Samples

    if (folder / RECIPE).exists():
        found = [file.parent for file in sorted(folder.glob("[0-9]*-*/index.json"))]
        if not found:
            raise ArtifactError("this run has no index", where=str(folder), do='Add a stage `run = "data.index"`')
        folder = found[-1]
    open_artifact(folder, "index")
    if not (folder / "index.json").exists():
        raise ArtifactError("this artifact cannot be searched", where=str(folder), do="`data.index` makes one that can")
    items: list[dict[str, str]] = []
    for hit in Searcher(folder).near(text, most):
        words = re.compile(rf"\b({'|'.join(map(re.escape, hit.words))})\b", re.IGNORECASE) if hit.words else None
        shown = " ".join(hit.beginning.split())
        shown = words.sub(lambda match: match[0].upper(), shown) if words else shown
        item = {"near": f"{hit.similarity:.3f} (words {hit.bm25:.1f})", "id": hit.id, "url": hit.url, "text": shown}
        items.append({name: value for name, value in item.items() if value})
    _print([Samples(f"{len(items)} documents nearest to it", items)], most)


def _record(folder: Path) -> dict[str, Any]:
    """What `--json` prints of a run or an artifact."""
    if (folder / RECIPE).exists():
        from hornbook.pipeline.history import view_run

        run = view_run(folder)
        stages = [
            {"id": s.id, "stage": s.stage, "state": s.state, "path": str(s.path), "duration_s": s.cost.duration_s}
            | ({"kind": s.artifact.kind, "counts": s.artifact.manifest.counts} if s.artifact else {})
            for s in run.stages
        ]
        return {"run": str(folder), "state": run.state, "error": run.problem or None, "stages": stages}
    if (folder / MANIFEST).exists():
        return {"path": str(folder), "state": "complete", **asdict(open_artifact(folder).manifest)}
    return {"path": str(folder), "state": "interrupted"}


def _run_of(folder: Path) -> Path | None:
    return folder.parent if (folder.parent / RECIPE).exists() else None


def _is_long(value: object) -> bool:
    return isinstance(value, (dict, list))


def _print(blocks: "list[Block]", num_samples: int = SAMPLES, console: "Console | None" = None) -> None:
    from hornbook.report.terminal import show

    show(blocks, console or screen(), num_samples)
