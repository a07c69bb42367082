import tomllib

import pytest

from hornbook.core.errors import SettingsError
from hornbook.core.recipe import build_recipe, dump_recipe, load_recipe, parse_override

RECIPE = """
name = "stories"
seed = 7
[machine]
workers = 2
[[stage]]
id = "text"
run = "data.read"
path = "x.txt"
[[stage]]
id = "base"
run = "pretrain.causal"
read.tokens = "text"
model = {width = 64, layers = 2}
[profile.smoke]
base.total_tokens = 200_000
base.model = {layers = 1}
seed = 9
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE)
    return tmp_path / "r.toml"


def test_precedence_recipe_profile_override(path):
    recipe = load_recipe(path, "smoke", ["base.total_tokens=5", "base.model.width=32", "base.read.tokens=other"])
    base = recipe.stage("base")
    assert recipe.seed == 9 and recipe.machine.workers == 2
    assert base.settings == {"model": {"width": 32, "layers": 1}, "total_tokens": 5}
    assert base.read == {"tokens": ("other",)}
    assert load_recipe(path).stage("base").settings == {"model": {"width": 64, "layers": 2}}


def test_a_dumped_recipe_is_the_same_recipe(path):
    recipe = load_recipe(path, "smoke")
    again = build_recipe(tomllib.loads(dump_recipe(recipe)), "again")
    assert (again.name, again.seed, again.stages) == (recipe.name, recipe.seed, recipe.stages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b=3", ("a.b", 3)),
        ("a.b=1.5", ("a.b", 1.5)),
        ("a.b=true", ("a.b", True)),
        ("a.b=15min", ("a.b", "15min")),
        ("a.b=/tmp/x y", ("a.b", "/tmp/x y")),
        ('a.b=["x", "y"]', ("a.b", ["x", "y"])),
        ("seed=4", ("seed", 4)),
    ],
)
def test_overrides(text, expected):
    assert parse_override(text) == expected


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("[[stage]]", "[[stages]]"), 'unknown key "stages"; did you mean "stage"'),
        (('id = "base"', 'id = "text"'), "two stages have the id"),
        (('run = "data.read"', "run = 3"), 'needs "run" as a string'),
        (('id = "text"', 'id = "a/b"'), "'a/b'"),
        (("seed = 7", "seed = -1"), "found -1"),
        (("workers = 2", "workes = 2"), 'did you mean "workers"'),
        (('read.tokens = "text"', "read.tokens = 3"), "read.tokens names stages or paths"),
        (('name = "stories"', "name = "), "not valid TOML"),
    ],
)
def test_mistakes_get_a_sentence(path, change, problem):
    path.write_text(RECIPE.replace(*change, 1))
    with pytest.raises(SettingsError, match=problem):
        load_recipe(path)


def test_unknown_profiles_stages_and_files_are_named(path, tmp_path):
    with pytest.raises(SettingsError, match='no profile "smok"; did you mean "smoke"'):
        load_recipe(path, "smok")
    with pytest.raises(SettingsError, match='no stage has the id "bas"; did you mean "base"'):
        load_recipe(path, None, ["bas.x=1"])
    with pytest.raises(SettingsError, match="not an override"):
        load_recipe(path, None, ["x=1"])
    with pytest.raises(SettingsError, match="no recipe here"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="a folder"):
        load_recipe(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_recipe(path)
    path.write_text('name = "x"')
    with pytest.raises(SettingsError, match=r"no \[\[stage\]\]"):
        load_recipe(path)


def test_a_name_with_dots_stands_in_quotation_marks(path):
    settings = (
        load_recipe(path, None, ['text.rule."./my.filter.py".limit=2', "text.rule.c4.limit=3"]).stage("text").settings
    )
    assert settings["rule"] == {"./my.filter.py": {"limit": 2}, "c4": {"limit": 3}}
