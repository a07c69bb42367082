"""Running a plan: build what is missing or changed, skip what is done, say what happened and how to go on."""

import json
import shutil
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hornbook.core.artifact import Artifact, building, open_artifact, write_json
from hornbook.core.errors import ArtifactError, HornbookError, is_disk_full
from hornbook.core.recipe import Recipe, dump_recipe
from hornbook.core.runlog import RunLog
from hornbook.core.units import human_bytes, human_seconds
from hornbook.pipeline.history import STATE, TIMINGS
from hornbook.pipeline.inputs import adopted_hash
from hornbook.pipeline.lock import write_lock
from hornbook.pipeline.plan import Plan, Step, fingerprint_of, finished, renumber
from hornbook.pipeline.report import write_report
from hornbook.pipeline.runlock import only_writer
from hornbook.pipeline.stage import local_stage_path

DISK_MARGIN_BYTES = 32_000_000
STAGE_FILES = "stage_files"
REPORT_EVERY_S = 10.0
"""Between stages that take moments the report is not rendered each time (it takes up to half a second); at the end
it always is."""

Outcome = Literal["built", "skipped", "failed", "stopped"]


@dataclass(frozen=True)
class StepResult:
    """What became of one stage. `duration_s` is of this process alone."""

    id: str
    stage: str
    outcome: Outcome
    path: Path
    duration_s: float = 0.0
    artifact: Artifact | None = None


