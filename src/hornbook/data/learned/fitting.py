"""Train a hashed linear classifier, calibrate it, and measure it on texts of groups that it has not seen.

Groups (the host of a page, one document otherwise) go whole into one of three parts: training, calibration, held-out.
What is measured on the held-out part is the classifier that is kept.
Source: stochastic gradient descent on the logistic loss (scikit-learn's SGDClassifier, one class against the rest);
calibration by Platt 1999 with his smoothed targets, for more classes by one temperature (Guo et al. 2017) and a shift
for each class. Deviations: classes are balanced in training, so that a rare one is learned (calibration restores their
shares); the calibration part also chooses the penalty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import DataError
from hornbook.core.seed import key
from hornbook.data.learned import roc
from hornbook.data.learned.classifier import Classifier, counted, softmax
from hornbook.data.learned.features import Features, spelled
from hornbook.shards.partition import partition_of

if TYPE_CHECKING:
    import numpy as np

CALIBRATE_FRAC, HELD_OUT_FRAC = 0.15, 0.15
MIN_GROUPS = 10
"""A class that has fewer groups is parted by documents: its groups cannot fill three parts."""
MIN_EXAMPLES = 10
CURVE_POINTS = 100
TOP_FEATURES = 30
ALPHAS = (1e-6, 1e-5, 1e-4, 1e-3)
"""Strengths of the L2 penalty to choose from: the weakest wins on clear labels, a strong one on noisy labels."""
EPOCHS = 10


@dataclass(frozen=True)
class Examples:
    """Labelled texts. `labels`: numbers of classes; `groups`: what must not be parted; `ids`: unique names."""

    texts: list[str]
    labels: list[int]
    groups: list[str]
    ids: list[str]

    def picked(self, places: "np.ndarray") -> "Examples":
        """Some of them."""
        chosen = places.tolist()
        return Examples(*([column[i] for i in chosen] for column in (self.texts, self.labels, self.groups, self.ids)))


def fit(
    examples: Examples,
    classes: Sequence[str],
    features: Features,
    seed: int,
    about: dict[str, Any],
    expected: tuple[float, ...] | None = None,
) -> Classifier:
    """A calibrated classifier; its measurements are in `about["held_out"]`.

    `expected`: shares of the classes where it will be used; its probabilities, and the table of thresholds, are moved
    from the examples' shares to these (Saerens et al. 2002). ROC and calibration are measured on the examples as they
    are. Raises DataError when a class has fewer than MIN_EXAMPLES examples.
    """
    import numpy as np

    labels = np.array(examples.labels, np.int64)
    _check(labels, classes)
    parts, parted = part(examples, len(classes), seed)
    train, calibrate, held_out = (examples.picked(np.flatnonzero(parts == number)) for number in range(3))
    rows = design(train.texts, features)
    fitted = _best(rows, train.labels, calibrate, classes, features, seed)
    counts = [np.bincount(np.array(p.labels), minlength=len(classes)).tolist() for p in (train, calibrate, held_out)]
    held = measure(fitted, held_out)
    if expected is not None:
        fitted = replace(fitted, shift=fitted.shift + np.log(expected) - np.log(np.array(counts[1]) / sum(counts[1])))
    if len(classes) == 2:
        held["thresholds"] = thresholds(fitted, held_out, expected)
    found = {
        "expected": expected,
        "examples": dict(zip(("train", "calibrate", "held_out"), counts, strict=True)),
        "parted": parted,
        "held_out": held,
        "top_features": _top_features(fitted, rows, train.texts),
    }
    return replace(fitted, about={**about, **fitted.about, **found})


def part(examples: Examples, num_classes: int, seed: int) -> tuple["np.ndarray", dict[str, str]]:
    """The part of each example (0 train, 1 calibrate, 2 held out), by a hash of its group; and how each class was
    parted. A class with few groups is parted by documents, since whole groups could not fill three parts; so is one
    whose examples are all groups of their own (no address says which belong together)."""
    import numpy as np

    distinct: list[set[str]] = [set() for _ in range(num_classes)]
    grouped: set[int] = set()
    for label, group, name in zip(examples.labels, examples.groups, examples.ids, strict=True):
        distinct[label].add(group)
        if group != name:
            grouped.add(label)
    by_group = [number in grouped and len(groups) >= MIN_GROUPS for number, groups in enumerate(distinct)]
    salt = key(seed, "data.fitting/part")
    parts = np.zeros(len(examples.labels), np.int64)
    for number, label in enumerate(examples.labels):
        name = examples.groups[number] if by_group[label] else examples.ids[number]
        place = partition_of(f"{salt} {name}", 1000) / 1000
        parts[number] = 2 if place < HELD_OUT_FRAC else 1 if place < HELD_OUT_FRAC + CALIBRATE_FRAC else 0
    labels = np.array(examples.labels)
    for number in range(num_classes):  # groups of very unequal size can leave a part without a class
        mine = labels == number
        if len(np.unique(parts[mine])) < 3:
            by_group[number] = False
            order = np.argsort([key(seed, f"data.fitting/{examples.ids[i]}") for i in np.flatnonzero(mine)])
            share = np.empty(len(order))
            share[order] = (np.arange(len(order)) + 0.5) / len(order)
            edge = HELD_OUT_FRAC + CALIBRATE_FRAC
            parts[mine] = np.where(share < HELD_OUT_FRAC, 2, np.where(share < edge, 1, 0))
    return parts, {str(number): "group" if whole else "document" for number, whole in enumerate(by_group)}


def calibration(scores: "np.ndarray", labels: "np.ndarray") -> tuple[float, "np.ndarray"]:
    """Scale and shifts that make `softmax(scale * scores + shift)` say how often it is right.

    `scores` [texts, classes]. Minimises the cross-entropy to Platt's smoothed targets; convex, so one answer.
    """
    import numpy as np
    from scipy.optimize import minimize

    num, num_classes = scores.shape
    counts = np.bincount(labels, minlength=num_classes)
    right = (counts + 1) / (counts + 2)
    targets = np.tile(((1 - right) / (num_classes - 1))[labels][:, None], (1, num_classes))
    targets[np.arange(num), labels] = right[labels]

    def loss(values: "np.ndarray") -> tuple[float, "np.ndarray"]:
        shifted = values[0] * scores + np.concatenate(([0.0], values[1:]))
        shifted = shifted - shifted.max(1, keepdims=True)
        logp = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        off = np.exp(logp) - targets
        return -float((targets * logp).sum()) / num, np.concatenate(([(off * scores).sum()], off.sum(0)[1:])) / num

    begin = np.concatenate(([1.0], np.zeros(num_classes - 1)))
    found = minimize(
        loss, begin, jac=True, method="L-BFGS-B", bounds=[(1e-3, None)] + [(None, None)] * (len(begin) - 1)
    )
    return float(found.x[0]), np.concatenate(([0.0], found.x[1:]))


def measure(classifier: Classifier, examples: Examples) -> dict[str, Any]:
    """ROC, calibration and confusion of a classifier on labelled texts, as plain values for JSON."""
    import numpy as np

    labels = np.array(examples.labels, np.int64)
    scores = classifier.scores(examples.texts)
    probabilities = softmax(classifier.scale * scores + classifier.shift)
    predicted, right = probabilities.argmax(1), probabilities.argmax(1) == labels
    table = roc.confusion(labels, predicted, len(classifier.classes))
    found: dict[str, Any] = {
        "num": len(labels),
        "accuracy": _rounded(float(right.mean())),
        "macro_f1": _rounded(roc.macro_f1(table)),
        "confusion": table.tolist(),
        "roc": {},
    }
    for number, name in enumerate(classifier.classes):
        if len(classifier.classes) > 2 or number == 1:
            curve = roc.roc(labels == number, probabilities[:, number])
            found["roc"][name] = {
                "auc": [_rounded(value) for value in (curve.auc, curve.low, curve.high)],
                "points": _thinned(curve),
            }
    if len(classifier.classes) == 2:
        said, truth, before = probabilities[:, 1], labels == 1, softmax(scores)[:, 1]
    else:
        said, truth, before = probabilities.max(1), right, softmax(scores).max(1)
    found["reliability"] = [[_rounded(a), _rounded(b), n] for a, b, n in roc.reliability(truth, said)]
    found["calibration_error"] = _rounded(roc.expected_calibration_error(truth, said))
    found["calibration_error_before"] = _rounded(roc.expected_calibration_error(truth, before))
    return found


def thresholds(
    classifier: Classifier, examples: Examples, expected: Sequence[float] | None
) -> list[dict[str, float | None]]:
    """Precision, recall, false-positive rate of the second of two classes and share flagged, at several thresholds.

    `expected`: shares of the classes that precision and share flagged are said for; None = those of the examples.
    """
    import numpy as np

    positive, said = np.array(examples.labels) == 1, classifier.probabilities(examples.texts)[:, 1]
    rows = roc.at_thresholds(positive, said, positive_frac=expected[1] if expected else None)
    return [{name: None if v is None else _rounded(v) for name, v in row.items()} for row in rows]


def _check(labels: "np.ndarray", classes: Sequence[str]) -> None:
    import numpy as np

    counts = np.bincount(labels, minlength=len(classes)).tolist()
    if min(counts) < MIN_EXAMPLES:
        there = ", ".join(f"{name} {count}" for name, count in zip(classes, counts, strict=True))
        raise DataError(
            f"too few examples to train a classifier: {there}",
            do=f"Each class needs at least {MIN_EXAMPLES}; give more examples, or a model that was trained before",
        )


def _best(
    rows: Any, labels: Sequence[int], calibrate: Examples, classes: Sequence[str], features: Features, seed: int
) -> Classifier:
    """Of all penalties the one whose calibrated probabilities fit the calibration part best."""
    import numpy as np

    asked = np.array(calibrate.labels)
    best: tuple[float, Classifier] | None = None
    for alpha in ALPHAS:
        raw = _train(rows, np.array(labels), classes, features, alpha, seed)
        scores = raw.scores(calibrate.texts)
        scale, shift = calibration(scores, asked)
        logp = np.log(np.maximum(1e-12, softmax(scale * scores + shift)[np.arange(len(asked)), asked]))
        loss = -float(logp.mean())
        if best is None or loss < best[0]:
            best = loss, replace(raw, scale=scale, shift=shift, about={"alpha": alpha})
    assert best is not None
    return best[1]


def _train(
    counts: Any, labels: "np.ndarray", classes: Sequence[str], features: Features, alpha: float, seed: int
) -> Classifier:
    """The weights, before calibration."""
    import numpy as np
    from sklearn.linear_model import SGDClassifier

    all_epochs: Any = None  # the stub knows only numbers
    model: Any = SGDClassifier(
        loss="log_loss",
        alpha=alpha,
        max_iter=EPOCHS,
        tol=all_epochs,
        class_weight="balanced",
        random_state=key(seed, "data.fitting/sgd") % 2**31,
    )
    model.fit(counts, labels)
    weights = np.zeros((features.num_buckets + 1, len(model.coef_)), np.float32)
    weights[:-1] = model.coef_.T
    return Classifier(tuple(classes), features, weights, model.intercept_.copy(), 1.0, np.zeros(len(classes)))


def design(texts: list[str], features: Features) -> Any:
    """Texts as a sparse matrix [texts, buckets], scaled as a classifier's scores are."""
    import numpy as np
    from scipy.sparse import csr_matrix, diags_array, vstack

    rows: list[Any] = []
    for chunk in counted(texts, features):
        counts: Any = chunk.counts[0]
        for more in chunk.counts[1:]:
            counts = counts + more
        norms = np.sqrt(np.maximum(1, chunk.num_features))
        counts = csr_matrix(counts[:, : features.num_buckets], dtype=np.float64)
        counts.sum_duplicates()
        rows.append(diags_array(1 / norms) @ counts)
    return csr_matrix(vstack(rows))


