"""Which model is meant: a run by name or folder, a stage of it, or any Hugging Face checkpoint folder."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.artifact import Manifest, open_artifact
from hornbook.core.errors import ArtifactError, HornbookError
from hornbook.core.settings import did_you_mean

CONFIG = "config.json"
CHAT_TEMPLATE = "chat_template.jinja"


@dataclass(frozen=True)
class Picked:
    """A checkpoint folder, the name its model is served under, and whether it was taught to hold conversations."""

    folder: Path
    name: str
    is_chat: bool
    stage: str = ""


def pick(word: str) -> Picked:
    """The model that `word` means.

    A run (`demo`, `runs/demo`) means its newest fine-tuned checkpoint, or its newest checkpoint when none is
    fine-tuned; `demo/base` means the stage with that id. Raises ArtifactError that says what is there instead.
    """
    path = Path(word)
    for place in (path, runs_folder() / word):
        if (place / CONFIG).is_file():
            return from_folder(place)
        if place.is_dir():
            return from_run(place)
    run, stage = (runs_folder() / path.parent, path.name) if not path.parent.is_dir() else (path.parent, path.name)
    if path.parent != Path() and ((run / "recipe.toml").is_file() or any(run.glob(f"*/{CONFIG}"))):
        return from_stage(run, stage)
    raise ArtifactError(f'there is no run or checkpoint "{word}"{_known_runs(word)}', do=_how_to_get_one())


def runs_folder() -> Path:
    """Where runs lie: HORNBOOK_RUNS, else `runs` in the current folder."""
    return Path(os.environ.get("HORNBOOK_RUNS", "") or "runs")


def from_folder(folder: Path) -> Picked:
    """A checkpoint folder given directly, ours or anybody's."""
    stage = ""
    if (folder / "manifest.json").exists():
        stage = open_artifact(folder, "checkpoint").manifest.stage
    is_run_stage = bool(stage) and re.match(r"\d\d-", folder.name) is not None
    name = f"{folder.resolve().parent.name}-{stage_id(folder)}" if is_run_stage else folder.resolve().name
    return Picked(folder, name, is_chat(folder, stage), stage)


def from_run(run: Path) -> Picked:
    """The newest conversational checkpoint of a run, else its newest checkpoint."""
    found = checkpoints(run)
    if not found:
        raise no_model(run)
    tuned = [item for item in found if is_chat(item[0], item[1].stage)]
    folder, manifest = (tuned or found)[-1]
    return Picked(folder, run.resolve().name, bool(tuned), manifest.stage)


def from_stage(run: Path, stage: str) -> Picked:
    """The checkpoint that one stage of a run wrote, by the stage's id or folder name."""
    found = checkpoints(run)
    for folder, manifest in found:
        if stage in (stage_id(folder), folder.name):
            return Picked(folder, f"{run.resolve().name}-{stage}", is_chat(folder, manifest.stage), manifest.stage)
    known = [stage_id(folder) for folder, _ in found]
    if not known:
        raise no_model(run)
    raise ArtifactError(f'the run has no checkpoint "{stage}"{did_you_mean(stage, known)}', where=str(run))


def checkpoints(run: Path) -> list[tuple[Path, Manifest]]:
    """Complete checkpoints of a run in pipeline order; folders that cannot be read are passed over."""
    found: list[tuple[Path, Manifest]] = []
    for folder in sorted(run.iterdir()):
        if not (folder / CONFIG).is_file() or folder.suffix == ".partial":
            continue
        try:
            found.append((folder, open_artifact(folder, "checkpoint").manifest))
        except HornbookError:
            continue
    return found


def is_chat(folder: Path, stage: str) -> bool:
    """Whether a checkpoint was taught conversations: ours by the stage that made it, others by their template."""
    if stage:
        return not stage.startswith("pretrain.")
    if (folder / CHAT_TEMPLATE).exists():
        return True
    config = folder / "tokenizer_config.json"
    try:
        return bool(json.loads(config.read_text(encoding="utf-8")).get("chat_template"))
    except (OSError, ValueError, AttributeError):
        return False


def stage_id(folder: Path) -> str:
    """`chat` of `06-chat`."""
    return re.sub(r"^\d+-", "", folder.name)


def no_model(run: Path) -> ArtifactError:
    """Nothing in the folder can be talked to; says whether one is on its way."""
    unfinished = sorted(run.glob("*.partial"))
    if unfinished:
        do = f'"{unfinished[-1].name}" was begun and not finished: `hornbook run {run}` goes on with it'
    elif (run / "recipe.toml").exists():
        do = f"`hornbook run {run}` builds what is missing"
    else:
        do = "Give a run's folder, or a folder with config.json and model.safetensors"
    return ArtifactError("there is no finished model", where=str(run), do=do)


def _known_runs(word: str) -> str:
    runs = runs_folder()
    known = [folder.name for folder in sorted(runs.iterdir()) if folder.is_dir()] if runs.is_dir() else []
    return did_you_mean(word, known)


def _how_to_get_one() -> str:
    return "`hornbook run demo` builds a model to talk to; then `hornbook chat demo`"
