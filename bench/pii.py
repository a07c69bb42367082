"""Personal data: precision and recall by kind, and speed on web text, against presidio and datatrove.

    HORNBOOK_DATA=/my/data .venv/bin/python bench/pii.py [--data FOLDER] [--repeats 5] [--mb 1.5]

Reads `pii/synth_dataset_v2.json` (microsoft/presidio-research) and web pages `web/**/*.html*` below the folder of data;
what is missing there is left out, and the generated world stands in for the pages. Without labels of others: the
world's own truth, sentences of look-alikes in which nothing is personal, and an example number of every country.
Presidio (its patterns over a blank spaCy pipeline) and datatrove (its formatter's patterns) answer from an environment
of their own:
`python3 -m venv .peers && .peers/bin/pip install presidio-analyzer datatrove`. A span counts as found where a span of
its kind overlaps it. (Presidio asks for a top-level domain that exists; the world's addresses end in .example.) The
last line is one JSON document, which is also written to bench/records/pii.json.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from record import machine, publish

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.settings import parse
from hornbook.data.personal.detect import Kind, find
from hornbook.world import facts, pages

HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parent / ".peers/bin/python"
KINDS: tuple[Kind, ...] = ("email", "phone", "ip", "card", "iban", "ssn", "national_id")
LABELS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
}
LOOK_ALIKES = """
Version 1.2.3.4 fixes it.|Upgrade to release 12.1.0.2 now.|Section 3.1.2.1 says so.|See 2.4.1.3 above.
OID 1.3.6.1.4.1.311|Chrome/91.0.44.124 Safari/537.36|Windows 10.0.19041.1|kernel 5.4.0.42|10.0.0.256 is no address
ISBN 978-3-16-148410-0|ISBN 0-306-40615-2, ISBN 0306406152|ISSN 2049-3630|EAN 4006381333931|UPC 036000291452
Order number 2831823829 was sent.|Invoice no. 2023-004-5567|tracking 1Z999AA10123456784
DOI 10.1016/0169-5347(93)90004-9|arXiv:2101.00027|PMID 17159151|From 2004-2019 it was so.|He lived 1899 - 1986.
On 2019-11-20 12:30:45 it rained.|On 12/31/1999 and 31.12.1999|3.14159265|It cost $1,234,567.89 or 1.234.567,89 EUR.
1 234 567 890 people|6.02214076e23|sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709
uuid 123e4567-e89b-12d3-a456-426614174000|MAC 00:1a:2b:3c:4d:5e|ratio 1:2:3:4:5:6:7:8
std::vector a::b::c face::cafe x[1::2]|43:51:43:a1:b5:fc:8b:b7:0a:3a:a9:b1:0f:66:73:a8|@app.route and @property
npm i react@18.2.0|icon@2x.png logo@3x.svg|me@home and user@host|3.5 \\times 10^{-7} \\@{}ll@{}|x[i] = 12345678
{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}|0x7fff5fbff8c0|255 255 255 and rgb(12, 34, 56)|1 2 3 4 5 6 7 8 9 10 11 12
Pages 1234-1240|Nature (1998) 392 123-128|Part number 123-4567-89|Model 555-1234 in stock|lottery 05 12 23 34 45 49
lat 48.858370, 2.294481|ZIP 12345-6789|US Patent 6,285,999|patent 7654321|article-14847624.php
https://a.example/a/4111111111111111/b|id=4012888888881881&x=1|account 4012 8888 8888 1882|GB82 WEST 1234 5698 7654 33
AB12 CDEF 1234 5678 9012|license 12345678A|timestamp 1573689123456|Score 21-19 21-18 15-21|Phones from 2007 to 2019
Call 911 or 112|IMG_20190503_123456|123-45-678|000-12-3456|CAS 7732-18-5|bug 1234567 was fixed
opening 08.30-16.30 and 09:00-17:30|Series 2-1-4-3-2|ratio 0.123 0.456 0.789|1 000 000 000 dollars|ticket 555-0134
"""
OFFERED = {"presidio": tuple(LABELS.values()), "datatrove": ("email", "ip")}
"""The kinds that a peer looks for; it is not asked for others."""
Spans = list[tuple[int, int, str]]


def main() -> None:
    """Measure, print tables and the JSON line."""
    options = parse_options()
    with ExitStack() as open_peers:
        peers = {name: open_peers.enter_context(peer(name)) for name in ("presidio", "datatrove") if has_peers(name)}
        quality = measure_quality(labelled_sets(options.data), peers)
        quality["phone numbers by country"] = country_numbers()
        texts, what = web_texts(options.data, options.mb)
        seconds = measure_speed(texts, peers, options.repeats)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    publish(summary(quality, seconds, megabytes, what, options), not options.no_record)


def parse_options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("HORNBOOK_DATA", "data")))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--mb", type=float, default=1.5, help="megabytes of web text for the speed")
    parser.add_argument("--no-record", action="store_true")
    return parser.parse_args()


def has_peers(module: str) -> bool:
    """Whether the peers' environment has this one."""
    name = {"presidio": "presidio_analyzer", "numbers": "phonenumbers"}.get(module, module)
    if not PEERS_PYTHON.exists():
        return False
    return subprocess.run([str(PEERS_PYTHON), "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


@contextmanager
def peer(name: str) -> Iterator[Any]:
    """A function from texts to {seconds, found}."""
    command = [str(PEERS_PYTHON), str(HERE / "pii_peer.py"), name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        sent, back = process.stdin, process.stdout
        while back.readline().strip() != "ready":
            if process.poll() is not None:
                raise RuntimeError(f"{name} did not start")

        def ask(texts: list[str]) -> dict[str, Any]:
            sent.write(json.dumps(texts) + "\n")
            sent.flush()
            return json.loads(back.readline())

        yield ask
        sent.close()


def ours(texts: list[str]) -> dict[str, Any]:
    """What a peer answers, from us."""
    start = time.perf_counter()
    found = [find(text, KINDS) for text in texts]
    return {"seconds": time.perf_counter() - start, "found": [[tuple(span) for span in spans] for spans in found]}


def labelled_sets(data: Path) -> dict[str, list[tuple[str, Spans]]]:
    """Texts with the spans that are in them, by the name of the set."""
    sets = {"world": world_texts(), "look-alikes": [(t, []) for t in LOOK_ALIKES.replace("\n", "|").split("|") if t]}
    file = data / "pii/synth_dataset_v2.json"
    if file.is_file():
        sets["presidio-research"] = [
            (
                row["full_text"],
                [
                    (span["start_position"], span["end_position"], LABELS[span["entity_type"]])
                    for span in row["spans"]
                    if span["entity_type"] in LABELS
                ],
            )
            for row in json.loads(file.read_text("utf-8"))
        ]
    else:
        print(f"{file} is not there: left out")
    return sets


def world_texts() -> list[tuple[str, Spans]]:
    """The generated world's pages with their truth."""
    import pyarrow.parquet

    with tempfile.TemporaryDirectory() as scratch:
        out = scratch_out(Path(scratch) / "facts", seed=7)
        facts.run(parse(facts.Settings, {}, "bench"), {}, out)
        truth = Artifact(Path(scratch) / "facts", Manifest(kind="truth"))
        out = scratch_out(Path(scratch) / "pages", seed=7)
        pages.run(parse(pages.Settings, {"text_bytes": 1_000_000}, "bench"), {"truth": truth}, out)
        files = sorted((Path(scratch) / "pages/truth").glob("*.parquet"))
        rows: list[Any] = [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]
    return [
        (row["clean_text"] or "", [(s["begin"], s["end"], s["kind"]) for s in json.loads(row["pii"])]) for row in rows
    ]


def measure_quality(sets: dict[str, list[tuple[str, Spans]]], peers: dict[str, Any]) -> dict[str, Any]:
    """Precision, recall and counts, by set, side and kind; prints a table for each set."""
    result: dict[str, Any] = {}
    for name, rows in sets.items():
        texts = [text for text, _ in rows]
        print(f"\n{name}: {len(texts)} texts\n  {'':10} {'kind':12} {'precision':>9} {'recall':>7} {'right':>6} "
              f"{'false':>6} {'missed':>6}")  # fmt: skip
        result[name] = {}
        for side, ask in {"hornbook": ours, **peers}.items():
            truth = [[span for span in spans if span[2] in OFFERED.get(side, KINDS)] for _, spans in rows]
            scores = score(ask(texts)["found"], truth)
            result[name][side] = scores
            for kind, row in scores.items():
                print(f"  {side:10} {kind:12} {show(row['precision']):>9} {show(row['recall']):>7} {row['right']:6} "
                      f"{row['false']:6} {row['missed']:6}")  # fmt: skip
    return result


def show(value: float | None) -> str:
    """A score, or a dash where there is nothing to score."""
    return "-" if value is None else f"{value:.3f}"


def score(found: list[Any], wanted: list[Spans]) -> dict[str, dict[str, Any]]:
    """Counts and scores by kind."""
    right: Counter[str] = Counter()
    false: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for spans, truth in zip(found, wanted, strict=True):
        for begin, end, kind in truth:
            hit = any(k == kind and b < end and begin < e for b, e, k in spans)
            (right if hit else missed)[kind] += 1
        for begin, end, kind in spans:
            false[kind] += not any(k == kind and b < end and begin < e for b, e, k in truth)
    result: dict[str, dict[str, Any]] = {}
    for kind in sorted(set(right) | set(missed) | set(+false)):
        claimed, there = right[kind] + false[kind], right[kind] + missed[kind]
        result[kind] = {
            "precision": round(right[kind] / claimed, 4) if claimed else None,
            "recall": round(right[kind] / there, 4) if there else None,
            "right": right[kind],
            "false": false[kind],
            "missed": missed[kind],
        }
    return result


def country_numbers() -> dict[str, Any]:
    """Recall on an example number of every country, by how it is written and what stands beside it."""
    if not has_peers("numbers"):
        return {}
    command = [str(PEERS_PYTHON), str(HERE / "pii_peer.py"), "numbers"]
    rows: Any = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    frames = {
        "international": (1, "Our shop, {}, is open."),
        "national, behind a word": (2, "Please call us on {} today."),
        "national, alone": (2, "Our shop, {}, is open."),
    }
    result: dict[str, Any] = {}
    for name, (place, frame) in frames.items():
        begin = frame.index("{")
        hits = sum(
            any(span[:2] == (begin, begin + len(row[place])) for span in find(frame.format(row[place]), ("phone",)))
            for row in rows
        )
        result[name] = {"recall": round(hits / len(rows), 4), "numbers": len(rows)}
        print(f"\nnumbers of all countries, {name}: {hits} of {len(rows)}", end="")
    print()
    return result


def web_texts(data: Path, megabytes: float) -> tuple[list[str], str]:
    """Texts of web pages with their menus, as extraction in its plainest form gives them."""
    from resiliparse.extract.html2text import extract_plain_text

    texts: list[str] = []
    for file in sorted((data / "web").rglob("*.html*")):
        content = file.read_bytes()
        html = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8", "replace")
        texts.append(extract_plain_text(html))
        if sum(map(len, texts)) >= megabytes * 1e6:
            break
    return (texts, "web pages") if texts else ([text for text, _ in world_texts()], "pages of the world")


def measure_speed(texts: list[str], peers: dict[str, Any], repeats: int) -> dict[str, list[float]]:
    """Seconds of every side, in turns, after one round that does not count."""
    sides = {"hornbook": ours, **peers}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        for name, ask in sides.items():
            took = ask(texts)["seconds"]
            if turn:
                seconds[name].append(took)
    return seconds


def summary(
    quality: dict[str, Any], seconds: dict[str, list[float]], megabytes: float, what: str, options: argparse.Namespace
) -> dict[str, Any]:
    """The table of speeds, printed, and the record."""
    speeds = {name: megabytes / statistics.median(took) for name, took in seconds.items()}
    print(f"\nspeed on {megabytes:.2f} MB of {what}, {options.repeats} turns")
    for name, took in seconds.items():
        low, high = megabytes / max(took), megabytes / min(took)
        print(f"  {name:10} {speeds[name]:7.2f} MB/s   ({low:.2f} to {high:.2f})")
    mine = speeds.pop("hornbook")
    return {
        "name": "pii",
        "ours": round(mine, 3),
        "peers": {name: round(speed, 3) for name, speed in speeds.items()},
        "ratio": round(mine / speeds["presidio"], 2) if "presidio" in speeds else None,
        "unit": f"MB/s of {what}",
        "quality": quality,
        "repeats": options.repeats,
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
