"""Texts of each domain for proxy models: documents chosen by a hash of their ids, encoded, parted in two."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hornbook.core.artifact import Artifact
from hornbook.core.document import Document, read_documents
from hornbook.core.errors import DataError
from hornbook.core.runlog import RunLog
from hornbook.core.seed import key
from hornbook.data.mix import domain_of, refuse_many
from hornbook.pretrain.source import Shard
from hornbook.scaling.proxies import Encoded
from hornbook.tokenizer.tokenizer import Tokenizer


@dataclass
class Pile:
    """Documents of one domain, those whose ids hash lowest, and how much there was of it."""

    kept: list[tuple[int, str]]
    num_bytes: int = 0
    kept_bytes: int = 0

    def add(self, document: Document, most_bytes: int) -> None:
        """Take a document, at most half of `most_bytes` of it; now and then those with the highest hashes leave."""
        data = document.text.encode()
        self.num_bytes += len(data)
        beginning = data[: most_bytes // 2]
        if beginning:
            self.kept_bytes += len(beginning)
            self.kept.append((key(0, f"scaling.mixture/{document.id}"), beginning.decode(errors="ignore")))
        if self.kept_bytes > 2 * most_bytes:
            self.prune(most_bytes)

    def prune(self, most_bytes: int) -> None:
        """Keep about `most_bytes`."""
        self.kept.sort(key=lambda pair: pair[0])
        reached = np.cumsum([len(text.encode()) for _, text in self.kept])
        end = int(np.searchsorted(reached, most_bytes)) + 1
        self.kept, self.kept_bytes = self.kept[:end], int(reached[min(end, len(reached)) - 1])


def piles_of(artifacts: Sequence[Artifact], by: str, most_bytes: int, log: RunLog) -> dict[str, Pile]:
    """About `most_bytes` of every domain. Raises DataError where there is nothing to mix, or too little to learn from.

    `by`: what a domain is, as in data.mix.
    """
    piles: dict[str, Pile] = {}
    with log.task("sample", unit="docs") as task:
        for artifact in artifacts:
            for document in read_documents(artifact.path):
                piles.setdefault(domain_of(document, by), Pile([])).add(document, most_bytes)
                refuse_many(len(piles), by)
                task.advance()
    if len(piles) < 2:
        same = f'all documents have the same {by}, "{next(iter(piles))}"' if piles else "there are no documents"
        raise DataError(f"{same}: there is nothing to mix", do="Set `by` to a field of meta, or read more sources")
    for name, pile in sorted(piles.items()):
        if len(pile.kept) < 2:
            raise DataError(
                f'the domain "{name}" has fewer than two documents with text: one to learn from, one to measure on'
            )
        pile.prune(most_bytes)
    return piles


def target_pile(artifact: Artifact, most_bytes: int) -> Pile:
    """Documents that the model should be good at."""
    pile = Pile([])
    for document in read_documents(artifact.path):
        pile.add(document, most_bytes)
    if not pile.kept:
        raise DataError("these documents have no text to measure on", where=str(artifact.path))
    pile.prune(most_bytes)
    return pile


def encode(pile: Pile, validation_bytes: int, tokenizer: Tokenizer, own: bool) -> Encoded:
    """A domain's texts as tokens: the first `validation_bytes` are measured on (all, when it is no domain of the mix).

    At most half of a domain's documents are measured on, at least one.
    """
    texts = [text for _, text in pile.kept]
    ids = [[tokenizer.bos_id, *found, tokenizer.eos_id] for found in tokenizer.encode_batch(texts)]
    sizes = [len(text.encode()) for text in texts]
    end = int(np.searchsorted(np.cumsum(sizes), validation_bytes)) + 1
    end = min(end, len(texts) // 2) if own else len(texts)
    return Encoded(_shard(ids[end:], sizes[end:]) if own else None, _shard(ids[:end], sizes[:end]))


def _shard(ids: list[list[int]], sizes: list[int]) -> Shard:
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in ids]))).astype(np.int64)
    return Shard(np.concatenate([np.array(one, np.uint32) for one in ids]), offsets, np.array(sizes, np.int64))
