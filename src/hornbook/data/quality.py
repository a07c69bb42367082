"""Stage data.quality: a classifier learns what pages worth citing look like, scores every document, keeps the best."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document
from hornbook.core.errors import SettingsError
from hornbook.core.seed import key
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.data import funnel
from hornbook.data.learned import classifier_report
from hornbook.data.learned.classifier import Classifier, load
from hornbook.data.learned.features import Features
from hornbook.data.learned.fitting import fit
from hornbook.data.learned.labels import Always, Labeller, Listed, Truth, read_examples
from hornbook.data.learned.sample_documents import Sampling, joined, sample_documents, sample_examples
from hornbook.data.learned.trained import settle
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import batches, passes
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents", "references": "documents?", "pages": "pages?"}
WRITES = "documents"
VERSION = 2

RULES = {
    "quality.low": "the probability to be like the references is below threshold (value: the probability). "
    "Source: DCLM (Li et al. 2024) keeps by a threshold, too",
    "quality.rank": "not among the best top_frac of all documents (value: the probability)",
    "quality.sampled": "not drawn, with a chance that grows with the score (value: the probability). Source: GPT-3 "
    "(Brown et al. 2020), appendix A: kept where a Pareto number of shape 9 exceeds 1 - score",
}

CLASSES = ("crawl", "reference")
FILE = "classifier.safetensors"
NUM_BINS = 50
NUM_SHOWN = 4
SHOWN_CHARS = 500


class Settings(StrictSettings):
    """Where the good texts come from (one way), and what is kept.

    Good texts are `read.references`, `references`, `cited`, or, in the generated world, what its encyclopedia cites
    (`read.pages`). `model` scores with a classifier that was trained before.
    """

    references: InputPath | None = None
    """Good texts: a folder of text files, or JSON lines, CSV or Parquet."""
    text_field: str = "text"
    """With `references`: the field or column that holds the text."""
    cited: InputPath | None = None
    """A file of addresses and hosts, one a line; the documents from there are the good ones."""
    model: InputPath | None = None
    """A `classifier.safetensors` of an earlier run: nothing is trained."""
    keep: Literal["all", "threshold", "top", "sample"] = "all"
    """`all` only scores; `threshold` keeps what reaches it; `top` the best share; `sample` draws by the score."""
    threshold: float = pydantic.Field(default=0.5, ge=0, le=1)
    """With keep = "threshold": the lowest probability that stays."""
    top_frac: float = pydantic.Field(default=0.5, gt=0, le=1)
    """With keep = "top": the share of the documents that stays, exact over all of them."""
    pareto: float = pydantic.Field(default=9.0, ge=0)
    """With keep = "sample": the shape of the Pareto numbers; 0 keeps each document with its score as the chance."""
    train_docs: int = pydantic.Field(default=10_000, ge=20)
    """Most examples of each of the two classes to learn from."""
    max_chars: int = pydantic.Field(default=20_000, ge=100)
    """So much of each text is looked at (with `model`: as much as it was trained on)."""
    word_ngrams: int = pydantic.Field(default=2, ge=1, le=4)
    """Words in the longest feature."""
    char_ngrams: int = pydantic.Field(default=0, ge=0, le=4)
    """Characters in the longest run of characters that is a feature, too (0: none); for languages without spaces."""
    marks: bool = False
    """Punctuation and line ends are features, too. A little better (AUC .998, else .995, on Wikipedia and the web), but
    only where good texts were made from pages as the crawl was; else their form gives them away."""
    bits: int = pydantic.Field(default=18, ge=10, le=24)
    """log2 of the number of weights."""

    def features(self) -> Features:
        """What the classifier looks at."""
        return Features(self.word_ngrams, self.char_ngrams, self.marks, self.bits)


def check(settings: Settings, reads: frozenset[str]) -> None:
    """Exactly one way to know good texts. Raises SettingsError."""
    ways = [name for name in ("references", "cited", "model") if getattr(settings, name) is not None]
    ways += [f"read.{name}" for name in ("references", "pages") if name in reads]
    if len(ways) != 1:
        raise SettingsError(
            f"good texts are given in {len(ways)} ways" + (f" ({', '.join(ways)})" if ways else ""),
            where="data.quality",
            do="Give one of references, cited, model, read.references or read.pages",
        )


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Sample, train, score every document, keep by the rule."""
    check(settings, frozenset(inputs))
    trained = settle(
        settings.model, "quality", "data.quality, model", partial(train, settings, inputs, out), out.path / FILE
    )
    assert trained is not None
    job = f"data.quality {VERSION} {settings.model_dump_json()} {out.seed} {trained.digest}"
    task, walk = Task(settings, str(trained.file), out.seed), passes(inputs["documents"], out, job)
    if settings.keep == "top":
        walk.look(rank_shard, "rank", task)
        task = replace(task, ranks=str(walk.folder), cut=_cut(walk.folder, walk.names, settings.top_frac))
    found = walk.rewrite(score_shard, "score", task, job=str(task.cut))
    write_json(out.path / "quality.json", _merged(found))


