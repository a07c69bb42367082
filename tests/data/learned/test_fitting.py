import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.document import Document
from hornbook.core.errors import DataError
from hornbook.data.learned import roc
from hornbook.data.learned.classifier import softmax
from hornbook.data.learned.features import Features
from hornbook.data.learned.fitting import Examples, calibration, design, fit, measure, part

sys.path.insert(0, str(Path(__file__).parents[1]))
from wordy import documents

FEATURES = Features(bits=16)


def examples(rows: list[tuple[Document, bool]]) -> Examples:
    hosts = [document.url.split("/")[2] for document, _ in rows]
    ids = [document.id for document, _ in rows]
    return Examples([document.text for document, _ in rows], [int(good) for _, good in rows], hosts, ids)


def test_it_learns_as_well_as_scikit_learn() -> None:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    rows = examples(documents(1500))
    model = fit(rows, ("bad", "good"), FEATURES, 7, {"note": 1})
    parts, _ = part(rows, 2, 7)
    train, held_out = (rows.picked(np.flatnonzero(np.isin(parts, numbers))) for numbers in ([0], [2]))
    vectorizer = HashingVectorizer(ngram_range=(1, 2), n_features=1 << 16, alternate_sign=False)
    oracle = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=10, tol=None, random_state=0)
    oracle.fit(vectorizer.transform(train.texts), train.labels)
    labels = np.array(held_out.labels) == 1
    theirs = roc.roc(labels, oracle.decision_function(vectorizer.transform(held_out.texts))).auc
    ours = model.about["held_out"]["roc"]["good"]["auc"][0]
    assert theirs > 0.95 and ours >= theirs - 0.01
    assert ours == pytest.approx(roc.roc(labels, model.probabilities(held_out.texts)[:, 1]).auc, abs=1e-6)
    assert model.about["note"] == 1 and sum(map(sum, model.about["examples"].values())) == 1500
    top = {name: [feature for feature, _, _ in found] for name, found in model.about["top_features"].items()}
    assert all(feature.startswith("theorem") for feature in top["good"][:20])
    assert all(feature.startswith("bargain") for feature in top["bad"][:20])


def test_the_same_examples_give_the_same_bits() -> None:
    rows = examples(documents(200))
    first, second = (fit(rows, ("bad", "good"), FEATURES, 7, {}) for _ in range(2))
    assert (first.weights == second.weights).all() and first.scale == second.scale and first.about == second.about


def test_without_a_signal_nothing_is_learned() -> None:
    """Chance on held-out texts: what a file's order or an address says is not seen."""
    rows = examples(documents(1200))
    blind = replace(rows, texts=[rows.texts[(i * 7 + 3) % len(rows.texts)] for i in range(len(rows.texts))])
    found = fit(blind, ("bad", "good"), FEATURES, 7, {}).about["held_out"]["roc"]["good"]["auc"]
    assert found[1] < 0.5 < found[2] + 0.05 and abs(found[0] - 0.5) < 0.12


def test_calibration_makes_probabilities_mean_what_they_say() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-(truth - 1)))).astype(int)
    scores = np.stack([np.zeros(4000), 5 * truth], 1)  # five times too sure, and shifted
    scale, shift = calibration(scores, labels)
    assert scale == pytest.approx(0.2, abs=0.015) and shift[1] == pytest.approx(-1, abs=0.1) and shift[0] == 0
    before, after = softmax(scores)[:, 1], softmax(scale * scores + shift)[:, 1]
    errors = [roc.expected_calibration_error(labels, values) for values in (before, after)]
    assert errors[0] > 0.15 and errors[1] < 0.025


def test_calibration_of_texts_that_are_told_apart_without_a_mistake_stays_finite() -> None:
    scores = np.array([[0.0, -3.0]] * 10 + [[0.0, 3.0]] * 10)
    scale, shift = calibration(scores, np.repeat([0, 1], 10))
    sure = softmax(scale * scores + shift)[-1, 1]
    assert sure == pytest.approx(11 / 12, abs=1e-3)  # Platt's target for ten of ten


def test_expected_shares_move_probabilities_and_thresholds() -> None:
    rows = examples(documents(600))
    plain = fit(rows, ("bad", "good"), FEATURES, 7, {})
    moved = fit(rows, ("bad", "good"), FEATURES, 7, {}, expected=(0.99, 0.01))
    texts = rows.texts[:50]
    odds = [p[:, 1] / p[:, 0] for p in (plain.probabilities(texts), moved.probabilities(texts))]
    counts = np.array(plain.about["examples"]["calibrate"])
    assert odds[1] / odds[0] == pytest.approx(np.full(50, (0.01 / 0.99) * counts[0] / counts[1]))
    recalls = [model.about["held_out"]["thresholds"][2]["recall"] for model in (plain, moved)]
    assert recalls[1] < recalls[0]
    assert plain.about["held_out"]["roc"] == moved.about["held_out"]["roc"]


