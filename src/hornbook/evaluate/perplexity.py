"""Stage evaluate.perplexity: bits per byte of raw text, document by document, with its interval and protocol."""

import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document, read_documents
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.core.units import bits_per_byte
from hornbook.engine.interface import LanguageModel
from hornbook.evaluate.held_out import Sample, held_out, sample, text_documents
from hornbook.evaluate.open_model import open_model
from hornbook.evaluate.results import read_samples, scores_block, write_samples, write_scores
from hornbook.tasks.score import Score, bootstrap_ratio
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"model": "checkpoint", "documents": "documents+?"}
WRITES = "scores"
VERSION = 1
GROUP_TOKENS = 100_000
SHOWN_CHARS = 300


class Settings(StrictSettings):
    """Which texts, and how those that are longer than the context are read."""

    path: InputPath | None = None
    """A UTF-8 text file to measure on, instead of documents."""
    separator: str = "<|endoftext|>"
    """What stands between the documents of `path`; empty = the whole file is one."""
    part: Literal["validation", "all"] = "validation"
    """With documents: those that `tokenizer.encode` keeps out of training, or all of them."""
    validation_frac: float = pydantic.Field(default=0.02, ge=0.0, lt=1.0)
    """Must be the `validation_frac` of `tokenizer.encode`."""
    max_bytes: int = pydantic.Field(default=2_000_000, ge=1)
    """Text to measure on, at most; of more, a sample of documents is taken by a hash of their id."""
    context_tokens: int | None = pydantic.Field(default=None, ge=2)
    """Longest window; empty = the rows that the model was trained on, where its manifest says so, else its context."""
    stride_frac: float = pydantic.Field(default=0.5, gt=0.0, le=1.0)
    """Share of a window that is new in every window of a document but the first."""


@dataclass(frozen=True, slots=True)
class DocumentCost:
    """What a document cost: nats of its text and, apart, of its end; tokens and raw UTF-8 bytes of its text."""

    id: str
    num_bytes: int
    num_tokens: int
    nats: float
    end_nats: float


