import json
from pathlib import Path

from hornbook.core.artifact import Artifact, Manifest
from hornbook.report.blocks import Samples, Series, Table
from hornbook.train.curves import training_blocks


def test_one_plot_for_each_quantity_and_the_samples(tmp_path: Path) -> None:
    records = [
        {"step": 1, "tokens": 10, "loss": 3.0, "lr": 1.0},
        {"step": 1, "tokens": 10, "validation_bits_per_byte": 2.0, "samples": [{"prompt": "a", "text": "b"}]},
        {"step": 2, "tokens": 20, "loss": 2.0, "lr": 0.5},
        {"step": 2, "tokens": 20, "validation_bits_per_byte": 1.5},
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    table, *rest = training_blocks(Artifact(tmp_path, Manifest(kind="checkpoint")), [("steps", "2")])
    assert table == Table("Training", ["what", "value"], [["steps", "2"]])
    plots = {block.title: block.lines for block in rest if isinstance(block, Series)}
    assert plots["Loss"] == {"loss": [(10.0, 3.0), (20.0, 2.0)]}
    assert plots["Validation"] == {"validation bits per byte": [(10.0, 2.0), (20.0, 1.5)]}
    (samples,) = [block for block in rest if isinstance(block, Samples)]
    assert samples.items == [{"step": "1", "prompt": "a", "text": "b"}]


def test_a_run_without_records_has_its_table(tmp_path: Path) -> None:
    blocks = training_blocks(Artifact(tmp_path, Manifest(kind="checkpoint")), [])
    assert len(blocks) == 1


def test_the_loss_has_another_line_after_the_switch(tmp_path: Path) -> None:
    records = [{"step": n, "tokens": 10 * n, "loss": float(n), "validation_bits_per_byte": 1.0} for n in (1, 2, 3)]
    records[2]["anneal_validation_bits_per_byte"] = records[1]["anneal_validation_bits_per_byte"] = 2.0
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    _, loss, validation = training_blocks(Artifact(tmp_path, Manifest(kind="checkpoint")), [], switch_tokens=20)
    assert isinstance(loss, Series) and isinstance(validation, Series)
    assert loss.lines == {"loss, main mix": [(10.0, 1.0), (20.0, 2.0)], "loss, second mix": [(30.0, 3.0)]}
    assert list(validation.lines) == ["validation bits per byte", "anneal validation bits per byte"]
