"""Small made-up corpora as documents artifacts, for tests."""

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet as pq

from hornbook.core.artifact import Artifact, Manifest
from hornbook.core.document import Document, document_id, to_table

TOPICS = {
    "sea": "boat harbour wave sailor anchor tide fisherman gull storm island rope deck".split(),
    "kitchen": "bread oven flour butter spoon soup pepper cook plate onion recipe salt".split(),
    "night": "moon star owl dream candle shadow silence lantern comet sleep darkness cloud".split(),
    "farm": "cow barn tractor wheat farmer hay goat meadow fence milk plough chicken".split(),
}
SMALL = "the a and was with in of to it on".split()


def topic_text(topic: str, number: int, num_words: int = 60) -> str:
    """Words of one topic among small words; the same number gives the same text."""
    stream = random.Random(f"{topic} {number}")
    rare = [f"{topic}{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(150)]
    words = [stream.choice(stream.choice((TOPICS[topic], SMALL, TOPICS[topic], SMALL, rare))) for _ in range(num_words)]
    return " ".join(words).capitalize() + "."


def topic_documents(each: int) -> list[Document]:
    """`each` documents of every topic, mixed."""
    rows = [(topic, number) for number in range(each) for topic in TOPICS]
    return [
        Document(document_id("t", i), topic_text(t, n), f"https://{t}.example/{n}", t, {"kind": t, "title": f"{t} {n}"})
        for i, (t, n) in enumerate(rows)
    ]


def put(
    folder: Path, kept: Sequence[Document], dropped: Sequence[tuple[Document, str, str]] = (), shard_docs: int = 50
) -> Artifact:
    """A documents artifact in shards of `shard_docs`."""
    for name in ("kept", "dropped"):
        (folder / name).mkdir(parents=True)
    for number, start in enumerate(range(0, max(1, len(kept)), shard_docs)):
        pq.write_table(to_table(kept[start : start + shard_docs]), folder / f"kept/{number:05d}.parquet")
    table = to_table([document for document, _, _ in dropped])
    for place, name in ((1, "rule"), (2, "value")):
        table = table.append_column(name, pyarrow.array([row[place] for row in dropped], pyarrow.large_string()))
    pq.write_table(table, folder / "dropped/00000.parquet")
    return Artifact(folder, Manifest(kind="documents", payload_hash=folder.name, counts={"docs": len(kept)}))
