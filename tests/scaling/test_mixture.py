"""The search on three made domains: what helps a target is found, what is noise loses its weight."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import small

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import Document, to_table
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import mix
from hornbook.report.blocks import Series, Table
from hornbook.scaling import mixture, proxies, regression
from hornbook.tokenizer.tokenizer import Tokenizer

PROXY = {
    "optimizer": {"matrices": "adamw", "matrix_lr": 0.005},
    "width": 32,
    "layers": 1,
    "total_tokens": 64 * 4 * 30,
    "row_tokens": 64,
    "batch_rows": 4,
}
NEXT = {letter: "bcdefghijklmnopqrstuvwxyza"[n] for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}


def tale(generator: random.Random) -> str:
    """Letters that mostly follow each other in the alphabet."""
    text = [generator.choice("abcdefgh")]
    while len(text) < 80:
        text.append(NEXT[text[-1]] if generator.random() < 0.85 else generator.choice(list(NEXT)))
    return "".join(text)


def noise(generator: random.Random) -> str:
    return "".join(generator.choices("0123456789+-*/=<>", k=80))


def artifact(folder: Path, documents: list[Document]) -> Artifact:
    (folder / "kept").mkdir(parents=True)
    pq.write_table(to_table(documents), folder / "kept/00000.parquet")
    return Artifact(folder, Manifest(kind="documents", payload_hash=folder.name))


class Made:
    """A quarter tales, three quarters of two kinds of noise."""

    def __init__(self, folder: Path) -> None:
        generator = random.Random(1)
        self.documents = [
            Document(f"{source}-{n}", make(generator), source=source)
            for source, make, count in (("tales", tale, 100), ("noise", noise, 200), ("static", noise, 100))
            for n in range(count)
        ]
        self.source = artifact(folder / "in", self.documents)
        small.byte_tokenizer(folder / "tokenizer")
        self.tokenizer = Artifact(folder / "tokenizer", Manifest(kind="tokenizer", payload_hash="t"))
        self.target = artifact(folder / "target", [Document(f"x{n}", tale(generator)) for n in range(20)])

    def search(
        self,
        folder: Path,
        workers: int = 1,
        like: Artifact | None = None,
        source: Artifact | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        table = {"proxy": PROXY, "num_proxies": 14, "num_checks": 2}
        table |= {"num_candidates": 5000, "validation_bytes": 1600, **changes}
        inputs: dict[str, Any] = {"documents": (source or self.source,), "tokenizer": self.tokenizer}
        inputs |= {"target": like} if like else {}
        out = scratch_out(folder, seed=2, machine=Machine(workers=workers))
        mixture.run(parse(mixture.Settings, table, "test"), inputs, out)
        return json.loads((folder / "scores.json").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def found(made: Made, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("found") / "scores"
    return folder, made.search(folder, like=made.target, max_epochs=3.6)


def test_noise_loses_its_weight_and_the_found_mix_wins(found: tuple[Path, dict[str, Any]]) -> None:
    """The target is like a quarter of the corpus: its weight rises towards the 90 % that 3.6 epochs allow."""
    data = found[1]
    assert data["mixture"]["natural"] == pytest.approx({"noise": 0.5, "static": 0.25, "tales": 0.25}, abs=1e-6)
    weights = data["mixture"]["weights"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-5)
    assert 0.7 < weights["tales"] <= 0.9 + 1e-6 and weights["noise"] < 0.25
    scores = {s["name"]: s for s in data["scores"]}
    best, natural, uniform = (scores[f"mixture/{name}"] for name in ("found", "natural", "uniform"))
    assert best["high"] < natural["low"] - 0.1 and best["high"] < uniform["low"] - 0.05
    assert best["baseline"] == natural["value"] and best["lower_is_better"] and best["num_cases"] == 2
    tales = scores["weight/tales"]
    assert tales["low"] <= tales["value"] <= tales["high"] and tales["low"] > 0.5 and tales["baseline"] == 0.25
    assert data["mixture"]["fits"]["target"]["rank_correlation"] > 0.8


def test_the_mix_can_be_made_of_it(tmp_path: Path, made: Made, found: tuple[Path, dict[str, Any]]) -> None:
    scores = Artifact(found[0], Manifest(kind="scores"))
    out = scratch_out(tmp_path / "mix", machine=Machine(workers=1))
    mix.run(parse(mix.Settings, {}, "test"), {"documents": (made.source,), "weights": scores}, out)
    books = json.loads((tmp_path / "mix/mix.json").read_text())["domains"]
    weights = found[1]["mixture"]["weights"]
    assert all(books[name]["got_share"] == pytest.approx(weights[name], abs=0.005) for name in weights)
    assert books["tales"]["epochs"] > 2.5


def test_the_report(found: tuple[Path, dict[str, Any]]) -> None:
    table, checks, fits, plot = mixture.describe(Artifact(found[0], Manifest(kind="scores")))
    assert isinstance(table, Table) and table.rows[0][:2] == ["tales", "25.0 %"]
    assert isinstance(checks, Table) and [row[0] for row in checks.rows] == [
        "noise",
        "static",
        "tales",
        "target",
        "(what counts)",
    ]
    assert isinstance(fits, Table) and fits.rows[0][0] == "target"
    assert isinstance(plot, Series) and len(plot.lines["measured"]) == 14
    assert len((found[0] / "samples.jsonl").read_text().splitlines()) == 14


QUICK: dict[str, Any] = {
    "num_proxies": 8,
    "num_checks": 1,
    "num_candidates": 200,
    "target": ["tales"],
    "proxy": {**PROXY, "total_tokens": 512},
}


def test_a_second_start_finds_the_proxies_of_the_first(
    tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes, and no proxy is trained again."""
    made.search(tmp_path / "one", **QUICK)
    wanted = payload_hash(tmp_path / "one")
    (tmp_path / "one/scores.json").unlink()
    monkeypatch.setattr(proxies, "proxy_bits", None)
    made.search(tmp_path / "one", **QUICK)
    assert payload_hash(tmp_path / "one") == wanted


