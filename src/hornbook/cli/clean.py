"""`hornbook clean`: say what could be freed, then free it."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.find import find_run, runs_folder
from hornbook.core.errors import SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.units import human_bytes

LEFTOVER = re.compile(r"\..+\.(old|new)")


@dataclass(frozen=True)
class Freeable:
    """Something that can go, what it is, and what is lost with it."""

    path: Path
    what: str
    num_bytes: int


def clean(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; default: all below runs/.")
    ] = None,
    cache: Annotated[bool, typer.Option("--cache", help="The cache too: compiled code, measurements, hashes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> int:
    """Free what no finished work needs: half-built stages, old resume states, stages no longer in the recipe.

    Says first what would go and what that costs. Finished stages and reports stay.
    """
    from hornbook.pipeline.runlock import is_running

    folders = [find_run(run) for run in runs] if runs else sorted(p.parent for p in runs_folder().glob("*/recipe.toml"))
    found: list[Freeable] = []
    for folder in folders:
        if is_running(folder):
            print(f"{folder}: running now, left alone")
        else:
            found += freeable(folder)
    if cache:
        found += cache_parts(Machine().cache_folder)
    if not found:
        print("There is nothing to free.")
        return 0
    for item in found:
        print(f"{human_bytes(item.num_bytes):>9}  {item.path}  {item.what}")
    print(f"{human_bytes(sum(item.num_bytes for item in found)):>9}  in all")
    if dry:
        return 0
    if not yes and not typer.confirm("Free this?", default=False):
        print("Nothing was changed.")
        return 0
    for item in found:
        remove(item.path)
    print("Freed.")
    return 0


def freeable(folder: Path) -> list[Freeable]:
    """What can go from one run that no process is writing."""
    found: list[Freeable] = []
    current = _stage_folders(folder)
    for path in sorted(folder.iterdir()):
        if path.name.endswith(".partial") and path.is_dir():
            what = "a stage begun and not finished; it begins anew"
        elif LEFTOVER.fullmatch(path.name):
            what = "left by an interrupted rename"
        elif path.is_dir() and re.match(r"\d\d+-", path.name) and current and path.name not in current:
            what = "a stage that the recipe no longer has"
        else:
            continue
        found.append(Freeable(path, what, size_of(path)))
    for path in sorted(folder.glob("[0-9]*-*/.resume")):
        if not path.parent.name.endswith(".partial"):
            found.append(Freeable(path, "old resume state", size_of(path)))
    return found


def cache_parts(folder: Path) -> list[Freeable]:
    """Everything in the cache folder, part by part."""
    return [
        Freeable(path, "cache; made again when needed", size_of(path))
        for path in sorted(folder.iterdir())
        if not path.is_symlink()
    ]


def size_of(path: Path) -> int:
    """Bytes of a file or of everything below a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def remove(path: Path) -> None:
    """Delete a file or a folder. Raises SettingsError when the system refuses."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"this could not be deleted: {error.strerror}", where=str(path)) from None


def _stage_folders(folder: Path) -> set[str]:
    """Folder names of the stages the run's recipe has; empty when its state was never written."""
    try:
        data = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        return {stage["folder"] for stage in data["stages"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
