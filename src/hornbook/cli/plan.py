"""`hornbook plan`: check a recipe and say what it will take, before any compute is spent."""

import json
import shutil
from typing import Annotated, Any

import typer

from hornbook.cli.find import Found, find_recipe
from hornbook.cli.run import ProfileOption, RecipeArgument, RunsOption, SetOption
from hornbook.core.errors import HornbookError
from hornbook.core.units import human_bytes, human_count, human_seconds

ESTIMATES = frozenset({"flops", "seconds", "memory_bytes", "disk_bytes", "output_bytes", "epochs", "energy_wh"})
WORDS = {
    "flops": "FLOPs",
    "seconds": "time",
    "memory_bytes": "memory",
    "disk_bytes": "disk",
    "output_bytes": "output",
    "energy_wh": "energy",
}
STATES = {
    "done": "done, will be skipped",
    "changed": "changed, will be built again",
    "interrupted": "interrupted, will go on",
    "waits": "waits for an earlier stage that changed",
    "new": "new",
}


def plan(
    recipe: RecipeArgument,
    profile: ProfileOption = None,
    set_: SetOption = None,
    runs: RunsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> int:
    """Check a recipe and say what it will take: nothing is built or written.

    Every mistake that needs no data is found here (exit code 2); numbers with ~ are estimates for this machine.
    """
    from hornbook.pipeline.plan import make_plan, states

    try:
        found = find_recipe(recipe, profile, set_ or [], runs)
        made = make_plan(found.recipe, found.run_folder, found.recipe_folder)
        steps = [_record(step, state) for step, state in states(made)]
    except HornbookError as error:
        if as_json:
            print(json.dumps({"state": "failed", "error": str(error), "exit_code": error.exit_code}))
        raise
    needs_probe = any(step.node.stage.resolve is not None for step in made.steps)
    machine = _machine(found, needs_probe)
    totals = _totals(steps)
    fits = totals["disk_bytes"] <= machine["disk_free_bytes"]
    if as_json:
        document = {"run": str(found.run_folder), "state": "planned", "machine": machine, "stages": steps}
        print(json.dumps(document | {"totals": totals, "fits": fits}, ensure_ascii=False, default=str))
    else:
        print(_page(found, machine, steps, totals))
        if not fits:
            free = human_bytes(machine["disk_free_bytes"])
            print(f"This does not fit: the disk has {free} free. Free some, or give another folder with --runs.")
    return 0 if fits else 1


def readable(name: str, value: Any) -> str:
    """A derived value in words: `parameters 3.2M`, `time ~9m 30s`; the ~ marks an estimate.

    >>> readable("seconds", 570.0), readable("parameters", 3_200_000)
    ('time ~9m 30s', 'parameters 3.2M')
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "seconds" and number:
        text = human_seconds(value)
    elif name.endswith("_bytes") and number:
        text = human_bytes(value)
    elif name == "flops" and number:
        text = f"{value:.2e}"
    else:
        text = human_count(value) if number else str(value)
    mark = "~" if name in ESTIMATES and number else ""
    return f"{WORDS.get(name, name.replace('_', ' '))} {mark}{text}"


def _record(step: Any, state: str) -> dict[str, Any]:
    return {
        "id": step.id,
        "stage": step.node.stage.name,
        "folder": step.node.folder_name,
        "writes": step.node.stage.writes,
        "state": state,
        "derived": dict(step.derived),
    }


def _machine(found: Found, needs_probe: bool) -> dict[str, Any]:
    """This machine: the measured peaks only where a stage's estimates rest on them."""
    from hornbook.compute.cpu import cpu_name, memory_bytes, num_cores

    folder = found.run_folder.absolute()
    while not folder.exists():
        folder = folder.parent
    machine: dict[str, Any] = {
        "cpu": cpu_name(),
        "cores": num_cores(),
        "memory_free_bytes": memory_bytes(),
        "disk_free_bytes": shutil.disk_usage(folder).free,
    }
    if needs_probe:
        from hornbook.pipeline.plan import measure_machine

        probe = measure_machine(found.recipe.machine)
        machine |= {"device": probe.device, "fp32_gflops": probe.fp32_gflops, "bf16_gflops": probe.bf16_gflops}
    return machine


def _totals(steps: list[dict[str, Any]]) -> dict[str, float]:
    """What is still to be spent: sums over the stages that are not done, the largest memory."""
    todo = [step["derived"] for step in steps if step["state"] != "done"]
    found = {key: sum(_number(d.get(key)) for d in todo) for key in ("tokens", "flops", "seconds", "disk_bytes")}
    return found | {"memory_bytes": max((_number(d.get("memory_bytes")) for d in todo), default=0)}


def _number(value: Any) -> float:
    return value if isinstance(value, (int, float)) else 0


def _page(found: Found, machine: dict[str, Any], steps: list[dict[str, Any]], totals: dict[str, float]) -> str:
    lines = [f"{found.recipe.name}: {len(steps)} stages, into {found.run_folder}", f"Machine: {_machine_line(machine)}"]
    wide = [max(len(step[key]) for step in steps) for key in ("folder", "stage")]
    for step in steps:
        lines.append(f"  {step['folder']:<{wide[0]}}  {step['stage']:<{wide[1]}}  {STATES[step['state']]}")
        lines += _wrapped([readable(name, value) for name, value in step["derived"].items()])
    done = sum(step["state"] == "done" for step in steps)
    spent = [readable(name, value) for name, value in totals.items() if value]
    lines.append(f"To do: {len(steps) - done} of {len(steps)} stages" + (f"; {', '.join(spent)}" if spent else ""))
    if spent:
        lines.append("(~ estimates, from the stages that can say; the others take seconds to minutes)")
    return "\n".join(lines)


def _machine_line(machine: dict[str, Any]) -> str:
    parts = [f"{machine['cpu']}, {machine['cores']} cores"]
    if "fp32_gflops" in machine:
        bf16 = f", bf16 {machine['bf16_gflops']:,.0f}" if machine["bf16_gflops"] else ""
        on = "" if machine["device"] == "cpu" else f" on {machine['device']}"
        parts.append(f"measured peak fp32 {machine['fp32_gflops']:,.0f}{bf16} GFLOP/s{on}")
    if machine["memory_free_bytes"]:
        parts.append(f"{human_bytes(machine['memory_free_bytes'])} memory free")
    return "; ".join([*parts, f"{human_bytes(machine['disk_free_bytes'])} disk free"])


def _wrapped(parts: list[str], width: int = 100, indent: str = "      ") -> list[str]:
    """The parts in lines of at most `width` characters, parted by commas."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(indent + part)
    return lines