@dataclass(frozen=True, slots=True)
class Window:
    """Ids from `start` to `end` are read, the costs of those from `new` on are counted."""

    start: int
    end: int
    new: int


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Measure, and write the scores and what every document cost."""
    chosen = _chosen(settings, inputs)
    model = open_model(inputs["model"].path, out.machine)
    trained = inputs["model"].manifest.settings.get("row_tokens")
    context_tokens = min(settings.context_tokens or trained or model.context_tokens, model.context_tokens)
    stride_tokens = max(1, round(context_tokens * settings.stride_frac))
    encoded = Encoded(model.tokenizer, chosen.documents)
    costs: list[DocumentCost] = []
    with out.log.task("bits per byte", total=len(chosen.documents), unit="docs") as task:
        for number, group in enumerate(encoded.groups(GROUP_TOKENS)):
            costs += _once(
                out.resume / f"group-{number:05d}.json",
                lambda group=group: document_costs(model, encoded, group, context_tokens, stride_tokens),
            )
            task.advance(len(group))
    protocol = _protocol(settings, chosen, context_tokens, stride_tokens)
    found = scores(costs, encoded.token_counts, encoded.byte_counts, protocol, out.seed)
    titles = {"bits_per_byte": "bits per byte", "bits_per_byte_with_end": "bits per byte, ends of texts included"}
    write_scores(out.path, found, titles | {"nats_per_token": "nats per token"})
    write_samples(out.path, _samples(costs, chosen.documents))
    out.counts |= {
        "docs": len(costs),
        "bytes": sum(c.num_bytes for c in costs),
        "tokens": sum(c.num_tokens for c in costs),
    }


class Encoded:
    """Documents as ids: BOS, text, EOS; and how often each token and each byte stands in them."""

    def __init__(self, tokenizer: Tokenizer, documents: Sequence[Document]) -> None:
        self.documents = documents
        texts = tokenizer.encode_batch([d.text for d in documents])
        self.ids = [[tokenizer.bos_id, *ids, tokenizer.eos_id] for ids in texts]
        self.token_counts = Counter(i for ids in texts for i in ids)
        self.byte_counts: Counter[int] = Counter()
        for document in documents:
            self.byte_counts.update(document.text.encode())

    def groups(self, num_tokens: int) -> Iterator[list[int]]:
        """Indices of documents, in order, about `num_tokens` at a time."""
        group: list[int] = []
        total = 0
        for index, ids in enumerate(self.ids):
            group.append(index)
            total += len(ids)
            if total >= num_tokens:
                yield group
                group, total = [], 0
        if group:
            yield group


def windows(num_ids: int, context_tokens: int, stride_tokens: int) -> list[Window]:
    """Windows over `num_ids` ids in which every id but the first is new exactly once.

    The first window counts all it can; every later one is full, and counts at most `stride_tokens` ids.
    Source: the strided windows of HELM and of Hugging Face's guide to perplexity; here the last window is full too.

    >>> [(w.start, w.end, w.new) for w in windows(9, 4, 2)]
    [(0, 4, 1), (2, 6, 4), (4, 8, 6), (5, 9, 8)]
    """
    stride = min(stride_tokens, context_tokens - 1)
    found = [Window(0, min(num_ids, context_tokens), 1)]
    while found[-1].end < num_ids:
        new = found[-1].end
        end = min(num_ids, new + stride)
        found.append(Window(end - context_tokens, end, new))
    return found


def document_costs(
    model: LanguageModel, encoded: Encoded, group: Sequence[int], context_tokens: int, stride_tokens: int
) -> list[DocumentCost]:
    """What the documents of a group cost; sums in fp64."""
    asked = [(i, w) for i in group for w in windows(len(encoded.ids[i]), context_tokens, stride_tokens)]
    answers = model.score([encoded.ids[i][w.start : w.end] for i, w in asked])
    logp = {i: np.zeros(len(encoded.ids[i]), dtype=np.float64) for i in group}
    for (index, window), found in zip(asked, answers, strict=True):
        logp[index][window.new : window.end] = found[window.new - window.start - 1 :]
    return [
        DocumentCost(
            id=encoded.documents[i].id,
            num_bytes=len(encoded.documents[i].text.encode()),
            num_tokens=len(encoded.ids[i]) - 2,
            nats=-float(logp[i][1:-1].sum()),
            end_nats=-float(logp[i][-1]),
        )
        for i in group
    ]


def scores(
    costs: Sequence[DocumentCost], token_counts: Counter[int], byte_counts: Counter[int], protocol: str, seed: int
) -> list[Score]:
    """Bits per byte without and with the ends of texts, and nats per token, with intervals over documents."""
    num_bytes, num_tokens = sum(c.num_bytes for c in costs), sum(c.num_tokens for c in costs)
    nats = sum(c.nats for c in costs)
    with_end = nats + sum(c.end_nats for c in costs)

    def over_bytes(tops: list[float]) -> tuple[float, float]:
        return bootstrap_ratio(tops, [math.log(2) * c.num_bytes for c in costs], seed)

    low, high = over_bytes([c.nats for c in costs])
    low_end, high_end = over_bytes([c.nats + c.end_nats for c in costs])
    low_token, high_token = bootstrap_ratio([c.nats for c in costs], [c.num_tokens for c in costs], seed)
    about: dict[str, Any] = {"num_cases": len(costs), "lower_is_better": True}
    by_byte = entropy_nats(byte_counts) / math.log(2)
    per_token = (
        f"{protocol}; token perplexity {math.exp(min(700.0, nats / num_tokens)):.4g}; not comparable between tokenizers"
    )
    return [
        Score(
            "bits_per_byte",
            bits_per_byte(nats, num_bytes),
            low,
            high,
            unit="bits per byte",
            baseline=by_byte,
            protocol=f"{protocol}; the cost of the end-of-text token is left out; baseline: each byte by its frequency",
            **about,
        ),
        Score(
            "bits_per_byte_with_end",
            bits_per_byte(with_end, num_bytes),
            low_end,
            high_end,
            unit="bits per byte",
            protocol=f"{protocol}; the cost of the end-of-text token is included",
            **about,
        ),
        Score(
            "nats_per_token",
            nats / num_tokens,
            low_token,
            high_token,
            unit="nats per token",
            baseline=entropy_nats(token_counts),
            protocol=f"{per_token}; baseline: each token by its frequency",
            **about,
        ),
    ]


def entropy_nats(counts: Counter[int]) -> float:
    """Entropy of a frequency table in nats: what a model that knows only frequencies pays for each item.

    >>> round(entropy_nats(Counter({0: 1, 1: 1})) / math.log(2), 6)
    1.0
    """
    total = sum(counts.values())
    return -sum(n / total * math.log(n / total) for n in counts.values()) if total else 0.0


def describe(artifact: Artifact) -> "list[Block]":
    """The scores, and the texts that cost least and most for each byte."""
    from hornbook.report.blocks import Samples

    records = sorted(read_samples(artifact.path), key=lambda r: (r["bits_per_byte"], r["id"]))
    ends = records[:3] + records[-3:] if len(records) > 6 else records
    items = [
        {"bits per byte": f"{r['bits_per_byte']:.3f}", "bytes": f"{r['bytes']:,}", "text": r["text"]} for r in ends
    ]
    return [scores_block(artifact, "Bits per byte"), Samples("The most and the least expected texts", items)]


def _chosen(settings: Settings, inputs: dict[str, Any]) -> Sample:
    """The documents to measure on. Raises SettingsError unless there is one source, DataError when it is empty."""
    if (settings.path is None) == ("documents" not in inputs):
        raise SettingsError("the texts to measure on are missing or given twice", do='Set "path", or read.documents')
    if settings.path is not None:
        path = resolve_input(settings.path)
        if path.is_dir():
            do = "Read the folder with data.read and give its documents"
            raise DataError("this is a folder, not a text file", where=str(path), do=do)
        chosen, where = sample(text_documents(path, settings.separator), settings.max_bytes), str(path)
    else:
        artifacts: tuple[Artifact, ...] = inputs["documents"]
        documents: Iterator[Document] = itertools.chain.from_iterable(read_documents(a.path) for a in artifacts)
        if settings.part == "validation":
            documents = held_out(documents, settings.validation_frac)
        chosen, where = sample(documents, settings.max_bytes), ", ".join(str(a.path) for a in artifacts)
    if not chosen.documents:
        do = 'Use part = "all", or a validation_frac above 0' if settings.path is None else "Check the file"
        raise DataError("there is no text to measure on", where=where, do=do)
    return chosen


def _once(file: Path, measure: Callable[[], list[DocumentCost]]) -> list[DocumentCost]:
    """Costs that an interrupted run left behind, or measured now and kept for a restart."""
    if file.exists():
        return [DocumentCost(**record) for record in json.loads(file.read_text())]
    costs = measure()
    write_json(file, [asdict(cost) for cost in costs])
    return costs


def _protocol(settings: Settings, chosen: Sample, context_tokens: int, stride_tokens: int) -> str:
    """How it was measured, in one line."""
    texts = "all documents"
    if settings.path is None and settings.part == "validation":
        texts = f"documents kept out of training (validation_frac {settings.validation_frac:g})"
    if len(chosen.documents) < chosen.num_docs:
        texts += f", {len(chosen.documents):,} of {chosen.num_docs:,} chosen by hash"
    reading = f"windows of {context_tokens:,} tokens, each after a document's first counts its last {stride_tokens:,}"
    return f"{texts}; document by document, BOS first; raw UTF-8 bytes; fp32; {reading}; bootstrap over documents"


def _samples(costs: Sequence[DocumentCost], documents: Sequence[Document]) -> Iterator[dict[str, Any]]:
    for cost, document in zip(costs, documents, strict=True):
        yield {
            "id": cost.id,
            "bytes": cost.num_bytes,
            "tokens": cost.num_tokens,
            "bits_per_byte": bits_per_byte(cost.nats, cost.num_bytes),
            "end_nats": cost.end_nats,
            "text": document.text[:SHOWN_CHARS],
        }
