"""report.html of a run: what went in, what was dropped and why, curves, scores, cost, and what to try next."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Artifact
from hornbook.core.errors import HornbookError
from hornbook.core.units import human_bytes, human_count, human_seconds
from hornbook.pipeline.advice import advice
from hornbook.pipeline.describe import describe, score_records
from hornbook.pipeline.flow import flow, totals
from hornbook.pipeline.history import RECIPE, Cost, RunView, StageView, read_records, view_run
from hornbook.pipeline.lock import LOCK
from hornbook.pipeline.stage import load_stage
from hornbook.report.blocks import Block, Scores, Series, Table, Text
from hornbook.report.html import Page, Section, render

REPORT = "report.html"
BYTE_SUFFIXES = ("_bytes", "bytes")
CURVES = {"validation_bits_per_byte": "bits per byte", "validation_nats": "nats", "loss": "nats"}
FIRST_COUNTS = ("pages", "docs", "conversations", "parameters", "train_tokens")


def write_report(folder: Path, writing: bool = False) -> Path:
    """Render a run's report.html, complete or not at all. `writing`: by the process that is running it."""
    text = render(page_of(view_run(folder, writing)))
    scratch = folder / f".{REPORT}.new"
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(folder / REPORT)
    return folder / REPORT


def page_of(run: RunView) -> Page:
    """The page of a run as it stands."""
    complete = sum(stage.state == "complete" for stage in run.stages)
    return Page(
        title=run.name,
        state=run.state,
        subtitle=f"{complete} of {len(run.stages)} stages complete, {human_seconds(run.cost.duration_s)} of work",
        problem=run.problem,
        tiles=tiles(run),
        blocks=outcome(run),
        next=advice(run),
        overview=[overview(run), *flow(run)],
        sections=[_section(run, stage) for stage in run.stages if stage.state != "waiting"],
        provenance=provenance(run),
        files=[(name, text) for name in (RECIPE, LOCK) if (text := _text(run.folder / name))],
        footer=_footer(run),
    )


def tiles(run: RunView) -> list[tuple[str, str]]:
    """The numbers a reader looks for first."""
    found: list[tuple[str, str]] = []
    artifacts = [stage.artifact for stage in run.stages if stage.artifact is not None]
    if documents := totals(run):
        num_in, num_kept = documents
        found.append((f"{human_count(num_kept)} of {human_count(num_in)}", "documents kept"))
    for kind, key, label in (
        ("tokens", "train_tokens", "tokens to learn from"),
        ("checkpoint", "parameters", "parameters"),
    ):
        value = next((a.manifest.counts[key] for a in artifacts if a.kind == kind and key in a.manifest.counts), None)
        if value is not None:
            found.append((human_count(value), label))
    records = [record for a in artifacts if a.kind == "scores" for record in score_records(a)]
    bits = next((r for r in records if "bits per byte" in (r.get("unit"), r.get("title"))), None)
    if bits:
        found.append((f"{bits['value']:.3f}", "bits per byte"))
    barred = [record for record in records if record.get("bar") is not None]
    if barred:
        found.append((f"{sum(map(_passed, barred))} of {len(barred)}", "bars met"))
    found.append((human_seconds(run.cost.duration_s), "time"))
    if run.cost.energy_wh is not None:
        found.append((_energy(run.cost), f"energy ({run.cost.method})"))
    return found


def outcome(run: RunView) -> list[Block]:
    """Every score of the run in one table, before anything else; how each was measured stands with its stage."""
    from hornbook.evaluate.results import scores_block

    rows = []
    for stage in run.stages:
        if stage.artifact is not None and stage.artifact.kind == "scores" and score_records(stage.artifact):
            rows += [replace(row, protocol="") for row in scores_block(stage.artifact, "").rows]
    return [Scores("What came out", rows)] if rows else []


def curve(run: RunView) -> list[Block]:
    """The first curve that falls or should: validation (or loss) of the newest model, the one in training included."""
    for stage in reversed(run.stages):
        folder = stage.path if stage.artifact else stage.path.with_name(stage.path.name + ".partial")
        records = read_records(folder / "metrics.jsonl")
        for name, unit in (
            ("validation_bits_per_byte", "bits per byte"),
            ("validation_nats", "nats"),
            ("loss", "nats"),
        ):
            points = [(float(r.get("tokens", r.get("step", 0))), float(r[name])) for r in records if name in r]
            if len(points) > 1:
                return [Series(f"{stage.id}: {name.replace('_', ' ')}", "tokens", unit, {stage.id: points})]
    return []


