"""Stage data.toxicity: a classifier learns from labelled examples what is toxic; marks, cuts or drops it.

Documents are scored span by span (lines; long ones by sentences), because examples are short and one sentence is lost
in a long page. `meta.toxicity` is the probability of the worst span, `meta.toxicity_frac` the share of the text's
characters in spans above the threshold. A model trained on tweets alone takes much harmless text for toxic (HateCheck:
two thirds of the harmless cases at 0.5), so probabilities are moved to how rare you expect toxic text to be
(`expected_frac`), and the report shows what was cut.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.data import funnel
from hornbook.data.files.encodings import decode
from hornbook.data.language.sentences import cut, spans
from hornbook.data.learned import classifier_report
from hornbook.data.learned.classifier import Classifier, load
from hornbook.data.learned.features import Features, phrase_hashes, with_any
from hornbook.data.learned.fitting import Examples, fit, measure, thresholds
from hornbook.data.learned.labels import Example, Truth, read_examples
from hornbook.data.learned.roc import THRESHOLDS
from hornbook.data.learned.sample_documents import Sampling, joined, sample_documents, sample_examples
from hornbook.data.learned.trained import settle
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import batches, passes
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents", "pages": "pages?"}
WRITES = "documents"
VERSION = 2

RULES = {
    "toxicity.document": "more than max_toxic_frac of the characters are in toxic spans (value: the share). Source: "
    "RefinedWeb (Penedo et al. 2023) drops a page when its line rules would cut more than a share of it",
    "toxicity.span": "edit: a line or sentence of at least threshold was cut. Source: Dolma (Soldaini et al. 2024) "
    "cuts spans of 0.4; here the default is higher, since models of this kind flag much harmless text",
}

CLASSES = ("fine", "toxic")
FILE = "classifier.safetensors"
SHOWN = 12
SHOWN_CHARS = 300
BORDERS = (0.5, 0.7, 0.9, 0.99)


class Settings(StrictSettings):
    """Where the labelled examples come from (one way), and what happens to toxic text.

    Examples are `examples`, or the rude pages of the generated world (`read.pages`); `model` needs none.
    """

    examples: InputPath | None = None
    """Labelled texts: JSON lines, CSV, TSV or Parquet, or a folder with one folder for each label."""
    text_field: str = "text"
    """The field or column of `examples` that holds the text."""
    label_field: str = "label"
    """The field or column of `examples` that holds the label; empty = the name of the folder."""
    toxic: tuple[str, ...] = ("1", "toxic", "True", "true", "yes")
    """The labels that mean toxic; every other label means fine."""
    transfer: InputPath | None = None
    """Labelled texts of another source (same fields), only to be measured on: how well the model travels."""
    model: InputPath | None = None
    """A `classifier.safetensors` of an earlier run: nothing is trained."""
    word_list: InputPath | None = None
    """A cascade: only spans with a word or phrase of this file (one a line) are looked at; precise, but blind to all
    that needs no such word."""
    policy: Literal["annotate", "cut", "drop"] = "annotate"
    """`annotate` only scores; `cut` takes toxic spans out, and drops a document with too many; `drop` only drops."""
    threshold: float = pydantic.Field(default=0.5, gt=0, le=1)
    """Probability (see expected_frac) from which a span counts as toxic. With tweets as examples, 1 of 19,409 sentences
    of Wikipedia reaches .5, and 8 in 10,000 of old children's books."""
    max_toxic_frac: float = pydantic.Field(default=0.3, ge=0, le=1)
    """Documents with a larger share of their characters in toxic spans are dropped."""
    expected_frac: float = pydantic.Field(default=0.05, gt=0, lt=1)
    """The share of spans that you expect to be toxic. Examples usually have far more, and without this correction
    probabilities would say so of your documents too."""
    span_chars: int = pydantic.Field(default=150, ge=40)
    """Longer lines are taken apart at sentences; an insult is lost in a span that is much longer than the examples."""
    train_docs: int = pydantic.Field(default=30_000, ge=20)
    """Most examples of each of the two classes to learn from."""
    word_ngrams: int = pydantic.Field(default=2, ge=1, le=4)
    """Words in the longest feature."""
    char_ngrams: int = pydantic.Field(default=0, ge=0, le=4)
    """Characters in the longest run of characters that is a feature, too (0: none)."""
    bits: int = pydantic.Field(default=18, ge=10, le=24)
    """log2 of the number of weights."""


