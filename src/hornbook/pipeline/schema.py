"""The JSON schema of recipes, from which editors complete and check them."""

from typing import Any

from hornbook.core.errors import HornbookError
from hornbook.core.recipe import Machine
from hornbook.pipeline.stage import installed_stages, load_stage


def recipe_schema() -> dict[str, Any]:
    """The JSON schema of a recipe: `[[stage]]` takes the settings of the stage that its `run` names."""
    choices: list[dict[str, Any]] = []
    definitions: dict[str, Any] = {}
    for name, summary in installed_stages().items():
        try:
            stage = load_stage(name)
        except (HornbookError, ImportError):
            continue
        own = stage.settings.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        definitions |= {f"{name}.{key}": value for key, value in own.pop("$defs", {}).items()}
        reads = {key: {"type": ["string", "array"], "description": r.text} for key, r in stage.reads.items()}
        fixed = {
            "id": {"type": "string"},
            "run": {"const": name},
            "read": {"type": "object", "properties": reads, "additionalProperties": False},
        }
        choices.append(
            {
                "description": summary,
                "type": "object",
                "properties": fixed | own.get("properties", {}),
                "required": ["id", "run"],
                "additionalProperties": False,
            }
        )
    own_stage = {"type": "object", "properties": {"run": {"pattern": r"\.py$"}}, "required": ["id", "run"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hornbook recipe",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "seed": {"type": "integer", "minimum": 0},
            "stage": {"type": "array", "items": {"anyOf": [*choices, own_stage]}},
            "profile": {"type": "object", "additionalProperties": {"type": "object"}},
            "machine": Machine.model_json_schema(),
        },
        "required": ["stage"],
        "additionalProperties": False,
        "$defs": definitions,
    }
