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
from hornbook.compute.cpu import num_cores
from hornbook.compute.determinism import deterministic
from hornbook.core.artifact import Out
from hornbook.core.runlog import Progress
from hornbook.core.settings import StrictSettings
from hornbook.model.decoder import Decoder
from hornbook.train import resume
from hornbook.train.batch import Batch, Paced, Source
from hornbook.train.objective import Objective, Surprise
from hornbook.train.optimizer import Optimizer, OptimizerSettings
from hornbook.train.pace import replanned_tokens
from hornbook.train.schedule import ScheduleSettings, factor
from hornbook.train.stop import Stop, deferred
from hornbook.train.watch import Spikes, StepTimes, check_finite

METRICS = "metrics.jsonl"
TIMING = "timing.jsonl"
WARM_STEPS = 3
"""Steps of a process that are not timed: they compile, fill caches and choose threads."""
TRY_MORE_THREADS_S = 60.0

Measure = Callable[[Surprise], dict[str, Any]]
"""Measures the model now and then: values by name for `metrics.jsonl`."""


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
    fastest: bool = False
    """Allow operations whose last bits differ from run to run; gives up exact repetition."""
    log_steps: int = pydantic.Field(default=10, gt=0)
    """Steps between records of the loss."""
    measure_steps: int = pydantic.Field(default=0, ge=0)
    """Steps between validations; 0 = ten times in the run."""
    save_s: float = pydantic.Field(default=60.0, gt=0)
    """Seconds between saves for a restart; a kill loses at most this much work."""


