"""Stage evaluate.generative: ask a model the questions of every task, grade what it says, keep every answer."""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.errors import DataError
from hornbook.core.settings import StrictSettings
from hornbook.evaluate.asking import Asking
from hornbook.evaluate.open_model import open_model
from hornbook.evaluate.results import read_samples, read_scores, scores_block, write_samples, write_scores
from hornbook.evaluate.threshold import Answered, choose, judge
from hornbook.tasks.example import read_examples
from hornbook.tasks.graders import normalise
from hornbook.tasks.score import Score, bootstrap_ratio, share, wilson

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"model": "checkpoint", "tasks": "tasks"}
WRITES = "scores"
VERSION = 1
SHOWN_PER_TASK = 4


class Settings(StrictSettings):
    """Which tasks, and how the model is run."""

    tasks: tuple[str, ...] = ()
    """Tasks by name; empty = all."""
    max_cases: int | None = pydantic.Field(default=None, ge=1)
    """At most so many cases of each task, the first ones."""
    batch: int = pydantic.Field(default=16, ge=1)
    """Questions answered at a time."""
    dtype: Literal["fp32", "auto"] = "fp32"
    """Number format the answers are written in: `fp32`, or what is fastest here. Judged texts are always fp32."""
    margin_errors: float = pydantic.Field(default=1.0, ge=0.0)
    """Standard errors by which a threshold keeps more calibration answers than it promises on others."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Run every task and write scores, thresholds and all answers."""
    import torch

    artifact: Artifact = inputs["tasks"]
    table, thresholds = _read_table(artifact, settings)
    model = open_model(
        inputs["model"].path,
        out.machine,
        dtype=torch.float32 if settings.dtype == "fp32" else None,
        batch=settings.batch,
    )
    cases: dict[str, list[dict[str, Any]]] = {}
    found: list[Score] = []
    for name, task in table.items():
        examples = list(read_examples(artifact.file(f"{name}.jsonl")))[: settings.max_cases]
        if not examples:
            raise DataError(f'the task "{name}" has no cases', where=str(artifact.path))
        asking = Asking(model, model.tokenizer, model.context_tokens, name, task, out.seed)
        with out.log.task(name, total=len(examples), unit="cases") as progress:
            cases[name] = _once(out.resume / f"{name}.json", lambda a=asking, e=examples: a.all(e, progress.advance))
        found += task_scores(name, task, cases[name], out.seed)
    chosen = {}
    for name, rule in thresholds.items():
        record, judged = threshold_scores(name, rule, cases, settings.margin_errors)
        chosen[name] = record
        found += judged
    titles = {name: str(task.get("title", name)) for name, task in table.items()} | _titles(table, thresholds)
    write_scores(out.path, found, titles, thresholds=chosen)
    write_samples(out.path, (case for some in cases.values() for case in some))
    out.counts |= {name: len(some) for name, some in cases.items()}
    missed = [titles[score.name] for score in found if score.passed is False]
    out.log.line("every bar is met" if not missed else f"below the bar: {', '.join(missed)}")


def task_scores(name: str, task: dict[str, Any], cases: Sequence[dict[str, Any]], seed: int) -> list[Score]:
    """The share of right answers, and where the task asks for them: distinct answers, bits beside the floor."""
    temperature = float(task.get("temperature", 0.0))
    how = str(task.get("protocol", "greedy" if not temperature else f"sampled at temperature {temperature:g}"))
    cut = sum(case["finish"] != "stop" for case in cases)
    how += f"; {cut} cut short" if cut else ""
    about = {"baseline": task.get("baseline"), "bar": task.get("bar"), "protocol": how}
    found = [share(name, [case["grade"] for case in cases], **about)]
    if "distinct_bar" in task:
        found.append(distinct_score(f"{name}_distinct", [case["answer"] for case in cases], task["distinct_bar"]))
    judged = [case for case in cases if case.get("floor_bits") is not None]
    if judged:
        found.append(bits_score(f"{name}_bits", judged, seed))
    return found


def bits_score(name: str, cases: Sequence[dict[str, Any]], seed: int) -> Score:
    """Bits that the model needs for answers of the generator's own, beside the generator's exact entropy."""
    bits = [float(case["reference_bits"]) for case in cases]
    floor = statistics.fmean(float(case["floor_bits"]) for case in cases)
    low, high = bootstrap_ratio(bits, [1.0] * len(bits), seed)
    excess = max(0.0, statistics.fmean(bits) - floor)
    protocol = (
        "bits of the generator's own answers and their ends, given the question; fp32; the baseline is the "
        f"generator's exact entropy, {floor:.2f} bits; at temperature 1 at least 2^-{excess:.2f} = {2**-excess:.3f} "
        "of the samples would be right"
    )
    return Score(name, statistics.fmean(bits), low, high, len(bits), "bits", floor, None, protocol, True)


