"""The plan: every stage with its settings frozen, before anything is computed or written."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.core.artifact import Artifact, open_artifact
from hornbook.core.errors import HornbookError
from hornbook.core.recipe import Machine, Recipe
from hornbook.core.settings import StrictSettings, parse
from hornbook.pipeline.fingerprint import fingerprint
from hornbook.pipeline.graph import Node, check
from hornbook.pipeline.inputs import adopted_hash, folder_bytes, hashed_settings, input_bytes
from hornbook.pipeline.lock import Lock, Locked, read_lock


@dataclass(frozen=True)
class Step:
    """A node with frozen settings and what was derived from them. `asked`: hash of what the recipe asks of it."""

    node: Node
    settings: StrictSettings
    derived: dict[str, Any]
    asked: str

    @property
    def id(self) -> str:
        """The stage's id in the recipe."""
        return self.node.id


@dataclass(frozen=True)
class Plan:
    """A checked and resolved recipe, and the folder of its run. `device`: what decides the last bits of arithmetic."""

    recipe: Recipe
    folder: Path
    steps: tuple[Step, ...]
    device: str

    @property
    def lock(self) -> Lock:
        """What `recipe.lock.toml` keeps."""
        stages = {
            step.id: Locked(step.asked, step.node.entry.run, step.settings.model_dump(), step.derived)
            for step in self.steps
        }
        return Lock(self.device, stages)

    def artifact_path(self, step: Step) -> Path:
        """Where a step's artifact is or will be."""
        return self.folder / step.node.folder_name


def make_plan(recipe: Recipe, run_folder: Path, recipe_folder: Path) -> Plan:
    """Check a recipe, resolve it (or take the run's lock where the recipe has not changed) and lay out its run.

    Writes nothing into the run. Raises SettingsError or ArtifactError for every mistake that needs no data.
    """
    nodes = check(recipe, recipe_folder)
    lock = read_lock(run_folder)
    resolver = Resolver(recipe, lock)
    steps = tuple(resolver.step(node) for node in nodes)
    return Plan(recipe, run_folder, steps, resolver.device(steps))


def fingerprint_of(plan: Plan, step: Step, payloads: dict[str, str]) -> str:
    """A step's fingerprint. `payloads`: payload hashes of the finished stages, by id."""
    cache = plan.recipe.machine.cache_folder
    parents = {
        name: [payloads[item] if isinstance(item, str) else adopted_hash(item, cache) for item in sources]
        for name, sources in step.node.sources.items()
    }
    settings = hashed_settings(step.settings, cache)
    return fingerprint(step.node.stage, settings, parents, plan.recipe.seed, plan.device)


def finished(plan: Plan, step: Step) -> Artifact | None:
    """The complete artifact under a step's name, whatever settings it was made with, or None.

    Raises ArtifactError when the folder's manifest is damaged or newer than this program.
    """
    path = plan.artifact_path(step)
    if not (path / "manifest.json").exists():
        return None
    return open_artifact(path)


def states(plan: Plan) -> list[tuple[Step, str]]:
    """What a run would do with each step: `done`, `changed`, `interrupted`, `waits` (for an earlier one) or `new`."""
    payloads: dict[str, str] = {}
    found: list[tuple[Step, str]] = []
    for step in plan.steps:
        path = plan.artifact_path(step)
        artifact = finished(plan, step)
        fresh = all(parent in payloads for parent in step.node.parents)
        if fresh and artifact and artifact.manifest.fingerprint == fingerprint_of(plan, step, payloads):
            payloads[step.id] = artifact.manifest.payload_hash
            state = "done"
        elif path.with_name(path.name + ".partial").exists():
            state = "interrupted"
        elif artifact is not None:
            state = "changed" if fresh else "waits"
        else:
            state = "new"
        found.append((step, state))
    return found


