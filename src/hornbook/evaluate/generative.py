"""Stage evaluate.generative: ask a model the questions of every task, grade what it says, keep every answer.

`tasks.json` holds an entry for each `<task>.jsonl`; only `grader` is needed:
`grader` ("module:function" or "./file.py:function"), `protocol`, `title`, `bar`, `baseline`, `baseline_protocol`;
`sampling`: `temperature` (0 = greedy), `max_tokens`, `num_samples`; and `kind`:
- `graded` (the default) and `sampled`: the score is the mean grade of all answers. With `distinct_bar` the share of
  different answers is a second score, with `floor` (a name in `meta`) the bits of the examples' own answers a third.
- `calibration`: not scored; thresholds are chosen on it.
- `kept`, `refused`: the share of answers kept or refused at the threshold of `refusal_threshold`:
  `{"calibrate_on": [stated task, unstated task], "keep_stated": share}`.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.errors import DataError
from hornbook.core.settings import StrictSettings, did_you_mean
from hornbook.evaluate.asking import Asking
from hornbook.evaluate.open_model import open_model
from hornbook.evaluate.results import read_samples, read_scores, scores_block, write_samples, write_scores
from hornbook.evaluate.shares import distinct_share, grouped_share, mean_bits
from hornbook.evaluate.threshold import Answered, Threshold, area_score, choose
from hornbook.tasks.example import Example, read_examples
from hornbook.tasks.score import Score

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"model": "checkpoint", "tasks": "tasks"}
WRITES = "scores"
VERSION = 1
KINDS = ("graded", "sampled", "calibration", "kept", "refused")
SHOWN_PER_TASK = 4
Cases = list[dict[str, Any]]


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
    table = read_table(artifact.file("tasks.json"), settings.tasks)
    dtype = torch.float32 if settings.dtype == "fp32" else None
    model = open_model(inputs["model"].path, out.machine, dtype=dtype, batch=settings.batch)
    cases: dict[str, Cases] = {}
    bits: dict[str, list[tuple[float, float]]] = {}
    for name, task in table.items():
        examples = list(read_examples(artifact.file(f"{name}.jsonl")))[: settings.max_cases]
        if not examples:
            raise DataError(f'the task "{name}" has no cases', where=str(artifact.path))
        asking = Asking(model, model.tokenizer, model.context_tokens, name, task, out.seed)
        with out.log.task(name, total=asking.num_answers(examples), unit="answers") as progress:
            file = out.resume / f"{name}.json"
            cases[name] = _once(file, lambda a=asking, e=examples, p=progress: a.all(e, p.advance))
        if task.get("floor"):
            bits[name] = _bits_and_floors(asking, examples, str(task["floor"]))
    thresholds = _thresholds(table, cases, settings.margin_errors)
    found = all_scores(table, cases, bits, thresholds, out.seed)
    write_scores(out.path, found, _titles(table, found), thresholds=_records(table, cases, thresholds))
    write_samples(out.path, (case for some in cases.values() for case in some))
    out.counts |= {name: len(some) for name, some in cases.items()}
    missed = [score.name for score in found if score.passed is False]
    out.log.line("every bar is met" if not missed else f"below the bar: {', '.join(missed)}")


def all_scores(
    table: dict[str, Any],
    cases: dict[str, Cases],
    bits: dict[str, list[tuple[float, float]]],
    thresholds: dict[str, Threshold],
    seed: int,
) -> list[Score]:
    """The scores of every task, in the order of the table."""
    found: list[Score] = []
    for name, task in table.items():
        if task.get("kind") == "calibration":
            continue
        threshold = thresholds.get(name)
        answers = [_answered(case) for case in cases[name]]
        if threshold is None:
            grades = [float(case["grade"]) for case in cases[name]]
        else:
            wanted = task["kind"] == "kept"
            grades = [float(answer.is_kept(threshold.value) == wanted) for answer in answers]
        about = {"baseline": task.get("baseline"), "bar": task.get("bar")}
        protocol = _protocol(task, cases[name], threshold)
        found.append(grouped_share(name, grades, [c["group"] for c in cases[name]], protocol=protocol, **about))
        if "distinct_bar" in task:
            found.append(distinct_share(f"{name}_distinct", [c["answer"] for c in cases[name]], task["distinct_bar"]))
        if bits.get(name):
            found.append(mean_bits(f"{name}_bits", *zip(*bits[name], strict=True), seed=seed))
    return found + _areas(table, cases)


def describe(artifact: Artifact) -> "list[Block]":
    """Scores, thresholds, and answers to read: of every task some that are right and some that are wrong."""
    from hornbook.report.blocks import Samples, Table

    blocks: list[Block] = [scores_block(artifact, "Scores")]
    thresholds = read_scores(artifact.path).get("thresholds", {})
    if thresholds:
        names = ["threshold", "aimed_frac", "kept_frac", "num_calibration"]
        rows: list[list[object]] = [[task, *(record[name] for name in names)] for task, record in thresholds.items()]
        columns = ["task", "lowest token probability", "meant to keep", "keeps", "calibration answers"]
        note = "A server that refuses below the threshold behaves as measured."
        blocks.append(Table("Thresholds of refusal", columns, rows, note))
    shown: dict[tuple[str, bool], list[dict[str, str]]] = {}
    for case in read_samples(artifact.path):
        some = shown.setdefault((case["task"], case["grade"] >= 0.5), [])
        if len(some) < SHOWN_PER_TASK // 2:
            some.append(_shown(case))
    items = [item for _, some in sorted(shown.items(), key=lambda entry: entry[0][0]) for item in some]
    return [*blocks, Samples("Answers", items)]


def read_table(file: Path, wanted: Sequence[str] = ()) -> dict[str, Any]:
    """The tasks of a `tasks.json`: all, or those wanted and what their thresholds are chosen on.

    Raises DataError with the entry that is wrong.
    """
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"the table of tasks is not JSON: {error}", where=str(file)) from None
    if not isinstance(table, dict) or not all(isinstance(task, dict) for task in table.values()):
        raise DataError("the table of tasks is not an object of objects", where=str(file))
    for name, task in table.items():
        if not isinstance(task.get("grader"), str):
            do = 'Add "grader": "module:function"'
            raise DataError(f'the task "{name}" names no grader', where=str(file), do=do)
        kind = task.get("kind", "graded")
        if kind not in KINDS:
            raise DataError(f'the task "{name}" is of kind "{kind}"{did_you_mean(kind, list(KINDS))}', where=str(file))
        if kind in ("kept", "refused") and len(_calibration(task)) != 2:
            do = 'Add "refusal_threshold": {"calibrate_on": [stated task, unstated task], "keep_stated": 0.9}'
            raise DataError(f'the task "{name}" says nothing of its threshold', where=str(file), do=do)
    for name in (*wanted, *(other for task in table.values() for other in _calibration(task))):
        if name not in table:
            raise DataError(f'there is no task "{name}"{did_you_mean(name, list(table))}', where=str(file))
    needed = {*wanted, *(other for name in wanted for other in _calibration(table[name]))} if wanted else set(table)
    return {name: task for name, task in table.items() if name in needed}


def _calibration(task: dict[str, Any]) -> tuple[str, ...]:
    """The tasks that this task's threshold is chosen on: stated, unstated."""
    return tuple(task.get("refusal_threshold", {}).get("calibrate_on", ()))


