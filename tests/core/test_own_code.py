"""Files of the user's own as modules."""

import sys
from pathlib import Path

import pytest

from hornbook.core.errors import SettingsError
from hornbook.core.own_code import load_own


def test_a_file_is_run_once_until_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("made = object()\n")
    module, before = load_own(file, "./mine.py")
    assert load_own(file, "./mine.py") == (module, before) and sys.modules[module.__name__] is module
    file.write_text("made = object()  # again\n")
    changed, after = load_own(file, "./mine.py")
    assert changed.made is not module.made and after != before


def test_equal_files_in_two_places_are_two_modules(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    places = (tmp_path / "mine.py", tmp_path / "other/mine.py")
    for file in places:
        file.write_text("from pathlib import Path\nhere = Path(__file__)\n")
    assert [load_own(file, "x")[0].here for file in places] == list(places)


def test_a_mistake_is_named_with_its_line_and_can_be_mended(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("x = 1\nimport no_such_module\n")
    for _ in range(2):
        with pytest.raises(SettingsError, match='"./mine.py" fails when imported: ModuleNotFoundError') as caught:
            load_own(file, "./mine.py")
        assert caught.value.where == f"{file}:2"
    file.write_text("raise __import__('hornbook.core.errors').core.errors.SettingsError('said by the file')\n")
    for _ in range(2):
        with pytest.raises(SettingsError, match="said by the file"):
            load_own(file, "./mine.py")
    with pytest.raises(SettingsError, match="is not a Python file"):
        (tmp_path / "mine.txt").write_text("")
        load_own(tmp_path / "mine.txt", "./mine.txt")
