"""The only training loop. It knows no algorithm: pull, objective, backward, clip, step, watch.

A run of N steps equals N / 2 steps, a kill, and N / 2 more, bit for bit on a CPU with a fixed number of threads.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pydantic
import torch

from hornbook.compute import threads
from hornbook.compute.compile import compiled
from hornbook.core.artifact import Out
from hornbook.core.runlog import Progress
from hornbook.core.settings import StrictSettings
from hornbook.model.decoder import Decoder
from hornbook.train import resume
from hornbook.train.batch import Batch, Source
from hornbook.train.objective import Objective, Surprise
from hornbook.train.optimizer import Optimizer, OptimizerSettings
from hornbook.train.schedule import ScheduleSettings, factor
from hornbook.train.watch import StepTimes, check_finite

METRICS = "metrics.jsonl"
TIMING = "timing.jsonl"
REPLAN_AT = 0.1
REPLAN_MARGIN = 0.15

Measure = Callable[[], dict[str, Any]]


class LoopSettings(StrictSettings):
    """Everything the loop itself needs to know."""

    optimizer: OptimizerSettings = OptimizerSettings()
    """Learning rates and their constants."""
    schedule: ScheduleSettings = ScheduleSettings()
    """How the rates move."""
    micro_rows: int = pydantic.Field(default=0, ge=0)
    """Rows that are worked on at a time; 0 = the whole batch. Changes memory, never a gradient."""
    compile: bool = True
    """Compile the forward and backward pass."""
    log_steps: int = pydantic.Field(default=10, gt=0)
    """Steps between records of the loss."""
    measure_steps: int = pydantic.Field(default=0, ge=0)
    """Steps between validations; 0 = ten times in the run."""
    save_s: float = pydantic.Field(default=60.0, gt=0)
    """Seconds between saves for a restart; a kill loses at most this much work."""


@dataclass
class State:
    """Where a run is. All of it is saved; `elapsed_s` and `threads` are the only things the clock decides."""

    total_tokens: int
    step: int = 0
    tokens: int = 0
    cursor: dict[str, Any] | None = None
    window: dict[str, float] = field(default_factory=lambda: {"sum": 0.0, "weight": 0.0})
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    elapsed_s: float = 0.0
    threads: int = 0
    replanned: bool = False

    @property
    def progress(self) -> float:
        """Share of the run that is done."""
        return min(1.0, self.tokens / self.total_tokens)


@dataclass(frozen=True)
class Job:
    """One run: the model, where batches come from, what is minimised, and what is measured now and then.

    `total_tokens` counts places in rows, padding included. `budget_s`: seconds that the run should take; when the
    clock disagrees by more than 15 % after a tenth of the run, the total is planned again, once.
    """

    model: Decoder
    source: Source
    objective: Objective
    total_tokens: int
    settings: LoopSettings
    measures: Sequence[Measure] = ()
    budget_s: float | None = None


def fit(job: Job, out: Out) -> State:
    """Train until `total_tokens`, continuing what `out.resume` holds. The model ends with its final weights.

    Raises TrainingError when the loss is not finite, KeyboardInterrupt (after saving) on Ctrl-C.
    """
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        return Fit(job, out).run()
    finally:
        torch.use_deterministic_algorithms(before)


class Fit:
    """The walk through one run."""

    def __init__(self, job: Job, out: Out) -> None:
        self.job, self.out = job, out
        self.optimizer = Optimizer(job.model, job.settings.optimizer)
        self.state = State(total_tokens=job.total_tokens)
        self.surprise = self._surprise()
        self.times = StepTimes()
        self._restore()
        self._started = self._saved = time.monotonic()
        self._elapsed_before = self.state.elapsed_s

    def run(self) -> State:
        """Every step that is left."""
        state = self.state
        with self.out.log.task("train", total=state.total_tokens, unit="tokens") as task:
            task.resume_at(state.tokens)
            try:
                for batch in self.job.source.batches(state.cursor):
                    if state.tokens >= state.total_tokens:
                        break
                    self._train(batch, task)
            except KeyboardInterrupt:
                self._save()
                raise
        self._save()
        return state

    def _train(self, batch: Batch, task: Progress) -> None:
        state, began = self.state, time.monotonic()
        if state.threads == 0:
            self._choose_threads(batch)
            began = time.monotonic()
        loss, norm = self._step(batch)
        state.step += 1
        state.tokens += batch.num_tokens
        state.cursor = batch.cursor
        task.advance(batch.num_tokens, loss=loss)
        task.total = state.total_tokens
        last = state.tokens >= state.total_tokens
        if state.step % self.job.settings.log_steps == 0 or last:
            self._log(norm, began)
        self._replan()
        if self._due_to_measure() or last:
            self._measure()
        if self.times.slower(time.monotonic() - began) and not self.out.machine.threads:
            self._choose_threads(batch)
        if time.monotonic() - self._saved > self.job.settings.save_s and not last:
            self._save()

    def _step(self, batch: Batch) -> tuple[float, float]:
        """One optimizer step; returns the loss (its terms added) and the gradient's norm."""
        state = self.state
        loss = self._backward(batch)
        check_finite(loss, state.step)
        norm = self.optimizer.clip()
        self.optimizer.step(state.step, factor(self.job.settings.schedule, state.step, state.progress))
        return loss, norm

    def _backward(self, batch: Batch) -> float:
        """Gradients of the batch, whatever its micro-batches; each term divided by its weight over the whole batch."""
        weights = self.job.objective.weights(batch)
        total = 0.0
        device = self.job.model.embedding.device
        for micro in batch.split(self.job.settings.micro_rows):
            result = self.job.objective(self.surprise, micro.to(device))
            loss = torch.stack([term.sum / max(weights[name], 1e-9) for name, term in result.terms.items()]).sum()
            loss.backward()
            total += float(loss.detach())
        weight = sum(weights.values())
        self.state.window["sum"] += total * weight
        self.state.window["weight"] += weight
        return total

    def _surprise(self) -> Surprise:
        model = self.job.model

        def surprise(ids_BT: torch.Tensor, targets_BT: torch.Tensor, segments_BT: torch.Tensor | None) -> torch.Tensor:
            return model.token_nats(model.hidden(ids_BT, None, segments_BT), targets_BT)

        if not self.job.settings.compile:
            return surprise
        return compiled(surprise, self.out.machine.cache_folder, self.out.log)

    def _choose_threads(self, batch: Batch) -> None:
        wanted = self.out.machine.threads
        if wanted:
            torch.set_num_threads(wanted)
            self.state.threads = wanted
            return
        if self.job.model.embedding.device.type != "cpu":
            self.state.threads = torch.get_num_threads()
            return
        before = self.state.threads
        window = dict(self.state.window)
        self.state.threads = threads.choose_threads(lambda: self._backward(batch))
        self.state.window.update(window)
        for parameter in self.job.model.parameters():
            parameter.grad = None
        self.times.forget()
        if self.state.threads != before:
            self._event("threads", threads=self.state.threads)

    def _due_to_measure(self) -> bool:
        steps = self.job.settings.measure_steps
        if steps:
            return self.state.step % steps == 0
        tenth = max(1, self.job.total_tokens // 10)
        per_step = self.state.tokens // max(1, self.state.step)
        return self.state.tokens // tenth > (self.state.tokens - per_step) // tenth

    def _measure(self) -> None:
        values: dict[str, Any] = {}
        for measure in self.job.measures:
            values |= measure()
        if values:
            self._record({"step": self.state.step, "tokens": self.state.tokens, **values})
            shown = "  ".join(f"{k} {v:.4f}" for k, v in values.items() if isinstance(v, float))
            self.out.log.line(f"step {self.state.step}: {shown}")

    def _log(self, norm: float, began: float) -> None:
        state, window = self.state, self.state.window
        rate = factor(self.job.settings.schedule, state.step - 1, state.progress)
        loss = window["sum"] / max(window["weight"], 1e-9)
        self._record({"step": state.step, "tokens": state.tokens, "loss": loss, "lr": rate, "grad_norm": norm})
        state.window = {"sum": 0.0, "weight": 0.0}
        now = {"step": state.step, "elapsed_s": round(self._elapsed(), 3), "step_s": round(time.monotonic() - began, 4)}
        with (self.out.path / TIMING).open("a", encoding="utf-8") as file:
            file.write(json.dumps(now) + "\n")

    def _record(self, record: dict[str, Any]) -> None:
        with (self.out.path / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def _replan(self) -> None:
        """A budget in time: once, after a tenth of the run, fit the tokens that are left to the time that is left."""
        state, budget_s = self.state, self.job.budget_s
        if budget_s is None or state.replanned or state.progress < REPLAN_AT:
            return
        state.replanned = True
        expected_s = self._elapsed() / state.progress
        if abs(expected_s / budget_s - 1) <= REPLAN_MARGIN:
            return
        rate = state.tokens / self._elapsed()
        state.total_tokens = int(state.tokens + max(0.0, budget_s - self._elapsed()) * rate)
        self._event("replanned", total_tokens=state.total_tokens, expected_s=round(expected_s, 1))

    def _event(self, name: str, **fields: Any) -> None:
        self.state.events.append({"event": name, "step": self.state.step, **fields})
        self.out.log.event(name, step=self.state.step, **fields)

    def _elapsed(self) -> float:
        return self._elapsed_before + time.monotonic() - self._started

    def _save(self) -> None:
        self.state.elapsed_s = self._elapsed()
        resume.save(self.out.resume, self.job.model, self.optimizer.state(), asdict(self.state))
        self._saved = time.monotonic()

    def _restore(self) -> None:
        found = resume.load(self.out.resume, self.job.model)
        if found is None:
            (self.out.path / METRICS).unlink(missing_ok=True)
            return
        tensors, state = found
        self.optimizer.load(tensors)
        self.state = State(**state)
        if self.state.threads:
            torch.set_num_threads(self.state.threads)
        resume.cut_metrics(self.out.path / METRICS, self.state.step)
        self.out.log.line(f"going on after step {self.state.step}")
