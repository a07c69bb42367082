"""Time and memory of reading, filtering and every deduplication as a generated corpus grows.

    .venv/bin/python bench/corpus_scale.py [--sizes 0.5 1.6 5] [--input warc|jsonl] [--workers 2] [--folder DIR]

Sizes in gigabytes of input (HTML, or JSON lines with menus and footers left in the text). A tenth of the documents are
exact copies, 15 % near copies, 5 % another address of a page; a tenth carry repeated passages. Each stage runs in a
process of its own; memory is that of the process and all its workers, sampled ten times a second (RSS summed; PSS
counts shared pages once). `ours` is the greatest PSS in MB at the largest size, `growth` the time per gigabyte there
over the time per gigabyte at the smallest (1 = linear; `growth_cpu` of CPU time, for a machine that others use).
Writes bench/records/corpus_scale.json and .svg.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from corpus import cpu_seconds, watch_memory, write_jsonl, write_warc
from record import RECORDS, machine, publish

from hornbook.report.blocks import Series
from hornbook.report.plot import svg
from hornbook.report.style import INK, LINE_COLOURS

STAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "filter": ("data.filter", {"rules": ["url", "gopher_quality", "gopher_repetition", "pii"]}),
    "dedup": ("data.dedup", {}),
    "line_dedup": ("data.line_dedup", {}),
    "substring_dedup": ("data.substring_dedup", {}),
}
RUN = """
import importlib, json, sys
from pathlib import Path
from hornbook.core.artifact import building, open_artifact
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog
from hornbook.core.settings import parse
name, settings, source = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
folder, workers = Path(sys.argv[4]), int(sys.argv[5])
module = importlib.import_module("hornbook." + name)
inputs = {"documents": open_artifact(Path(source), "documents")} if source else {}
log, machine = RunLog(quiet=True), Machine(workers=workers)
with building(folder, kind=module.WRITES, log=log, machine=machine, stage=name, settings=settings) as out:
    module.run(parse(module.Settings, settings, name), inputs, out)
print(json.dumps(open_artifact(folder).manifest.counts))
"""


def main() -> None:
    """Measure every size, print a table and the JSON line, draw the plot."""
    options = parse_options()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        rows = {size: measure(size, options, Path(scratch) / f"{size}") for size in sorted(options.sizes)}
    record = summary(rows, options)
    if not options.no_record:
        RECORDS.mkdir(exist_ok=True)
        (RECORDS / "corpus_scale.svg").write_text(plot(rows))
    publish(record, not options.no_record)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.5, 1.6, 5.0])
    parser.add_argument("--input", choices=("warc", "jsonl"), default="warc")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stages", nargs="*", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--folder", default=None)
    parser.add_argument("--no-record", action="store_true")
    return parser.parse_args()


def measure(size_gb: float, options: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """One size: seconds, memory and documents of each stage. What a stage read is removed when it is done."""
    begin = time.perf_counter()
    write = write_warc if options.input == "warc" else write_jsonl
    docs = write(folder / "input", int(size_gb * 1e9))
    print(f"{size_gb} GB: {docs} documents generated in {time.perf_counter() - begin:.0f} s", flush=True)
    first = "data.extract" if options.input == "warc" else "data.read"
    settings: dict[str, Any] = {"path": str(folder / "input")}
    settings |= {"profile": "fast"} if options.input == "warc" else {}
    stages = {first.removeprefix("data."): (first, settings)} | {name: STAGES[name] for name in options.stages}
    rows: dict[str, dict[str, Any]] = {}
    source = ""
    for name, (stage, own) in stages.items():
        rows[name] = run(stage, own, source, folder / name, options.workers)
        counts = rows[name]["counts"]
        print(
            f"  {name:16}{rows[name]['seconds']:9.1f} s{rows[name]['cpu_s']:9.1f} s CPU"
            f"{rows[name]['rss_mb']:9.0f} MB RSS{rows[name]['pss_mb']:9.0f} MB PSS"
            f"{counts['docs']:10} kept{counts['dropped']:9} dropped",
            flush=True,
        )
        shutil.rmtree(source or folder / "input")
        source = str(folder / name)
    return rows


def run(stage: str, settings: dict[str, Any], source: str, folder: Path, workers: int) -> dict[str, Any]:
    """One stage in a process of its own."""
    command = [sys.executable, "-c", RUN, stage, json.dumps(settings), source, str(folder), str(workers)]
    begin, cpu_before_s = time.perf_counter(), cpu_seconds()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process,
        watch_memory(process.pid) as memory,
    ):
        output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{stage} ended with {process.returncode}")
    seconds, cpu_s = round(time.perf_counter() - begin, 2), round(cpu_seconds() - cpu_before_s, 2)
    return {"seconds": seconds, "cpu_s": cpu_s, "counts": json.loads(output.splitlines()[-1]), **memory}


def summary(rows: dict[float, dict[str, dict[str, Any]]], options: argparse.Namespace) -> dict[str, Any]:
    """The record."""
    small, large = min(rows), max(rows)

    def per_gb(size: float, stage: str = "", field: str = "seconds") -> float:
        return sum(row[field] for name, row in rows[size].items() if stage in ("", name)) / size

    growth = {name: round(per_gb(large, name) / per_gb(small, name), 3) for name in rows[large]}
    return {
        "name": "corpus_scale",
        "ours": max(row["pss_mb"] for row in rows[large].values()),
        "peers": {},
        "ratio": None,
        "unit": "MB of memory, the greatest of all stages",
        "rss_mb": max(row["rss_mb"] for row in rows[large].values()),
        "largest_gb": large,
        "growth": round(per_gb(large) / per_gb(small), 3),
        "growth_cpu": round(per_gb(large, field="cpu_s") / per_gb(small, field="cpu_s"), 3),
        "growth_by_stage": growth,
        "input": options.input,
        "workers": options.workers,
        "sizes": {str(size): stages for size, stages in rows.items()},
        "machine": machine(),
    }


def plot(rows: dict[float, dict[str, dict[str, Any]]]) -> str:
    """Seconds by size, one line a stage, as a picture that stands alone."""
    names = list(next(iter(rows.values())))
    lines = {name: [(size, rows[size][name]["seconds"]) for size in rows] for name in names}
    picture = svg(Series("Time by size of the corpus", "GB of input", "seconds", lines))
    for place, colour in enumerate(LINE_COLOURS, 1):
        picture = picture.replace(f"var(--line-{place})", colour)
    picture = picture.replace("currentColor", INK)
    return picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" style="background:white" ', 1)


if __name__ == "__main__":
    main()
