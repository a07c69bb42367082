"""Stage data.index: near-neighbour search over the documents: vectors and an inverted index, in plain files."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import document_shards
from hornbook.core.settings import StrictSettings
from hornbook.data.insight.sample import beginnings, sample, texts_of
from hornbook.data.insight.vectors import Space, counts_of, fit, load, project, save, tf_idf, words_of
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+"}
WRITES = "index"
VERSION = 1

BM25_K1, BM25_B = 1.2, 0.75
FUSION = 60
TELLING_IDF = 3.0
"""Words of at most an eighth of the documents are shown as shared, where there are any."""
SCAN_ROWS = 65_536
COLUMNS = ("id", "url", "source", "text")


class Settings(StrictSettings):
    """What the vectors are made from, and how large they are."""

    dims: int = pydantic.Field(default=128, ge=2, le=1024)
    """Dimensions of a vector (two bytes each on disk)."""
    max_words: int = pydantic.Field(default=50_000, ge=100)
    """Words the index knows: those in most documents of the sample, at least two."""
    sample_docs: int = pydantic.Field(default=50_000, ge=3)
    """Documents that words and dimensions are learned from, a random sample."""
    head_chars: int = pydantic.Field(default=4000, ge=100)
    """How much of each document's beginning is indexed."""
    beginning_chars: int = pydantic.Field(default=300, ge=0)
    """How much of it is kept in the index to be shown."""


