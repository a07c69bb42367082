"""The rules of the house: who imports whom, names, one test for each module, sources of algorithms, clean files."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "hornbook"
TESTS = ROOT / "tests"

# Modules whose behaviour shows only through others; each with the test that covers it. Keep this short.
TESTED_ELSEWHERE: dict[str, str] = {
    "cli/survey.py": "cli/test_new.py",
}
# Folders of tests about several modules at once, and such tests inside a package's folder.
ACROSS = ("seams", "golden", "journeys", "faults")
ACROSS_A_PACKAGE = ("data/test_golden_outputs.py", "data/test_world_truth.py", "world/test_golden_outputs.py")
# Modules that compute what somebody published, besides filters and the stages of pretrain and posttrain.
ALGORITHMS = (
    "data/dedup.py",
    "data/copies/repeats.py",
    "data/copies/shingles.py",
    "data/copies/signatures.py",
    "data/decontaminate.py",
    "data/insight/layout.py",
    "data/insight/vectors.py",
    "data/language/readability.py",
    "data/language/word_runs.py",
    "data/learned/features.py",
    "data/learned/fitting.py",
    "data/learned/seeds.py",
    "data/mix.py",
    "data/shares.py",
    "engine/sampling.py",
    "model/attention.py",
    "model/decoder.py",
    "model/rope.py",
    "pretrain/anneal.py",
    "pretrain/dial.py",
    "scaling/mixture.py",
    "scaling/regression.py",
    "tasks/score.py",
    "tokenizer/learn.py",
    "train/muon.py",
    "train/optimizer.py",
    "train/packing.py",
    "train/schedule.py",
)
BANNED_FILES = {"utils", "util", "common", "helpers", "helper", "misc"}
BANNED_CLASS = re.compile(r"^Base[A-Z]|Manager$")
MACHINE = re.compile(
    r"/(?:home|Users|root)/\w|/work/|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}:\d{2,5}\b"
    r"|(?:index-url|extra-index-url|trusted-host|find-links)[= ]+(?!https://(?:pypi\.org|download\.pytorch\.org))\S"
)


def modules() -> list[Path]:
    return sorted(file for file in SRC.rglob("*.py") if "__pycache__" not in file.parts)


def name_of(file: Path) -> str:
    return file.relative_to(SRC).as_posix()


def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("git and a clone are needed to know the tracked files")
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [path for name in found.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_import_contracts():
    """Floors import only floors below, no torch below compute, filters and algorithms independent, no circles."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_every_algorithm_of_posttraining_stands_in_the_contract():
    """A new algorithm must be named in pyproject.toml, or nobody would notice that it imports another."""
    contract = (ROOT / "pyproject.toml").read_text()
    missing = [name for name in stages_of("posttrain") + stages_of("pretrain") if f'"hornbook.{name}"' not in contract]
    assert missing == []


def stages_of(package: str) -> list[str]:
    files = sorted((SRC / package).glob("*.py"))
    return [f"{package}.{file.stem}" for file in files if "\nWRITES" in file.read_text("utf-8")]


def test_names():
    wrong = [name_of(file) for file in modules() if file.stem in BANNED_FILES or file.parent.name in BANNED_FILES]
    for file in modules():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and BANNED_CLASS.search(node.name):
                wrong.append(f"{name_of(file)}: class {node.name}")
    assert wrong == []


def test_inits_are_empty():
    full = [name_of(f) for f in modules() if f.name == "__init__.py" and f.parent != SRC and f.read_text().strip()]
    assert full == []


def test_packages_have_at_least_three_files():
    small = {
        folder.name: [file.name for file in folder.glob("*.py")]
        for folder in SRC.iterdir()
        if folder.is_dir() and (folder / "__init__.py").exists() and len(list(folder.glob("*.py"))) < 4
    }
    assert small == {}


