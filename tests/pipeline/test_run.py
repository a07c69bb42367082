"""Building, skipping, forcing, failing, resuming: what `hornbook run` promises, on stages of three lines."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from hornbook.core.errors import ArtifactError, DataError, HornbookError, SettingsError
from hornbook.core.runlog import RunLog
from hornbook.pipeline.run import Selection, explain, run_plan


def outcomes(result):
    return {step.id: step.outcome for step in result.steps}


def manifest(toy, name):
    return json.loads((toy / "runs/toy" / name / "manifest.json").read_text())


def test_a_run_is_built_once_and_then_skipped(toy, run):
    assert outcomes(run()) == {"low": "built", "high": "built", "sum": "built"}
    assert (toy / "runs/toy/03-sum/total.txt").read_text() == str(0 + 1 + 2 + 0 + 1 + 2 + 3 + 4)
    before = (toy / "runs/toy/03-sum/manifest.json").stat().st_mtime_ns
    assert outcomes(run()) == {"low": "skipped", "high": "skipped", "sum": "skipped"}
    assert (toy / "runs/toy/03-sum/manifest.json").stat().st_mtime_ns == before
    assert not list((toy / "runs/toy").glob("*.partial"))


def test_a_changed_setting_rebuilds_that_stage_and_what_reads_it(toy, run):
    run()
    assert outcomes(run("high.count=2")) == {"low": "skipped", "high": "built", "sum": "built"}
    assert (toy / "runs/toy/03-sum/total.txt").read_text() == "4"
    assert outcomes(run("high.count=2", "sum.times=10")) == {"low": "skipped", "high": "skipped", "sum": "built"}


def test_what_reads_a_rebuilt_stage_is_skipped_when_the_bytes_came_out_the_same(run):
    run()
    assert outcomes(run('low.note="other words"')) == {"low": "built", "high": "skipped", "sum": "skipped"}


def test_machine_settings_change_nothing(run):
    run()
    changed = ("machine.workers=1", "machine.threads=1", 'machine.runner="ray"', 'machine.cache="elsewhere"')
    assert set(outcomes(run(*changed)).values()) == {"skipped"}


def test_the_seed_rebuilds_everything(run):
    run()
    assert outcomes(run("seed=4"))["low"] == "built"


def test_an_edited_stage_file_rebuilds_its_stages(toy, run):
    run()
    text = (toy / "total.py").read_text()
    (toy / "total.py").write_text(text.replace("settings.times *", "2 * settings.times *"))
    assert outcomes(run()) == {"low": "skipped", "high": "skipped", "sum": "built"}
    assert (toy / "runs/toy/03-sum/total.txt").read_text() == "26"


def test_force_builds_again_what_is_done(run):
    run()
    assert outcomes(run(force=("low",))) == {"low": "built", "high": "skipped", "sum": "skipped"}


def test_until_ends_early_and_from_takes_earlier_stages_as_they_are(toy, run):
    assert outcomes(run(until="high")) == {"low": "built", "high": "built"}
    result = run("low.count=9", start="sum")
    assert outcomes(result) == {"low": "skipped", "high": "skipped", "sum": "built"}
    assert (toy / "runs/toy/03-sum/total.txt").read_text() == "13", "low was taken as it is on disk, not rebuilt"


def test_from_needs_the_earlier_stages(run):
    result = run(start="sum")
    assert result.exit_code == 2 and outcomes(result) == {"low": "failed"}
    assert "no complete artifact" in str(result.error)


@pytest.mark.parametrize("words", [{"start": "smu"}, {"until": "smu"}, {"force": ("smu",)}])
def test_an_unknown_stage_is_named_with_the_nearest(run, words):
    with pytest.raises(SettingsError, match='did you mean "sum"'):
        run(**words)


def test_a_user_mistake_is_one_paragraph_and_nothing_gets_a_final_name(toy, run):
    result = run('high.fail="data"')
    assert result.exit_code == 2 and isinstance(result.error, DataError)
    assert outcomes(result) == {"low": "built", "high": "failed"}
    assert str(result.error).startswith("the third line is empty")
    assert 'stage "high" (./counting.py): numbers.txt:3' in str(result.error)
    assert not (toy / "runs/toy/02-high").exists() and not (toy / "runs/toy/03-sum").exists()
    assert "the third line is empty" in (toy / "runs/toy/report.html").read_text()
    assert json.loads((toy / "runs/toy/state.json").read_text())["state"] == "failed"


def test_a_bug_leaves_its_traceback_in_the_log_only(toy, run):
    result = run('high.fail="bug"')
    assert result.exit_code == 1 and isinstance(result.cause, ZeroDivisionError)
    assert "unexpected ZeroDivisionError: by nought" in str(result.error)
    records = [json.loads(line) for line in (toy / "runs/toy/run.log").read_text().splitlines()]
    failed = next(record for record in records if record.get("event") == "failed")
    assert failed["stage"] == "high" and "counting.py" in failed["traceback"]
    assert "Traceback" not in (toy / "runs/toy/report.html").read_text()


def test_ctrl_c_is_a_clean_stop_and_the_next_run_goes_on(toy, run):
    result = run('high.fail="stop"')
    assert result.interrupted and result.exit_code == 130 and outcomes(result)["high"] == "stopped"
    assert json.loads((toy / "runs/toy/state.json").read_text())["state"] == "stopped"
    assert outcomes(run()) == {"low": "skipped", "high": "built", "sum": "built"}


def test_ctrl_c_while_the_report_is_written_is_a_clean_stop_too(toy, run, monkeypatch):
    def interrupted(folder, writing):
        raise KeyboardInterrupt

    monkeypatch.setattr("hornbook.pipeline.run.write_report", interrupted)
    at_the_end = run()
    assert at_the_end.interrupted and outcomes(at_the_end) == {"low": "built", "high": "built", "sum": "built"}
    assert json.loads((toy / "runs/toy/state.json").read_text())["state"] == "complete"
    monkeypatch.setattr("hornbook.pipeline.run.REPORT_EVERY_S", 0)
    on_the_way = run("low.count=1")
    assert on_the_way.exit_code == 130 and outcomes(on_the_way) == {"low": "built"}
    assert json.loads((toy / "runs/toy/state.json").read_text())["state"] == "stopped"


def test_a_killed_stage_goes_on_from_its_resume_state_with_the_same_bytes(toy, run):
    """SIGKILL in the middle of a stage: the same command continues it, and the payload is that of an unbroken run."""
    words = [sys.executable, "-m", "hornbook.cli.main", "run", "toy.toml", "--set", 'high.fail="kill_at_2"']
    killed = subprocess.run(words, cwd=toy, capture_output=True, env=os.environ, check=False)
    assert killed.returncode == -9
    assert (toy / "runs/toy/02-high.partial/.resume/steps").read_text() == "0\n1\n"
    assert not (toy / "runs/toy/02-high").exists()
    assert outcomes(run('high.fail="kill_at_2"')) == {"low": "skipped", "high": "built", "sum": "built"}
    resumed = manifest(toy, "02-high")
    assert resumed["counts"]["resumed_at"] == 2
    run(force=("high",))
    assert manifest(toy, "02-high")["payload_hash"] == resumed["payload_hash"]


def test_resume_state_of_other_settings_is_not_used(toy, run):
    run(until="low")
    partial = toy / "runs/toy/02-high.partial/.resume"
    partial.mkdir(parents=True)
    (partial / "fingerprint").write_text("of other settings")
    (partial / "steps").write_text("0\n1\n")
    run()
    assert manifest(toy, "02-high")["counts"]["resumed_at"] == 0


def test_the_manifest_says_what_was_read_and_carries_licences_and_sources(toy, run):
    run()
    found = manifest(toy, "03-sum")
    assert found["kind"] == "tokenizer" and found["stage"] == "./total.py" and found["seed"] == 3
    assert [parent["id"] for parent in found["parents"]["documents"]] == ["low", "high"]
    assert found["parents"]["documents"][0]["payload_hash"] == manifest(toy, "01-low")["payload_hash"]
    assert found["licences"] == ["CC-BY-4.0"] and found["sources"] == ["counting"]
    assert found["settings"] == {"times": 1}


def test_the_run_keeps_its_recipe_and_can_be_run_from_it(toy, run, monkeypatch):
    run("sum.times=4")
    (toy / "counting.py").unlink()
    words = [sys.executable, "-m", "hornbook.cli.main", "run", "runs/toy", "--json"]
    again = subprocess.run(words, cwd=toy, capture_output=True, text=True, env=os.environ, check=True)
    assert {stage["outcome"] for stage in json.loads(again.stdout.splitlines()[-1])["stages"]} == {"skipped"}


def test_two_processes_do_not_write_one_run(toy, plan):
    planned = plan()
    holder = [sys.executable, "-c", HOLD, str(planned.folder)]
    planned.folder.mkdir(parents=True)
    other = subprocess.Popen(holder, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    with pytest.raises(ArtifactError, match=f"another process \\(number {other.pid}\\) is writing this run"):
        run_plan(planned, Selection(), RunLog(quiet=True), toy)
    other.kill()
    other.communicate()
    result = run_plan(planned, Selection(), RunLog(quiet=True), toy)
    assert result.exit_code == 0, "a killed process does not hold its run"


HOLD = """
import sys, time
from pathlib import Path
from hornbook.pipeline.runlock import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_stage_added_in_front_renumbers_the_folders_and_rebuilds_nothing(toy, run, plan):
    run()
    text = (toy / "toy.toml").read_text()
    first = '[[stage]]\nid = "zero"\nrun = "./counting.py"\ncount = 1\n'
    (toy / "toy.toml").write_text(text.replace("[[stage]]", first + "[[stage]]", 1))
    assert outcomes(run()) == {"zero": "built", "low": "skipped", "high": "skipped", "sum": "skipped"}
    names = sorted(path.name for path in (toy / "runs/toy").glob("[0-9]*"))
    assert names == ["01-zero", "02-low", "03-high", "04-sum"]


