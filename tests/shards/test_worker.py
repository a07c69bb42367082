import subprocess
import sys
from pathlib import Path

import pytest

from hornbook.shards.partition import partition_of
from hornbook.shards.shard import Failure, Limits, Notes, Shard
from hornbook.shards.worker import address, find_function, perform
from hornbook.shards.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent))
import jobs


def test_a_function_is_found_by_module_or_by_file() -> None:
    assert find_function(address(partition_of)) is partition_of
    found = find_function(("__main__", str(Path(jobs.__file__)), "copy"))
    assert found is not jobs.copy and found.__code__.co_code == jobs.copy.__code__.co_code
    with pytest.raises(ValueError, match="module-level"):
        address(lambda: None)


def test_perform_reports_what_went_wrong_and_leaves_no_note(tmp_path: Path) -> None:
    notes, shard = Notes(tmp_path / "notes", "v"), Shard("s", [1, -3])
    work = Workspace("s", tmp_path, tmp_path / "scratch", {}, Limits())
    result = perform(jobs.copy, "n", shard, notes, work)
    assert isinstance(result, Failure)
    assert (result.kind, result.shard, result.record) == ("KeyError", "s", "record--3")
    assert not (tmp_path / "notes").exists() and not (tmp_path / "kept").exists()


@pytest.mark.parametrize(("parent", "lives"), [(1, True), (2, False)])
def test_process_1_may_be_the_parent_and_any_other_may_adopt_an_orphan(parent: int, lives: bool) -> None:
    code = (
        "import os; os.getppid = lambda: 1\n"
        f"from hornbook.shards.worker import _end_with_parent; _end_with_parent({parent}); print('lives')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == ((0, "lives\n") if lives else (1, ""))
