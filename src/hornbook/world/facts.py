"""Stage world.facts: the closed world itself: who and what there is, what is stated about it, what is kept back.

Source of the proportions: `docs/decisions/world-design.md` (85 % of attributes stated, 30 % of stated pairs never asked
in training).
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
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
    """Share of the stated attributes that are never asked about in training."""
    num_invented: int = pydantic.Field(default=600, ge=40)
    """Names that belong to nobody: for questions that have no answer."""


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
        """The attributes of a `person` or a `place`, by name; towns are this world's places."""
        found = {a.name: a for a in (person_attributes() if kind == "person" else place_attributes())}
        if kind == "person":
            town = found["town"]
            towns = tuple(place.name for place in self.places)
            found["town"] = Attribute(town.name, town.nouns, town.phrases, towns, town.unseen)
        return found

    def heroes(self) -> tuple[Entity, ...]:
        """People that stories may be about: their town, pet and food are stated."""
        return tuple(p for p in self.people if {"town", "pet", "food"} <= set(p.stated))


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Make the world and write `world.json`."""
    world = make_world(settings, out.seed)
    write_json(out.path / "world.json", asdict(world))
    stated = sum(len(e.stated) for e in world.entities)
    out.counts |= {
        "people": len(world.people),
        "places": len(world.places),
        "facts": sum(len(e.facts) for e in world.entities),
        "stated": stated,
        "held_out": sum(len(e.held_out) for e in world.entities),
    }
    out.licences.append("CC0-1.0")
    out.sources.append("generated world")


def make_world(settings: Settings, seed: int) -> World:
    """The world of a seed."""
    taken: set[str] = set()
    generator = stream(seed, "world.facts/names")
    place_names = list(_take(names(generator, "place", taken), settings.num_places))
    person_names = list(_take(names(generator, "person", taken), settings.num_people))
    invented = tuple(_take(names(generator, "person", taken), settings.num_invented))
    places = tuple(_place(seed, i, name, settings) for i, name in enumerate(place_names))
    people = tuple(_person(seed, i, name, place_names, settings) for i, name in enumerate(person_names))
    return World(seed, people, places, invented)


def read_world(artifact: Artifact) -> World:
    """The world of a truth artifact."""
    data = json.loads(artifact.file("world.json").read_text(encoding="utf-8"))
    return World(data["seed"], _entities(data["people"]), _entities(data["places"]), tuple(data["invented"]))


def describe(artifact: Artifact) -> "list[Block]":
    """Sizes, and what is true of a few people."""
    from hornbook.report.blocks import Table

    world = read_world(artifact)
    counts = artifact.manifest.counts
    sizes = [(name, f"{counts[name]:,}") for name in ("people", "places", "facts", "stated", "held_out")]
    columns = ("name", *world.people[0].facts)
    rows = [
        (p.name, *(value if name in p.stated else f"({value})" for name, value in p.facts.items()))
        for p in world.people[:8]
    ]
    note = "In brackets: true, but no text says so."
    return [Table("The world", ("what", "how many"), sizes), Table("Some people", columns, rows, note=note)]


def _person(seed: int, index: int, name: str, towns: list[str], settings: Settings) -> Entity:
    generator = stream(seed, "world.facts/person", index)
    facts = {a.name: generator.choice(a.values or tuple(towns)) for a in person_attributes()}
    stated = tuple(a for a in facts if generator.random() < settings.stated_frac)
    held_out = tuple(a for a in stated if generator.random() < settings.held_out_frac)
    return Entity(name, "person", generator.choice(("girl", "boy")), facts, stated, held_out)


def _place(seed: int, index: int, name: str, settings: Settings) -> Entity:
    generator = stream(seed, "world.facts/place", index)
    facts = {a.name: generator.choice(a.values) for a in place_attributes()}
    held_out = tuple(a for a in facts if generator.random() < settings.held_out_frac)
    return Entity(name, "place", "", facts, tuple(facts), held_out)


def _entities(items: list[dict[str, Any]]) -> tuple[Entity, ...]:
    return tuple(
        Entity(**(item | {"stated": tuple(item["stated"]), "held_out": tuple(item["held_out"])})) for item in items
    )


def _take(source: Iterator[str], count: int) -> Iterator[str]:
    for _ in range(count):
        yield next(source)
