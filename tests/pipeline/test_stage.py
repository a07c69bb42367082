"""Stages by name and by file."""

import pytest

from hornbook.core.errors import SettingsError
from hornbook.pipeline.stage import installed_stages, load_stage, local_stage_path, parse_reading


def test_readings():
    one = parse_reading("documents")
    assert (one.kinds, one.many, one.optional) == (("documents",), False, False)
    assert parse_reading("documents+").many and parse_reading("tokenizer?").optional
    either = parse_reading("pages|documents+?")
    assert either.text == "pages or documents" and either.many and either.optional


def test_installed_stages_are_found_without_importing_them():
    import sys

    found = installed_stages()
    assert {"data.filter", "tokenizer.learn", "pretrain.causal", "posttrain.sft", "world.facts"} <= set(found)
    assert "data.filters.c4" not in found and "pipeline.run" not in found
    assert all(text and text[0].isupper() and not text.lower().startswith("stage ") for text in found.values()), found
    assert not any(name.startswith("hornbook.world.facts.") for name in sys.modules)


def test_every_installed_stage_is_whole():
    for name in installed_stages():
        stage = load_stage(name)
        assert isinstance(stage.version, int) and callable(stage.run)
        assert all(field.description for field in stage.settings.model_fields.values()), name


def test_a_stage_file_is_looked_for_beside_the_recipe_first(toy):
    other = toy / "elsewhere"
    other.mkdir()
    (other / "total.py").write_text((toy / "total.py").read_text().replace("Add numbers", "Gather numbers"))
    assert load_stage("./total.py", other).summary == "Gather numbers up."
    assert load_stage("./total.py", toy / "nowhere").summary == "Add numbers up."
    assert local_stage_path("./none.py", other) is None


def test_a_stage_file_with_a_mistake_is_named_with_its_line(toy):
    (toy / "bad.py").write_text("x = 1\nimport no_such_module\n")
    with pytest.raises(SettingsError) as caught:
        load_stage("./bad.py", toy)
    assert caught.value.where == f"{(toy / 'bad.py').resolve()}:2" and "no_such_module" in caught.value.found
    (toy / "worse.py").write_text("x = 1\n\ndef f(:\n")
    with pytest.raises(SettingsError) as caught:
        load_stage("./worse.py", toy)
    assert caught.value.where.endswith("worse.py:3")


def test_a_file_that_is_no_stage_says_what_it_lacks(toy):
    (toy / "plain.py").write_text("READS = {}\n")
    with pytest.raises(SettingsError, match="has no Settings and no WRITES and no run"):
        load_stage("./plain.py", toy)


def test_an_unknown_kind_is_refused(toy):
    text = (toy / "counting.py").read_text().replace('WRITES = "documents"', 'WRITES = "document"')
    (toy / "odd.py").write_text(text)
    with pytest.raises(SettingsError, match='did you mean "documents"'):
        load_stage("./odd.py", toy)


@pytest.mark.parametrize("name", ["", "core.errors", "pipeline.run", "../x", "data", "data.filters.c4", "os.path"])
def test_other_modules_are_no_stages(name):
    with pytest.raises(SettingsError, match="there is no stage"):
        load_stage(name)


def test_device_matters_for_models_and_where_a_stage_says_so(toy):
    assert load_stage("pretrain.causal").uses_device and load_stage("evaluate.perplexity").uses_device
    assert not load_stage("data.filter").uses_device
    (toy / "asks.py").write_text((toy / "counting.py").read_text() + "\n\nDEVICE_MATTERS = True\n")
    assert load_stage("./asks.py", toy).uses_device