def test_progress_can_be_read_while_a_stage_runs(toy, plan):
    from hornbook.pipeline.history import view_run

    (toy / "counting.py").write_text(
        (toy / "counting.py").read_text().replace("    steps =", "    import time; time.sleep(0.6)\n    steps =", 1)
    )
    planned = plan()
    thread = threading.Thread(target=run_plan, args=(planned, Selection(), RunLog(quiet=True), toy))
    thread.start()
    deadline = time.monotonic() + 5
    seen = ""
    while time.monotonic() < deadline and seen != "running":
        if (planned.folder / "state.json").exists():
            seen = view_run(planned.folder).state
        time.sleep(0.02)
    thread.join()
    assert seen == "running" and view_run(planned.folder).state == "complete"


def test_explain_says_every_failure_in_a_sentence():
    import errno

    full = OSError(errno.ENOSPC, "No space left on device")
    wrapped = RuntimeError("worker died")
    wrapped.__cause__ = full
    for error in (full, wrapped):
        told = explain(error, 'stage "a"')
        assert "disk is full" in str(told) and told.exit_code == 1
    assert explain(MemoryError(), "x").exit_code == 1
    own = explain(DataError("bad line", where="a.txt:3"), 'stage "a"')
    assert own.exit_code == 2 and own.where == 'stage "a": a.txt:3'
    assert type(explain(KeyError("x"), "here")) is HornbookError
