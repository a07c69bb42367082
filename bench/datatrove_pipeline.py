"""datatrove's side of bench/pipeline.py, in a process and an environment of its own.

    .peers/bin/python bench/datatrove_pipeline.py WARC_FOLDER OUT_FOLDER WORKERS EXTRACTOR

WARC -> text (EXTRACTOR is `trafilatura`, datatrove's own, or `resiliparse` in datatrove's sandbox) -> Gopher
repetition, Gopher quality, C4 without its end marks, FineWeb quality -> MinHash in four stages -> Parquet: the blocks
and settings of datatrove's examples/fineweb.py without URL filter, language filter (its model is fetched from the net)
and PII. OUT_FOLDER/filtered and OUT_FOLDER/final hold the documents before and after deduplication.
"""

import sys
from pathlib import Path
from typing import Any

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.extractors.base import BaseExtractor
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.readers import ParquetReader, WarcReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.hashing import HashConfig


class Resiliparse(BaseExtractor):
    """resiliparse's main content, with the options of our fast way before it had a model of its own."""

    name = "resiliparse"

    def __init__(self, timeout: float = 1) -> None:
        super().__init__(timeout)

    def extract(self, text: str) -> str:
        """The text of a page."""
        from resiliparse.extract.html2text import extract_plain_text

        return extract_plain_text(text, main_content=True, comments=False, alt_texts=False, post_meta=False)


def pipeline(warc: Path, out: Path, workers: int, extractor: str) -> None:
    """Run all stages one after the other."""
    tasks = len(list(warc.glob("*.warc.gz")))
    extract: Any = Trafilatura(favour_precision=True, timeout=10) if extractor == "trafilatura" else Resiliparse(10)
    run(
        [
            WarcReader(str(warc), glob_pattern="*.warc.gz"),
            extract,
            GopherRepetitionFilter(),
            GopherQualityFilter(),
            C4QualityFilter(filter_no_terminal_punct=False),
            FineWebQualityFilter(),
            ParquetWriter(str(out / "filtered")),
        ],
        tasks,
        workers,
        out / "logs/1",
    )
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8)
    text = ParquetReader(str(out / "filtered"))
    run([text, MinhashDedupSignature(str(out / "signatures"), config)], tasks, workers, out / "logs/2")
    buckets = MinhashDedupBuckets(str(out / "signatures"), str(out / "buckets"), config=config)
    run([buckets], config.num_buckets, workers, out / "logs/3")
    run([MinhashDedupCluster(str(out / "buckets"), str(out / "remove"), config=config)], 1, 1, out / "logs/4")
    last = [text, MinhashDedupFilter(str(out / "remove")), ParquetWriter(str(out / "final"))]
    run(last, tasks, workers, out / "logs/5")


def run(steps: list[Any], tasks: int, workers: int, logs: Path) -> None:
    """One executor with its own folder of logs."""
    LocalPipelineExecutor(steps, tasks=tasks, workers=workers, logging_dir=str(logs)).run()


if __name__ == "__main__":
    pipeline(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
