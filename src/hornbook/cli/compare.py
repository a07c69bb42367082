"""`hornbook compare`: two runs side by side."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.cli.find import find_run
from hornbook.cli.screen import screen
from hornbook.core.units import human_seconds

if TYPE_CHECKING:
    from hornbook.pipeline.history import RunView
    from hornbook.report.blocks import Block, Table

CURVES = ("validation_bits_per_byte", "validation_nats", "loss")
MAX_CHARS = 60


def compare(
    one: Annotated[str, typer.Argument(metavar="RUN", help="A run, by folder or name.")],
    other: Annotated[str, typer.Argument(metavar="RUN", help="Another.")],
    samples: Annotated[int, typer.Option(metavar="N", help="How many answers to show side by side.", min=0)] = 3,
) -> None:
    """Two runs side by side: settings that differ, data, curves, scores with intervals, samples."""
    from hornbook.pipeline.history import view_run
    from hornbook.report.terminal import show

    a, b = view_run(find_run(one)), view_run(find_run(other))
    console = screen()
    names = distinct_names(a, b)
    console.print(f"[bold]{names[0]}[/bold] ({a.state}) and [bold]{names[1]}[/bold] ({b.state})")
    blocks: list[Block] = [settings_table(a, b, names), data_table(a, b, names)]
    blocks += curves(a, b, names)
    blocks.append(scores_table(a, b, names))
    blocks += answers(a, b, names, samples)
    show(blocks, console, samples)


def distinct_names(a: "RunView", b: "RunView") -> tuple[str, str]:
    """The runs' names, with their parent folders where the names alone are the same."""
    if a.name != b.name:
        return a.name, b.name
    return str(a.folder), str(b.folder)


def settings_table(a: "RunView", b: "RunView", names: tuple[str, str]) -> "Table":
    """Every setting, stage and seed that differs."""
    from hornbook.report.blocks import Table

    left, right = _settings(a), _settings(b)
    keys = list(dict.fromkeys([*left, *right]))
    rows: list[list[object]] = [
        [key, _short(left.get(key, "–")), _short(right.get(key, "–"))]
        for key in keys
        if left.get(key) != right.get(key)
    ]
    note = "" if rows else "No setting differs."
    return Table("Settings that differ", ["setting", *names], rows, note)


def data_table(a: "RunView", b: "RunView", names: tuple[str, str]) -> "Table":
    """What each stage counted, its time, and whether it wrote the same bytes."""
    from hornbook.pipeline.report import main_counts
    from hornbook.report.blocks import Table

    ids = list(dict.fromkeys(stage.id for stage in (*a.stages, *b.stages)))
    rows: list[list[object]] = []
    for identity in ids:
        pair = [next((s for s in run.stages if s.id == identity), None) for run in (a, b)]
        artifacts = [stage.artifact if stage else None for stage in pair]
        hashes = {artifact.manifest.payload_hash for artifact in artifacts if artifact}
        same = "same bytes" if all(artifacts) and len(hashes) == 1 else ""
        took = " / ".join(human_seconds(s.cost.duration_s) if s and s.cost.duration_s else "–" for s in pair)
        rows.append([identity, *(main_counts(x, 2) if x else "–" for x in artifacts), took, same])
    return Table("Stages", ["stage", *names, "time", ""], rows)


def curves(a: "RunView", b: "RunView", names: tuple[str, str]) -> "list[Block]":
    """The validation curves (or losses) of models with the same id."""
    from hornbook.pipeline.history import read_records
    from hornbook.report.blocks import Series

    blocks: list[Block] = []
    for stage in a.stages:
        twin = next((s for s in b.stages if s.id == stage.id), None)
        if not (stage.artifact and twin and twin.artifact and stage.artifact.kind == "checkpoint"):
            continue
        records = [read_records(x.path / "metrics.jsonl") for x in (stage, twin)]
        for name in CURVES:
            lines = {
                title: [(float(r.get("tokens", r.get("step", 0))), float(r[name])) for r in rows if name in r]
                for title, rows in zip(names, records, strict=True)
            }
            if all(len(points) > 1 for points in lines.values()):
                blocks.append(Series(f"{stage.id}: {name.replace('_', ' ')}", "tokens", "", lines))
                break
    return blocks