def test_groups_stay_together_and_few_groups_are_parted_by_documents() -> None:
    rows = examples(documents(600))
    parts, parted = part(rows, 2, 1)
    for host in set(rows.groups):
        assert len({int(p) for p, group in zip(parts, rows.groups, strict=True) if group == host}) == 1
    assert parted == {"0": "group", "1": "group"}
    few = replace(
        rows, groups=["one.example" if label else group for label, group in zip(rows.labels, rows.groups, strict=True)]
    )
    parts, parted = part(few, 2, 1)
    assert parted == {"0": "group", "1": "document"}
    assert set(parts[np.array(few.labels) == 1].tolist()) == {0, 1, 2}
    shares = np.bincount(parts) / len(parts)
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.08)


def test_a_class_that_is_nearly_all_on_one_host_is_in_all_parts() -> None:
    rows = examples(documents(300))
    groups = [f"h{i}" if i % 60 == 0 else "giant" for i in range(300)]
    rows = replace(
        rows, groups=[g if label else other for g, other, label in zip(groups, rows.groups, rows.labels, strict=True)]
    )
    parts, _ = part(rows, 2, 3)
    assert set(parts[np.array(rows.labels) == 1].tolist()) == {0, 1, 2}


def test_three_classes() -> None:
    rows = examples(documents(900))
    third = [2 if i % 3 == 0 else label for i, label in enumerate(rows.labels)]
    texts = [f"{text} umbrella umbrella" if label == 2 else text for text, label in zip(rows.texts, third, strict=True)]
    model = fit(replace(rows, texts=texts, labels=third), ("a", "b", "c"), FEATURES, 7, {})
    found = model.about["held_out"]
    assert found["accuracy"] > 0.9 and found["roc"]["c"]["auc"][0] > 0.99 and "thresholds" not in found
    assert np.array(found["confusion"]).sum() == found["num"]
    assert model.probabilities(texts[:5]).sum(1) == pytest.approx(np.ones(5))
    assert model.about["top_features"]["c"][0][0] in ("umbrella", "umbrella umbrella")
    again = measure(model, rows.picked(np.arange(10)))
    assert again["num"] == 10


def test_rows_are_scaled_as_scores_are() -> None:
    rows = design(["a a b", "", "c"], Features(words=1, bits=12))
    assert rows.shape == (3, 4096)
    assert sorted(rows.getrow(0).data.tolist()) == pytest.approx([1 / np.sqrt(3), 2 / np.sqrt(3)])
    assert rows.getrow(1).nnz == 0 and rows.getrow(2).data.tolist() == [1.0]


def test_too_few_examples() -> None:
    rows = examples(documents(60))
    few = rows.picked(np.array([i for i in range(60) if rows.labels[i] == 0 or i < 6]))
    with pytest.raises(DataError, match=r"too few examples.*good [0-9]"):
        fit(few, ("bad", "good"), FEATURES, 1, {})


def test_examples_without_groups_are_parted_by_documents() -> None:
    """Then nobody knows which belong together, and the report says that the numbers flatter."""
    rows = examples(documents(200))
    alone = replace(
        rows, groups=[n if label else g for n, g, label in zip(rows.ids, rows.groups, rows.labels, strict=True)]
    )
    parts, parted = part(alone, 2, 1)
    assert parted == {"0": "group", "1": "document"}
    assert set(parts[np.array(rows.labels) == 1].tolist()) == {0, 1, 2}


def test_the_table_of_thresholds_is_for_the_expected_shares() -> None:
    """Precision by Bayes' rule from recall and false-positive rate, which do not know the shares."""
    model = fit(examples(documents(600)), ("bad", "good"), FEATURES, 7, {}, expected=(0.9, 0.1))
    rows = [row for row in model.about["held_out"]["thresholds"] if row["precision"] is not None]
    assert len(rows) >= 4
    for row in rows:
        right, wrong = 0.1 * row["recall"], 0.9 * row["false_positive_rate"]
        assert row["flagged"] == pytest.approx(right + wrong, abs=2e-6)
        assert row["precision"] == pytest.approx(right / (right + wrong), abs=2e-5)
