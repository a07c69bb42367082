"""Texts to judge a model on: a text file's pieces, or the documents that training never saw."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.document import Document, document_id
from hornbook.core.errors import DataError
from hornbook.tokenizer.encode import is_validation, place_of


@dataclass(frozen=True, slots=True)
class Sample:
    """Documents in their order, and how many there were to choose from."""

    documents: list[Document]
    num_docs: int


def text_documents(path: Path, separator: str) -> Iterator[Document]:
    """The pieces of a UTF-8 text file between separators, without the white space around them, none empty.

    Line ends become `\\n`, as when such a file is read for training; bytes are counted after that. Raises DataError
    when the file is not UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"not UTF-8 text (byte {error.start})"
        raise DataError(found, where=str(path), do="Read it with data.read and give its documents") from None
    pieces = text.replace("\r\n", "\n").split(separator) if separator else [text.replace("\r\n", "\n")]
    for position, piece in enumerate(pieces):
        if piece.strip():
            yield Document(document_id(path.name, position), piece.strip(), source=path.name)


def held_out(documents: Iterable[Document], validation_frac: float) -> Iterator[Document]:
    """The documents that `tokenizer.encode` keeps out of training with the same `validation_frac`."""
    nearest: Document | None = None
    found = False
    num_docs = 0
    for document in documents:
        num_docs += 1
        if is_validation(document.id, validation_frac):
            found = True
            yield document
        elif nearest is None or place_of(document.id) < place_of(nearest.id):
            nearest = document
    if not found and num_docs > 1 and nearest is not None and validation_frac:
        yield nearest


def sample(documents: Iterable[Document], max_bytes: int) -> Sample:
    """All documents with text, or of more than `max_bytes` those whose ids hash lowest; in their order."""
    heap: list[tuple[int, int, int, Document]] = []
    total = num_docs = 0
    for position, document in enumerate(documents):
        num_bytes = len(document.text.encode())
        if not num_bytes:
            continue
        num_docs += 1
        total += num_bytes
        heapq.heappush(heap, (-place_of(document.id), -position, num_bytes, document))
        while total > max_bytes and len(heap) > 1:
            total -= heapq.heappop(heap)[2]
    return Sample([item[3] for item in sorted(heap, key=lambda item: -item[1])], num_docs)
