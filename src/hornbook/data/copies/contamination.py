"""Evaluation items in documents: which are looked for, the verdict on one document, the books of them all."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact
from hornbook.core.document import Document
from hornbook.core.errors import DataError
from hornbook.data.copies.overlap import Index, grams_in, hashed_words, plain_words, word_places
from hornbook.data.files.sources import locate
from hornbook.tasks.example import read_examples
from hornbook.tasks.items import Item, find_sets, items_of, read_set

if TYPE_CHECKING:
    import numpy as np

LISTED = 20
NEARLY_WHOLE = 0.8
SHOWN_CHARS = 300


@dataclass(frozen=True)
class Known:
    """The items to look for.

    `texts` with the number of the item that `owners` says; `words`: how many words of each item are looked for (0: all
    its texts are too short); `not_read`: names of files that are no sets.
    """

    items: list[Item]
    texts: list[str]
    owners: list[int]
    words: list[int]
    not_read: list[str]

    @property
    def digest(self) -> str:
        """A hash of everything that is looked for."""
        digest = hashlib.blake2b(digest_size=16)
        for item in self.items:
            digest.update(json.dumps([item.task, item.id, item.part, item.texts]).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Finding:
    """One item found in one document: number of the item, share of its words that is covered, and the matches as first
    and last + 1 word in the document, the longest first."""

    item: int
    share: float
    spans: tuple[tuple[int, int], ...]

    @property
    def longest(self) -> int:
        """Words of the longest match."""
        return self.spans[0][1] - self.spans[0][0]


def gather(
    sets: Sequence[str], fields: tuple[str, ...], tasks: Iterable[Artifact], min_words: int, cache: Path
) -> Known:
    """Every item of sets and tasks. Raises DataError when no text of any is long enough to be looked for."""
    items: list[Item] = []
    not_read: list[str] = []
    for value in sets:
        found, others = find_sets(locate(value, cache))
        not_read += others
        for name, file in found:
            items += read_set(name, file, fields)
    for artifact in tasks:
        for name in sorted(json.loads(artifact.file("tasks.json").read_text(encoding="utf-8"))):
            items += items_of(name, read_examples(artifact.file(f"{name}.jsonl")))
    words: list[int] = []
    for item in items:
        different = {tuple(plain_words(text)) for text in item.texts}
        words.append(sum(len(text) for text in different if len(text) >= min_words))
    if not any(words):
        found_text = f"none of {len(items)} evaluation items has a text of {min_words} words"
        raise DataError(found_text, where=", ".join(sets), do="Lower min_words, or look at `fields`")
    texts = [text for item in items for text in item.texts]
    owners = [number for number, item in enumerate(items) for _ in item.texts]
    return Known(items, texts, owners, words, not_read)


def judge(
    index: Index,
    spans: "np.ndarray",
    item_words: "np.ndarray",
    boilerplate: "np.ndarray",
    *,
    span_words: int,
    min_share: float,
) -> list[Finding]:
    """The items that one document holds, those with the longest match first.

    `spans`: the document's rows of `common_spans`; `item_words`: words that are looked for of each item;
    `boilerplate`: whether each kind of n-gram counts for nothing; `span_words`: least run that counts for the share.
    """
    import numpy as np

    by_item: dict[int, list[list[int]]] = {}
    for span in spans.tolist():
        for item in index.owners[index.owner_offsets[span[1]] : index.owner_offsets[span[1] + 1]].tolist():
            by_item.setdefault(item, []).append(span)
    findings: list[Finding] = []
    for item, rows in by_item.items():
        matches = {(r[2], r[2] + r[4]) for r in rows if not np.all(boilerplate[grams_in(index, r[1], r[3], r[4])])}
        share = _covered(index, rows, span_words) / max(1, int(item_words[item]))
        if matches and share >= min_share:
            ordered = sorted(matches, key=lambda match: (match[0] - match[1], match[0]))
            findings.append(Finding(item, share, tuple(ordered)))
    return sorted(findings, key=lambda one: (-one.longest, one.item))


def _covered(index: Index, rows: list[list[int]], span_words: int) -> int:
    """Words of the known texts inside common spans that are long enough, or that are a whole text."""
    spans: list[tuple[int, int]] = []
    for _, known, _, first, length in rows:
        begin, end = int(index.offsets[known]), int(index.offsets[known + 1])
        if length >= min(span_words, end - begin):
            spans.append((begin + first, begin + first + length))
    covered = at = 0
    for begin, end in sorted(spans):
        covered += max(0, end - max(begin, at))
        at = max(at, end)
    return covered


@dataclass
class Tally:
    """What is known of one item over many documents: how many hold it, the best share, the longest match and where."""

    docs: int = 0
    share: float = 0.0
    longest: int = 0
    document: str = ""
    text: str = ""

    def note(self, one: Finding, document: Document) -> None:
        """Add one document."""
        if one.longest > self.longest:
            places = word_places(document.text)
            begin, end = one.spans[0]
            shown = document.text[places[begin][0] : places[end - 1][1]]
            self.longest, self.document = one.longest, document.id
            self.text = " ".join(shown.split())[:SHOWN_CHARS]
        self.docs += 1
        self.share = max(self.share, one.share)

    def add(self, other: "Tally") -> None:
        """Add what another shard found; the first of two equally long matches stays."""
        if other.longest > self.longest:
            self.longest, self.document, self.text = other.longest, other.document, other.text
        self.docs += other.docs
        self.share = max(self.share, other.share)


def books(known: Known, found: dict[int, Tally], ngrams: list[dict[str, Any]]) -> dict[str, Any]:
    """`contamination.json`: for each set how many items were found and which; the clearest finds; common n-grams."""
    sets: dict[str, dict[str, Any]] = {}
    for number, item in enumerate(known.items):
        name = item.task if item.part == "question" else f"{item.task} (passages)"
        row = sets.setdefault(name, {"items": 0, "too_short": 0, "found": 0, "whole": 0, "longest": 0, "ids": []})
        row["items"] += 1
        row["too_short"] += int(known.words[number] == 0)
        if number in found:
            row["found"] += 1
            row["whole"] += int(found[number].share >= NEARLY_WHOLE)
            row["longest"] = max(row["longest"], found[number].longest)
            row["ids"].append(item.id)
    best = sorted(found.items(), key=lambda pair: (-pair[1].longest, pair[0]))[:LISTED]
    examples = [
        {
            "set": known.items[number].task,
            "item": known.items[number].id,
            "words": tally.longest,
            "share": round(tally.share, 4),
            "documents": tally.docs,
            "document": tally.document,
            "text": tally.text,
        }
        for number, tally in best
    ]
    return {"sets": sets, "examples": examples, "ngrams": ngrams, "not_read": known.not_read}


def common_ngrams(known: Known, index: Index, counts: "np.ndarray", boilerplate: "np.ndarray") -> list[dict[str, Any]]:
    """The n-grams that the most documents hold (`counts` of each kind), as text.

    Neighbouring n-grams of one text that equally many documents hold are one entry.
    """
    import numpy as np

    held = counts[index.grams]
    begins = np.flatnonzero(np.diff(held, prepend=-1) != 0)
    begins = np.unique(np.concatenate((begins, index.gram_offsets[:-1])))
    begins, ends = begins[held[begins] > 0], np.append(begins[1:], len(held))[held[begins] > 0]
    begins_of: dict[int, tuple[int, int]] = {}
    for begin, end in sorted(zip(begins.tolist(), ends.tolist(), strict=True), key=lambda run: (-held[run[0]], run[0])):
        begins_of.setdefault(int(index.grams[begin]), (begin, end))
        if len(begins_of) == LISTED:
            break
    holders = {
        kind: int(np.searchsorted(index.gram_offsets, run[0], side="right")) - 1 for kind, run in begins_of.items()
    }
    words = _words_behind(known, index, holders.values())
    found: list[dict[str, Any]] = []
    for kind, (begin, end) in begins_of.items():
        text, first = words[holders[kind]], begin - int(index.gram_offsets[holders[kind]])
        shown = " ".join(text[first : first + end - begin - 1 + index.gram_words])
        found.append({"text": shown, "documents": int(counts[kind]), "left_out": bool(boilerplate[kind])})
    return found


def _words_behind(known: Known, index: Index, texts: Iterable[int]) -> dict[int, list[str]]:
    """The words of some texts of the index, which itself has their hashes alone."""
    hashes, offsets = hashed_words(known.texts)
    where = {hashes[offsets[n] : offsets[n + 1]].tobytes(): n for n in range(len(known.texts))}
    keys = {text: index.hashes[index.offsets[text] : index.offsets[text + 1]].tobytes() for text in texts}
    return {text: plain_words(known.texts[where[key]]) for text, key in keys.items()}