def _top_features(classifier: Classifier, rows: Any, texts: list[str]) -> dict[str, list[list[Any]]]:
    """For each class (both ends with two classes) the features that weigh most, of those that are not rare.

    `rows`: the texts as `design` has them.
    """
    import numpy as np

    num_texts = np.bincount(rows.indices, minlength=classifier.features.num_buckets)
    usual = np.flatnonzero(num_texts >= max(3, len(texts) // 1000))
    columns = {
        name: classifier.weights[:-1, i] for i, name in enumerate(classifier.classes[-classifier.weights.shape[1] :])
    }
    if len(classifier.classes) == 2:
        columns[classifier.classes[0]] = -classifier.weights[:-1, 0]
    chosen = {
        name: usual[np.lexsort((usual, -column[usual]))[:TOP_FEATURES]].tolist() for name, column in columns.items()
    }
    names = spelled(texts, classifier.features, [bucket for buckets in chosen.values() for bucket in buckets])
    return {
        name: [[names.get(b, "?"), round(float(columns[name][b]), 3), int(num_texts[b])] for b in buckets]
        for name, buckets in chosen.items()
    }


def _thinned(curve: roc.Roc) -> list[list[float]]:
    """The corners of a curve that are worth drawing."""
    import numpy as np

    places = np.unique(np.linspace(0, len(curve.fpr) - 1, CURVE_POINTS).astype(np.int64))
    return [[_rounded(float(curve.fpr[i])), _rounded(float(curve.tpr[i]))] for i in places]


def _rounded(value: float) -> float:
    """Six digits: JSON keeps no noise of the last bits."""
    return round(value, 6)