def train(settings: Settings, inputs: dict[str, Any], out: Out) -> Classifier:
    """A classifier of references against the documents of the crawl."""
    documents: Artifact = inputs["documents"]
    sampling = Sampling(settings.train_docs, 2, settings.max_chars, out.seed)
    labeller: Labeller = Always(0)
    if settings.cited:
        labeller = Listed(str(resolve_input(settings.cited)))
    elif "pages" in inputs:
        labeller = Truth(str(inputs["pages"].path), "cited", ((True, 1), (False, 0)))
    parts = [sample_documents(documents, labeller, sampling, out, "sample")]
    if "references" in inputs:
        parts.append(sample_documents(inputs["references"], Always(1), sampling, out, "references"))
    elif settings.references:
        found = read_examples(resolve_input(settings.references), settings.text_field)
        parts.append(sample_examples(((example, 1) for example in found), sampling))
    ways = {"references": settings.references or "references" in inputs, "cited pages": settings.cited}
    labels = next((name for name, given in ways.items() if given), "pages that the encyclopedia cites")
    examples = joined(parts)
    about = {"task": "quality", "labels": f"{labels} against the crawl", "max_chars": settings.max_chars}
    with out.log.task("train", total=len(examples.texts)) as progress:
        classifier = fit(examples, CLASSES, settings.features(), out.seed, about)
        progress.advance(len(examples.texts))
    return classifier


@dataclass(frozen=True)
class Task:
    """What scoring a shard needs.

    `cut`: the lowest score that stays by rank, and among equals the highest key; `ranks`: the folder with the scores.
    """

    settings: Settings
    model: str
    seed: int
    cut: tuple[float, int] | None = None
    ranks: str = ""


def rank_shard(work: Workspace, inputs: dict[str, str], task: Task) -> dict[str, Any]:
    """Scores and keys (for ties) of the documents of one Parquet file."""
    import numpy as np

    scores, keys = [], []
    for document, score in scored(inputs["file"], task, work):
        scores.append(score)
        keys.append(_tie(task.seed, document))
    with work.output(f"{work.name}.scores.npy").open("wb") as file:
        np.save(file, np.array(scores, np.float64))
    with work.output(f"{work.name}.keys.npy").open("wb") as file:
        np.save(file, np.array(keys, np.uint64))
    return {"in": len(scores)}


def _cut(folder: Path, names: list[str], top_frac: float) -> tuple[float, int]:
    """The score and the key of the last document that stays, when the best come first and equals by their keys."""
    import numpy as np

    scores = np.concatenate([np.load(folder / f"{name}.scores.npy") for name in names])
    keys = np.concatenate([np.load(folder / f"{name}.keys.npy") for name in names])
    if not len(scores):
        return 0.0, 0
    num_kept = max(1, int(top_frac * len(scores) + 0.5))
    last = np.lexsort((keys, -scores))[num_kept - 1]
    return float(scores[last]), int(keys[last])


