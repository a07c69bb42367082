"""`hornbook run`: run a recipe, skip what is done, and say how to go on."""

import json
import shlex
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from hornbook.cli.find import Found, find_recipe
from hornbook.core.errors import HornbookError
from hornbook.core.runlog import RunLog
from hornbook.core.units import human_seconds

RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe's file, a shipped recipe's name, or a run to continue.")
]
ProfileOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Sizes for another purpose: smoke, laptop, gpu, ...")
]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="ID.KEY=VALUE", help="Change one setting.")]
RunsOption = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder for runs; default: HORNBOOK_RUNS, else ./runs.")
]


def run(
    recipe: RecipeArgument,
    profile: ProfileOption = None,
    set_: SetOption = None,
    start: Annotated[str | None, typer.Option("--from", metavar="ID", help="Begin here; earlier as on disk.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="ID", help="End after this stage.")] = None,
    force: Annotated[list[str] | None, typer.Option("--force", metavar="ID", help="Build it again.")] = None,
    runs: RunsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="End stdout with one JSON document.")] = False,
) -> int:
    """Run a recipe: build what is missing or changed, skip what is done.

    The same command again continues a run that was stopped, however it was stopped.
    """
    from hornbook.pipeline.plan import make_plan
    from hornbook.pipeline.run import Selection, run_plan

    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        found = find_recipe(recipe, profile, set_ or [], runs)
        plan = make_plan(found.recipe, found.run_folder, found.recipe_folder)
        log = RunLog(folder=found.run_folder)
        result = run_plan(plan, Selection(start, until, tuple(force or ())), log, found.recipe_folder)
    except HornbookError as error:
        if as_json:
            print(json.dumps({"state": "failed", "error": str(error), "exit_code": error.exit_code}))
        raise
    if result.cause is not None and result.error is not None:
        result.error.__cause__ = result.cause if result.cause is not result.error else None
    if not as_json and result.exit_code == 0:
        _say_done(found, sum(step.duration_s for step in result.steps), until)
    if result.interrupted:
        print(f"Stopped cleanly. Go on with: {_same_command()}", file=sys.stderr)
    if as_json:
        print(json.dumps(_document(found, result), ensure_ascii=False))
    if result.error is not None:
        raise result.error
    return result.exit_code


def _say_done(found: Found, total_s: float, until: str | None) -> None:
    folder = found.run_folder
    what = f'complete up to "{until}"' if until else "complete"
    print(f"{folder}: {what} in {human_seconds(total_s)}. Report: {folder / 'report.html'}")
    if any(folder.glob("[0-9]*-*/model.safetensors")):
        print(f"Talk to it: hornbook chat {folder}    Serve it: hornbook serve {folder}")


def _document(found: Found, result: Any) -> dict[str, Any]:
    """The JSON document that ends `run --json`."""
    ended = "stopped" if result.interrupted else "failed" if result.error else "complete"
    steps: list[dict[str, Any]] = []
    scores: list[Any] = []
    for step in result.steps:
        record: dict[str, Any] = {
            "id": step.id,
            "stage": step.stage,
            "outcome": step.outcome,
            "path": str(step.path),
            "duration_s": round(step.duration_s, 3),
        }
        if step.artifact is not None:
            manifest = asdict(step.artifact.manifest)
            record |= {key: manifest[key] for key in ("kind", "fingerprint", "payload_hash", "counts")}
            file = step.path / "scores.json"
            scores += json.loads(file.read_text())["scores"] if file.exists() else []
        steps.append(record)
    return {
        "run": str(found.run_folder),
        "state": ended,
        "exit_code": result.exit_code,
        "error": str(result.error) if result.error else None,
        "stages": steps,
        "scores": scores,
        "report": str(found.run_folder / "report.html"),
    }


def _same_command() -> str:
    return shlex.join(["hornbook", *sys.argv[1:]])


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
