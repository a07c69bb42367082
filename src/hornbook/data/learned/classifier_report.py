"""What a trained classifier says about itself: ROC, calibration, thresholds, confusion, weightiest features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

SHOWN_FEATURES = 20
SUSPICIOUS_AUC = 0.995


def blocks(about: dict[str, Any], classes: list[str], name: str) -> "list[Block]":
    """Blocks from a classifier's `about`. `name`: what is classified, for the titles (`quality`)."""
    from hornbook.report.blocks import Series, Table, Text

    held_out = about["held_out"]
    found: list[Block] = [Text(f"The {name} classifier", _summary(about, classes))]
    curves = {cls: [(x, y) for x, y in curve["points"]] for cls, curve in held_out["roc"].items()}
    curves["chance"] = [(0.0, 0.0), (1.0, 1.0)]
    found.append(Series(f"ROC of {name} on held-out texts", "false-positive rate", "recall", curves))
    stated = [(row[0], row[1]) for row in held_out["reliability"]]
    lines = {"held-out": stated, "perfect": [(0.0, 0.0), (1.0, 1.0)]}
    found.append(Series(f"Calibration of {name}", "stated probability", "share that was right", lines))
    if "thresholds" in held_out:
        found.append(_thresholds(f"Thresholds of {name} on held-out texts", held_out["thresholds"], about["expected"]))
    rows: list[list[object]] = [
        [cls, *counts, sum(counts)] for cls, counts in zip(classes, held_out["confusion"], strict=True)
    ]
    note = "Rows: what they are. Columns: what they were taken for."
    found.append(Table(f"Confusion of {name} on held-out texts", ["is", *classes, "all"], rows, note))
    found.append(_features(about["top_features"], name))
    return found


def _summary(about: dict[str, Any], classes: list[str]) -> str:
    held_out, examples = about["held_out"], about["examples"]
    areas = [
        f"{cls} {auc[0]:.4f} ({auc[1]:.4f} to {auc[2]:.4f})"
        for cls, curve in held_out["roc"].items()
        if (auc := curve["auc"])[0] == auc[0]
    ]
    numbers = ", ".join(f"{name} {examples['train'][i]:,}" for i, name in enumerate(classes))
    by_document = [classes[int(number)] for number, how in about["parted"].items() if how == "document"]
    lines = [
        f"Labels: {about['labels']}. Trained on {numbers}; measured on {held_out['num']:,} held-out texts.",
        f"Area under the ROC curve: {'; '.join(areas)}. Macro F1 {held_out['macro_f1']:.3f}, calibration error "
        f"{held_out['calibration_error']:.3f} ({held_out['calibration_error_before']:.3f} before calibration).",
    ]
    if by_document:
        lines.append(
            f"Of {', '.join(by_document)} few hosts are known, or none, so these were parted by documents: a host's "
            "way of writing may be in training and held-out texts alike, and the numbers flatter."
        )
    if any(curve["auc"][0] >= SUSPICIOUS_AUC for curve in held_out["roc"].values()):
        lines.append(
            "Nearly no mistake: look at the features. Examples that differ in form (markup, encoding, a name on every "
            "page) are told apart by it, and nothing of what you mean is learned."
        )
    lines.append("On texts of another kind than these examples all of it is worse: look at what is cut.")
    return "\n\n".join(lines)


def _thresholds(title: str, rows: list[dict[str, float | None]], expected: Sequence[float] | None) -> Any:
    from hornbook.report.blocks import Table

    names = ["threshold", "precision", "recall", "false_positive_rate", "flagged"]
    note = f"Precision and flagged: where {100 * expected[1]:g} % of the texts are of the class." if expected else ""
    columns = [name.replace("_", " ") for name in names]
    return Table(title, columns, [[row[name] for name in names] for row in rows], note)


def _features(top: dict[str, list[list[Any]]], name: str) -> Any:
    from hornbook.report.blocks import Table

    rows: list[list[object]] = [
        [cls, ", ".join(f"{feature} {weight:+.1f}" for feature, weight, _ in features[:SHOWN_FEATURES])]
        for cls, features in sorted(top.items())
    ]
    note = "Words and neighbouring words with the largest weights that occur in at least one of 1,000 texts."
    return Table(f"What speaks for each class of {name}", ["class", "features and weights"], rows, note)


def measured_elsewhere(tables: dict[str, dict[str, Any]], expected: Sequence[float] | None) -> "list[Block]":
    """Tables of thresholds on examples of other sources. `expected`: shares of the classes, of the classifier."""
    from hornbook.report.blocks import Text

    found: list[Block] = []
    for name, table in tables.items():
        auc = next(iter(table["roc"].values()))["auc"][0]
        words = f"On {table['num']:,} examples of {name}: area {auc:.4f}, macro F1 {table['macro_f1']:.3f}."
        found += [Text("Transfer", words), _thresholds(f"Thresholds on {name}", table["thresholds"], expected)]
    return found