def test_one_test_for_each_module():
    expected = {
        f"{Path(name_of(file)).parent.as_posix()}/test_{file.name}": name_of(file)
        for file in modules()
        if file.name != "__init__.py"
    }
    lacking = {
        module: test for test, module in expected.items() if not (TESTS / TESTED_ELSEWHERE.get(module, test)).exists()
    }
    needless = [
        module
        for test, module in expected.items()
        if module in TESTED_ELSEWHERE and (TESTS / test).exists() and test != TESTED_ELSEWHERE[module]
    ]
    gone = sorted(set(TESTED_ELSEWHERE) - set(expected.values()))
    assert lacking == {}, f"no test file for: {', '.join(lacking)}"
    assert needless == [], "these have a test of their own now: take them off TESTED_ELSEWHERE"
    assert gone == [], "these are gone: take them off TESTED_ELSEWHERE"


def test_every_test_file_belongs_to_a_module():
    orphans = []
    for test in sorted(TESTS.rglob("test_*.py")):
        place = test.relative_to(TESTS)
        if len(place.parts) == 1 or place.parts[0] in ACROSS or place.as_posix() in ACROSS_A_PACKAGE:
            continue
        if not (SRC / place.parent / place.name.removeprefix("test_")).exists():
            orphans.append(place.as_posix())
    assert orphans == [], f"tests of no module; move them to one of {ACROSS}"


def test_algorithms_name_their_source():
    stages = [f"{name.replace('.', '/')}.py" for package in ("pretrain", "posttrain") for name in stages_of(package)]
    filters = [name_of(file) for file in (SRC / "data" / "filters").glob("*.py") if file.name != "__init__.py"]
    named = [*ALGORITHMS, *stages, *filters]
    silent = [name for name in named if not re.search(r"\bSource: ", (SRC / name).read_text("utf-8"))]
    assert sorted(silent) == []


def test_help_imports_nothing_heavy():
    """What `hornbook --help` loads decides how fast it answers; the clock itself is measured in test_main."""
    code = (
        "import sys; sys.argv = ['hornbook', '--help']\n"
        "from hornbook.cli.main import command\n"
        "assert command(['--help']) == 0\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'polars', 'pydantic', 'rich', 'typer', 'transformers'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("loaded: []")


LOW_FLOORS = ("core", "shards", "report", "tasks", "world", "data", "tokenizer", "pipeline", "cli")


def test_low_floors_import_no_slow_libraries():
    """Importing the floors that the command line uses loads no torch, scipy.stats, scikit-learn or matplotlib."""
    names = [
        "hornbook." + name_of(file).removesuffix(".py").replace("/", ".")
        for file in modules()
        if name_of(file).split("/")[0] in LOW_FLOORS and file.name != "__init__.py"
    ]
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "slow = {'torch', 'scipy.stats', 'sklearn', 'matplotlib', 'trafilatura', 'transformers'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[]"


def test_no_machine_in_tracked_files():
    """No path, address or package index of somebody's machine."""
    found = []
    for file in tracked():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if file == Path(__file__):
            continue
        found += [
            f"{file.relative_to(ROOT)}:{number}: {match[0]}"
            for number, line in enumerate(text.splitlines(), 1)
            if (match := MACHINE.search(line))
        ]
    assert found == []


def test_nothing_unfinished():
    """No TODO, no placeholder, no NotImplementedError."""
    pattern = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b")
    found = [name_of(file) for file in modules() if pattern.search(file.read_text("utf-8"))]
    assert found == []


@pytest.mark.slow
def test_the_wheel_carries_what_is_needed(tmp_path):
    """Recipes, the chat page, the report's page and the chat template are in the wheel, tests are not."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(ROOT / "recipes", source / "recipes")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, source]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = [path for path in (*SRC.rglob("*.*"),) if path.suffix not in (".py", ".pyc")]
    missing = [path.as_posix() for path in data if f"hornbook/{name_of(path)}" not in names]
    recipes = {f"share/hornbook/{file.name}" for file in (ROOT / "recipes").glob("*.toml")}
    assert missing == []
    assert recipes <= {name.partition(".data/data/")[2] for name in names}
    assert not any(name.startswith("tests") for name in names)
