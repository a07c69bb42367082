"""Small stages in files of their own: what the pipeline promises is tested on them, without any model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hornbook.core.recipe import load_recipe
from hornbook.core.runlog import RunLog
from hornbook.pipeline.plan import Plan, make_plan
from hornbook.pipeline.run import RunResult, Selection, run_plan

NUMBERS = '''"""Write numbers."""
import os
import signal

from hornbook.core.errors import DataError
from hornbook.core.settings import StrictSettings

READS = {}
WRITES = "documents"
VERSION = 1


class Settings(StrictSettings):
    count: int = 3
    """How many numbers."""
    note: str = ""
    """Changes nothing that is written."""
    fail: str = ""
    """How to fail: `data`, `bug`, `stop`, `kill_at_2`."""


def run(settings, inputs, out):
    steps = out.resume / "steps"
    done = len(steps.read_text().split()) if steps.exists() else 0
    if settings.fail == "data":
        (out.path / "half.txt").write_text("half")
        raise DataError("the third line is empty", where="numbers.txt:3", do="Fill it")
    if settings.fail == "bug":
        raise ZeroDivisionError("by nought")
    if settings.fail == "stop":
        raise KeyboardInterrupt
    for number in range(done, settings.count):
        with steps.open("a") as log:
            log.write(f"{number}\\n")
        if settings.fail == "kill_at_2" and number == 1 and done == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    out.counts["numbers"] = settings.count
    out.counts["resumed_at"] = done
    out.licences.append("CC-BY-4.0")
    out.sources.append("counting")
    (out.path / "numbers.txt").write_text("".join(f"{n}\\n" for n in range(settings.count)))
'''

TOTAL = '''"""Add numbers up."""
from hornbook.core.settings import StrictSettings
from hornbook.report.blocks import Table

READS = {"documents": "documents+", "extra": "documents?"}
WRITES = "tokenizer"
VERSION = 1


class Settings(StrictSettings):
    times: int = 1
    """Multiply the sum."""


def run(settings, inputs, out):
    assert isinstance(inputs["documents"], tuple)
    lines = [line for artifact in inputs["documents"] for line in artifact.file("numbers.txt").read_text().split()]
    (out.path / "total.txt").write_text(str(settings.times * sum(map(int, lines))))


def describe(artifact):
    total = artifact.file("total.txt").read_text()
    return [Table("Sum", ["sum"], [[total]])]
'''

RECIPE = """name = "toy"
seed = 3
[[stage]]
id = "low"
run = "./counting.py"
[[stage]]
id = "high"
run = "./counting.py"
count = 5
[[stage]]
id = "sum"
run = "./total.py"
read.documents = ["low", "high"]
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two stage files and a recipe of three stages; the current folder, with a cache of its own."""
    (tmp_path / "counting.py").write_text(NUMBERS)
    (tmp_path / "total.py").write_text(TOTAL)
    (tmp_path / "toy.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HORNBOOK_DATA", raising=False)
    return tmp_path


@pytest.fixture
def plan(toy: Path) -> Callable[..., Plan]:
    """`plan("sum.times=2")`: the toy recipe with overrides, planned into runs/toy."""

    def made(*overrides: str, recipe: str = "toy.toml") -> Plan:
        return make_plan(load_recipe(toy / recipe, overrides=overrides), toy / "runs" / "toy", toy)

    return made


@pytest.fixture
def run(toy: Path, plan: Callable[..., Plan]) -> Callable[..., RunResult]:
    """`run("sum.times=2", force=("low",))`: plan and run the toy recipe quietly."""

    def made(
        *overrides: str, start: str | None = None, until: str | None = None, force: tuple[str, ...] = ()
    ) -> RunResult:
        planned = plan(*overrides)
        planned.folder.mkdir(parents=True, exist_ok=True)
        log = RunLog(folder=planned.folder, quiet=True)
        return run_plan(planned, Selection(start, until, force), log, toy)

    return made