def distinct_score(name: str, texts: Sequence[str], bar: float | None) -> Score:
    """The share of answers that are not the same words as an earlier one."""
    num_distinct = len({normalise(text) for text in texts})
    low, high = wilson(num_distinct, len(texts))
    protocol = "answers that repeat no earlier one (letters and digits compared)"
    return Score(name, num_distinct / max(1, len(texts)), low, high, len(texts), "share", None, bar, protocol)


def threshold_scores(
    name: str, rule: dict[str, Any], cases: dict[str, list[dict[str, Any]]], margin_errors: float
) -> tuple[dict[str, Any], list[Score]]:
    """Choose a threshold on the calibration tasks and judge it on the test tasks."""

    def answered(task: str) -> list[Answered]:
        return [Answered(case["lowest"], case["refuses"]) for case in cases[task]]

    stated, unstated = (answered(task) for task in (rule["stated"][1], rule["unstated"][1]))
    calibration = answered(rule["stated"][0])
    keep_frac = float(rule["keep_frac"])
    threshold = choose(calibration, keep_frac, margin_errors, len(stated))
    record = {
        "threshold": threshold.value,
        "keep_frac": keep_frac,
        "aimed_frac": threshold.aimed_frac,
        "kept_calibration_frac": threshold.kept_frac,
        "num_calibration": len(calibration),
        "refused_calibration_frac": _refused(answered(rule["unstated"][0]), threshold.value),
    }
    return record, judge(name, threshold, stated, unstated, keep_frac, rule.get("bar"))


def describe(artifact: Artifact) -> "list[Block]":
    """Scores, thresholds, and answers to read: of every task some that are right and some that are wrong."""
    from hornbook.report.blocks import Samples, Table

    blocks: list[Block] = [scores_block(artifact, "Scores")]
    thresholds = read_scores(artifact.path).get("thresholds", {})
    if thresholds:
        rows: list[list[object]] = [
            [name, t["threshold"], t["kept_calibration_frac"], t["refused_calibration_frac"], t["num_calibration"]]
            for name, t in thresholds.items()
        ]
        columns = ["threshold", "lowest token probability", "stated kept", "unstated refused", "cases"]
        note = "Shares on the calibration questions; a server that refuses below the threshold behaves as measured."
        blocks.append(Table("Thresholds", columns, rows, note))
    shown: dict[tuple[str, bool], list[dict[str, str]]] = {}
    for case in read_samples(artifact.path):
        some = shown.setdefault((case["task"], case["grade"] >= 0.5), [])
        if len(some) < SHOWN_PER_TASK // 2:
            some.append(_shown(case))
    items = [item for _, some in sorted(shown.items(), key=lambda entry: entry[0][0]) for item in some]
    return [*blocks, Samples("Answers", items)]


def _shown(case: dict[str, Any]) -> dict[str, str]:
    verdict = "right" if case["grade"] >= 0.5 else "wrong"
    certainty = f"{case['lowest']:.3f}"
    return {
        "task": case["task"],
        "verdict": verdict,
        "asked": case["asked"],
        "answer": case["answer"],
        "lowest token probability": certainty,
        **({"right would be": ", ".join(case["right"])} if case["right"] and verdict == "wrong" else {}),
    }


def _read_table(artifact: Artifact, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tasks to run and the thresholds whose tasks are all among them."""
    file = artifact.file("tasks.json")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        table: dict[str, Any] = data.get("tasks", data)
        thresholds: dict[str, Any] = data.get("thresholds", {}) if "tasks" in data else {}
        lacking = [name for name, task in table.items() if "grader" not in task]
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"the table of tasks cannot be read: {error}", where=str(file)) from None
    if lacking:
        raise DataError(
            f'the task "{lacking[0]}" names no grader', where=str(file), do='Add "grader": "module:function"'
        )
    unknown = [name for name in settings.tasks if name not in table]
    if unknown:
        raise DataError(f'there is no task "{unknown[0]}"', where=str(file), do=f"Tasks: {', '.join(table)}")
    chosen = {name: task for name, task in table.items() if not settings.tasks or name in settings.tasks}
    whole = {
        n: rule for n, rule in thresholds.items() if all(t in chosen for t in (*rule["stated"], *rule["unstated"]))
    }
    return chosen, whole


def _titles(table: dict[str, Any], thresholds: dict[str, Any]) -> dict[str, str]:
    """What readers call the scores that are not a task's share of right answers."""
    titles = {f"{name}_distinct": f"{task.get('title', name)}: distinct" for name, task in table.items()}
    titles |= {f"{name}_bits": f"{task.get('title', name)}: bits" for name, task in table.items()}
    for name in thresholds:
        words = name.replace("_", " ")
        titles |= {name: words, f"{name}_stated_kept": "stated facts answered at that threshold"}
        titles[f"{name}_area"] = f"{words}: stated against unstated"
    return titles


def _refused(answers: Sequence[Answered], threshold: float) -> float:
    return sum(not answer.is_kept(threshold) for answer in answers) / max(1, len(answers))


def _once(file: Path, ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Answers that an interrupted run left behind, or given now and kept for a restart."""
    if file.exists():
        return json.loads(file.read_text(encoding="utf-8"))
    answers = ask()
    write_json(file, answers)
    return answers