def scores_table(a: "RunView", b: "RunView", names: tuple[str, str]) -> "Table":
    """Scores of the same name with intervals, and whether the difference is larger than chance explains."""
    from hornbook.report.blocks import Table, quantity

    left, right = _scores(a), _scores(b)
    rows: list[list[object]] = []
    for name in dict.fromkeys([*left, *right]):
        pair = (left.get(name), right.get(name))
        cells = [_interval(record) if record else "–" for record in pair]
        verdict, change = "", ""
        if pair[0] and pair[1]:
            unit = pair[0].get("unit", "")
            difference = pair[1]["value"] - pair[0]["value"]
            change = ("+" if difference >= 0 else "") + quantity(difference, unit)
            verdict = "real" if is_real(pair[0], pair[1]) else "within chance"
        rows.append([pair[0]["title"] if pair[0] else name, *cells, change, verdict])
    note = "`real`: the difference is larger than the two intervals allow chance to make it (95 %)." if rows else ""
    return Table("Scores", ["score", *names, "change", ""], rows, note or "No scores yet.")


def is_real(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two scores differ by more than chance: the difference against both half-widths, added as squares.

    Source: Newcombe 1998, method 10 (https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).
    """
    low, high = (one, other) if one["value"] <= other["value"] else (other, one)
    room = math.hypot(low["high"] - low["value"], high["value"] - high["low"])
    return high["value"] - low["value"] > room


def answers(a: "RunView", b: "RunView", names: tuple[str, str], most: int) -> "list[Block]":
    """Answers to the same questions, those with different grades first."""
    from hornbook.pipeline.history import read_records
    from hornbook.report.blocks import Samples

    blocks: list[Block] = []
    for stage in a.stages:
        twin = next((s for s in b.stages if s.id == stage.id), None)
        if not (stage.artifact and twin and twin.artifact and stage.artifact.kind == "scores") or not most:
            continue
        rows = {str(r.get("id")): r for r in read_records(twin.path / "samples.jsonl") if "answer" in r}
        both = [
            (r, rows[str(r.get("id"))]) for r in read_records(stage.path / "samples.jsonl") if str(r.get("id")) in rows
        ]
        both.sort(key=lambda pair: pair[0].get("grade") == pair[1].get("grade"))
        items = [
            {"asked": str(x.get("asked", x.get("id"))), names[0]: str(x.get("answer")), names[1]: str(y.get("answer"))}
            for x, y in both[:most]
        ]
        if items:
            blocks.append(Samples(f"{stage.id}: answers", items))
    return blocks


def _settings(run: "RunView") -> dict[str, Any]:
    from hornbook.pipeline.report import flat

    found: dict[str, Any] = {}
    for stage in run.stages:
        if stage.artifact:
            manifest = stage.artifact.manifest
            found["seed"] = manifest.seed
            found[f"{stage.id} runs"] = (
                manifest.stage if not manifest.stage.endswith(".py") else Path(manifest.stage).name
            )
            found |= {f"{stage.id}.{name}": value for name, value in flat(manifest.settings).items()}
    return found


def _scores(run: "RunView") -> dict[str, dict[str, Any]]:
    from hornbook.pipeline.describe import score_records

    return {
        f"{stage.id}/{record['name']}": {"title": record["name"], **record}
        for stage in run.stages
        if stage.artifact and stage.artifact.kind == "scores"
        for record in score_records(stage.artifact)
    }


def _interval(record: dict[str, Any]) -> str:
    from hornbook.report.blocks import quantity

    unit = record.get("unit", "")
    low, high = quantity(record["low"], unit), quantity(record["high"], unit)
    return f"{quantity(record['value'], unit)} ({low} – {high})"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"