def overview(run: RunView) -> Table:
    """One row for each stage: what it made, how much, and what that took."""
    rows: list[list[object]] = []
    for stage in run.stages:
        made = stage.artifact.kind if stage.artifact else "–"
        counts = main_counts(stage.artifact) if stage.artifact else ""
        took = human_seconds(stage.cost.duration_s) if stage.cost.duration_s else "–"
        rows.append([stage.number, stage.id, stage.stage, made, counts, took, _energy(stage.cost), stage.state])
    total = run.cost
    rows.append(["", "all", "", "", "", human_seconds(total.duration_s), _energy(total), ""])
    note = ""
    if total.method == "estimate":
        note = "Energy is estimated from time and cores: this machine does not show its power counters."
    columns = ["", "stage", "what runs", "makes", "counts", "time", "energy", "state"]
    return Table("", columns, rows, note)


def main_counts(artifact: Artifact, most: int = 3) -> str:
    """The first few counts of an artifact in words: `14.2k docs, 3.1M tokens`."""
    shown: list[str] = []
    counts = artifact.manifest.counts
    for name in sorted(counts, key=lambda name: name not in FIRST_COUNTS):
        value = counts[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or name in ("seconds", "wh", "grams_co2"):
            continue
        is_bytes = name.endswith(BYTE_SUFFIXES)
        text = human_bytes(value) if is_bytes else human_count(value)
        label = name.removesuffix("bytes").strip("_") if is_bytes else name
        shown.append(f"{text} {label.replace('_', ' ')}".strip())
    return ", ".join(shown[:most])


def provenance(run: RunView) -> list[Block]:
    """Licences and sources of everything the last artifacts rest on, and who said so."""
    artifacts = [stage.artifact for stage in run.stages if stage.artifact is not None]
    licences = sorted({licence for artifact in artifacts for licence in artifact.manifest.licences})
    sources = sorted({source for artifact in artifacts for source in artifact.manifest.sources})
    body = f"Licences: {', '.join(licences) or 'none was stated by any input'}.\n\n"
    body += f"Sources: {', '.join(sources) or 'none was stated'}."
    blocks: list[Block] = [Text("", body)]
    closed = [name for name in licences if is_noncommercial(name)]
    if closed:
        blocks.append(
            Text("Not for commercial use", f"Some of the data is licensed as {', '.join(closed)}; so is what it made.")
        )
    return blocks


def is_noncommercial(licence: str) -> bool:
    """Whether a licence's name says that commercial use is excluded."""
    words = licence.lower().replace("_", "-").replace(" ", "-").split("-")
    return "nc" in words or "noncommercial" in licence.lower().replace("-", "") or "research" in words


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted names."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _section(run: RunView, stage: StageView) -> Section:
    artifact = stage.artifact
    return Section(
        number=stage.number,
        title=stage.id,
        stage=stage.stage,
        summary=_summary(stage.stage, run.folder),
        state=stage.state,
        blocks=describe(artifact, run.folder) if artifact else [],
        settings=[(name, _value(value)) for name, value in flat(artifact.manifest.settings).items()]
        if artifact
        else [],
        origin=_origin(artifact) if artifact else "",
    )


def _summary(name: str, folder: Path) -> str:
    try:
        return load_stage(name, folder).summary
    except HornbookError:
        return ""


def _origin(artifact: Artifact) -> str:
    manifest = artifact.manifest
    parents: list[str] = []
    for value in manifest.parents.values():
        parents += [str(item["id"]) for item in (value if isinstance(value, list) else [value])]
    reads = f"Reads {', '.join(parents)}. " if parents else ""
    return (
        f"{reads}Fingerprint {manifest.fingerprint}, payload {manifest.payload_hash}, seed {manifest.seed}, "
        f"Hornbook {manifest.code_version}."
    )


def _footer(run: RunView) -> str:
    versions = {stage.artifact.manifest.code_version for stage in run.stages if stage.artifact is not None}
    made = f"Made by Hornbook {', '.join(sorted(versions - {''}))}. " if versions - {""} else ""
    return f"{made}This page needs no network: everything on it is in this file."


def _passed(record: dict[str, Any]) -> bool:
    if "passed" in record:
        return bool(record["passed"])
    return record["value"] <= record["bar"] if record.get("lower_is_better") else record["value"] >= record["bar"]


def _energy(cost: Cost) -> str:
    if cost.energy_wh is None:
        return "–"
    return f"{cost.energy_wh:.3g} Wh" if cost.energy_wh >= 0.01 else "< 0.01 Wh"


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return "–" if value is None else str(value)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
