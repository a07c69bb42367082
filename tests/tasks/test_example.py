"""Examples on disk, and graders found by address."""

from pathlib import Path

import pytest

from hornbook.core.conversation import Message
from hornbook.core.errors import DataError, SettingsError
from hornbook.tasks.example import Example, load_grader, read_examples, write_examples


def test_examples_survive_the_disk(tmp_path: Path) -> None:
    examples = [
        Example("a", (Message("user", 'Who\n"is" ü?'),), ("x", "y"), {"rivals": ["z"]}),
        Example("b", (Message("system", "s"), Message("user", "u"))),
    ]
    assert write_examples(tmp_path / "t.jsonl", examples) == 2
    assert list(read_examples(tmp_path / "t.jsonl")) == examples


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    write_examples(file, [Example("a", (Message("user", "q"),))])
    with file.open("a") as out:
        out.write("{broken\n")
    with pytest.raises(DataError, match="t.jsonl:2"):
        list(read_examples(file))


def test_an_example_needs_messages(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text('{"id": "a", "messages": []}\n')
    with pytest.raises(DataError, match="messages"):
        list(read_examples(file))


def test_graders_by_name_and_by_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def grade(example, text):\n    return float(text == example.id)\n")
    assert load_grader(f"{file}:grade")(Example("a", ()), "a") == 1.0
    assert load_grader("hornbook.tasks.graders:exact").__name__ == "exact"
    assert load_grader("hornbook.world.story_check:grade").__name__ == "grade"


@pytest.mark.parametrize(
    "address",
    ["", "nothing", "hornbook.tasks.graders:exakt", "hornbook.nowhere:exact", "./none.py:grade", "os.path:sep"],
)
def test_an_address_of_nothing_is_an_error(address: str) -> None:
    with pytest.raises(SettingsError, match="grader"):
        load_grader(address)


def test_a_file_that_fails_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text("def grade(:\n")
    with pytest.raises(SettingsError, match="bad.py"):
        load_grader(f"{file}:grade")