@dataclass(frozen=True)
class Hit:
    """A document that was found. `similarity`: cosine of the vectors; `bm25`: of the words; `words`: shared ones."""

    id: str
    url: str
    source: str
    beginning: str
    similarity: float
    bm25: float
    words: tuple[str, ...]


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Learn words and dimensions from a sample, then index every shard."""
    found = inputs["documents"]
    artifacts: tuple[Artifact, ...] = found if isinstance(found, tuple) else (found,)
    table = sample(artifacts, out, settings.sample_docs, settings.head_chars)
    space, _ = fit(table["text"].to_pylist(), settings.dims, settings.max_words, out.seed)
    save(space, Path(out.path))
    hashes = [artifact.manifest.payload_hash for artifact in artifacts]
    job = f"data.index {VERSION} {settings.model_dump_json()} {out.seed} {hashes}"
    shards = [
        Shard(f"{number:05d}", {"file": str(file), "space": str(out.path)})
        for number, file in enumerate(file for artifact in artifacts for file in document_shards(artifact.path))
    ]
    done = run_shards(index_shard, shards, out, label="index", common=settings, job=job)
    num_docs, num_words = (sum(summary[name] for summary in done) for name in ("in", "words"))
    write_json(Path(out.path) / "index.json", {"docs": num_docs, "mean_words": num_words / max(1, num_docs)})
    out.counts.update(docs=num_docs, words=len(space.words), dims=int(space.components_VK.shape[1]))


def index_shard(work: Workspace, inputs: dict[str, str], settings: Settings) -> dict[str, Any]:
    """Vectors (float16), postings and what is shown of one Parquet file."""
    import numpy as np
    import pyarrow
    import pyarrow.parquet
    import scipy.sparse

    space = load(Path(inputs["space"]))
    index = space.index()
    vectors: list[np.ndarray] = []
    counts: list[Any] = []
    shown: list[pyarrow.Table] = []
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        names = [name for name in COLUMNS if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=1024, columns=names):
            columns = texts_of(pyarrow.Table.from_batches([batch]), COLUMNS)
            heads = beginnings(columns.pop("text"), settings.head_chars)
            found = counts_of(heads.to_pylist(), index)
            vectors.append(project(tf_idf(found, space.idf_V), space).astype(np.float16))
            counts.append(found)
            shown.append(pyarrow.table(columns | {"beginning": beginnings(heads, settings.beginning_chars)}))
            work.advance(batch.num_rows)
    size = (0, len(space.words))
    by_word = scipy.sparse.vstack(counts or [scipy.sparse.csr_matrix(size, dtype=np.float32)]).tocsc()
    arrays = {
        "vectors": np.concatenate(vectors) if vectors else np.zeros((0, space.components_VK.shape[1]), np.float16),
        "starts": by_word.indptr.astype(np.int64),
        "rows": by_word.indices.astype(np.int32),
        "times": np.minimum(by_word.data, 255).astype(np.uint8),
        "lengths": np.asarray(by_word.sum(axis=1)).ravel().astype(np.int32),
    }
    for name, array in arrays.items():
        with work.output(f"shards/{work.name}.{name}.npy").open("wb") as target:
            np.save(target, array)
    if shown:
        pyarrow.parquet.write_table(
            pyarrow.concat_tables(shown), work.output(f"shards/{work.name}.parquet"), compression="zstd"
        )
    return {"in": len(arrays["lengths"]), "words": int(arrays["lengths"].sum())}


class Searcher:
    """An index opened for searching; arrays are memory-mapped, so opening costs little and many can share them."""

    def __init__(self, folder: Path) -> None:
        import json

        import numpy as np

        self.folder = folder
        self.space: Space = load(folder)
        self.index = self.space.index()
        facts = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        self.mean_words, self.num_docs = max(1.0, facts["mean_words"]), facts["docs"]
        self.files = sorted((folder / "shards").glob("*.parquet"))
        names = ("vectors", "starts", "rows", "times", "lengths")
        self.shards = [{n: np.load(f.with_suffix(f".{n}.npy"), mmap_mode="r") for n in names} for f in self.files]

    def near(self, text: str, most: int = 10) -> list[Hit]:
        """The documents nearest to a text, by vectors and by words together.

        Source: BM25 (Robertson & Zaragoza 2009, k1 1.2, b .75); both ranks are joined by reciprocal rank fusion
        (Cormack et al. 2009, k 60). Deviation: BM25 knows the words of the index only; a term counts 255 times
        at most in a document, and as often as it was asked for.
        """
        import numpy as np

        if not self.shards:
            return []
        counts = counts_of([text], self.index)
        query_K = project(tf_idf(counts, self.space.idf_V), self.space)[0]
        cosine_N = np.concatenate([_scan(shard["vectors"], query_K) for shard in self.shards])
        bm25_N = np.concatenate([self._bm25(shard, counts) for shard in self.shards])
        wide = max(10 * most, 100)
        ranks: dict[int, float] = {}
        for scores in (cosine_N, bm25_N):
            for rank, row in enumerate(_best(scores, wide)):
                ranks[row] = ranks.get(row, 0.0) + 1 / (FUSION + rank + 1)
        chosen = sorted(ranks, key=lambda row: (-ranks[row], -cosine_N[row], row))[:most]
        return self._hits(chosen, cosine_N, bm25_N, set(words_of(text)))

    def _bm25(self, shard: dict[str, "np.ndarray"], query: Any) -> "np.ndarray":
        import numpy as np

        scores_N = np.zeros(len(shard["lengths"]), np.float32)
        longer_N = BM25_K1 * (1 - BM25_B + BM25_B * np.asarray(shard["lengths"]) / self.mean_words)
        for word, asked in zip(query.indices.tolist(), query.data.tolist(), strict=True):
            begin, end = shard["starts"][word : word + 2]
            rows, times = np.asarray(shard["rows"][begin:end]), shard["times"][begin:end].astype(np.float32)
            scores_N[rows] += asked * self.space.idf_V[word] * times * (BM25_K1 + 1) / (times + longer_N[rows])
        return scores_N

    def _hits(self, chosen: list[int], cosine_N: "np.ndarray", bm25_N: "np.ndarray", words: set[str]) -> list[Hit]:
        import numpy as np
        import pyarrow.parquet

        borders = np.cumsum([0, *(len(shard["lengths"]) for shard in self.shards)])
        tables: dict[int, Any] = {}
        found: list[Hit] = []
        for row in chosen:
            place = int(np.searchsorted(borders, row, side="right")) - 1
            if place not in tables:
                tables[place] = pyarrow.parquet.read_table(self.files[place])
            shown = {
                name: str(column[row - borders[place]])
                for name, column in zip(tables[place].column_names, tables[place].columns, strict=True)
            }
            shared = words & set(words_of(shown["beginning"])) & self.index.keys()
            telling = [word for word in shared if self.space.idf_V[self.index[word]] >= TELLING_IDF]
            found.append(
                Hit(
                    **shown,
                    similarity=float(cosine_N[row]),
                    bm25=float(bm25_N[row]),
                    words=tuple(sorted(telling or shared)),
                )
            )
        return found


def _scan(vectors_NK: "np.ndarray", query_K: "np.ndarray") -> "np.ndarray":
    """Similarities of all rows, exactly, a block at a time."""
    import numpy as np

    blocks = [
        vectors_NK[start : start + SCAN_ROWS].astype(np.float32) @ query_K
        for start in range(0, len(vectors_NK), SCAN_ROWS)
    ]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _best(scores_N: "np.ndarray", most: int) -> list[int]:
    """Rows of the highest positive scores, the highest first; equal ones in order."""
    import numpy as np

    most = min(most, len(scores_N))
    if not most:
        return []
    rows = np.argpartition(-scores_N, most - 1)[:most]
    rows = rows[scores_N[rows] > 0]
    return rows[np.lexsort((rows, -scores_N[rows]))].tolist()


def describe(artifact: Artifact) -> "list[Block]":
    """What the index knows, and how to ask it."""
    from hornbook.report.blocks import Table, Text

    counts = artifact.manifest.counts
    with (artifact.path / "words.txt").open(encoding="utf-8") as lines:
        words = ", ".join(line.strip() for line in islice(lines, 30))
    size = sum(file.stat().st_size for file in artifact.path.rglob("*") if file.is_file())
    rows: list[list[object]] = [[name, counts.get(name, 0)] for name in ("docs", "words", "dims")]
    rows.append(["bytes", size])
    said = f'`hornbook look {artifact.path.parent.name}/{artifact.path.name} --near "some words"` asks it.'
    return [Table("The index", ["what", "how many"], rows, said), Text("Its commonest words", words)]
