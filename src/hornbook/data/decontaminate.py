"""Stage data.decontaminate: find evaluation items in training documents; drop, mark or cut them.

Source: 13-grams of words, as GPT-3 (Brown et al. 2020, appendix C), and longest common spans with the share of an item
that they cover, as Llama 2 (Touvron et al. 2023, appendix A.6). Deviations: words after NFKC, lower case, without
punctuation; n-grams stay inside one field of an item; a shorter field of at least `min_words` words counts when the
whole of it is found; no words may be skipped. A paraphrase or a translation is not found.
"""

import json
from collections import Counter
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document
from hornbook.core.errors import SettingsError
from hornbook.core.settings import InputPath, StrictSettings
from hornbook.data import funnel
from hornbook.data.copies.contamination import Finding, Tally, books, common_ngrams, gather, judge
from hornbook.data.copies.overlap import Index, build_index, common_spans, different_grams, load_index, word_places
from hornbook.data.copies.signatures import chunks
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.data.passes import batches, passes
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents", "tasks": "tasks+?"}
WRITES = "documents"
VERSION = 1

RULES = {
    "decontaminate.match": "it holds an evaluation item (value: set, item and words of the longest common span)",
    "decontaminate.pieces": "cutting the items out left nothing, or too many pieces (value: pieces). Source: GPT-3",
    "decontaminate.cut": "edit: a span that it shares with an evaluation item was cut out, with its surroundings",
    "decontaminate.mark": "edit: named in meta.contaminated_with",
}

NAMED = 10
"""Items that a document names in `meta.contaminated_with`, at most."""
MOST_PIECES = 10


class Settings(StrictSettings):
    """What must not be found, what counts as found, and what happens then."""

    sets: tuple[InputPath, ...] = ()
    """Evaluation sets: files (JSON lines, JSON, CSV, TSV, YAML, Parquet, text), folders of them, `hub:owner/name`."""
    fields: tuple[str, ...] = ()
    """Only these fields of the sets' records; empty = all text of a record but names, labels and addresses."""
    action: Literal["drop", "mark", "cut"] = "drop"
    """`drop` the document, `mark` it (`meta.contaminated_with`), or `cut` the common spans out of it."""
    ngram_words: int = pydantic.Field(default=13, ge=3)
    """A common run of so many words is a match."""
    min_words: int = pydantic.Field(default=8, ge=3)
    """A field with fewer words is never looked for; with fewer than `ngram_words` it must be found whole."""
    span_words: int = pydantic.Field(default=10, ge=3)
    """Common runs of at least so many words count for the share of an item that is covered."""
    min_share: float = pydantic.Field(default=0.0, ge=0.0, le=1.0)
    """A match counts from this share of the item's words on (0 = any match counts)."""
    max_ngram_items: int = pydantic.Field(default=10, ge=1)
    """Runs of words that stand in more items than this are templates of the set and make no match by themselves."""
    max_ngram_docs: int = pydantic.Field(default=0, ge=0)
    """n-grams that are found in more documents than this are boilerplate and no match (GPT-3: 10); 0 = all count."""
    cut_chars: int = pydantic.Field(default=200, ge=0)
    """`cut`: characters that go on either side of a span; pieces shorter than this go too."""

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "Settings":
        if self.min_words > self.ngram_words:
            raise ValueError("min_words is larger than ngram_words")
        if self.span_words < self.min_words:
            raise ValueError("span_words is smaller than min_words: shorter runs are not looked for")
        return self