def check(settings: Settings, reads: frozenset[str]) -> None:
    """Exactly one way to know what is toxic. Raises SettingsError."""
    ways = [name for name in ("examples", "model") if getattr(settings, name) is not None]
    ways += ["read.pages"] if "pages" in reads else []
    if len(ways) != 1:
        raise SettingsError(
            f"examples are given in {len(ways)} ways" + (f" ({', '.join(ways)})" if ways else ""),
            where="data.toxicity",
            do="Give one of examples, model or read.pages",
        )


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Train, score every span, act by the policy."""
    check(settings, frozenset(inputs))
    trained = settle(
        settings.model, "toxicity", "data.toxicity, model", partial(train, settings, inputs, out), out.path / FILE
    )
    assert trained is not None
    transfer = _transfer(settings, trained.classifier, out.seed)
    words = decode(resolve_input(settings.word_list).read_bytes())[0] if settings.word_list else None
    task = Task(settings, str(trained.file), None if words is None else tuple(words.splitlines()))
    digest = hashlib.blake2b((words or "").encode(), digest_size=16).hexdigest()
    job = f"data.toxicity {VERSION} {settings.model_dump_json()} {trained.digest} {digest}"
    found = passes(inputs["documents"], out, job).rewrite(score_shard, "score", task)
    write_json(out.path / "toxicity.json", _merged(found) | {"transfer": transfer})


def train(settings: Settings, inputs: dict[str, Any], out: Out) -> Classifier:
    """A classifier of toxic and fine examples."""
    features = Features(settings.word_ngrams, settings.char_ngrams, bits=settings.bits)
    sampling = Sampling(settings.train_docs, 2, 20_000, out.seed)
    if settings.examples:
        labels = f"{settings.label_field or 'folders'} of {Path(settings.examples).name}"
        path = resolve_input(settings.examples)
        examples = joined([sample_examples(_labelled(settings, path), sampling)])
    else:
        labels = "rude pages of the generated world, span by span"
        labeller = Truth(str(inputs["pages"].path), "rude", ((True, 1), (False, 0)))
        examples = _by_span(sample_documents(inputs["documents"], labeller, sampling, out, "sample"), settings)
    about = {"task": "toxicity", "labels": labels}
    expected = (1 - settings.expected_frac, settings.expected_frac)
    with out.log.task("train", total=len(examples.texts), unit="examples") as progress:
        classifier = fit(examples, CLASSES, features, out.seed, about, expected)
        progress.advance(len(examples.texts))
    return classifier


def _labelled(settings: Settings, path: Path) -> Iterator[tuple[Example, int]]:
    toxic = set(settings.toxic)
    for example in read_examples(path, settings.text_field, settings.label_field):
        yield example, int(example.label in toxic)


def _by_span(documents: Examples, settings: Settings) -> Examples:
    """Each span as an example of its document's class, in its document's group.

    A span of a toxic document that fine documents have too (an advertisement, a menu) is left out: measured on the
    generated world, one such line made a twelfth of the fine pages toxic.
    """
    rows = [
        (text[a:b], label, group, f"{name}@{a}")
        for text, label, group, name in zip(
            documents.texts, documents.labels, documents.groups, documents.ids, strict=True
        )
        for a, b in spans(text, settings.span_chars)
    ]
    fine = {text for text, label, _, _ in rows if label == 0}
    rows = [row for row in rows if row[1] == 0 or row[0] not in fine]
    return joined([Examples(*(list(column) for column in zip(*rows, strict=True)))]) if rows else documents


def _transfer(settings: Settings, classifier: Classifier, seed: int) -> dict[str, Any]:
    """The classifier's measurements on examples of another source. Raises DataError when they are of one class."""
    if not settings.transfer:
        return {}
    path = resolve_input(settings.transfer)
    examples = sample_examples(_labelled(settings, path), Sampling(settings.train_docs, 2, 20_000, seed))
    missing = [name for number, name in enumerate(CLASSES) if number not in examples.labels]
    if missing:
        raise DataError(
            f"none of these examples is {missing[0]}",
            where=str(path),
            do="Name in `toxic` the labels that mean toxic here",
        )
    rows = thresholds(classifier, examples, classifier.about.get("expected"))
    return {path.name: measure(classifier, examples) | {"thresholds": rows}}


@dataclass(frozen=True)
class Task:
    """What scoring a shard needs. `words`: the lines of the word list."""

    settings: Settings
    model: str
    words: tuple[str, ...] | None


def score_shard(work: Workspace, inputs: dict[str, str], task: Task) -> dict[str, Any]:
    """Score and book the documents of one Parquet file."""
    classifier = load(Path(task.model))
    listed = None if task.words is None else phrase_hashes(task.words)
    ledger = Ledger(work, scores=("toxicity", "toxicity_frac"))
    tally = Tally(task.settings.threshold)
    for documents in batches(work, inputs["file"]):
        places = [spans(document.text, task.settings.span_chars) for document in documents]
        texts = [d.text[a:b] for d, found in zip(documents, places, strict=True) for a, b in found]
        values = _probabilities(classifier, texts, listed)
        begin = 0
        for document, found in zip(documents, places, strict=True):
            scores = values[begin : begin + len(found)]
            begin += len(found)
            tally.add(document, found, scores)
            _book(ledger, document, found, scores, task.settings)
    return ledger.close() | tally.summary()


