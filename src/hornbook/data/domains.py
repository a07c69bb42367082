"""Stage data.domains: what kind of text each document is (format) and what it is about (topic); the composition.

Nothing of other people's text is shipped: a classifier for each axis learns from your labelled examples, from the
generated world's truth, or from the documents of your own corpus that a list of signs (`seeds`) labels clearly. A
document whose best class is not likely enough is `unknown`. Classes that too few documents have to learn them are given
by clear signs alone, with a confidence of 0.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import InputPath, StrictSettings, did_you_mean, resolve_input
from hornbook.data import funnel
from hornbook.data.learned import classifier_report, seeds
from hornbook.data.learned.classifier import Classifier, Counted, counted, load
from hornbook.data.learned.features import Features
from hornbook.data.learned.fitting import MIN_EXAMPLES, Examples, fit
from hornbook.data.learned.labels import Truth, read_examples
from hornbook.data.learned.sample_documents import Sampling, joined, sample_documents, sample_examples
from hornbook.data.learned.seeds import UNKNOWN
from hornbook.data.learned.trained import Trained, for_task, settle
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import batches, passes
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents", "pages": "pages?"}
WRITES = "documents"
VERSION = 3

RULES = {"domains.unwanted": "its format or topic is one of `drop` (value: which)"}

Axis = Literal["format", "topic"]
MIN_KNOWN = 0.3
"""Texts of which training has seen less are `unknown`: another language gets a class by its constant alone, and with a
probability of .9 (generated world: pages in the second language .26 at most, those of known formats .88 at least)."""
WORLD_KINDS = {
    "encyclopedia": "encyclopedia",
    "story": "story",
    "letter": "letter",
    "forum": "forum",
    "chat": "dialogue",
    "shop": "commerce",
    "spam": "spam",
    "code": "code",
}
SEED_DOCS = 30_000
NUM_SHOWN = 3
SHOWN_CHARS = 300
FEATURES = Features(marks=True, bits=16)
"""Marks and line ends tell code, letters and threads apart; 13 classes of 2^16 weights are 3.4 MB."""


class Settings(StrictSettings):
    """Where the labels of each axis come from, and when a document is unknown.

    `format_examples` and `topic_examples` come first; then, for formats, the truth of the generated world
    (`read.pages`); then the signs.
    """

    axes: tuple[Axis, ...] = ("format", "topic")
    """What to find out."""
    format_examples: InputPath | None = None
    """Texts with their format: a folder with one folder for each class, or JSON lines, CSV or Parquet."""
    topic_examples: InputPath | None = None
    """Texts with their topic, in the same forms."""
    text_field: str = "text"
    """The field or column of examples that holds the text."""
    label_field: str = ""
    """The field or column of examples that holds the class; empty = the name of the folder."""
    seeds: InputPath | None = None
    """Your own list of signs and classes (TOML, in the form of Hornbook's `data/learned/domains.toml`)."""
    format_model: InputPath | None = None
    """A `format.safetensors` of an earlier run: nothing is trained for formats."""
    topic_model: InputPath | None = None
    """A `topic.safetensors` of an earlier run."""
    min_confidence: float = pydantic.Field(default=0.5, ge=0, le=1)
    """Below this probability of the best class a document is `unknown`."""
    drop: tuple[str, ...] = ()
    """Formats and topics to leave out, such as `spam`."""
    train_docs: int = pydantic.Field(default=2_000, ge=20)
    """Most examples of each class to learn from."""
    max_chars: int = pydantic.Field(default=5_000, ge=100)
    """So much of each text is looked at (with a given model: as much as it was trained on)."""


def check(settings: Settings, reads: frozenset[str]) -> None:
    """The list of signs and, where classes are known without reading examples, `drop`. Raises SettingsError."""
    if settings.seeds:
        seeds.check(_signs(settings))
    known = [_classes(axis, settings, reads) for axis in settings.axes]
    if None not in known:
        _refuse_unknown(settings.drop, {name for names in known if names for name in names})


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Train a classifier for each axis, classify every document, report the composition."""
    check(settings, frozenset(inputs))
    models: dict[Axis, Trained] = {}
    for axis in settings.axes:
        learn = partial(train, axis, settings, inputs, out)
        given, setting = _given(settings, axis, "model"), f"data.domains, {axis}_model"
        model = settle(given, axis, setting, learn, out.path / f"{axis}.safetensors")
        if model is not None:
            models[axis] = model
    by_signs = {axis: _by_signs_alone(axis, settings, inputs, models.get(axis)) for axis in settings.axes}
    learned = {name for model in models.values() for name in _all_classes(model.classifier)}
    _refuse_unknown(settings.drop, learned.union(*by_signs.values()))
    digests = {axis: model.digest for axis, model in models.items()}
    common = (settings, {axis: str(model.file) for axis, model in models.items()}, by_signs)
    job = f"data.domains {VERSION} {settings.model_dump_json()} {digests}"
    found = passes(inputs["documents"], out, job).rewrite(classify_shard, "classify", common)
    write_json(out.path / "composition.json", _merged(found, settings.axes))


def train(axis: Axis, settings: Settings, inputs: dict[str, Any], out: Out) -> Classifier | None:
    """The classifier of an axis; None when fewer than two classes have clear signs enough.

    Raises DataError when it is examples that are too few.
    """
    examples, classes, labels = _examples(axis, settings, inputs, out)
    counts = {name: examples.labels.count(number) for number, name in enumerate(classes)}
    there = [name for name in classes if counts[name] >= MIN_EXAMPLES]
    missing = [name for name in classes if name not in there]
    out.log.line(f"{axis}: " + ", ".join(f"{name} {counts[name]}" for name in classes))
    if len(there) < 2:
        if given := _given(settings, axis, "examples"):
            found = ", ".join(f'"{name}" {number}' for name, number in counts.items())
            raise DataError(
                f"fewer than two classes have {MIN_EXAMPLES} examples or more: {found}",
                where=f'data.domains, {axis}_examples = "{given}"',
                do="Set label_field to the field with the class, or give a folder for each class",
            )
        return None
    rows = [
        (text, there.index(classes[label]), group, name)
        for text, label, group, name in zip(examples.texts, examples.labels, examples.groups, examples.ids, strict=True)
        if classes[label] in there
    ]
    about = {"task": axis, "labels": labels, "too_few": missing, "max_chars": settings.max_chars}
    with out.log.task(f"train {axis}", total=len(rows)) as progress:
        chosen = Examples(*(list(column) for column in zip(*rows, strict=True)))
        classifier = fit(chosen, there, FEATURES, out.seed, about)
        progress.advance(len(rows))
    return classifier


def _all_classes(classifier: Classifier) -> set[str]:
    """The classes that it knows, and those whose examples were too few."""
    return {*classifier.classes, *classifier.about.get("too_few", ())}


def _by_signs_alone(axis: Axis, settings: Settings, inputs: dict[str, Any], trained: Trained | None) -> frozenset[str]:
    """Classes of an axis that signs told but that too few documents have to learn them."""
    if (
        _given(settings, axis, "model")
        or _given(settings, axis, "examples")
        or (axis == "format" and "pages" in inputs)
    ):
        return frozenset()
    known = trained.classifier.classes if trained else ()
    return frozenset(seeds.axis_classes(_signs(settings), axis)) - {*known, UNKNOWN}


def _examples(
    axis: Axis, settings: Settings, inputs: dict[str, Any], out: Out
) -> tuple[Examples, tuple[str, ...], str]:
    """Labelled texts of an axis, its classes, and where the labels come from in words."""
    if given := _given(settings, axis, "examples"):
        path = resolve_input(given)
        found = partial(read_examples, path, settings.text_field, settings.label_field)
        classes = tuple(sorted({example.label for example in found()}))
        sampling = Sampling(settings.train_docs, len(classes), settings.max_chars, out.seed)
        numbered = ((example, classes.index(example.label)) for example in found())
        return joined([sample_examples(numbered, sampling)]), classes, f"examples of {path.name}"
    if axis == "format" and "pages" in inputs:
        classes = tuple(WORLD_KINDS.values())
        labeller: Any = Truth(
            str(inputs["pages"].path), "kind", tuple((kind, classes.index(c)) for kind, c in WORLD_KINDS.items())
        )
        labels = "kinds of pages of the generated world"
    else:
        file = _signs(settings)
        classes = seeds.axis_classes(file, axis)
        num_docs = inputs["documents"].manifest.counts.get("docs", 0)
        labeller = seeds.Seeded(file, axis, classes, min(1.0, SEED_DOCS / max(1, num_docs)))
        if len(classes) == 1:  # an own list may be about one axis only
            return joined([]), classes, ""
        labels = "clear signs (weak labels: the numbers say how well the signs are met, not the truth)"
    sampling = Sampling(settings.train_docs, len(classes), settings.max_chars, out.seed)
    return joined([sample_documents(inputs["documents"], labeller, sampling, out, f"{axis} sample")]), classes, labels


def _given(settings: Settings, axis: Axis, what: Literal["examples", "model"]) -> str | None:
    """The setting `format_examples`, `topic_examples`, `format_model` or `topic_model`."""
    return getattr(settings, f"{axis}_{what}")


def _classes(axis: Axis, settings: Settings, reads: frozenset[str]) -> tuple[str, ...] | None:
    """The classes that an axis may have; None where only the examples say it."""
    if given := _given(settings, axis, "model"):
        return for_task(given, axis, f"data.domains, {axis}_model").classes
    if _given(settings, axis, "examples"):
        return None
    if axis == "format" and "pages" in reads:
        return tuple(WORLD_KINDS.values())
    return seeds.axis_classes(_signs(settings), axis)


def _signs(settings: Settings) -> str:
    """The file with the signs, "" for the list that comes along."""
    return str(resolve_input(settings.seeds)) if settings.seeds else ""


def _refuse_unknown(drop: tuple[str, ...], classes: set[str]) -> None:
    """Raise SettingsError for a name in `drop` that no document can get."""
    if strange := sorted(set(drop) - classes - {UNKNOWN}):
        known = did_you_mean(strange[0], sorted(classes | {UNKNOWN}))
        raise SettingsError(f'drop names "{strange[0]}"{known}', where="data.domains")


@dataclass(frozen=True)
class Verdict:
    """The class of a document on one axis and its probability."""

    name: str
    confidence: float


NOTHING = Verdict(UNKNOWN, 0.0)


def classified(classifiers: dict[Axis, Classifier], texts: list[str], settings: Settings) -> dict[Axis, list[Verdict]]:
    """The class of each text by each classifier. Words are hashed once for all that look at the same of a text."""
    alike: dict[tuple[Features, int], list[Axis]] = {}
    for axis, classifier in classifiers.items():
        max_chars = classifier.about.get("max_chars", settings.max_chars)
        alike.setdefault((classifier.features, max_chars), []).append(axis)
    found: dict[Axis, list[Verdict]] = {axis: [] for axis in classifiers}
    for (features, max_chars), axes in alike.items():
        for part in counted([text[:max_chars] for text in texts], features):
            for axis in axes:
                found[axis] += _verdicts(classifiers[axis], part, settings.min_confidence)
    return found


def _verdicts(classifier: Classifier, part: Counted, min_confidence: float) -> list[Verdict]:
    """The class of each text, `unknown` where the best one is not likely enough or the words are new to the model."""
    probabilities = classifier.calibrated(classifier.scores_of(part))
    strange = classifier.known_of(part) < MIN_KNOWN
    found: list[Verdict] = []
    for number, place in enumerate(probabilities.argmax(1).tolist()):
        confidence = round(float(probabilities[number, place]), 6)
        sure = confidence >= min_confidence and not strange[number]
        found.append(Verdict(classifier.classes[place] if sure else UNKNOWN, confidence))
    return found


def classify_shard(
    work: Workspace, inputs: dict[str, str], common: tuple[Settings, dict[Axis, str], dict[Axis, frozenset[str]]]
) -> dict[str, Any]:
    """Classify and book the documents of one Parquet file."""
    settings, models, by_signs = common
    signs = _signs(settings)
    classifiers: dict[Axis, Classifier] = {axis: load(Path(file)) for axis, file in models.items()}
    ledger = Ledger(work, scores=tuple(f"{axis}_confidence" for axis in settings.axes))
    composition: dict[str, dict[str, list[Any]]] = {axis: {} for axis in settings.axes}
    for documents in batches(work, inputs["file"]):
        verdicts = classified(classifiers, [document.text for document in documents], settings)
        for number, document in enumerate(documents):
            found: dict[Axis, Verdict] = {a: verdicts[a][number] if a in verdicts else NOTHING for a in settings.axes}
            for axis, classes in by_signs.items():
                if name := seeds.one_of(document, signs, axis, classes):
                    found[axis] = Verdict(name, 0.0)
            _book(ledger, composition, document, found, settings.drop)
    return ledger.close() | {"composition": composition}


def _book(
    ledger: Ledger,
    composition: dict[str, dict[str, list[Any]]],
    document: Document,
    found: dict[Axis, Verdict],
    unwanted: tuple[str, ...],
) -> None:
    """Keep or drop one document and count it. Counts: documents, bytes, sum of confidences, documents to show."""
    size = num_bytes(document.text)
    for axis, verdict in found.items():
        row = composition[axis].setdefault(verdict.name, [0, 0, 0.0, []])
        row[0], row[1], row[2] = row[0] + 1, row[1] + size, row[2] + verdict.confidence
        rank = hashlib.blake2b(document.id.encode(), digest_size=8).hexdigest()
        shown = [rank, verdict.confidence, document.id, document.url, document.text[:SHOWN_CHARS]]
        row[3] = sorted([*row[3], shown])[:NUM_SHOWN]
    names = {axis: verdict.name for axis, verdict in found.items()}
    marks = names | {f"{axis}_confidence": verdict.confidence for axis, verdict in found.items()}
    document = replace(document, meta=document.meta | marks)
    bad = next((name for name in names.values() if name in unwanted), "")
    if bad:
        ledger.drop(document, "domains.unwanted", bad, size)
    else:
        ledger.keep(document, size)


def _merged(found: Iterable[dict[str, Any]], axes: tuple[Axis, ...]) -> dict[str, Any]:
    """The composition over all shards: axis -> class -> documents, bytes, mean confidence, documents to show."""
    total: dict[str, dict[str, list[Any]]] = {axis: {} for axis in axes}
    for summary in found:
        for axis, classes in summary["composition"].items():
            for name, (docs, size, confidence, shown) in classes.items():
                row = total[axis].setdefault(name, [0, 0, 0.0, []])
                row[:3] = [row[0] + docs, row[1] + size, row[2] + confidence]
                row[3] = sorted([*row[3], *shown])[:NUM_SHOWN]
    return {
        axis: {
            name: {"docs": n, "bytes": size, "confidence": round(c / n, 4), "shown": [row[1:] for row in shown]}
            for name, (n, size, c, shown) in sorted(classes.items(), key=lambda item: (-item[1][1], item[0]))
        }
        for axis, classes in total.items()
    }


def describe(artifact: Artifact) -> "list[Block]":
    """The composition, documents of each class to read, the classifiers, the funnel."""
    from hornbook.report.blocks import Samples, Table, Text, share

    composition = json.loads(artifact.file("composition.json").read_text("utf-8"))
    found: list[Block] = []
    for axis, classes in composition.items():
        docs, size = (sum(row[unit] for row in classes.values()) for unit in ("docs", "bytes"))
        rows: list[list[object]] = [
            [name, row["docs"], share(row["docs"], docs), share(row["bytes"], size), row["confidence"]]
            for name, row in classes.items()
        ]
        columns = [axis, "documents", "of documents", "of bytes", "mean confidence"]
        found.append(Table(f"Composition by {axis}", columns, rows))
        cards = [
            {axis: name, "confidence": f"{confidence:.3f}", "id": i, "url": url, "text": text}
            for name, row in classes.items()
            for confidence, i, url, text in row["shown"]
        ]
        found.append(Samples(f"Documents by {axis}", cards))
        file = artifact.path / f"{axis}.safetensors"
        if not file.exists():
            said = "Fewer than two classes had examples enough: what is not unknown has clear signs."
            found.append(Text(f"No {axis} classifier", said))
            continue
        classifier = load(file)
        found += classifier_report.blocks(classifier.about, list(classifier.classes), axis)
        if classifier.about.get("too_few"):
            few = ", ".join(classifier.about["too_few"])
            found.append(
                Text("Classes without examples enough", f"{few}: given by clear signs alone, where there are.")
            )
    return found + funnel.blocks(artifact, RULES)
