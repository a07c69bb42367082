import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, payload_hash, scratch_out
from hornbook.core.document import Document, read_documents
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.seed import key
from hornbook.core.settings import parse
from hornbook.data import quality as stage
from hornbook.data.learned import roc
from hornbook.data.learned.classifier import Classifier, load
from hornbook.report.blocks import Samples

sys.path.insert(0, str(Path(__file__).parent))
from wordy import artifact, digest, do, documents, dropped, restarted, world

SMALL = {"bits": 14}


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, dict[str, bool]]:
    rows = documents(600)
    return artifact(tmp_path_factory.mktemp("crawl") / "in", [document for document, _ in rows]), {
        document.id: good for document, good in rows
    }


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    rows = [document for document, good in documents(900, first=5000) if good]
    return artifact(tmp_path_factory.mktemp("references") / "good", rows, 2)


@pytest.fixture(scope="module")
def scored(
    crawl: tuple[Artifact, dict[str, bool]], references: Artifact, tmp_path_factory: pytest.TempPathFactory
) -> Artifact:
    inputs = {"documents": crawl[0], "references": references}
    return do(stage, tmp_path_factory.mktemp("scored") / "out", inputs, **SMALL)


def scores(folder: Path) -> dict[str, float]:
    return {document.id: document.meta["quality"] for document in read_documents(folder)}


def test_good_pages_score_higher(crawl: tuple[Artifact, dict[str, bool]], scored: Artifact) -> None:
    found = scores(scored.path)
    assert len(found) == 600
    curve = roc.roc(np.array([crawl[1][name] for name in found]), np.array(list(found.values())))
    assert curve.auc > 0.93
    held_out = load(scored.path / stage.FILE).about["held_out"]["roc"]["reference"]["auc"][0]
    assert (
        0.68 < held_out < 0.86
    )  # four of ten crawled pages are good too and stand as "crawl" among the examples: .6 * 1 + .4 * .5
    column = pq.read_table(next((scored.path / "kept").iterdir())).column("quality").to_pylist()
    assert column == list(found.values())[: len(column)]
    assert next(read_documents(scored.path)).meta["k"] == 1


def test_scores_change_only_with_the_version(scored: Artifact) -> None:
    assert (stage.VERSION, digest(scored.path)) == (2, "5fff21072676461f")


def test_a_trained_model_scores_again_without_training(
    crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "fit", None)
    again = do(stage, tmp_path / "again", {"documents": crawl[0]}, model=str(scored.path / stage.FILE), **SMALL)
    assert scores(again.path) == scores(scored.path)
    assert (again.path / stage.FILE).read_bytes() == (scored.path / stage.FILE).read_bytes()


def with_model(crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, folder: Path, **settings: object) -> Artifact:
    return do(stage, folder, {"documents": crawl[0]}, model=str(scored.path / stage.FILE), **settings)


def test_a_threshold(crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, tmp_path: Path) -> None:
    out = with_model(crawl, scored, tmp_path / "out", keep="threshold", threshold=0.4)
    wanted = {name for name, score in scores(scored.path).items() if score >= 0.4}
    assert set(scores(out.path)) == wanted and 50 < len(wanted) < 550
    rows = dropped(out.path)
    assert {row["rule"] for row in rows} == {"quality.low"} and len(rows) == 600 - len(wanted)
    assert all(float(row["value"]) < 0.4 and float(row["value"]) == row["quality"] for row in rows)


@pytest.mark.parametrize("share", [0.001, 0.25, 0.333, 1.0])
def test_the_top_share_is_exact(
    crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, tmp_path: Path, share: float
) -> None:
    out = with_model(crawl, scored, tmp_path / "out", keep="top", top_frac=share)
    kept = scores(out.path)
    assert len(kept) == max(1, round(600 * share))
    gone = [row["quality"] for row in dropped(out.path)]
    assert min(kept.values()) >= max(gone, default=0)
    assert {row["rule"] for row in dropped(out.path)} <= {"quality.rank"}


def test_ties_fall_the_same_way_whatever_the_shards(scored: Artifact, tmp_path: Path) -> None:
    rows = [replace(document, text="word1 word2") for document, _ in documents(100)]
    kept: list[set[str]] = []
    for shards in (1, 4):
        given = artifact(tmp_path / f"in{shards}", rows, shards)
        out = do(
            stage, tmp_path / f"out{shards}", {"documents": given}, model=str(scored.path / stage.FILE), keep="top"
        )
        kept.append(set(scores(out.path)))
    assert kept[0] == kept[1] and len(kept[0]) == 50
    wanted = sorted((key(7, f"data.quality/tie {row.id}"), row.id) for row in rows)[:50]
    assert kept[0] == {name for _, name in wanted}