def scored(file: str, task: Task, work: Workspace) -> Iterator[tuple[Document, float]]:
    """The documents of one Parquet file with their scores, to six digits; by rank they are known already."""
    import numpy as np

    if task.ranks:
        documents = (document for batch in batches(work, file) for document in batch)
        yield from zip(documents, np.load(Path(task.ranks) / f"{work.name}.scores.npy").tolist(), strict=True)
        return
    classifier = load(Path(task.model))
    max_chars = classifier.about.get("max_chars", task.settings.max_chars)
    for batch in batches(work, file):
        scores = classifier.probabilities([document.text[:max_chars] for document in batch])[:, 1].tolist()
        for document, score in zip(batch, scores, strict=True):
            yield document, round(score, 6)


def score_shard(work: Workspace, inputs: dict[str, str], task: Task) -> dict[str, Any]:
    """Score and book the documents of one Parquet file."""
    ledger = Ledger(work, scores=("quality",))
    bins = [0] * NUM_BINS
    shown: dict[str, list[list[Any]]] = {"best": [], "borderline": [], "worst": []}
    border = task.cut[0] if task.cut else task.settings.threshold
    for document, score in scored(inputs["file"], task, work):
        bins[min(NUM_BINS - 1, int(score * NUM_BINS))] += 1
        _show(shown, document, score, border)
        document = replace(document, meta=document.meta | {"quality": score})
        size = num_bytes(document.text)
        rule = verdict(document, score, task)
        if rule:
            ledger.drop(document, rule, score, size)
        else:
            ledger.keep(document, size)
    return ledger.close() | {"bins": bins, "shown": shown}


def verdict(document: Document, score: float, task: Task) -> str:
    """The rule that drops a document, "" when it stays."""
    settings = task.settings
    if settings.keep == "threshold":
        return "" if score >= settings.threshold else "quality.low"
    if settings.keep == "top":
        assert task.cut is not None
        better = score > task.cut[0] or (score == task.cut[0] and _tie(task.seed, document) <= task.cut[1])
        return "" if better else "quality.rank"
    if settings.keep == "sample":
        draw = key(task.seed, f"data.quality/draw {document.id}") / 2**64
        chance = (2 - score) ** -settings.pareto if settings.pareto else score  # P(Pareto > x) = (1 + x)^-shape
        return "" if draw < chance else "quality.sampled"
    return ""


def _tie(seed: int, document: Document) -> int:
    return key(seed, f"data.quality/tie {document.id}")


def _show(shown: dict[str, list[list[Any]]], document: Document, score: float, border: float) -> None:
    """Keep the few documents that a reader should see: the best, the worst, the nearest to the border."""
    ranks = {"best": -score, "worst": score, "borderline": abs(score - border)}
    for name, rank in ranks.items():
        if len(shown[name]) < NUM_SHOWN or rank < shown[name][-1][0]:
            row = [rank, document.id, score, document.url, document.text[:SHOWN_CHARS]]
            shown[name] = sorted([*shown[name], row], key=lambda item: (item[0], item[1]))[:NUM_SHOWN]


def _merged(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Histogram and shown documents of all shards."""
    bins = [sum(column) for column in zip(*(summary["bins"] for summary in found), strict=True)]
    shown = {
        name: sorted((row for summary in found for row in summary["shown"][name]), key=lambda row: (row[0], row[1]))
        for name in ("best", "borderline", "worst")
    }
    return {"bins": bins, "shown": {name: [row[1:] for row in rows[:NUM_SHOWN]] for name, rows in shown.items()}}


def describe(artifact: Artifact) -> "list[Block]":
    """The classifier, the scores, pages to read, the funnel."""
    from hornbook.report.blocks import Samples, Series

    classifier = load(artifact.file(FILE))
    scores = json.loads(artifact.file("quality.json").read_text("utf-8"))
    found = classifier_report.blocks(classifier.about, list(classifier.classes), "quality")
    total = max(1, sum(scores["bins"]))
    line = [((i + 0.5) / NUM_BINS, count / total) for i, count in enumerate(scores["bins"])]
    found.append(Series("Scores of all documents", "quality", "share of documents", {"documents": line}))
    for name, rows in scores["shown"].items():
        cards = [{"quality": f"{score:.4f}", "id": i, "url": url, "text": text} for i, score, url, text in rows]
        found.append(Samples(f"{name.capitalize()} documents", cards))
    return found + funnel.blocks(artifact, RULES)
