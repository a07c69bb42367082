"""A stage in a file and a recipe of two stages, for tests of commands."""

from pathlib import Path

STAGE = '''"""Write words."""
from hornbook.core.errors import DataError
from hornbook.core.settings import StrictSettings

READS = {"before": "truth?"}
WRITES = "truth"
VERSION = 1


class Settings(StrictSettings):
    count: int = 3
    """How many words."""
    fail: str = ""
    """How to fail."""


def run(settings, inputs, out):
    if settings.fail == "data":
        raise DataError("the words are wrong", where="words.txt:1", do="Mend them")
    if settings.fail == "bug":
        raise ZeroDivisionError("by nought")
    if settings.fail == "stop":
        raise KeyboardInterrupt
    (out.path / "words.txt").write_text("word " * settings.count)
    out.counts["words"] = settings.count
'''
RECIPE = """name = "toy"
[[stage]]
id = "a"
run = "./words.py"
[[stage]]
id = "b"
run = "./words.py"
count = 1
read.before = "a"
[profile.smoke]
a.count = 2
"""


def put_toys(folder: Path) -> None:
    """words.py and toy.toml into a folder."""
    (folder / "words.py").write_text(STAGE)
    (folder / "toy.toml").write_text(RECIPE)