@pytest.mark.parametrize(("pareto", "chance"), [(9.0, lambda s: (2 - s) ** -9.0), (0.0, lambda s: s)])
def test_drawing_by_the_score(
    crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, tmp_path: Path, pareto: float, chance: object
) -> None:
    out = with_model(crawl, scored, tmp_path / "out", keep="sample", pareto=pareto)
    assert callable(chance)
    everything = scores(scored.path)
    wanted = {name for name, score in everything.items() if key(7, f"data.quality/draw {name}") / 2**64 < chance(score)}
    assert set(scores(out.path)) == wanted
    mean = sum(chance(score) for score in everything.values())
    assert abs(len(wanted) - mean) < 4 * mean**0.5


def test_workers_and_interruptions_change_nothing(
    crawl: tuple[Artifact, dict[str, bool]], references: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {"documents": crawl[0], "references": references}
    hashes = set()
    for workers in (1, 2):
        out = do(stage, tmp_path / f"{workers}", inputs, workers, keep="top", **SMALL)
        hashes.add(payload_hash(out.path))
    settings = parse(stage.Settings, {"keep": "top", **SMALL}, "test")
    out = scratch_out(tmp_path / "broken", seed=7, machine=Machine(workers=1))
    calls: list[int] = []
    show = stage.verdict

    def breaks(document: Document, score: float, task: stage.Task) -> str:
        calls.append(1)
        if len(calls) == 300:
            raise KeyboardInterrupt
        return show(document, score, task)

    monkeypatch.setattr(stage, "verdict", breaks)
    with pytest.raises(KeyboardInterrupt):
        stage.run(settings, inputs, out)
    stage.run(settings, inputs, out)
    assert hashes == {payload_hash(tmp_path / "broken")}
    assert len(calls) == 700  # the finished shard of 200 was not done again


def test_cited_addresses_and_a_folder_of_good_texts(
    crawl: tuple[Artifact, dict[str, bool]], references: Artifact, tmp_path: Path
) -> None:
    cited = [d.url for d in read_documents(crawl[0].path) if crawl[1][d.id]]
    (tmp_path / "cited.txt").write_text("\n".join(cited))
    out = do(stage, tmp_path / "out", {"documents": crawl[0]}, cited=str(tmp_path / "cited.txt"), **SMALL)
    about = load(out.path / stage.FILE).about
    assert about["held_out"]["roc"]["reference"]["auc"][0] > 0.93 and about["labels"].startswith("cited pages")
    assert sum(counts[1] for counts in about["examples"].values()) == len(cited)
    rows = [json.dumps({"body": d.text}) for d in read_documents(references.path)]
    (tmp_path / "good.jsonl").write_text("\n".join(rows))
    settings = {"references": str(tmp_path / "good.jsonl"), "text_field": "body", **SMALL}
    out = do(stage, tmp_path / "out2", {"documents": crawl[0]}, **settings)
    assert load(out.path / stage.FILE).about["held_out"]["roc"]["reference"]["auc"][0] > 0.68


def test_addresses_are_not_looked_at(tmp_path: Path) -> None:
    """Every address says what its page is; the texts say nothing: on held-out pages the model must guess."""
    rows = [
        replace(document, text=other.text)
        for (document, _), (other, _) in zip(documents(800), documents(800, first=9000), strict=True)
    ]
    cited = [document.url for document in rows if "/good/" in document.url]
    (tmp_path / "cited.txt").write_text("\n".join(cited))
    given = artifact(tmp_path / "in", rows)
    out = do(stage, tmp_path / "out", {"documents": given}, cited=str(tmp_path / "cited.txt"), **SMALL)
    low, high = load(out.path / stage.FILE).about["held_out"]["roc"]["reference"]["auc"][1:]
    assert low < 0.5 < high + 0.03


def test_what_is_shown(scored: Artifact) -> None:
    blocks = stage.describe(scored)
    found = {block.title: block for block in blocks}
    best, worst = found["Best documents"], found["Worst documents"]
    assert isinstance(best, Samples) and isinstance(worst, Samples)
    values = scores(scored.path).values()
    assert best.items[0]["quality"] == f"{max(values):.4f}" and worst.items[0]["quality"] == f"{min(values):.4f}"
    tally = json.loads((scored.path / "quality.json").read_text())
    assert sum(tally["bins"]) == 600


def test_what_the_world_cites(tmp_path: Path) -> None:
    """Which good page is cited is drawn; knowing each page's kind gives the best possible area."""
    pages, documents_, truth = world(tmp_path)
    out = do(stage, tmp_path / "out", {"documents": documents_, "pages": pages})
    found = scores(out.path)
    rows = [truth[name] for name in found]
    cited = np.array([row["cited"] for row in rows])
    kinds = [row["kind"] for row in rows]
    shares = {kind: cited[[i for i, k in enumerate(kinds) if k == kind]].mean() for kind in set(kinds)}
    best = roc.roc(cited, np.array([shares[kind] for kind in kinds])).auc
    held_out = load(out.path / stage.FILE).about["held_out"]["roc"]["reference"]["auc"]
    assert held_out[1] < best + 0.02 and held_out[2] > 0.5
    spam = [score for score, row in zip(found.values(), rows, strict=True) if row["spam"] or row["rude"]]
    good = [score for score, row in zip(found.values(), rows, strict=True) if row["kind"] in ("story", "encyclopedia")]
    assert np.median(spam) < np.quantile(good, 0.05)


def test_mistakes(crawl: tuple[Artifact, dict[str, bool]], references: Artifact, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="given in 0 ways"):
        do(stage, tmp_path / "a", {"documents": crawl[0]})
    (tmp_path / "list.txt").write_text("nowhere.example")
    with pytest.raises(SettingsError, match="given in 2 ways"):
        inputs = {"documents": crawl[0], "references": references}
        do(stage, tmp_path / "b", inputs, cited=str(tmp_path / "list.txt"))
    with pytest.raises(DataError, match="too few examples"):
        do(stage, tmp_path / "c", {"documents": crawl[0]}, cited=str(tmp_path / "list.txt"))
    model = load(scored_file(references, tmp_path))
    replace(model, classes=("fine", "toxic"), about={**model.about, "task": "toxicity"}).save(
        tmp_path / "other.safetensors"
    )
    with pytest.raises(SettingsError, match="tells fine from toxic"):
        do(stage, tmp_path / "d", {"documents": crawl[0]}, model=str(tmp_path / "other.safetensors"))


def scored_file(references: Artifact, folder: Path) -> Path:
    rows = artifact(folder / "rows", [document for document, _ in documents(200)], 1)
    out = do(stage, folder / "trained", {"documents": rows, "references": references}, **SMALL)
    return out.path / stage.FILE


def test_a_second_start_writes_the_same(
    crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"model": str(scored.path / stage.FILE), "keep": "top"}
    straight = with_model(crawl, scored, tmp_path / "straight", keep="top")
    again = restarted(monkeypatch, stage, tmp_path / "again", {"documents": crawl[0]}, **settings)
    assert payload_hash(again.path) == payload_hash(straight.path)


def test_by_rank_every_text_is_scored_once(
    crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    num_scored: list[int] = []
    probabilities = Classifier.probabilities
    counted = lambda model, texts: num_scored.append(len(texts)) or probabilities(model, texts)  # noqa: E731
    monkeypatch.setattr(Classifier, "probabilities", counted)
    with_model(crawl, scored, tmp_path / "out", keep="top")
    assert sum(num_scored) == 600


def test_a_given_model_looks_at_as_much_as_it_was_trained_on(
    crawl: tuple[Artifact, dict[str, bool]], scored: Artifact, tmp_path: Path
) -> None:
    model = load(scored.path / stage.FILE)
    assert model.about["max_chars"] == 20_000
    replace(model, about={**model.about, "max_chars": 100}).save(tmp_path / "short.safetensors")
    out = do(stage, tmp_path / "out", {"documents": crawl[0]}, model=str(tmp_path / "short.safetensors"))
    texts = {document.id: document.text[:100] for document in read_documents(crawl[0].path)}
    wanted = dict(zip(texts, model.probabilities(list(texts.values()))[:, 1].round(6).tolist(), strict=True))
    assert scores(out.path) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("keep", ["all", "top"])
def test_no_documents_get_a_sentence(scored: Artifact, tmp_path: Path, keep: str) -> None:
    with pytest.raises(DataError, match="nothing was found to read"):
        empty = {"documents": artifact(tmp_path / "in", [])}
        do(stage, tmp_path / "out", empty, model=str(scored.path / stage.FILE), keep=keep)
