"""What a run's folder says about itself: which stages there are, how each stands, what each took."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.core.artifact import MANIFEST, NUMBERED, Artifact, open_artifact
from hornbook.core.errors import HornbookError
from hornbook.pipeline.runlock import is_running

STATE = "state.json"
TIMINGS = "timings.jsonl"
RECIPE = "recipe.toml"


@dataclass(frozen=True)
class Cost:
    """What it took to build an artifact, interruptions included. `energy_wh` is None where nothing was kept."""

    duration_s: float = 0.0
    energy_wh: float | None = None
    method: str = ""


@dataclass(frozen=True)
class StageView:
    """One stage of a run on disk. `state`: `complete`, `running`, `stopped`, `failed` or `waiting`."""

    number: str
    id: str
    stage: str
    path: Path
    state: str
    artifact: Artifact | None
    cost: Cost
    derived: dict[str, Any]


@dataclass(frozen=True)
class RunView:
    """A run on disk. `state`: as of a stage (`waiting`: what was asked for is complete, later stages are not);
    `problem`: the paragraph that a failed run ended with."""

    folder: Path
    name: str
    state: str
    problem: str
    stages: list[StageView]

    @property
    def cost(self) -> Cost:
        """The sum over stages."""
        energies = [stage.cost.energy_wh for stage in self.stages if stage.cost.energy_wh is not None]
        methods = {stage.cost.method for stage in self.stages if stage.cost.method}
        method = "estimate" if "estimate" in methods else next(iter(methods), "")
        total_s = sum(stage.cost.duration_s for stage in self.stages)
        return Cost(total_s, sum(energies) if energies else None, method)


def view_run(folder: Path, writing: bool = False) -> RunView:
    """Read a run's folder. `writing`: the caller itself is the process that writes it."""
    saved = _json(folder / STATE)
    running = writing or is_running(folder)
    state = str(saved.get("state", "complete"))
    if state == "running" and not running:
        state = "stopped"
    costs = read_costs(folder)
    derived = _derived(folder)
    listed = saved.get("stages") or _listed(folder)
    stages = [_stage(folder, item, saved, state, costs, derived) for item in listed]
    if state == "complete" and any(stage.state != "complete" for stage in stages):
        state = "waiting"
    return RunView(folder, folder.resolve().name, state, str(saved.get("error", "")), stages)


def read_costs(folder: Path) -> dict[str, Cost]:
    """Each stage's cost: the attempts since it was last finished before, up to the last one."""
    found: dict[str, Cost] = {}
    finished: set[str] = set()
    for record in _lines(folder / TIMINGS):
        identity = str(record.get("id"))
        before = Cost() if identity in finished else found.get(identity, Cost())
        energy = record.get("energy_wh")
        total = before.energy_wh if energy is None else (before.energy_wh or 0.0) + energy
        method = record.get("energy_method") or before.method
        found[identity] = Cost(before.duration_s + float(record.get("duration_s", 0.0)), total, method)
        (finished.add if record.get("outcome") == "built" else finished.discard)(identity)
    return found


def read_records(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; a last line that is still being written is left out."""
    return _lines(file)


def _stage(
    folder: Path, item: dict[str, str], saved: dict[str, Any], state: str, costs: dict[str, Cost], derived: Any
) -> StageView:
    path = folder / item["folder"]
    match = NUMBERED.fullmatch(item["folder"])
    try:
        artifact = open_artifact(path) if (path / MANIFEST).exists() else None
    except HornbookError:
        artifact = None
    current = saved.get("stage") == item["id"] and state != "complete"
    partial = path.with_name(path.name + ".partial").exists()
    own = state if current else "complete" if artifact else "stopped" if partial else "waiting"
    return StageView(
        number=match.group(1) if match else "",
        id=item["id"],
        stage=item["run"],
        path=path,
        state=own,
        artifact=artifact,
        cost=costs.get(item["id"], Cost()),
        derived=derived.get(item["id"], {}),
    )


def _listed(folder: Path) -> list[dict[str, str]]:
    """Stages by their folders, for a run whose state was never written."""
    found: list[dict[str, str]] = []
    for path in sorted(folder.glob("[0-9]*-*/manifest.json")):
        match = NUMBERED.fullmatch(path.parent.name)
        if match:
            run = str(_json(path).get("stage", ""))
            found.append({"id": match.group(2), "run": run, "folder": path.parent.name})
    return found


def _derived(folder: Path) -> dict[str, dict[str, Any]]:
    from hornbook.pipeline.lock import read_lock

    try:
        return {identity: locked.derived for identity, locked in read_lock(folder).stages.items()}
    except HornbookError:
        return {}


def _json(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return data if isinstance(data, dict) else {}
    except (OSError, ValueError):
        return {}


def _lines(file: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    records.append(record)
    except OSError:
        pass
    return records
