"""What decides a fingerprint, and what does not."""

from dataclasses import replace

from hornbook.pipeline.fingerprint import fingerprint
from hornbook.pipeline.stage import load_stage


def test_each_of_its_parts_matters():
    stage = load_stage("tokenizer.learn")
    base = ({"vocab_size": 1}, {"documents": ["aa"]}, 7, "cpu")
    first = fingerprint(stage, *base)
    assert first == fingerprint(stage, *base) and len(first) == 32
    changed = [
        fingerprint(replace(stage, version=stage.version + 1), *base),
        fingerprint(replace(stage, name="tokenizer.other"), *base),
        fingerprint(replace(stage, source_hash="of a file"), *base),
        fingerprint(stage, {"vocab_size": 2}, *base[1:]),
        fingerprint(stage, base[0], {"documents": ["ab"]}, *base[2:]),
        fingerprint(stage, base[0], {"texts": ["aa"]}, *base[2:]),
        fingerprint(stage, base[0], {"documents": ["aa", "aa"]}, *base[2:]),
        fingerprint(stage, *base[:2], 8, "cpu"),
    ]
    assert len({first, *changed}) == len(changed) + 1


def test_the_device_matters_only_where_arithmetic_happens():
    learn, train = load_stage("tokenizer.learn"), load_stage("pretrain.causal")
    assert fingerprint(learn, {}, {}, 0, "cpu") == fingerprint(learn, {}, {}, 0, "cuda")
    assert fingerprint(train, {}, {}, 0, "cpu") != fingerprint(train, {}, {}, 0, "cuda")


def test_a_users_stage_is_known_by_its_contents_not_its_path(toy):
    (toy / "copy.py").write_text((toy / "counting.py").read_text())
    one, two = load_stage("./counting.py", toy), load_stage("./copy.py", toy)
    assert fingerprint(one, {}, {}, 0) == fingerprint(two, {}, {}, 0)


def test_the_order_of_settings_does_not_matter():
    stage = load_stage("tokenizer.learn")
    assert fingerprint(stage, {"a": 1, "b": 2}, {}, 0) == fingerprint(stage, {"b": 2, "a": 1}, {}, 0)
