"""What a search found, written down and read back by a person: made-up numbers whose places are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.artifact import Artifact, Manifest
from hornbook.report.blocks import Series, Table
from hornbook.scaling.mixture_report import Domains, Found, blocks, write_samples, write_scores
from hornbook.scaling.proxies import ProxySettings
from hornbook.scaling.regression import Law, linear

DOMAINS = Domains("source", ["tales", "web"], np.array([0.2, 0.8]), ["tales", "web", "target"], [2])
MIXES = np.array([[0.2, 0.8], [0.5, 0.5], [0.8, 0.2]])
BITS = np.array([[3.0, 2.0, 4.0], [2.5, 2.5, 3.0], [2.0, 3.0, 2.0]])


@pytest.fixture
def scores(tmp_path: Path) -> Artifact:
    law = Law("linear", linear, linear(MIXES, BITS[:, 2]), 0.25, {"linear": 0.25, "exponential": 0.5}, 0.9)
    spread = np.array([[0.65, 0.2], [0.8, 0.35]])
    checked = np.array([[[2, 3, 1.0], [2, 3, 2.0]], [[3, 2, 4.0], [3, 2, 5.0]], [[2.5, 2.5, 3.0], [2.5, 2.5, 3.5]]])
    found = Found(np.array([0.7, 0.3]), spread, [law], 48, checked)
    write_scores(tmp_path / "scores.json", DOMAINS, found, ProxySettings())
    write_samples(tmp_path / "samples.jsonl", DOMAINS, MIXES, BITS, np.array([4.1, 3.1, 2.1]))
    return Artifact(tmp_path, Manifest(kind="scores"))


def test_a_mix_is_scored_by_what_counts_with_its_range_over_seeds(scores: Artifact) -> None:
    data = json.loads(scores.file("scores.json").read_text())
    by_name = {score["name"]: score for score in data["scores"]}
    best = by_name["mixture/found"]
    assert (best["value"], best["low"], best["high"], best["baseline"]) == (1.5, 1.0, 2.0, 4.5)
    tales = by_name["weight/tales"]
    assert (tales["value"], tales["low"], tales["high"]) == (0.7, 0.65, 0.8)
    assert (tales["baseline"], tales["num_cases"]) == (0.2, 48)
    assert data["mixture"]["weights"] == {"tales": 0.7, "web": 0.3}
    assert data["mixture"]["checks"]["uniform"] == {"tales": 2.5, "web": 2.5, "target": 3.25}
    assert data["mixture"]["fits"] == {
        "target": {
            "family": "linear",
            "error": 0.25,
            "errors": {"linear": 0.25, "exponential": 0.5},
            "rank_correlation": 0.9,
        }
    }


def test_samples_hold_each_proxy(scores: Artifact) -> None:
    first = json.loads(scores.file("samples.jsonl").read_text().splitlines()[0])
    assert first == {
        "weights": {"tales": 0.2, "web": 0.8},
        "bits_per_byte": {"tales": 3.0, "web": 2.0, "target": 4.0},
        "measured": 4.0,
        "predicted": 4.1,
    }


def test_a_reader_sees_weights_payments_fits_and_the_plot(scores: Artifact) -> None:
    mix, paid, fits, plot = blocks(scores)
    assert isinstance(mix, Table) and mix.rows[0] == ["tales", "20.0 %", "70.0 %", "65.0 to 80.0 %", pytest.approx(3.5)]
    assert isinstance(paid, Table) and paid.rows[2] == ["target", 1.5, 4.5, 3.25]
    assert paid.rows[3][:2] == ["(what counts)", "1.5000 (1.0000 to 2.0000)"]
    assert isinstance(fits, Table) and fits.rows[0][1:4] == ["linear", 0.25, 0.9]
    assert isinstance(plot, Series) and plot.lines["measured"] == [(2.1, 2.0), (3.1, 3.0), (4.1, 4.0)]