def check(settings: Settings, reads: frozenset[str]) -> None:
    """There must be something to look for. Raises SettingsError."""
    if not settings.sets and "tasks" not in reads:
        raise SettingsError("no evaluation set is given", do="Give sets = [...] or read.tasks")


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Index the items, look for them in every shard, then write every shard again."""
    import numpy as np

    check(settings, frozenset(inputs))
    tasks: tuple[Artifact, ...] = inputs.get("tasks", ())
    known = gather(settings.sets, settings.fields, tasks, settings.min_words, out.machine.cache_folder)
    job = f"data.decontaminate {VERSION} {settings.model_dump_json()} {known.digest}"
    walk = passes(inputs["documents"], out, job)
    work = walk.folder
    index = build_index(
        known.texts,
        [[owner] for owner in known.owners],
        seed_words=settings.min_words,
        gram_words=settings.ngram_words,
        max_items=settings.max_ngram_items,
    )
    index.save(work / "index")
    common = (settings, str(work))
    walk.look(scan_shard, "search", common)
    counts = _document_counts(work, walk.names, index)
    boilerplate = counts > settings.max_ngram_docs if settings.max_ngram_docs else np.zeros(len(counts), bool)
    np.save(work / "boilerplate.npy", boilerplate)
    np.save(work / "item_words.npy", np.array(known.words, np.int64))
    write_json(work / "labels.json", [f"{item.task}#{item.id}" for item in known.items])
    found: dict[int, Tally] = {}
    for one in walk.rewrite(decide_shard, "decontaminate", common):
        for number, tally in one["found"].items():
            found.setdefault(int(number), Tally()).add(Tally(**tally))
    write_json(out.path / "contamination.json", books(known, found, common_ngrams(known, index, counts, boilerplate)))
    out.counts["contaminated_items"] = len(found)


def scan_shard(work: Workspace, inputs: dict[str, str], common: tuple[Settings, str]) -> dict[str, Any]:
    """Common spans of one Parquet file with the known texts, and in how many of its documents each n-gram is."""
    import numpy as np

    index = load_index(Path(common[1]) / "index")
    found: list[np.ndarray] = [np.zeros((0, 5), np.int64)]
    counts: Counter[int] = Counter()
    position = 0
    for documents in chunks(Path(inputs["file"]), ["id", "text"]):
        spans = common_spans(index, [document.text for document in documents])
        grams = different_grams(index, spans)
        counts.update(grams[:, 1].tolist())
        found.append(spans[np.isin(spans[:, 0], grams[:, 0])] + np.array([position, 0, 0, 0, 0]))
        position += len(documents)
        work.advance(len(documents))
    with work.output(f"{work.name}.spans.npy").open("wb") as file_out:
        np.save(file_out, np.concatenate(found))
    with work.output(f"{work.name}.grams.npy").open("wb") as file_out:
        np.save(file_out, np.array(sorted(counts.items()), np.int64).reshape(-1, 2))
    return {"in": position}


def _document_counts(folder: Path, names: list[str], index: Index) -> "np.ndarray":
    """In how many documents each kind of n-gram of the known texts was found."""
    import numpy as np

    counts = np.zeros(int(index.grams.max()) + 1, np.int64)
    for name in names:
        table = np.load(folder / f"{name}.grams.npy")
        counts[table[:, 0]] += table[:, 1]
    return counts


def decide_shard(work: Workspace, inputs: dict[str, str], common: tuple[Settings, str]) -> dict[str, Any]:
    """Write one Parquet file again without the documents that hold items, or with marks on them, or with cuts."""
    import numpy as np

    settings, folder = common[0], Path(common[1])
    index = load_index(folder / "index")
    spans = np.load(folder / f"{work.name}.spans.npy")
    holders = np.ascontiguousarray(spans[:, 0])
    item_words, boilerplate = np.load(folder / "item_words.npy"), np.load(folder / "boilerplate.npy")
    labels: list[str] = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    ledger = Ledger(work)
    found: dict[int, Tally] = {}
    for position, document in enumerate(chain.from_iterable(batches(work, inputs["file"]))):
        begin, end = np.searchsorted(holders, [position, position + 1])
        findings = judge(
            index,
            spans[begin:end],
            item_words,
            boilerplate,
            span_words=settings.span_words,
            min_share=settings.min_share,
        )
        _act(ledger, document, findings, labels, settings)
        for one in findings:
            found.setdefault(one.item, Tally()).note(one, document)
    return ledger.close() | {"found": {str(item): asdict(tally) for item, tally in found.items()}}


def _act(ledger: Ledger, document: Document, findings: list[Finding], labels: list[str], settings: Settings) -> None:
    """Keep, mark, cut or drop one document."""
    size = num_bytes(document.text)
    if not findings:
        ledger.keep(document, size)
        return
    named = [labels[one.item] for one in findings[:NAMED]]
    marked = replace(document, meta=document.meta | {"contaminated_with": named})
    if settings.action == "mark":
        ledger.edit({"decontaminate.mark": 1})
        ledger.keep(marked, size)
    elif settings.action == "drop":
        ledger.drop(marked, "decontaminate.match", f"{named[0]}, {findings[0].longest} words", size)
    else:
        spans = {span for one in findings for span in one.spans}
        pieces = cut(document.text, spans, settings.cut_chars)
        ledger.edit({"decontaminate.cut": len(spans)})
        if 0 < len(pieces) <= MOST_PIECES:
            ledger.keep(replace(marked, text="\n\n".join(pieces)), size)
        else:
            ledger.drop(marked, "decontaminate.pieces", len(pieces), size)


def cut(text: str, spans: set[tuple[int, int]], cut_chars: int) -> list[str]:
    """What is left of a text without some spans of words (first, last + 1) and `cut_chars` characters on either side.

    Pieces shorter than `cut_chars` go too. Source: GPT-3 (Brown et al. 2020, appendix C), with 200 characters.

    >>> cut("keep this, one two three, and that", {(2, 5)}, 2)
    ['keep this', 'nd that']
    """
    places = word_places(text)
    holes = sorted((places[begin][0] - cut_chars, places[end - 1][1] + cut_chars) for begin, end in spans)
    pieces: list[str] = []
    at = 0
    for begin, end in [*holes, (len(text), len(text))]:
        piece = text[at : max(at, begin)].strip()
        if piece and len(piece) >= cut_chars:
            pieces.append(piece)
        at = max(at, end)
    return pieces


def describe(artifact: Artifact) -> "list[Block]":
    """Each set's items and how many were found, the clearest finds, common n-grams, and the funnel with samples."""
    from hornbook.report.blocks import Samples, Table, share

    data = json.loads(artifact.file("contamination.json").read_text(encoding="utf-8"))
    columns = ["set", "items", "too short", "found", "share", "whole", "longest"]
    rows: list[list[object]] = [
        [name, s["items"], s["too_short"], s["found"], share(s["found"], s["items"]), s["whole"], s["longest"]]
        for name, s in summed(data["sets"])
    ]
    note = (
        "Too short: no text of the item is long enough to be looked for. Whole: at least 80 % of its words. Longest: "
        "words of the longest common span. Sets without a find are summed by their folder."
    )
    if data["not_read"]:
        note += f" Not read: {', '.join(data['not_read'][:10])}."
    blocks: list[Block] = [Table("Evaluation items in the documents", columns, rows, note)]
    if data["examples"]:
        blocks.append(Samples("The clearest finds", [{k: str(v) for k, v in e.items()} for e in data["examples"]]))
    if data["ngrams"]:
        grams: list[list[object]] = [[g["text"], g["documents"], g["left_out"]] for g in data["ngrams"]]
        hint = "Boilerplate here (a licence, a prompt) is left out with max_ngram_docs."
        blocks.append(
            Table("The most common of the n-grams that were found", ["words", "documents", "left out"], grams, hint)
        )
    return [*blocks, *funnel.blocks(artifact, RULES)]


def summed(sets: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Sets with finds, most first; then those without, one row for each folder.

    >>> none = {"items": 2, "too_short": 1, "found": 0, "whole": 0, "longest": 0}
    >>> [(name, row["items"]) for name, row in summed({"a/x": none, "a/y": none, "b": none | {"found": 1}})]
    [('b', 2), ('a/… (2 sets)', 4)]
    """
    found = sorted(((n, s) for n, s in sets.items() if s["found"]), key=lambda item: (-item[1]["found"], item[0]))
    folders: dict[str, list[str]] = {}
    for name, row in sets.items():
        if not row["found"]:
            folders.setdefault(name.partition("/")[0], []).append(name)
    counted = ("items", "too_short", "found", "whole", "longest")
    rest = [
        (
            names[0] if len(names) == 1 else f"{folder}/… ({len(names)} sets)",
            {key: sum(sets[name][key] for name in names) for key in counted},
        )
        for folder, names in sorted(folders.items())
    ]
    return [*found, *rest]
