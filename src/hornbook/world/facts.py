"""Stage world.facts: the closed world itself: who and what there is, what is stated about it, what is kept back.

Source of the proportions: `docs/decisions/world-design.md` (85 % of people's attributes stated, 30 % of the stated
pairs never asked in training).
"""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.errors import ArtifactError
from hornbook.core.seed import stream
from hornbook.core.settings import StrictSettings
from hornbook.world.catalogue import Attribute, person_attributes, place_attributes
from hornbook.world.names import names

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {}
WRITES = "truth"
VERSION = 1


class Settings(StrictSettings):
    """How large the world is."""

    num_people: int = pydantic.Field(default=100, ge=10, le=10_000)
    """People; each has ten attributes."""
    num_places: int = pydantic.Field(default=26, ge=4, le=2000)
    """Places; each has four attributes."""
    stated_frac: float = pydantic.Field(default=0.85, gt=0, le=1)
    """Share of the people's attributes that any text states."""
    held_out_frac: float = pydantic.Field(default=0.3, ge=0, lt=1)
    """Share of the stated attributes that no training question asks about."""
    num_invented: int = pydantic.Field(default=2400, ge=40)
    """Names that belong to nobody, for questions that have no answer: an eighth for the exam, the rest for training."""


@dataclass(frozen=True)
class Entity:
    """A person or a place. `facts`: attribute -> value; `stated`: those that texts tell; `held_out`: never asked."""

    name: str
    kind: str
    gender: str
    facts: dict[str, str]
    stated: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def asked(self) -> tuple[str, ...]:
        """Attributes that training may ask about."""
        return tuple(name for name in self.stated if name not in self.held_out)

    @property
    def unstated(self) -> tuple[str, ...]:
        """Attributes that no text tells."""
        return tuple(name for name in self.facts if name not in self.stated)


@dataclass(frozen=True)
class World:
    """Everything that is true."""

    seed: int
    people: tuple[Entity, ...]
    places: tuple[Entity, ...]
    invented: tuple[str, ...]

    @property
    def entities(self) -> tuple[Entity, ...]:
        """People, then places."""
        return self.people + self.places

    def attributes(self, kind: str) -> dict[str, Attribute]:
        """The attributes of a `person` or a `place`, by name, with this world's towns and friends as values."""
        found = {a.name: a for a in (person_attributes() if kind == "person" else place_attributes())}
        own = {"town": self.places, "friend": self.people}
        for name in found.keys() & own.keys():
            found[name] = replace(found[name], values=tuple(entity.name for entity in own[name]))
        return found

    @property
    def invented_for_training(self) -> tuple[str, ...]:
        """Names of nobody that training may refuse."""
        return self.invented[len(self.invented) // 8 :]

    @property
    def invented_for_exam(self) -> tuple[str, ...]:
        """Names of nobody that no training text contains."""
        return self.invented[: len(self.invented) // 8]


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Make the world and write `world.json`."""
    world = make_world(settings, out.seed)
    write_json(out.path / "world.json", asdict(world))
    out.counts |= {
        "people": len(world.people),
        "places": len(world.places),
        "facts": sum(len(e.facts) for e in world.entities),
        "stated": sum(len(e.stated) for e in world.entities),
        "held_out": sum(len(e.held_out) for e in world.entities),
        "invented": len(world.invented),
    }
    out.licences.append("CC0-1.0")
    out.sources.append("generated world")


def make_world(settings: Settings, seed: int) -> World:
    """The world of a seed."""
    taken: set[str] = set()
    generator = stream(seed, "world.facts/names")
    towns = list(islice(names(generator, "place", taken), settings.num_places))
    people = list(islice(names(generator, "person", taken), settings.num_people))
    invented = tuple(islice(names(generator, "person", taken), settings.num_invented))
    places = tuple(_place(seed, index, name, settings) for index, name in enumerate(towns))
    persons = tuple(_person(seed, index, towns, people, settings) for index in range(len(people)))
    return World(seed, persons, places, invented)


def read_world(artifact: Artifact) -> World:
    """The world of a truth artifact. Raises ArtifactError when `world.json` is not one."""
    file = artifact.file("world.json")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        people, places = (tuple(entity_from(item) for item in data[kind]) for kind in ("people", "places"))
        return World(data["seed"], people, places, tuple(data["invented"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"this is no world: {error!r}", where=str(file), do="Build it again") from None


def entity_from(item: dict[str, Any]) -> Entity:
    """An entity from its JSON form."""
    told = {"stated": tuple(item["stated"]), "held_out": tuple(item["held_out"])}
    return Entity(item["name"], item["kind"], item["gender"], dict(item["facts"]), **told)


def describe(artifact: Artifact) -> "list[Block]":
    """Sizes, and what is true of a few people and places."""
    from hornbook.report.blocks import Table

    world = read_world(artifact)
    sizes: list[list[object]] = [[name, count] for name, count in artifact.manifest.counts.items()]
    note = "In brackets: true, but no text says so. With a star: stated, but never asked in training."
    return [
        Table("The world", ["what", "how many"], sizes),
        Table("Some people", ["name", *world.people[0].facts], [_row(p) for p in world.people[:8]], note),
        Table("Some places", ["name", *world.places[0].facts], [_row(p) for p in world.places[:8]], note),
    ]


def _row(entity: Entity) -> list[object]:
    marked = [
        f"({value})" if name in entity.unstated else f"{value} *" if name in entity.held_out else value
        for name, value in entity.facts.items()
    ]
    return [entity.name, *marked]


def _person(seed: int, index: int, towns: list[str], people: list[str], settings: Settings) -> Entity:
    generator = stream(seed, "world.facts/person", index)
    others = _Others(people, index)
    facts: dict[str, str] = {}
    for attribute in person_attributes():
        own = {"town": towns, "friend": others}.get(attribute.name, attribute.values)
        facts[attribute.name] = generator.choice(own)
    stated = _share(generator, facts, settings.stated_frac)
    held_out = _share(generator, stated, settings.held_out_frac)
    return Entity(people[index], "person", generator.choice(("woman", "man")), facts, stated, held_out)


def _place(seed: int, index: int, name: str, settings: Settings) -> Entity:
    generator = stream(seed, "world.facts/place", index)
    facts = {a.name: generator.choice(a.values) for a in place_attributes()}
    return Entity(name, "place", "", facts, tuple(facts), _share(generator, facts, settings.held_out_frac))


def _share(generator: random.Random, items: "dict[str, str] | tuple[str, ...]", share: float) -> tuple[str, ...]:
    return tuple(item for item in items if generator.random() < share)


class _Others:
    """Everybody but one, without a copy for each person (10,000 people would make 10,000 lists)."""

    def __init__(self, people: list[str], index: int) -> None:
        self.people, self.index = people, index

    def __len__(self) -> int:
        return len(self.people) - 1

    def __getitem__(self, position: int) -> str:
        return self.people[position + (position >= self.index)]

    def __iter__(self) -> Iterator[str]:
        return (self[position] for position in range(len(self)))