def _probabilities(classifier: Classifier, texts: list[str], listed: Any) -> list[float]:
    """The probability of each span; 0 for one without a listed word, where there is a list."""
    there = [True] * len(texts) if listed is None else with_any(texts, listed)
    looked_at = [text for text, hit in zip(texts, there, strict=True) if hit]
    values = iter(classifier.probabilities(looked_at)[:, 1].tolist())
    return [round(next(values), 6) if hit else 0.0 for hit in there]


def _book(
    ledger: Ledger, document: Document, places: list[tuple[int, int]], scores: list[float], settings: Settings
) -> None:
    """Keep, edit or drop one document."""
    toxic = [place for place, score in zip(places, scores, strict=True) if score >= settings.threshold]
    share = sum(b - a for a, b in toxic) / max(1, sum(b - a for a, b in places))
    marks = {"toxicity": max(scores, default=0.0), "toxicity_frac": round(share, 6)}
    document = replace(document, meta=document.meta | marks)
    size = num_bytes(document.text)
    if settings.policy != "annotate" and (share > settings.max_toxic_frac or (toxic and share == 1)):
        ledger.drop(document, "toxicity.document", marks["toxicity_frac"], size)
        return
    if settings.policy == "cut" and toxic:
        ledger.edit({"toxicity.span": len(toxic)})
        document = replace(document, text=cut(document.text, toxic))
    ledger.keep(document, size)


class Tally:
    """Of a shard: how many spans and documents reach each threshold, and spans to read around the thresholds."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.spans = [0] * (len(THRESHOLDS) + 1)
        self.documents = [0] * (len(THRESHOLDS) + 1)
        self.shown: dict[str, list[list[Any]]] = {}

    def add(self, document: Document, places: list[tuple[int, int]], scores: list[float]) -> None:
        """Count one document."""
        for score in scores:
            self.spans[bisect_right(THRESHOLDS, score)] += 1
        self.documents[bisect_right(THRESHOLDS, max(scores, default=0.0))] += 1
        for (a, b), score in zip(places, scores, strict=True):
            if score >= BORDERS[0]:
                self._show(document, a, document.text[a:b], score)

    def _show(self, document: Document, begin: int, text: str, score: float) -> None:
        """A few spans of each band of probability, by a hash, so that any order of documents shows the same."""
        band = f"{max(border for border in BORDERS if score >= border):g}"
        rank = hashlib.blake2b(f"{document.id} {begin}".encode(), digest_size=8).hexdigest()
        rows = self.shown.setdefault(band, [])
        if len(rows) < SHOWN or rank < rows[-1][0]:
            rows.append([rank, score, document.id, text[:SHOWN_CHARS]])
            rows.sort()
            del rows[SHOWN:]

    def summary(self) -> dict[str, Any]:
        """What goes into the shard's note."""
        return {"spans": self.spans, "documents": self.documents, "shown": self.shown}


def _merged(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The tallies of all shards: counts at or above each threshold, first of all."""
    summaries = list(found)
    counts: dict[str, Any] = {}
    for name in ("spans", "documents"):
        levels = [sum(column) for column in zip(*(summary[name] for summary in summaries), strict=True)]
        counts[name] = {"all": sum(levels)} | {
            f"{threshold:g}": sum(levels[place + 1 :]) for place, threshold in enumerate(THRESHOLDS)
        }
    shown: dict[str, list[list[Any]]] = {}
    for band in sorted({band for summary in summaries for band in summary["shown"]}):
        rows = sorted(row for summary in summaries for row in summary["shown"].get(band, []))
        shown[band] = [row[1:] for row in rows[:SHOWN]]
    return counts | {"shown": shown}


def describe(artifact: Artifact) -> "list[Block]":
    """The classifier, what each threshold would flag here, spans to read, the funnel."""
    from hornbook.report.blocks import Samples, Table, share

    classifier = load(artifact.file(FILE))
    tally = json.loads(artifact.file("toxicity.json").read_text("utf-8"))
    found = classifier_report.blocks(classifier.about, list(classifier.classes), "toxicity")
    found += classifier_report.measured_elsewhere(tally["transfer"], classifier.about.get("expected"))
    kinds = ("spans", "documents")
    rows: list[list[object]] = [
        [name, *(cell for k in kinds for cell in (tally[k][name], share(tally[k][name], tally[k]["all"])))]
        for name in (f"{threshold:g}" for threshold in THRESHOLDS)
    ]
    columns = ["threshold", "spans at or above", "of spans", "documents with one", "of documents"]
    found.append(Table("What each threshold flags in these documents", columns, rows))
    for band, cards in sorted(tally["shown"].items(), reverse=True):
        texts = [{"toxicity": f"{score:.4f}", "id": i, "text": text} for score, i, text in cards]
        found.append(Samples(f"Spans with a probability from {band} up", texts))
    return found + funnel.blocks(artifact, RULES)
