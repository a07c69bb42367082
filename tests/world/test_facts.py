"""The world: a closed set of facts, the same for the same seed."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.core.settings import parse
from hornbook.world import facts
from hornbook.world.facts import Settings, World, make_world, read_world

WORLD = make_world(Settings(), 7)


def test_the_demo_world_has_its_sizes() -> None:
    assert len(WORLD.people) == 100 and len(WORLD.places) == 26
    assert sum(len(e.facts) for e in WORLD.entities) == 1104
    stated = sum(len(p.stated) for p in WORLD.people)
    assert 800 < stated < 900  # 1,000 times 0.85, four standard deviations are 45
    held_out = sum(len(e.held_out) for e in WORLD.entities)
    assert 230 < held_out < 345  # 954 times 0.3


def test_stated_asked_held_out_and_unstated_part_the_facts() -> None:
    for entity in WORLD.entities:
        assert set(entity.held_out) <= set(entity.stated) <= set(entity.facts)
        assert set(entity.asked) | set(entity.held_out) == set(entity.stated)
        assert not set(entity.asked) & set(entity.held_out)
        assert set(entity.unstated) == set(entity.facts) - set(entity.stated)
    assert not [p for p in WORLD.places if p.unstated]


def test_every_value_belongs_to_its_attribute_and_nobody_is_their_own_friend() -> None:
    for entity in WORLD.entities:
        attributes = WORLD.attributes(entity.kind)
        assert list(entity.facts) == list(attributes)
        assert all(value in attributes[name].values for name, value in entity.facts.items())
        assert entity.facts.get("friend") != entity.name


def test_names_are_nobodys_twice_and_the_exams_names_are_its_own() -> None:
    everything = [e.name for e in WORLD.entities] + list(WORLD.invented)
    assert len(set(everything)) == len(everything)
    assert not set(WORLD.invented_for_exam) & set(WORLD.invented_for_training)
    assert len(WORLD.invented_for_exam) == 300 and len(WORLD.invented_for_training) == 2100


def test_the_seed_decides_everything() -> None:
    assert make_world(Settings(), 7) == WORLD
    other = make_world(Settings(), 8)
    assert other.people != WORLD.people and other.invented != WORLD.invented


def test_a_person_does_not_depend_on_how_many_there_are() -> None:
    more = make_world(Settings(num_people=200), 7)
    assert [p.facts["job"] for p in more.people[:100]] == [p.facts["job"] for p in WORLD.people]


def test_a_hundred_thousand_facts() -> None:
    large = make_world(Settings(num_people=10_000, num_places=2000, num_invented=1000), 1)
    assert sum(len(e.facts) for e in large.entities) == 108_000
    assert len({e.name for e in large.entities} | set(large.invented)) == 13_000


def test_the_world_survives_the_disk(tmp_path: Path) -> None:
    hashes = []
    for name in ("a", "b"):
        out = scratch_out(tmp_path / name, seed=7)
        facts.run(Settings(), {}, out)
        artifact = Artifact(out.path, Manifest(kind="truth", counts=out.counts))
        assert read_world(artifact) == WORLD
        hashes.append(payload_hash(out.path))
        assert out.counts["facts"] == 1104 and out.licences == ["CC0-1.0"]
    assert hashes[0] == hashes[1]
    assert [block.title for block in facts.describe(artifact)] == ["The world", "Some people", "Some places"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"seed": 1, "people": [{"name": "x"}], "places": [], "invented": []}']
)
def test_what_is_no_world_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "world.json").write_text(text)
    with pytest.raises(ArtifactError, match="no world"):
        read_world(Artifact(tmp_path, Manifest(kind="truth")))


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="num_people"):
        parse(Settings, {"num_peopel": 3}, "here")
    with pytest.raises(SettingsError, match="stated_frac"):
        parse(Settings, {"stated_frac": 1.5}, "here")


def test_json_holds_all_of_it() -> None:
    data = json.loads(json.dumps(asdict(WORLD)))
    assert set(data) == set(World.__dataclass_fields__)
