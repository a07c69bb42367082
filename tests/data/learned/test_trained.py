import hashlib
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.data.learned.classifier import Classifier, load
from hornbook.data.learned.features import Features
from hornbook.data.learned.trained import settle


def toy(task: str) -> Classifier:
    features = Features(bits=10)
    weights = np.zeros((features.num_buckets + 1, 1), np.float32)
    return Classifier(("no", "yes"), features, weights, np.zeros(1), 1.0, np.zeros(2), {"task": task})


def never() -> Classifier:
    raise AssertionError("nothing is trained where a classifier is given")


def test_given_or_trained_it_lies_in_the_artifact(tmp_path: Path) -> None:
    trained = settle(None, "taste", "x, model", lambda: toy("taste"), tmp_path / "a")
    assert trained is not None and load(trained.file).about == {"task": "taste"}
    assert trained.digest == hashlib.blake2b((tmp_path / "a").read_bytes(), digest_size=16).hexdigest()
    again = settle(str(tmp_path / "a"), "taste", "x, model", never, tmp_path / "b")
    assert again is not None and again.digest == trained.digest
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert settle(None, "taste", "x, model", lambda: None, tmp_path / "c") is None and not (tmp_path / "c").exists()


def test_another_task_or_no_file_is_refused(tmp_path: Path) -> None:
    toy("smell").save(tmp_path / "smell")
    found = r"is for smell, not for taste: it tells no from yes \(data.x, model = \".*smell\"\)"
    with pytest.raises(SettingsError, match=found):
        settle(str(tmp_path / "smell"), "taste", "data.x, model", never, tmp_path / "a")
    with pytest.raises(ArtifactError, match="nothing is at"):
        settle(str(tmp_path / "absent"), "taste", "data.x, model", never, tmp_path / "a")
    assert not (tmp_path / "a").exists()