@dataclass
class RunResult:
    """What became of a run. `error`: why it ended early, in one paragraph; `interrupted`: by Ctrl-C."""

    folder: Path
    steps: list[StepResult] = field(default_factory=list[StepResult])
    error: HornbookError | None = None
    cause: BaseException | None = None
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 when every stage that was asked for is complete."""
        if self.interrupted:
            return 130
        return self.error.exit_code if self.error else 0


@dataclass(frozen=True)
class Selection:
    """Which stages to run. `start`: earlier ones are taken as they are on disk; `force`: built though complete."""

    start: str | None = None
    until: str | None = None
    force: tuple[str, ...] = ()


def run_plan(plan: Plan, selection: Selection, log: RunLog, recipe_folder: Path) -> RunResult:
    """Run the selected stages of a plan in order; the report is rendered after each, failed ones too.

    Failures do not raise: the result says what stopped and why. Raises ArtifactError when another process writes
    this run or an early stage is missing, and SettingsError for ids that the recipe does not have.
    """
    for identity in (selection.start, selection.until, *selection.force):
        if identity is not None:
            plan.recipe.stage(identity)
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"the run's folder cannot be made: {error.strerror}", where=str(plan.folder)) from None
    with only_writer(plan.folder):
        try:
            renumber(plan)
            write_recipe(plan.folder, plan.recipe, recipe_folder)
            write_lock(plan.folder, plan.lock)
        except OSError as error:
            raise explain(error, "the run's recipe") from error
        return Runner(plan, selection, log).run()


class Runner:
    """The walk through one plan: payload hashes of what is finished, and what became of each stage."""

    def __init__(self, plan: Plan, selection: Selection, log: RunLog) -> None:
        self._plan = plan
        self._selection = selection
        self._log = log
        self._payloads: dict[str, str] = {}
        self._artifacts: dict[str, Artifact] = {}
        self._result = RunResult(plan.folder)
        self._meter: Any = None
        self._open = True
        self._reported = time.monotonic()

    def run(self) -> RunResult:
        """Every selected step in order, until one fails or the user stops it."""
        before_start = self._selection.start is not None
        for step in self._plan.steps:
            before_start = before_start and step.id != self._selection.start
            if not self._step(step, as_it_is=before_start):
                break
            if step.id == self._selection.until:
                break
        ended = "failed" if self._result.error else "stopped" if self._result.interrupted else "complete"
        self._save_state(ended)
        self._open = False
        self._report()
        return self._result

    def _step(self, step: Step, as_it_is: bool) -> bool:
        """Finish one step; whether the run can go on."""
        from hornbook.compute.energy import Meter

        started = time.monotonic()
        self._meter = Meter()
        path = self._plan.artifact_path(step)
        try:
            artifact, outcome = self._finish(step, as_it_is)
        except KeyboardInterrupt:
            self._result.interrupted = True
            self._ended(step, "stopped", time.monotonic() - started)
            return False
        except Exception as error:  # noqa: BLE001 - a stage may fail in any way; all are told in one paragraph
            self._fail(step, error, time.monotonic() - started)
            return False
        duration_s = time.monotonic() - started
        self._payloads[step.id] = artifact.manifest.payload_hash
        self._artifacts[step.id] = artifact
        self._result.steps.append(StepResult(step.id, step.node.stage.name, outcome, path, duration_s, artifact))
        if outcome == "built":
            self._keep_timing(step, "built", duration_s)
            self._log.line(f"{step.node.folder_name}: {artifact.kind} in {human_seconds(duration_s)}")
            self._report(only_if_late=True)
        else:
            self._log.line(f"{step.node.folder_name}: {'as it is' if as_it_is else 'done before'}")
        return not self._result.interrupted

    def _finish(self, step: Step, as_it_is: bool) -> tuple[Artifact, Outcome]:
        if as_it_is:
            return open_artifact(self._plan.artifact_path(step), step.node.stage.writes), "skipped"
        mark = fingerprint_of(self._plan, step, self._payloads)
        here = finished(self._plan, step)
        forced = step.id in self._selection.force
        if here is not None and here.manifest.fingerprint == mark and not forced:
            return here, "skipped"
        return self._build(step, mark, forced), "built"

    def _build(self, step: Step, mark: str, forced: bool) -> Artifact:
        path = self._plan.artifact_path(step)
        partial = path.with_name(path.name + ".partial")
        if forced:
            shutil.rmtree(partial, ignore_errors=True)
        again = " (continued)" if (partial / ".resume").exists() else ""
        self._log.line(f"{step.node.folder_name}: {step.node.stage.name}{again}")
        self._save_state("running", step)
        self._check_disk(step)
        inputs = self._inputs(step)
        with building(
            path,
            kind=step.node.stage.writes,
            log=self._log,
            machine=self._plan.recipe.machine,
            seed=self._plan.recipe.seed,
            stage=step.node.stage.name,
            settings=step.settings.model_dump(mode="json"),
            parents=self._parents(step),
            fingerprint=mark,
            code_version=code_version(),
        ) as out:
            for artifact in _flat(inputs):
                out.licences += artifact.manifest.licences
                out.sources += artifact.manifest.sources
            step.node.stage.run(step.settings, inputs, out)
        return open_artifact(path)

    def _inputs(self, step: Step) -> dict[str, Any]:
        """What `run` gets: one artifact for each input, or a tuple where the input takes several."""
        inputs: dict[str, Any] = {}
        for name, sources in step.node.sources.items():
            opened = tuple(self._artifacts[item] if isinstance(item, str) else item for item in sources)
            inputs[name] = opened if step.node.stage.reads[name].many else opened[0]
        return inputs

    def _parents(self, step: Step) -> dict[str, Any]:
        cache = self._plan.recipe.machine.cache_folder
        parents: dict[str, Any] = {}
        for name, sources in step.node.sources.items():
            records = [
                _parent(item, self._artifacts[item].manifest.fingerprint, self._payloads[item])
                if isinstance(item, str)
                else _parent(item.path.name, item.manifest.fingerprint, adopted_hash(item, cache))
                for item in sources
            ]
            parents[name] = records if step.node.stage.reads[name].many else records[0]
        return parents

    def _check_disk(self, step: Step) -> None:
        needed = int(step.derived.get("disk_bytes", 0)) + DISK_MARGIN_BYTES
        free = shutil.disk_usage(self._plan.folder).free
        if free < needed:
            raise ArtifactError(
                f"the disk has {human_bytes(free)} free and this stage needs about {human_bytes(needed)}",
                where=str(self._plan.folder),
                do="Free some space (`hornbook clean` says what could go), or put the run elsewhere with --runs",
                exit_code=1,
            )

    def _fail(self, step: Step, error: Exception, duration_s: float) -> None:
        told = explain(error, f'stage "{step.id}" ({step.node.stage.name})')
        self._result.error = told
        self._result.cause = error
        text = "".join(traceback.format_exception(error))
        try:
            self._log.event("failed", stage=step.id, error=str(told), traceback=text)
        except OSError:
            pass
        self._ended(step, "failed", duration_s)

    def _ended(self, step: Step, outcome: Literal["failed", "stopped"], duration_s: float) -> None:
        path = self._plan.artifact_path(step)
        self._result.steps.append(StepResult(step.id, step.node.stage.name, outcome, path, duration_s))
        self._keep_timing(step, outcome, duration_s)

    def _keep_timing(self, step: Step, outcome: Outcome, duration_s: float) -> None:
        record: dict[str, Any] = {"id": step.id, "outcome": outcome, "duration_s": round(duration_s, 3)}
        if self._meter is not None:
            energy = self._meter.read()
            record |= {"energy_wh": round(energy.wh, 6), "energy_method": energy.method}
        record["ended"] = round(time.time(), 3)
        try:
            with (self._plan.folder / TIMINGS).open("a", encoding="utf-8") as out:
                out.write(json.dumps(record) + "\n")
        except OSError:
            pass

    def _save_state(self, state: str, step: Step | None = None) -> None:
        """What another terminal (`hornbook look`) and the report read: which stage, how it stands, why it ended."""
        failed = [done.id for done in self._result.steps if done.outcome in ("failed", "stopped")]
        record = {
            "state": state,
            "stage": step.id if step else (failed[0] if failed else ""),
            "folder": step.node.folder_name if step else "",
            "error": str(self._result.error) if self._result.error else "",
            "stages": [{"id": s.id, "run": s.node.stage.name, "folder": s.node.folder_name} for s in self._plan.steps],
            "time": round(time.time(), 3),
        }
        try:
            write_json(self._plan.folder / STATE, record)
        except OSError:
            if state == "running":
                raise

    def _report(self, only_if_late: bool = False) -> None:
        """Render the report; only Ctrl-C may end a run here. `only_if_late`: not when it is fresher than a moment."""
        if only_if_late and time.monotonic() - self._reported < REPORT_EVERY_S:
            return
        try:
            write_report(self._plan.folder, writing=self._open)
            self._reported = time.monotonic()
        except KeyboardInterrupt:
            self._result.interrupted = True
            self._log.line("report.html is that of before: interrupted while it was written")
        except Exception as error:  # noqa: BLE001
            self._log.line(f"report.html was not written: {error}")
            self._log.event("report failed", traceback="".join(traceback.format_exception(error)))


def code_version() -> str:
    """The installed version of Hornbook."""
    from importlib.metadata import version

    return version("hornbook")


def explain(error: BaseException, where: str) -> HornbookError:
    """Any failure as one paragraph: ours as they are, a full disk and lack of memory by name, the rest as a bug."""
    if is_disk_full(error):
        return ArtifactError(
            "the disk is full",
            where=where,
            do="Nothing finished is lost: free some space (`hornbook clean` says what could go) and run again",
            exit_code=1,
        )
    if isinstance(error, HornbookError):
        error.where = f"{where}: {error.where}" if error.where else where
        return error
    if isinstance(error, MemoryError):
        return ArtifactError("there was not enough memory", where=where, do="Close other programs", exit_code=1)
    said = str(error) or "no message"
    return HornbookError(
        f"unexpected {type(error).__name__}: {said}",
        where=where,
        do="The traceback is in the run's run.log and shown by --debug; what is finished is kept",
        exit_code=1,
    )


def write_recipe(folder: Path, recipe: Recipe, recipe_folder: Path) -> None:
    """The resolved recipe into the run, with the user's own stage files beside it, so that the run can be rerun."""
    entries = []
    for entry in recipe.stages:
        path = local_stage_path(entry.run, recipe_folder) if entry.run.endswith(".py") else None
        if path is not None:
            copy = folder / STAGE_FILES / path.name
            copy.parent.mkdir(exist_ok=True)
            if copy.resolve() != path:
                shutil.copyfile(path, copy)
            entry = replace(entry, run=f"./{STAGE_FILES}/{path.name}")
        entries.append(entry)
    scratch = folder / ".recipe.toml.new"
    scratch.write_text(dump_recipe(replace(recipe, stages=tuple(entries))), encoding="utf-8")
    scratch.replace(folder / "recipe.toml")


def _parent(identity: str, mark: str, payload: str) -> dict[str, str]:
    return {"id": identity, "fingerprint": mark, "payload_hash": payload}


def _flat(inputs: dict[str, Any]) -> list[Artifact]:
    return [item for value in inputs.values() for item in (value if isinstance(value, tuple) else (value,))]