def _thresholds(table: dict[str, Any], cases: dict[str, Cases], margin_errors: float) -> dict[str, Threshold]:
    """The threshold of each task that has one; tasks that calibrate alike share it."""
    sizes: dict[tuple[str, ...], int] = {}
    for name, task in table.items():
        if task.get("kind") == "kept":
            sizes[_calibration(task)] = len(cases[name])
    return {
        name: choose(
            [_answered(case) for case in cases[_calibration(task)[0]]],
            float(task["refusal_threshold"].get("keep_stated", 0.9)),
            margin_errors,
            sizes.get(_calibration(task), len(cases[name])),
        )
        for name, task in table.items()
        if task.get("kind") in ("kept", "refused")
    }


def _areas(table: dict[str, Any], cases: dict[str, Cases]) -> list[Score]:
    """For every pair of tasks that share a threshold: how well confidence tells one from the other."""
    found: list[Score] = []
    for name, task in table.items():
        others = [o for o, t in table.items() if t.get("kind") == "kept" and _calibration(t) == _calibration(task)]
        if task.get("kind") == "refused" and others:
            stated = [_answered(case) for case in cases[others[0]]]
            found.append(area_score(f"{name}_area", stated, [_answered(case) for case in cases[name]]))
    return found


def _answered(case: dict[str, Any]) -> Answered:
    return Answered(case["confidence"], case["refuses"])


def _records(
    table: dict[str, Any], cases: dict[str, Cases], thresholds: dict[str, Threshold]
) -> dict[str, dict[str, Any]]:
    """Thresholds as they are kept beside the scores, with the share of unstated calibration answers they refuse."""
    records: dict[str, dict[str, Any]] = {}
    for name, threshold in thresholds.items():
        unstated = [_answered(case) for case in cases[_calibration(table[name])[1]]]
        refused = sum(not answer.is_kept(threshold.value) for answer in unstated) / len(unstated)
        records[name] = {
            "threshold": threshold.value,
            "aimed_frac": threshold.aimed_frac,
            "kept_frac": threshold.kept_frac,
            "refused_frac": refused,
            "num_calibration": threshold.num_calibration,
        }
    return records


def _bits_and_floors(asking: Asking, examples: Sequence[Example], floor: str) -> list[tuple[float, float]]:
    """For every reference answer its bits under the model and the generator's entropy (`meta[floor]`)."""
    found = asking.reference_bits(examples)
    return [
        (value, float(example.meta[floor]))
        for example, bits in zip(examples, found, strict=True)
        if floor in example.meta
        for value in bits
    ]


def _protocol(task: dict[str, Any], cases: Cases, threshold: Threshold | None) -> str:
    parts = [str(task.get("protocol", "greedy" if not task.get("sampling", {}).get("temperature") else "sampled"))]
    parts += [threshold.told()] if threshold else []
    cut = sum(case["finish"] != "stop" for case in cases)
    parts += [f"{cut} answers cut short"] if cut else []
    num_groups = len({case["group"] for case in cases})
    parts += [f"{num_groups} independent groups"] if num_groups < len(cases) else []
    parts += [f"baseline: {task['baseline_protocol']}"] if task.get("baseline_protocol") else []
    return "; ".join(parts)


def _titles(table: dict[str, Any], found: Sequence[Score]) -> dict[str, str]:
    return {s.name: str(table.get(s.name, {}).get("title") or s.name.replace("_", " ")) for s in found}


def _shown(case: dict[str, Any]) -> dict[str, str]:
    right = case["grade"] >= 0.5
    shown = {
        "task": case["task"],
        "verdict": "right" if right else "wrong",
        "asked": case["asked"],
        "answer": case["answer"],
        "lowest token probability": f"{case['confidence']:.3f}",
    }
    return shown | ({"right would be": ", ".join(case["right"])} if case["right"] and not right else {})


def _once(file: Path, ask: Callable[[], Cases]) -> Cases:
    """Answers that an interrupted run left behind, or given now and kept for a restart."""
    if file.exists():
        return json.loads(file.read_text(encoding="utf-8"))
    answers = ask()
    write_json(file, answers)
    return answers
