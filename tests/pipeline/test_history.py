"""What a run's folder says about itself."""

import json

from hornbook.pipeline.history import read_costs, read_records, view_run


def test_costs_add_up_over_interruptions_and_begin_anew_after_a_rebuild(tmp_path):
    lines = [
        {"id": "a", "outcome": "stopped", "duration_s": 2.0, "energy_wh": 0.5, "energy_method": "rapl"},
        {"id": "b", "outcome": "built", "duration_s": 1.0},
        {"id": "a", "outcome": "built", "duration_s": 3.0, "energy_wh": 0.25, "energy_method": "rapl"},
    ]
    (tmp_path / "timings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"id": "a", "dur')
    costs = read_costs(tmp_path)
    assert (costs["a"].duration_s, costs["a"].energy_wh, costs["a"].method) == (5.0, 0.75, "rapl")
    assert costs["b"].energy_wh is None
    again = {"id": "a", "outcome": "built", "duration_s": 7.0, "energy_wh": 1.0, "energy_method": "estimate"}
    (tmp_path / "timings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*lines, again]))
    assert (read_costs(tmp_path)["a"].duration_s, read_costs(tmp_path)["a"].energy_wh) == (7.0, 1.0)


def test_a_view_of_a_complete_run(toy, run):
    run()
    found = view_run(toy / "runs/toy")
    assert (found.name, found.state, found.problem) == ("toy", "complete", "")
    assert [(stage.number, stage.id, stage.state) for stage in found.stages] == [
        ("01", "low", "complete"),
        ("02", "high", "complete"),
        ("03", "sum", "complete"),
    ]
    assert found.cost.duration_s > 0 and found.cost.energy_wh is not None and found.cost.method in ("estimate", "rapl")


def test_a_run_asked_for_in_part_waits_for_the_rest(toy, run):
    run(until="high")
    found = view_run(toy / "runs/toy")
    assert found.state == "waiting" and [s.state for s in found.stages] == ["complete", "complete", "waiting"]
    run()
    assert view_run(toy / "runs/toy").state == "complete"


def test_a_view_of_a_failed_and_of_a_killed_run(toy, run):
    run('high.fail="data"')
    found = view_run(toy / "runs/toy")
    assert found.state == "failed" and "the third line is empty" in found.problem
    assert [stage.state for stage in found.stages] == ["complete", "failed", "waiting"]
    state = json.loads((toy / "runs/toy/state.json").read_text())
    (toy / "runs/toy/state.json").write_text(json.dumps(state | {"state": "running", "error": ""}))
    killed = view_run(toy / "runs/toy")
    assert killed.state == "stopped" and [s.state for s in killed.stages] == ["complete", "stopped", "waiting"]
    assert view_run(toy / "runs/toy", writing=True).stages[1].state == "running"


def test_a_run_without_a_state_is_read_from_its_folders(toy, run):
    run()
    (toy / "runs/toy/state.json").write_text("{broken")
    found = view_run(toy / "runs/toy")
    assert [stage.stage for stage in found.stages] == ["./counting.py", "./counting.py", "./total.py"]


def test_a_damaged_manifest_is_not_believed(toy, run):
    run()
    (toy / "runs/toy/02-high/manifest.json").write_text("{")
    assert [stage.artifact is None for stage in view_run(toy / "runs/toy").stages] == [False, True, False]


def test_records_skip_what_is_not_whole(tmp_path):
    (tmp_path / "m.jsonl").write_bytes(b'{"a": 1}\n\n[2]\n\xff\xfe\n{"a": 2}\n{"a"')
    assert read_records(tmp_path / "m.jsonl") == [{"a": 1}, {"a": 2}]
    assert read_records(tmp_path / "none.jsonl") == []