@dataclass
class State:
    """Where a run is. All of it is saved; `elapsed_s` and `threads` are the only things the clock decides.

    `total_tokens` and `tokens` count places in rows, padding included; `learned`: targets that were learned;
    `window`: sums of the loss since the last record; `skipped`: batches with nothing to learn.
    """

    total_tokens: int
    step: int = 0
    tokens: int = 0
    learned: float = 0.0
    skipped: int = 0
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

    Raises TrainingError when the loss is not finite or the state cannot be saved, KeyboardInterrupt (after saving) on
    Ctrl-C.
    """
    with deterministic(not job.settings.fastest), deferred() as stop:
        return Fit(job, out, stop).run()


class Fit:
    """The walk through one run."""

    def __init__(self, job: Job, out: Out, stop: Stop) -> None:
        self.job, self.out, self.stop = job, out, stop
        self.optimizer = Optimizer(job.model, job.settings.optimizer)
        self.state = State(total_tokens=job.total_tokens)
        self.surprise = self._surprise()
        self.times, self.spikes = StepTimes(), Spikes()
        self._restore()
        if isinstance(job.source, Paced):
            job.source.follow(lambda: (self.state.tokens, self.state.total_tokens))
        self._started = self._saved = self._tried = time.monotonic()
        self._elapsed_before = self.state.elapsed_s
        self._steps_here = 0
        self._warm = (0.0, 0)

    def run(self) -> State:
        """Every step that is left."""
        state = self.state
        with self.out.log.task("train", total=state.total_tokens, unit="tokens") as task:
            task.resume_at(state.tokens)
            if state.tokens < state.total_tokens:
                for batch in self.job.source.batches(state.cursor):
                    self._train(batch, task)
                    if self.stop.asked:
                        self._save()
                        self.out.log.line(f"stopped after step {state.step}; the same command goes on from here")
                        raise KeyboardInterrupt
                    if state.tokens >= state.total_tokens:
                        break
        self._save()
        return state

    def _train(self, batch: Batch, task: Progress) -> None:
        """One batch and everything that may follow it: records, a new plan, a measurement, a save."""
        state = self.state
        if state.threads == 0:
            self._choose_threads(batch)
        began = time.monotonic()
        norm, rate = self.step(batch)
        state.step += 1
        state.tokens += batch.num_tokens
        state.cursor = batch.cursor
        step_s = time.monotonic() - began
        self._note_pace()
        task.total = state.total_tokens
        task.advance(batch.num_tokens, loss=state.window["sum"] / max(state.window["weight"], 1e-9))
        last = state.tokens >= state.total_tokens
        if state.step % self.job.settings.log_steps == 0 or last:
            self._log(norm, rate, step_s)
        if self._due_to_measure(batch.num_tokens):
            self._measure()
        self._replan()
        self._watch_threads(step_s, batch)
        if time.monotonic() - self._saved > self.job.settings.save_s and not last:
            self._save()

    def step(self, batch: Batch) -> tuple[float, float]:
        """One optimizer step; returns the gradient's norm and the schedule's factor."""
        state = self.state
        rate = factor(self.job.settings.schedule, state.step, state.progress)
        weights = self.job.objective.weights(batch)
        if not any(weights.values()):
            state.skipped += 1
            return 0.0, rate
        loss = self._backward(batch, weights)
        check_finite(loss, state.step + 1)
        if self.spikes.jumped(loss):
            self.out.log.line(f"step {state.step + 1}: the loss jumped to {loss:.3g}")
        weight = sum(weights.values())
        state.window["sum"] += loss * weight
        state.window["weight"] += weight
        state.learned += weight
        norm = self.optimizer.clip()
        self.optimizer.step(state.step, rate)
        return norm, rate

    def _backward(self, batch: Batch, weights: dict[str, float]) -> float:
        """Gradients of the batch, whatever its micro-batches; each term divided by its weight over the whole batch."""
        total = 0.0
        device = self.job.model.embedding.device
        for micro in batch.split(self.job.settings.micro_rows):
            result = self.job.objective(self.surprise, micro.to(device))
            terms = [term.sum / weights[name] for name, term in result.terms.items() if weights[name]]
            loss = torch.stack(terms).sum()
            loss.backward()
            total += float(loss.detach())
        return total

    def _surprise(self) -> Surprise:
        model = self.job.model

        def surprise(ids_BT: torch.Tensor, targets_BT: torch.Tensor, segments_BT: torch.Tensor | None) -> torch.Tensor:
            return model.token_nats(model.hidden(ids_BT, None, segments_BT), targets_BT)

        if not self.job.settings.compile:
            return surprise
        return compiled(surprise, self.out.machine.cache_folder, self.out.log)

    def _watch_threads(self, step_s: float, batch: Batch) -> None:
        """Choose again when steps became slow, and now and then when a core may have become free."""
        if self.out.machine.threads or self.job.model.embedding.device.type != "cpu":
            return
        free = self.state.threads < num_cores() and time.monotonic() - self._tried > TRY_MORE_THREADS_S
        if self.times.slower(step_s) or free:
            self._choose_threads(batch)

    def _choose_threads(self, batch: Batch) -> None:
        """Set the number of threads: what the machine's settings say, else the faster in a trial on this batch."""
        before, wanted = self.state.threads, self.out.machine.threads
        if wanted:
            torch.set_num_threads(wanted)
            self.state.threads = wanted
            return
        weights = self.job.objective.weights(batch)
        if self.job.model.embedding.device.type != "cpu" or not any(weights.values()):
            self.state.threads = before or torch.get_num_threads()
            return
        self.state.threads = threads.choose_threads(lambda: self._backward(batch, weights))
        self.optimizer.forget_gradients()
        self.times.forget()
        self._tried = time.monotonic()
        if self.state.threads != before:
            self._event("threads", threads=self.state.threads)

    def _note_pace(self) -> None:
        self._steps_here += 1
        if self._steps_here == WARM_STEPS:
            self._warm = (time.monotonic(), self.state.tokens)

    def _replan(self) -> None:
        """A budget in time: once, after a tenth of the run, fit the tokens that are left to the time that is left."""
        state, budget_s = self.state, self.job.budget_s
        if budget_s is None or state.replanned or state.progress < 0.1 or self._steps_here < 2 * WARM_STEPS:
            return
        state.replanned = True
        since, tokens = self._warm
        tokens_per_s = (state.tokens - tokens) / (time.monotonic() - since)
        total = replanned_tokens(state.tokens, state.total_tokens, tokens_per_s, self._elapsed(), budget_s)
        if total != state.total_tokens:
            state.total_tokens = total
            self._event("replanned", total_tokens=total, tokens_per_s=round(tokens_per_s, 1))
            self.out.log.line(f"{tokens_per_s:,.0f} tokens/s: the budget in time is now {total:,} tokens")

    def _due_to_measure(self, batch_tokens: int) -> bool:
        state, steps = self.state, self.job.settings.measure_steps
        if state.tokens >= state.total_tokens:
            return True
        if steps:
            return state.step % steps == 0
        return 10 * state.tokens // state.total_tokens > 10 * (state.tokens - batch_tokens) // state.total_tokens

    def _measure(self) -> None:
        values: dict[str, Any] = {}
        for measure in self.job.measures:
            values |= measure(self.surprise)
        if values:
            self._record({"step": self.state.step, "tokens": self.state.tokens, **values})
            shown = "  ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in values.items() if isinstance(v, float))
            self.out.log.line(f"step {self.state.step}: {shown}")

    def _log(self, norm: float, rate: float, step_s: float) -> None:
        state = self.state
        loss = state.window["sum"] / max(state.window["weight"], 1e-9)
        self._record({"step": state.step, "tokens": state.tokens, "loss": loss, "lr": rate, "grad_norm": norm})
        state.window = {"sum": 0.0, "weight": 0.0}
        now = {"step": state.step, "elapsed_s": round(self._elapsed(), 3), "step_s": round(step_s, 4)}
        _append(self.out.path / TIMING, now | {"threads": state.threads})

    def _record(self, record: dict[str, Any]) -> None:
        _append(self.out.path / METRICS, record)

    def _event(self, name: str, **fields: Any) -> None:
        """Something the clock decided: kept at once, so that a restart decides the same."""
        self.state.events.append({"event": name, "step": self.state.step, **fields})
        self.out.log.event(name, step=self.state.step, **fields)
        self._save()

    def _elapsed(self) -> float:
        return self._elapsed_before + time.monotonic() - self._started

    def _save(self) -> None:
        self.state.elapsed_s = self._elapsed()
        resume.save(self.out.resume, self.job.model, self.optimizer.state(), asdict(self.state))
        self._saved = time.monotonic()

    def _restore(self) -> None:
        found = resume.load(self.out.resume, self.job.model)
        if found is None:
            for name in (METRICS, TIMING):
                (self.out.path / name).unlink(missing_ok=True)
            return
        tensors, state = found
        self.optimizer.load(tensors)
        self.state = State(**state)
        if self.state.threads:
            torch.set_num_threads(self.state.threads)
        for name in (METRICS, TIMING):
            resume.cut_records(self.out.path / name, self.state.step)
        self.out.log.line(f"going on after step {self.state.step}")


def _append(file: Any, record: dict[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(record, ensure_ascii=False) + "\n")
