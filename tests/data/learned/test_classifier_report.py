import sys
from pathlib import Path

from hornbook.data.learned import classifier_report
from hornbook.data.learned.features import Features
from hornbook.data.learned.fitting import Examples, fit, measure, thresholds
from hornbook.report.blocks import Series, Table, Text
from hornbook.report.plot import svg

sys.path.insert(0, str(Path(__file__).parents[1]))
from wordy import documents


def test_what_a_reader_sees() -> None:
    rows = documents(300)
    groups = ["one.example" if good else document.id for document, good in rows]
    ids = [document.id for document, _ in rows]
    examples = Examples([document.text for document, _ in rows], [int(good) for _, good in rows], groups, ids)
    model = fit(examples, ("bad", "good"), Features(bits=14), 1, {"labels": "a test"})
    blocks = classifier_report.blocks(model.about, ["bad", "good"], "taste")
    summary, roc, calibration, table, confusion, features = blocks
    assert (
        isinstance(summary, Text)
        and "Of bad, good few hosts are known, or none" in summary.body
        and "a test" in summary.body
    )
    held_out = model.about["held_out"]
    assert f"{held_out['roc']['good']['auc'][0]:.4f}" in summary.body
    assert isinstance(roc, Series) and roc.lines["good"][0] == (0, 0) and roc.lines["good"][-1] == (1, 1)
    assert svg(roc).startswith("<svg") and isinstance(calibration, Series)
    assert isinstance(table, Table) and len(table.rows) == len(held_out["thresholds"])
    assert isinstance(confusion, Table) and sum(int(str(row[-1])) for row in confusion.rows) == held_out["num"]
    assert (
        isinstance(features, Table) and "theorem" in str(features.rows[1][1]) and "bargain" in str(features.rows[0][1])
    )
    other = {"other.csv": measure(model, examples) | {"thresholds": thresholds(model, examples, (0.9, 0.1))}}
    words, values = classifier_report.measured_elsewhere(other, [0.9, 0.1])
    assert isinstance(words, Text) and "300 examples of other.csv" in words.body and isinstance(values, Table)
    assert "where 10 % of the texts" in values.note and table.note == ""
    assert classifier_report.measured_elsewhere({}, None) == []
    held_out["roc"]["good"]["auc"][0] = 0.99
    assert "Nearly no mistake" not in str(classifier_report.blocks(model.about, ["bad", "good"], "taste")[0])
    held_out["roc"]["good"]["auc"][0] = 0.999
    assert "Nearly no mistake" in str(classifier_report.blocks(model.about, ["bad", "good"], "taste")[0])