@pytest.mark.slow
def test_workers_change_nothing(tmp_path: Path, made: Made) -> None:
    for workers in (1, 2):
        made.search(tmp_path / str(workers), workers=workers, **QUICK)
    assert payload_hash(tmp_path / "1") == payload_hash(tmp_path / "2")


def test_mistakes_are_sentences(tmp_path: Path, made: Made) -> None:
    with pytest.raises(SettingsError, match='target names "tails"; did you mean "tales"'):
        mixture.goals(parse(mixture.Settings, {"target": ["tails"]}, "test"), ["tales", "web"], ["tales", "web"])
    with pytest.raises(DataError, match='all documents have the same topic, "unknown"'):
        made.search(tmp_path / "b", by="topic")


def test_what_counts() -> None:
    def goals(measured: list[str], **changes: Any) -> list[int]:
        return mixture.goals(parse(mixture.Settings, changes, "test"), ["a", "b"], measured)

    assert goals(["a", "b"]) == [0, 1] and goals(["a", "b", "target"]) == [2] and goals(["a", "b"], target=["b"]) == [1]


def test_a_domain_of_large_documents_has_texts_to_learn_from_and_to_measure_on(tmp_path: Path, made: Made) -> None:
    books = [Document(f"book{n}", tale(random.Random(n)) * 50, source="books") for n in range(2)]
    source = artifact(tmp_path / "books", [*made.documents[:40], *made.documents[150:190], *books])
    settings = parse(mixture.Settings, {"domain_bytes": 2000, "validation_bytes": 1600}, "test")
    out = scratch_out(tmp_path / "out")
    found = mixture._prepare(settings, (source,), None, Tokenizer.load(made.tokenizer.path), out)
    assert found.names == ["books", "noise", "tales"]
    for number in range(3):
        encoded = proxies.load_domain(mixture._work(out), number)
        assert encoded.train is not None and encoded.validation is not None
        assert encoded.train.num_bytes.sum() + encoded.validation.num_bytes.sum() <= 3600


def test_intervals_draw_proxies_with_replacement() -> None:
    """As many rows as there are proxies go into each fit, some of them twice."""
    seen: list[np.ndarray] = []

    def fit(weights: np.ndarray, losses: np.ndarray) -> Any:
        seen.append(weights)
        return regression.linear(weights, losses)

    mixes = np.random.default_rng(0).dirichlet(np.ones(3), 12)
    losses = mixes @ [1.0, 2.0, 3.0]
    law = regression.Law("linear", fit, regression.linear(mixes, losses), 0.0, {}, 1.0)
    found = mixture._intervals([law], mixes, losses[:, None], mixes, 0)
    assert len(seen) == mixture.DRAWS and {len(rows) for rows in seen} == {12}
    assert any(len(np.unique(rows, axis=0)) < 12 for rows in seen) and found.shape == (2, 3)


def test_two_targets_are_refused(tmp_path: Path, made: Made) -> None:
    with pytest.raises(SettingsError, match="given in two ways, target and read.target"):
        made.search(tmp_path / "a", like=made.target, target=["tales"])
    source = artifact(tmp_path / "in", [Document(f"{n}", "text", source="target" if n % 2 else "b") for n in range(9)])
    with pytest.raises(DataError, match='a domain is called "target"'):
        made.search(tmp_path / "b", like=made.target, source=source)


def test_what_cannot_be_mixed_gets_a_sentence(tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    few = artifact(tmp_path / "in", [Document(f"{n}", "text" if n else "", source=f"s{n % 2}") for n in range(3)])
    with pytest.raises(DataError, match='domain "s0" has fewer than two documents with text'):
        made.search(tmp_path / "a", source=few)
    monkeypatch.setattr(mix, "MAX_DOMAINS", 1)
    with pytest.raises(DataError, match="more than 1 different values"):
        made.search(tmp_path / "b", source=few)
    few = artifact(tmp_path / "none", [])
    with pytest.raises(DataError, match="there are no documents"):
        made.search(tmp_path / "c", source=few)
