"""The graph of a recipe: which stage reads what, and every mistake that can be found without data."""

from dataclasses import dataclass, field
from pathlib import Path

from hornbook.core.artifact import Artifact
from hornbook.core.errors import HornbookError, SettingsError
from hornbook.core.recipe import Recipe, StageEntry
from hornbook.core.settings import StrictSettings, did_you_mean, parse
from hornbook.pipeline.inputs import adopt, check_inputs
from hornbook.pipeline.stage import Reading, Stage, load_stage


@dataclass(frozen=True)
class Node:
    """One stage of a checked recipe.

    `sources`: input name -> what is read, each an earlier stage's id or an artifact on disk.
    """

    number: int
    entry: StageEntry
    stage: Stage
    settings: StrictSettings
    sources: dict[str, tuple[str | Artifact, ...]] = field(default_factory=dict[str, tuple[str | Artifact, ...]])

    @property
    def id(self) -> str:
        """The stage's id in the recipe."""
        return self.entry.id

    @property
    def folder_name(self) -> str:
        """`02-clean`: the artifact's folder in the run."""
        return f"{self.number:02d}-{self.id}"

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of the stages that this one reads, without repeats."""
        named = [source for sources in self.sources.values() for source in sources if isinstance(source, str)]
        return tuple(dict.fromkeys(named))


def check(recipe: Recipe, folder: Path) -> tuple[Node, ...]:
    """The nodes of a recipe in order. `folder`: where stage files named `./file.py` lie.

    Raises SettingsError that lists every mistake: unknown stages, ids and settings, wrong types and kinds, cycles,
    stages that read later ones, missing reads and missing files.
    """
    mistakes: list[str] = []
    nodes: list[Node] = []
    stages: dict[str, Stage] = {}
    for entry in recipe.stages:
        try:
            stages[entry.id] = load_stage(entry.run, folder, _where(entry))
        except HornbookError as error:
            mistakes.append(str(error))
    for number, entry in enumerate(recipe.stages, 1):
        if entry.id not in stages:
            continue
        sources = _sources(entry, recipe, stages, mistakes)
        try:
            settings = parse(stages[entry.id].settings, entry.settings, _where(entry))
            own_check = getattr(stages[entry.id].module, "check", None)
            if own_check is not None:
                own_check(settings, frozenset(entry.read))
        except HornbookError as error:
            mistakes.append(str(error) if error.where else f"{_where(entry)}: {error}")
            continue
        mistakes += check_inputs(settings, _where(entry))
        nodes.append(Node(number, entry, stages[entry.id], settings, sources))
    if mistakes:
        raise SettingsError(_listed(mistakes), where=recipe.source)
    return tuple(nodes)


def _where(entry: StageEntry) -> str:
    return f'stage "{entry.id}" ({entry.run})'


def _listed(mistakes: list[str]) -> str:
    if len(mistakes) == 1:
        return mistakes[0]
    lines = "".join(f"\n  {number}. {text}" for number, text in enumerate(mistakes, 1))
    return f"the recipe has {len(mistakes)} mistakes:{lines}\n"


def _sources(
    entry: StageEntry, recipe: Recipe, stages: dict[str, Stage], mistakes: list[str]
) -> dict[str, tuple[str | Artifact, ...]]:
    """What each input of a stage reads; mistakes are added to the list."""
    reads = stages[entry.id].reads
    where = _where(entry)
    found: dict[str, tuple[str | Artifact, ...]] = {}
    for name, values in entry.read.items():
        if name not in reads:
            hint = did_you_mean(name, list(reads)) if reads else "; it reads nothing"
            mistakes.append(f'{where}: it has no input "{name}"{hint}')
            continue
        if len(values) > 1 and not reads[name].many:
            mistakes.append(f"{where}: read.{name} takes one artifact, found {len(values)}")
            continue
        try:
            found[name] = tuple(_source(value, name, reads[name], entry, recipe, stages) for value in values)
        except HornbookError as error:
            mistakes.append(f"{where}: {error}")
    for name, reading in reads.items():
        if not reading.optional and name not in entry.read:
            mistakes.append(
                f"{where}: read.{name} is missing: it needs {reading.text}{_offer(entry, reading, recipe, stages)}"
            )
    return found


def _source(
    value: str, name: str, reading: Reading, entry: StageEntry, recipe: Recipe, stages: dict[str, Stage]
) -> str | Artifact:
    order = [other.id for other in recipe.stages]
    if value in order:
        if order.index(value) >= order.index(entry.id):
            raise SettingsError(_backwards(value, entry, recipe))
        if value in stages and stages[value].writes not in reading.kinds:
            raise SettingsError(
                f'read.{name} needs {reading.text}, but "{value}" ({stages[value].name}) writes {stages[value].writes}'
            )
        return value
    if "/" in value or Path(value).exists():
        return adopt(value, reading.kinds)
    earlier = order[: order.index(entry.id)]
    hint = did_you_mean(value, earlier) or "; no stage comes before this one"
    raise SettingsError(f'read.{name} names "{value}", which is neither a stage nor a folder{hint}')


def _backwards(value: str, entry: StageEntry, recipe: Recipe) -> str:
    """Why a stage cannot read itself or a later one: a cycle when that one needs this one, else the order."""
    way = _way(value, entry.id, recipe, ())
    if way:
        return f"the stages read each other in a cycle: {' reads '.join((entry.id, *way))}"
    return f'it reads "{value}", which comes later in the recipe; move "{value}" above "{entry.id}"'


def _way(start: str, goal: str, recipe: Recipe, seen: tuple[str, ...]) -> tuple[str, ...]:
    """Ids from `start` to `goal` along what stages read, or nothing."""
    if start == goal:
        return (*seen, start)
    if start in seen:
        return ()
    for entry in recipe.stages:
        if entry.id == start:
            for value in (value for values in entry.read.values() for value in values):
                if way := _way(value, goal, recipe, (*seen, start)):
                    return way
    return ()


def _offer(entry: StageEntry, reading: Reading, recipe: Recipe, stages: dict[str, Stage]) -> str:
    """` (read.x = "id" would fit)` for the nearest earlier stage that writes what is needed."""
    for other in reversed(recipe.stages[: recipe.stages.index(entry)]):
        if other.id in stages and stages[other.id].writes in reading.kinds:
            return f'; "{other.id}" would fit'
    return ""
