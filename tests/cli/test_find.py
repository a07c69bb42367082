"""What a word means: recipes and runs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toys import put_toys

from hornbook.cli.find import find_recipe, find_run, runs_folder, shipped_recipes
from hornbook.cli.main import command
from hornbook.core.errors import ArtifactError, SettingsError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    put_toys(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))


def test_shipped_recipes_are_found_by_name():
    assert {"demo", "stories"} <= set(shipped_recipes())
    found = find_recipe("demo", None, [], None)
    assert found.recipe.name == "demo" and found.run_folder == Path("runs/demo")


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(SettingsError, match='there is no recipe "dmeo"; did you mean "demo"'):
        find_recipe("dmeo", None, [], None)
    with pytest.raises(SettingsError, match="there is no recipe here"):
        find_recipe("gone.toml", None, [], None)


def test_a_profile_has_a_run_of_its_own_so_that_a_trial_never_replaces_a_long_run(monkeypatch, tmp_path):
    found = find_recipe("toy.toml", "smoke", ["b.count=7"], None)
    assert found.run_folder == Path("runs/toy-smoke") and found.recipe.stage("a").settings == {"count": 2}
    assert found.recipe.stage("b").settings["count"] == 7
    assert find_recipe("toy.toml", None, ["name=other"], Path("x")).run_folder == Path("x/other")
    monkeypatch.setenv("HORNBOOK_RUNS", str(tmp_path / "mine"))
    assert runs_folder() == tmp_path / "mine"


def test_a_run_is_a_recipe_too_and_goes_on_where_it_lies():
    assert command(["run", "toy.toml", "--profile", "smoke"]) == 0
    found = find_recipe("runs/toy-smoke", None, [], None)
    assert found.run_folder == Path("runs/toy-smoke") and found.recipe.stage("a").settings == {"count": 2}


def test_runs_by_folder_and_by_name():
    assert command(["run", "toy.toml"]) == 0
    assert find_run("toy") == find_run("runs/toy") == Path("runs/toy")
    with pytest.raises(ArtifactError, match='"tyo" is not a run.*did you mean "toy"'):
        find_run("tyo")


def test_no_runs_yet():
    with pytest.raises(ArtifactError, match="there are no runs here yet"):
        find_run("toy")
