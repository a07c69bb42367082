import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.errors import DataError
from hornbook.data.learned.classifier import Classifier, counted, load, softmax
from hornbook.data.learned.features import Features, hashed
from hornbook.data.learned.fitting import Examples, fit

sys.path.insert(0, str(Path(__file__).parents[1]))
from wordy import documents

FEATURES = Features(words=1, bits=16)


def bucket(word: str) -> int:
    [(_, [block])] = list(hashed([word], FEATURES))
    return int(block.buckets[0, 0])


def toy() -> Classifier:
    weights = np.zeros((FEATURES.num_buckets + 1, 1), np.float32)
    weights[bucket("bad"), 0], weights[bucket("good"), 0] = 4.0, -2.0
    return Classifier(("fine", "toxic"), FEATURES, weights, np.array([0.5]), 2.0, np.array([0.0, -1.0]), {"a": "é"})


def test_scores_worked_out_by_hand() -> None:
    texts = ["bad day", "bad bad good day", "", "day", "bad"]
    scores = toy().scores(texts)
    assert scores[:, 0].tolist() == [0, 0, 0, 0, 0]
    assert scores[:, 1] == pytest.approx([0.5 + 4 / math.sqrt(2), 0.5 + (8 - 2) / 2, 0.5, 0.5, 4.5])
    sure = 1 / (1 + math.exp(-(2 * 3.5 - 1)))
    assert toy().probabilities(texts)[1].tolist() == pytest.approx([1 - sure, sure])


def test_how_much_of_a_text_is_known() -> None:
    (part,) = counted(["bad day", "bad good bad", "", "day"], FEATURES)
    assert toy().known_of(part).tolist() == [0.5, 1.0, 0.0, 0.0]


def test_a_score_does_not_depend_on_its_neighbours() -> None:
    rows = [document.text * (1 + number % 7) for number, (document, _) in enumerate(documents(300))]
    rng = np.random.default_rng(0)
    features = Features(words=2, chars=3, bits=14)
    weights = rng.normal(size=(features.num_buckets + 1, 3)).astype(np.float32)
    weights[-1] = 0
    model = Classifier(("a", "b", "c"), features, weights, np.zeros(3), 1.0, np.zeros(3))
    together = model.scores(rows)
    assert (together == np.concatenate([model.scores([row]) for row in rows])).all()  # to the last bit
    assert (together[::-1] == model.scores(rows[::-1])).all()


def test_the_file_is_small_the_same_and_read_back(tmp_path: Path) -> None:
    toy().save(tmp_path / "a")
    toy().save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    again = load(tmp_path / "a")
    assert again.about == {"a": "é"} and again.classes == ("fine", "toxic") and again.features == FEATURES
    assert (again.scores(["bad day"]) == toy().scores(["bad day"])).all()
    assert again.scale == 2.0 and again.shift.tolist() == [0.0, -1.0]
    size = (tmp_path / "a").stat().st_size
    assert size < 4 * FEATURES.num_buckets + 2000
    length = int.from_bytes((tmp_path / "a").read_bytes()[:8], "little")
    header = json.loads((tmp_path / "a").read_bytes()[8 : 8 + length])
    assert set(header["__metadata__"]) == {"classifier"}


def test_what_is_no_classifier_gets_a_sentence(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    (tmp_path / "text").write_text("hello")
    save_file({"weights": np.zeros(2)}, tmp_path / "other")
    for name in ("text", "other", "absent"):
        with pytest.raises(DataError, match="not a text classifier"):
            load(tmp_path / name)


@pytest.mark.parametrize("lost", ["classes", "scale", "about", "features", "format"])
def test_a_header_that_lacks_something_gets_a_sentence(tmp_path: Path, lost: str) -> None:
    from safetensors.numpy import load_file, save_file

    toy().save(tmp_path / "whole")
    size = int.from_bytes((tmp_path / "whole").read_bytes()[:8], "little")
    header = json.loads(json.loads((tmp_path / "whole").read_bytes()[8 : 8 + size])["__metadata__"]["classifier"])
    del header[lost]
    save_file(load_file(tmp_path / "whole"), tmp_path / "less", {"classifier": json.dumps(header)})
    with pytest.raises(DataError, match=f"not a text classifier: '{lost}'"):
        load(tmp_path / "less")


def test_weights_of_another_shape_get_a_sentence(tmp_path: Path) -> None:
    replace(toy(), classes=("a", "b", "c")).save(tmp_path / "three")
    with pytest.raises(DataError, match=r"weights are \(65537, 1\), not \(65537, 3\)"):
        load(tmp_path / "three")


def test_softmax_of_large_scores() -> None:
    assert softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]])).tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_predictions_need_no_scikit_learn(tmp_path: Path) -> None:
    import subprocess

    rows = documents(300)
    examples = Examples(
        [d.text for d, _ in rows], [int(g) for _, g in rows], [d.id for d, _ in rows], [d.id for d, _ in rows]
    )
    fit(examples, ("bad", "good"), FEATURES, 1, {}).save(tmp_path / "model")
    code = (
        "import sys; from pathlib import Path; from hornbook.data.learned.classifier import load\n"
        f"print(load(Path({str(tmp_path / 'model')!r})).probabilities(['theorem1 theorem2'])[0, 1] > .5)\n"
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
