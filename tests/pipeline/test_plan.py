"""Resolving once, locking, and what a run would do."""

import json
from types import SimpleNamespace

import pytest

from hornbook.core.errors import SettingsError
from hornbook.pipeline import plan as plan_module
from hornbook.pipeline.plan import states

RESOLVED = '''"""A stage with a budget."""
from hornbook.core.errors import SettingsError
from hornbook.core.settings import StrictSettings

READS = {"documents": "documents"}
WRITES = "documents"
VERSION = 1


class Settings(StrictSettings):
    budget: str | None = "1s"
    """Time."""
    steps: int = 0
    """Filled in."""


def resolve(settings, *, probe, hints):
    if settings.budget == "never":
        raise SettingsError("the budget is too small")
    derived = {"flops": probe.peak_flops, "input_bytes": hints["input_bytes"], "output_bytes": 77}
    derived["seen"] = sorted(hints["settings"])
    return settings.model_copy(update={"steps": int(probe.peak_flops), "budget": None}), derived


def run(settings, inputs, out):
    (out.path / "numbers.txt").write_text(str(settings.steps))
'''


@pytest.fixture
def budget(toy, monkeypatch):
    (toy / "budget.py").write_text(RESOLVED)
    text = (toy / "toy.toml").read_text()
    (toy / "toy.toml").write_text(
        text + '[[stage]]\nid = "model"\nrun = "./budget.py"\nread.documents = "high"\n'
        '[[stage]]\nid = "after"\nrun = "./budget.py"\nread.documents = "model"\n'
    )
    probe = SimpleNamespace(peak_flops=5.0, count=0)

    def measured(_machine):
        probe.count += 1
        return probe

    monkeypatch.setattr(plan_module, "measure_machine", measured)
    return probe


def test_planning_writes_nothing_and_says_what_would_happen(toy, plan, run):
    planned = plan()
    assert not (toy / "runs").exists()
    assert [state for _, state in states(planned)] == ["new", "new", "new"]
    run(until="high")
    assert [state for _, state in states(plan())] == ["done", "done", "new"]
    run()
    assert [state for _, state in states(plan("low.count=1"))] == ["changed", "done", "waits"]
    (toy / "runs/toy/01-low.partial").mkdir()
    assert [state for _, state in states(plan("low.count=1"))] == ["interrupted", "done", "waits"]


def test_settings_are_resolved_once_and_kept_in_the_lock(toy, plan, run, budget):
    run()
    assert budget.count == 1 and (toy / "runs/toy/04-model/numbers.txt").read_text() == "5"
    budget.peak_flops = 9.0
    again = plan()
    assert again.steps[3].settings.steps == 5 and again.steps[3].settings.budget is None and budget.count == 1
    assert all(state == "done" for _, state in states(again))


def test_a_changed_stage_is_resolved_again_with_what_reads_it_only(plan, run, budget):
    run()
    budget.peak_flops = 9.0
    assert [step.settings.steps for step in plan("sum.times=2").steps[3:]] == [5, 5], "sum is not read by either"
    assert [step.settings.steps for step in plan('after.budget="2s"').steps[3:]] == [5, 9]
    assert [step.settings.steps for step in plan("high.count=6").steps[3:]] == [9, 9]
    assert [step.settings.steps for step in plan("seed=9").steps[3:]] == [9, 9]


def test_hints_say_what_comes_before_and_how_many_bytes(toy, plan, budget):
    steps = plan().steps
    assert steps[3].derived["seen"] == ["./counting.py"] and steps[3].derived["input_bytes"] == 0
    assert steps[4].derived["input_bytes"] == 77, "what the stage before says it will write"
    assert steps[4].derived["seen"] == ["./budget.py", "./counting.py"]


def test_the_machine_is_not_measured_when_nothing_needs_it(plan, monkeypatch):
    monkeypatch.setattr(plan_module, "measure_machine", lambda _machine: 1 / 0)
    assert len(plan().steps) == 3


def test_a_refusal_to_resolve_names_the_stage(plan, budget):
    with pytest.raises(SettingsError) as caught:
        plan('model.budget="never"')
    assert caught.value.where == 'stage "model" (./budget.py)'


def test_the_run_has_the_lock_and_the_resolved_recipe(toy, run):
    run("low.count=2")
    assert "count = 2" in (toy / "runs/toy/recipe.toml").read_text()
    assert "count = 2" in (toy / "runs/toy/recipe.lock.toml").read_text()
    assert json.loads((toy / "runs/toy/01-low/manifest.json").read_text())["settings"]["count"] == 2


def test_the_lock_says_what_decides_the_last_bits(toy, plan, run, monkeypatch):
    (toy / "counting.py").write_text((toy / "counting.py").read_text() + "\nDEVICE_MATTERS = True\n")
    monkeypatch.setattr(plan_module, "arithmetic", lambda machine: f"{machine.device} bf16 compiled")
    run()
    assert 'device = "auto bf16 compiled"' in (toy / "runs/toy/recipe.lock.toml").read_text()
    monkeypatch.setattr(plan_module, "arithmetic", lambda machine: f"{machine.device} fp32 eager")
    assert plan().device == "auto bf16 compiled", "the lock holds while the machine's settings are the same"
    assert plan("machine.device=cpu").device == "cpu fp32 eager"
    assert [state for _, state in states(plan("machine.device=cpu"))] == ["changed", "changed", "waits"]


def test_a_device_that_is_not_there_is_refused_by_the_plan(toy, plan):
    (toy / "counting.py").write_text((toy / "counting.py").read_text() + "\nDEVICE_MATTERS = True\n")
    with pytest.raises(SettingsError, match="gpu"):
        plan("machine.device=gpu")
