"""Every mistake in a recipe that needs no data, with the words that help."""

import pytest

from hornbook.core.errors import SettingsError
from hornbook.core.recipe import build_recipe, load_recipe
from hornbook.pipeline.graph import check


def recipe(*stages):
    return build_recipe({"name": "r", "stage": list(stages)}, "r.toml")


def low(**more):
    return {"id": "low", "run": "./counting.py", **more}


def total(identity="sum", **read):
    return {"id": identity, "run": "./total.py", "read": read}


def refused(toy, *stages):
    with pytest.raises(SettingsError) as caught:
        check(recipe(*stages), toy)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_good_recipe_becomes_nodes_in_order(toy):
    nodes = check(load_recipe(toy / "toy.toml"), toy)
    assert [node.folder_name for node in nodes] == ["01-low", "02-high", "03-sum"]
    assert nodes[2].parents == ("low", "high") and nodes[1].settings.count == 5


def test_unknown_stage(toy):
    assert 'there is no stage "data.fliter"; did you mean "data.filter"?' in refused(toy, low(run="data.fliter"))
    assert 'did you mean "posttrain.sft"?' in refused(toy, low(run="sft")), "the last part of a name is enough"


def test_missing_stage_file(toy):
    said = refused(toy, low(run="./cuonting.py"))
    assert 'there is no stage file "./cuonting.py"' in said and str(toy) in said


def test_unknown_setting_and_wrong_type(toy):
    assert 'unknown setting "cuont"; did you mean "count"?' in refused(toy, low(cuont=3))
    assert "\"count\" = 'three'" in refused(toy, low(count="three"))


def test_unknown_input_and_missing_input(toy):
    assert 'it has no input "docments"; did you mean "documents"?' in refused(toy, low(), total(docments="low"))
    assert 'read.documents is missing: it needs documents; "low" would fit' in refused(toy, low(), total())


def test_unknown_source(toy):
    assert 'names "lwo", which is neither a stage nor a folder; did you mean "low"?' in refused(
        toy, low(), total(documents="lwo")
    )


def test_wrong_kind(toy):
    said = refused(toy, low(), total("a", documents="low"), total("b", documents="a"))
    assert 'read.documents needs documents, but "a" (./total.py) writes tokenizer' in said


def test_one_artifact_where_many_are_given(toy):
    said = refused(toy, low(), total(documents="low", extra=["low", "low"]))
    assert "read.extra takes one artifact, found 2" in said


def test_forward_reference(toy):
    said = refused(toy, total(documents="low"), low())
    assert 'it reads "low", which comes later in the recipe; move "low" above "sum"' in said


def test_cycle(toy):
    said = refused(toy, total("a", documents="c"), total("b", documents="a"), total("c", documents="b"))
    assert "cycle: a reads c reads b reads a" in said
    assert "cycle: a reads a" in refused(toy, total("a", documents="a"))


def test_all_mistakes_are_told_at_once(toy):
    said = refused(toy, low(cuont=1), total(documents="lwo"), {"id": "x", "run": "no.such"})
    assert "the recipe has 3 mistakes" in said and "1." in said and "3." in said


def test_missing_input_file(toy):
    said = refused(toy, {"id": "text", "run": "data.read", "path": "no/such/file.txt"})
    assert 'stage "text" (data.read), path: nothing is at "no/such/file.txt"' in said


def test_an_artifact_on_disk_can_be_read_and_is_checked(toy, run):
    run()
    nodes = check(recipe(total(documents="runs/toy/01-low")), toy)
    assert nodes[0].sources["documents"][0].manifest.stage == "./counting.py"
    assert "found tokenizer where documents is needed" in refused(toy, total(documents="runs/toy/03-sum"))
    assert "nothing is at" in refused(toy, total(documents="runs/toy/09-none"))


def test_a_stage_may_check_its_settings_against_what_is_read(toy):
    text = (toy / "counting.py").read_text() + (
        "\n\ndef check(settings, read):\n"
        "    from hornbook.core.errors import SettingsError\n"
        "    if settings.count > 100:\n"
        '        raise SettingsError("count is above 100")\n'
    )
    (toy / "counting.py").write_text(text)
    assert 'stage "low" (./counting.py): count is above 100' in refused(toy, low(count=101))
