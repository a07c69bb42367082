"""From WARC to deduplicated Parquet beside datatrove: documents a second, peak memory, agreement with the truth.

    .venv/bin/python bench/pipeline.py [--gold FOLDER] [--variants 8] [--world-bytes 3000000] [--repeats 2]

The same files, rules (in datatrove's reading), parameters and number of worker processes for both, in one run,
interleaved, each as a whole process from start to end. Input: bench/crawl_sample.py (`--gold`: the folder of the
collections of bench/gold_pages.py; default HORNBOOK_DATA/web where it exists). datatrove runs once with its own
extractor, trafilatura, and once with resiliparse in its sandbox. The peers live in .peers (bench/README.md).
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet
from crawl_sample import Truth, build
from gold_pages import overlap, words_of
from measured import Measured, run_measured
from record import machine, publish

HERE = Path(__file__).parent
PEER = HERE.parent / ".peers/bin/python"
RECIPE = """
name = "pipeline"
[[stage]]
id = "text"
run = "data.extract"
path = "{warc}"
profile = "{profile}"
[[stage]]
id = "clean"
run = "data.filter"
read.documents = "text"
rules = ["gopher_repetition", "gopher_quality", "c4", "fineweb"]
[stage.rule.gopher_repetition]
reading = "datatrove"
[stage.rule.gopher_quality]
reading = "datatrove"
[stage.rule.c4]
end_marks = false
[stage.rule.fineweb]
reading = "datatrove"
[[stage]]
id = "unique"
run = "data.dedup"
read.documents = "clean"
[machine]
workers = {workers}
"""
SIDES = ("ours fast", "ours precise", "datatrove resiliparse", "datatrove trafilatura")


def main() -> int:
    """Build the crawl, run all sides, print the table and the JSON line."""
    options = arguments()
    gold = options.gold or default_gold()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        truth = build(folder / "crawl", gold, options.variants, options.world_bytes)
        num_pages = len(truth)
        sides = [side for side in SIDES if side.startswith("ours") or PEER.exists()]
        runs: dict[str, list[Measured]] = {side: [] for side in sides}
        for _ in range(options.repeats):
            for side in sides:
                shutil.rmtree(folder / side, ignore_errors=True)
                runs[side].append(one(side, folder / "crawl/warc", folder / side, options.workers))
        rows = {side: summary(runs[side], num_pages, *outputs(side, folder / side), truth) for side in sides}
    publish(record(rows, num_pages, gold is not None, options.workers), not options.no_record)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, help="folder of the collections of gold pages")
    parser.add_argument("--variants", type=int, default=8, help="how often each real page is used")
    parser.add_argument("--world-bytes", type=int, default=3_000_000, help="clean text of generated pages")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-record", action="store_true", help="do not write bench/records")
    return parser.parse_args()


def default_gold() -> Path | None:
    """The gold pages below HORNBOOK_DATA, where there are some."""
    folder = Path(os.environ.get("HORNBOOK_DATA", "/nowhere")) / "web"
    return folder if (folder / "article_extraction").exists() else None


def one(side: str, warc: Path, out: Path, workers: int) -> Measured:
    """One side, once, from WARC files to Parquet."""
    system, _, how = side.partition(" ")
    out.mkdir()
    if system == "datatrove":
        script = str(HERE / "datatrove_pipeline.py")
        return run_measured([str(PEER), script, str(warc), str(out), str(workers), how])
    (out / "recipe.toml").write_text(RECIPE.format(warc=warc, profile=how, workers=workers))
    command = [sys.executable, "-m", "hornbook.cli.main", "run", str(out / "recipe.toml"), "--runs", str(out / "runs")]
    return run_measured(command)


def outputs(side: str, out: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Texts by address before and after deduplication."""
    if side.startswith("datatrove"):
        return texts((out / "filtered").glob("*.parquet")), texts((out / "final").glob("*.parquet"))
    run = out / "runs/pipeline"
    return texts(run.glob("*-clean/kept/*.parquet")), texts(run.glob("*-unique/kept/*.parquet"))


def texts(files: Iterable[Path]) -> dict[str, str]:
    """Text by address of Parquet files of ours or of datatrove."""
    found: dict[str, str] = {}
    for file in files:
        for row in pyarrow.parquet.read_table(file).to_pylist():
            found[row.get("url") or row["metadata"]["url"]] = row["text"]
    return found


def summary(
    runs: list[Measured], num_pages: int, filtered: dict[str, str], final: dict[str, str], truth: dict[str, Truth]
) -> dict[str, Any]:
    """Speed, memory, and how the result agrees with the truth."""
    seconds = [run.seconds for run in runs]
    pairs = [(url, t.copy_of) for url, t in truth.items() if t.copy_of in filtered and url in filtered]
    family = {url: t.copy_of or url for url, t in truth.items()}
    left = Counter(family[url] for url in final)
    removed = set(filtered) - set(final)
    wrong = [url for url in removed if not left[family[url]]]
    scores = [f1(text, truth[url].text) for url, text in final.items() if truth[url].text and truth[url].good]
    originals = [url for url, t in truth.items() if t.good and not t.copy_of]
    families = {family[url] for url in final}
    return {
        "docs_per_s": round(num_pages / statistics.median(seconds), 1),
        "docs_per_s_each": [round(num_pages / s, 1) for s in seconds],
        "peak_mb": round(max(run.peak_mb for run in runs)),
        "kept": len(final),
        "good_kept": round(sum(url in families for url in originals) / len(originals), 4),
        "bad_kept": sum(not truth[url].good for url in final),
        "text_f1": round(statistics.mean(scores), 4),
        "copies_removed": round(sum(not (a in final and b in final) for a, b in pairs) / max(1, len(pairs)), 4),
        "wrongly_removed": len(wrong),
    }


def f1(found: str, wanted: str) -> float:
    """Token F1 of two texts as bags of lower-case words."""
    return overlap(words_of(found), words_of(wanted))


def record(rows: dict[str, dict[str, Any]], num_pages: int, real: bool, workers: int) -> dict[str, Any]:
    """The table and the record."""
    names = ["docs_per_s", "peak_mb", "kept", "good_kept", "bad_kept", "text_f1", "copies_removed", "wrongly_removed"]
    print(f"{num_pages} pages, {workers} workers" + ("" if real else " (generated pages only: no gold pages found)"))
    print(f"{'':24}" + "".join(f"{name:>16}" for name in names))
    for side, row in rows.items():
        print(f"{side:24}" + "".join(f"{row[name]:>16}" for name in names))
    ours, peers = rows["ours fast"], {s: r["docs_per_s"] for s, r in rows.items() if s.startswith("datatrove")}
    same = peers.get("datatrove resiliparse")
    return {
        "name": "pipeline",
        "ours": ours["docs_per_s"],
        "peers": peers,
        "ratio": round(ours["docs_per_s"] / same, 2) if same else None,
        "unit": "documents/s",
        "sides": rows,
        "num_pages": num_pages,
        "machine": machine(workers=workers),
    }


if __name__ == "__main__":
    sys.exit(main())
