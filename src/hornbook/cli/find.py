"""What a word on the command line means: a recipe by path or by name, a run, an artifact."""

import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import hornbook
from hornbook.core.artifact import MANIFEST, Artifact, open_artifact
from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.core.recipe import Recipe, load_recipe
from hornbook.core.settings import did_you_mean

RECIPE = "recipe.toml"
PARTIAL = ".partial"


@dataclass(frozen=True)
class Found:
    """A loaded recipe, the folder its run is written to, and the folder its own stage files lie in."""

    recipe: Recipe
    run_folder: Path
    recipe_folder: Path


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with Hornbook, by name."""
    package = Path(hornbook.__file__).parent
    places = (package / "recipes", package.parents[1] / "recipes", Path(sysconfig.get_path("data")) / "share/hornbook")
    for place in places:
        files = sorted(place.glob("*.toml")) if place.is_dir() else []
        if files:
            return {file.stem: file for file in files}
    return {}


def find_recipe(word: str, profile: str | None, overrides: list[str], runs: Path | None) -> Found:
    """The recipe that RECIPE means: a file, a run's folder (its own recipe, continued), or a shipped name.

    A run lies in `runs`/NAME, or `runs`/NAME-PROFILE so that a small trial never replaces a long run.
    Raises SettingsError that names the shipped recipes.
    """
    path = Path(word)
    if path.is_dir() and (path / RECIPE).exists():
        recipe = load_recipe(path / RECIPE, profile, overrides)
        return Found(recipe, path, path)
    if not path.exists() and not word.endswith(".toml"):
        shipped = shipped_recipes()
        if word not in shipped:
            hint = did_you_mean(word, list(shipped))
            raise SettingsError(f'there is no recipe "{word}"{hint}', do="Give a recipe's file, or a shipped name")
        path = shipped[word]
    recipe = load_recipe(path, profile, overrides)
    name = f"{recipe.name}-{profile}" if profile else recipe.name
    return Found(recipe, (runs or runs_folder()) / name, path.parent)


def runs_folder() -> Path:
    """Where runs lie: HORNBOOK_RUNS, else `runs` in the current folder."""
    return Path(os.environ.get("HORNBOOK_RUNS", "") or "runs")


def find_run(word: str) -> Path:
    """The folder of a run, by path or by name. Raises ArtifactError when it is none."""
    for place in (Path(word), runs_folder() / word):
        if (place / RECIPE).exists():
            return place
    known = [path.parent.name for path in sorted(runs_folder().glob(f"*/{RECIPE}"))]
    hint = did_you_mean(word, known) or "; there are no runs here yet"
    raise ArtifactError(f'"{word}" is not a run: it has no {RECIPE}{hint}')


def find_place(word: str) -> Path:
    """The folder that a word means: a run, a complete artifact, or one that is being built.

    Raises ArtifactError when it is none of these.
    """
    for place in (Path(word), runs_folder() / word):
        partial = place.with_name(place.name + PARTIAL)
        if (place / RECIPE).exists() or (place / MANIFEST).exists():
            return place
        if place.name.endswith(PARTIAL) and place.is_dir():
            return place
        if partial.is_dir():
            return partial
    if Path(word).exists():
        raise ArtifactError(f"this is neither an artifact (no {MANIFEST}) nor a run (no {RECIPE})", where=word)
    return find_run(word)


def documents_of(folder: Path) -> list[Artifact]:
    """The documents artifacts of a run in order, or the one that was named."""
    if not (folder / RECIPE).exists():
        return [open_artifact(folder, "documents")]
    found = [open_artifact(file.parent) for file in sorted(folder.glob(f"[0-9]*-*/{MANIFEST}"))]
    documents = [artifact for artifact in found if artifact.kind == "documents"]
    if not documents:
        raise ArtifactError("this run has no finished documents yet", where=str(folder))
    return documents