class Resolver:
    """Freezes one stage after the other; the machine is measured only when a stage needs it."""

    def __init__(self, recipe: Recipe, lock: Lock) -> None:
        self._recipe = recipe
        self._lock = lock
        self._steps: dict[str, Step] = {}
        self._own_bytes: dict[str, int] = {}
        self._probe = _Probe(recipe.machine)

    def step(self, node: Node) -> Step:
        """The node with its settings frozen: from the lock when nothing it depends on has changed."""
        asked = fingerprint(node.stage, node.settings.model_dump(), self._asked(node), self._recipe.seed)
        locked = self._lock.stages.get(node.id)
        settings, derived = node.settings, dict[str, Any]()
        if locked is not None and locked.asked == asked:
            settings = parse(node.stage.settings, locked.settings, f'recipe.lock.toml, stage "{node.id}"')
            derived = locked.derived
        elif node.stage.resolve is not None:
            settings, derived = self._resolve(node)
        step = Step(node, settings, derived, asked)
        self._own_bytes[node.id] = int(derived.get("output_bytes", 0)) or input_bytes(settings) + _brought_bytes(node)
        self._steps[node.id] = step
        return step

    def device(self, steps: tuple[Step, ...]) -> str:
        """Device, number format and compile mode in words where any stage depends on them, else nothing.

        What the lock says stays while `machine.device` is "auto" or the same.
        """
        if not any(step.node.stage.uses_device for step in steps):
            return ""
        wanted, locked = self._recipe.machine.device, self._lock.device
        if locked and (wanted == "auto" or wanted == locked.partition(" ")[0]):
            return locked
        return arithmetic(self._recipe.machine)

    def _asked(self, node: Node) -> dict[str, list[str]]:
        return {
            name: [self._steps[item].asked if isinstance(item, str) else str(item.path) for item in sources]
            for name, sources in node.sources.items()
        }

    def _resolve(self, node: Node) -> tuple[StrictSettings, dict[str, Any]]:
        assert node.stage.resolve is not None
        try:
            return node.stage.resolve(node.settings, probe=self._probe, hints=self._hints(node))
        except HornbookError as error:
            error.where = error.where or f'stage "{node.id}" ({node.stage.name})'
            raise

    def _hints(self, node: Node) -> dict[str, Any]:
        """What is known before anything runs: bytes that go in, and the earlier stages this one builds on."""
        before = self._ancestors(node)
        own = input_bytes(node.settings) + _brought_bytes(node)
        return {
            "input_bytes": own + sum(self._own_bytes[identity] for identity in before),
            "settings": {self._steps[i].node.stage.name: self._steps[i].settings for i in before},
            "derived": {self._steps[i].node.stage.name: self._steps[i].derived for i in before},
            "inputs": {
                name: tuple(item for item in sources if isinstance(item, Artifact))
                for name, sources in node.sources.items()
            },
            "machine": self._recipe.machine,
        }

    def _ancestors(self, node: Node) -> list[str]:
        """Ids of every earlier stage that this one depends on, in recipe order."""
        found: set[str] = set()
        todo = list(node.parents)
        while todo:
            identity = todo.pop()
            if identity not in found:
                found.add(identity)
                todo += self._steps[identity].node.parents
        return [identity for identity in self._steps if identity in found]


class _Probe:
    """The machine's speed, measured (and torch imported, 1.6 s) when somebody asks for a part of it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._measured: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._measured is None:
            self._measured = measure_machine(self._machine)
        return getattr(self._measured, name)


def measure_machine(machine: Machine) -> Any:
    """The machine's measured speed and memory (`compute.probe`), from the cache when it is there."""
    from hornbook.compute.probe import load_or_measure

    return load_or_measure(machine.cache_folder)


def arithmetic(machine: Machine) -> str:
    """What decides the last bits here: `cpu bf16 compiled`. Raises SettingsError for a device that is not there."""
    from hornbook.compute.compile import can_compile
    from hornbook.compute.device import pick
    from hornbook.compute.dtype import has_bf16

    device = pick(machine)
    return f"{device.type} {'bf16' if has_bf16(device) else 'fp32'} {'compiled' if can_compile() else 'eager'}"


def renumber(plan: Plan) -> None:
    """Give finished and partial folders the number that their stage has now (a stage was added or removed)."""
    numbers = re.compile(r"\d\d+-")
    wanted = {step.id: step.node.folder_name for step in plan.steps}
    folders = [path for path in plan.folder.iterdir() if path.is_dir() and numbers.match(path.name)]
    for path in folders:
        bare, partial, _ = path.name.partition(".partial")
        identity = numbers.sub("", bare, count=1)
        target = plan.folder / (wanted.get(identity, bare) + partial)
        if identity in wanted and target != path and not target.exists():
            path.rename(target)


def _brought_bytes(node: Node) -> int:
    brought = {item.path for sources in node.sources.values() for item in sources if isinstance(item, Artifact)}
    return sum(folder_bytes(path) for path in brought)
