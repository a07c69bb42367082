"""The schema knows every stage and refuses what the recipe reader refuses."""

import tomllib
from pathlib import Path

import pytest

from hornbook.pipeline.schema import recipe_schema
from hornbook.pipeline.stage import installed_stages

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def schema():
    return recipe_schema()


def test_every_stage_has_its_settings_with_their_meaning(schema):
    choices = {item["properties"]["run"].get("const"): item for item in schema["properties"]["stage"]["items"]["anyOf"]}
    assert set(choices) - {None} == set(installed_stages())
    learn = choices["tokenizer.learn"]
    assert learn["properties"]["vocab_size"]["type"] == "integer" and learn["properties"]["vocab_size"]["description"]
    assert learn["additionalProperties"] is False


def test_every_reference_is_defined(schema):
    def references(value):
        if isinstance(value, dict):
            yield from ([value["$ref"]] if "$ref" in value else [])
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    assert {name.removeprefix("#/$defs/") for name in references(schema)} <= set(schema["$defs"])


def test_shipped_recipes_use_known_settings_only(schema):
    choices = {item["properties"]["run"].get("const"): item for item in schema["properties"]["stage"]["items"]["anyOf"]}
    for file in RECIPES.glob("*.toml"):
        for stage in tomllib.loads(file.read_text())["stage"]:
            assert set(stage) <= set(choices[stage["run"]]["properties"]), f"{file.name}: {stage['id']}"
