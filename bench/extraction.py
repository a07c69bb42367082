"""HTML to text: F1 against pages per second, ours and every library, on pages whose text is known.

    .venv/bin/python bench/extraction.py [--pages FOLDER] [--repeats 3] [--limit N] [--no-record]

Token F1 (bag of words) and 4-gram F1 are means over pages with a gold text (article_extraction, readability); segments
to keep and to drop (trafilatura_eval) give another F1. Speeds: all pages, one core, sides in turns, each in a process
of its own (what one leaves in memory slows the next), medians of the repeats. Peers outside the core run in `.peers/`:
`.peers/bin/pip install readability-lxml html_text selectolax`. The frontier is drawn to bench/records/extraction.svg;
the last line is one JSON document (bench/records/extraction.json). Our weights learned from these very pages: held-out
numbers come from bench/extraction_weights.py --check.
"""

# pyright: reportMissingImports=false

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # one core; before numpy is imported

import gold_pages
from gold_pages import Gold, grams, overlap, segment_counts, words_of

HERE = Path(__file__).parent
RECORDS = HERE / "records"
PEERS_PYTHON = HERE.parent / ".peers/bin/python"
OUTSIDE = ("readability-lxml", "html_text", "selectolax all text")
HELD_OUT = RECORDS / "extraction_held_out.json"
TRAFILATURA: dict[str, dict[str, Any]] = {
    "precision": {"favor_precision": True},
    "recall": {"favor_recall": True},
    "fast": {"fast": True},
    "standard": {},
}
CORE = (
    *(f"hornbook {profile}" for profile in ("fast", "precise", "markdown")),
    *(f"trafilatura {setting}" for setting in TRAFILATURA),
    "resiliparse main",
    "resiliparse all text",
    "jusText",
)
MAIN_TEXT_F1 = 0.75
"""Libraries below this take all text, or nearly."""
TICKS = (50, 100, 200, 500, 1000)
LABELS = {
    "hornbook markdown": (-96, -3),
    "trafilatura recall": (8, -4),
    "trafilatura fast": (6, 6),
    "trafilatura standard": (6, -2),
    "trafilatura precision": (2, -13),
    "resiliparse all text": (-98, -7),
    "selectolax all text": (-98, -2),
    "readability-lxml": (-8, 7),
}
"""Where a name stands beside its point, where that is not right of it."""
Side = Callable[[str], str]


def main() -> None:
    """Measure, draw, print a table and the JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=int, default=0, help="only every n-th page, about this many")
    parser.add_argument("--no-record", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    if not PEERS_PYTHON.exists():
        print(f"no .peers/ here: {', '.join(OUTSIDE)} are left out", file=sys.stderr)
    golds = gold_pages.load(gold_pages.folder_of(options))
    golds = golds[:: max(1, len(golds) // options.limit)] if options.limit else golds
    texts, seconds = measured(golds, options.repeats)
    rows = {name: scores(golds, texts[name]) | {"pages_per_s": round(len(golds) / seconds[name], 1)} for name in texts}
    show(rows)
    if not options.no_record:
        draw(rows)
    from record import publish  # needs torch, which the environment of the peers lacks

    publish(record_of(rows, len(golds)), not options.no_record)


def measured(golds: list[Gold], repeats: int) -> tuple[dict[str, list[str]], dict[str, float]]:
    """The texts of every side, and the median seconds that it takes for all pages; every side in a fresh process."""
    texts: dict[str, list[str]] = {}
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        pages = Path(scratch) / "pages.json"
        pages.write_text(json.dumps([gold.html for gold in golds]))
        for repeat in range(repeats):
            for name in (*CORE, *(OUTSIDE if PEERS_PYTHON.exists() else ())):
                answer = ask(name, pages)
                if answer is not None:
                    seconds.setdefault(name, []).append(answer["seconds"])
                    texts.setdefault(name, answer["texts"])
            print(f"repeat {repeat + 1} of {repeats}", file=sys.stderr)
    return texts, {name: statistics.median(values) for name, values in seconds.items()}


def ask(name: str, pages: Path) -> dict[str, Any] | None:
    """What a side says in a process of its own; None (and a line that says so) where a peer is not installed."""
    python = PEERS_PYTHON if name in OUTSIDE else Path(sys.executable)
    done = subprocess.run(
        [str(python), __file__, "--serve", f"{name}:{pages}"], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(HERE.parent / "src")},
    )  # fmt: skip
    if done.returncode and name in CORE:
        raise SystemExit(f"{name} failed: {done.stderr}")
    if done.returncode:
        print(f"{name}: left out ({done.stderr.strip().splitlines()[-1:]})", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def serve(what: str) -> None:
    """Extract every page with one library; the first page, once more and untimed before, loads what it needs."""
    name, _, path = what.partition(":")
    side = (peer if name in OUTSIDE else core_side)(name)
    pages = json.loads(Path(path).read_text())
    quietly(side, pages[0])
    began_s = time.process_time()
    found = [quietly(side, page) for page in pages]
    print(json.dumps({"seconds": time.process_time() - began_s, "texts": found}))


def core_side(name: str) -> Side:
    """One of ours, or a library of the core."""
    library, _, setting = name.partition(" ")
    if library == "hornbook":
        from hornbook.data.html.page import to_text

        profile: Any = setting
        return lambda page: to_text(page, profile)
    if library == "trafilatura":
        import trafilatura

        return lambda page: trafilatura.extract(page, include_comments=False, **TRAFILATURA[setting]) or ""
    if library == "resiliparse":
        from resiliparse.extract.html2text import extract_plain_text

        main_only = {"main_content": True, "comments": False, "alt_texts": False, "post_meta": False}
        chosen: Any = main_only if setting == "main" else {}
        return lambda page: extract_plain_text(page, **chosen)
    import justext

    stops = justext.get_stoplist("English")
    return lambda page: "\n".join(
        p.text for p in justext.justext(page.encode(), stops, encoding="utf-8") if not p.is_boilerplate
    )


def peer(name: str) -> Side:
    """A library that is not in the core."""
    if name == "readability-lxml":
        import lxml.html
        from readability import Document

        return lambda page: "\n".join(lxml.html.fromstring(Document(page).summary()).itertext())
    if name == "html_text":
        import html_text

        return html_text.extract_text
    from selectolax.lexbor import LexborHTMLParser

    def all_text(page: str) -> str:
        tree = LexborHTMLParser(page)
        tree.strip_tags(["script", "style", "noscript"])
        return tree.body.text(separator="\n") if tree.body else ""

    return all_text


def quietly(side: Side, page: str) -> str:
    """What a side finds; nothing where it fails."""
    try:
        return side(page).encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 - a library that fails on a page has found nothing
        return ""


def scores(golds: list[Gold], texts: list[str]) -> dict[str, float]:
    """Means over pages."""
    found: dict[str, list[float]] = {"f1": [], "f1_grams": [], "article_extraction": [], "readability": []}
    counts = [0, 0, 0]
    for gold, text in zip(golds, texts, strict=True):
        if gold.words is None:
            counts = [a + b for a, b in zip(counts, segment_counts(text, gold), strict=True)]
            continue
        words = words_of(text)
        value = overlap(words, gold.words)
        found["f1"].append(value)
        found[gold.collection].append(value)
        found["f1_grams"].append(overlap(grams(words), grams(gold.words)))
    kept, lost, wrong = counts
    row = {name: round(statistics.mean(values), 4) for name, values in found.items() if values}
    return row | {"f1_segments": round(2 * kept / max(1, 2 * kept + lost + wrong), 4)}


def show(rows: dict[str, dict[str, float]]) -> None:
    """The table."""
    columns = ("f1", "article_extraction", "readability", "f1_grams", "f1_segments", "pages_per_s")
    print(f"{'':24s}" + "".join(f"{column:>20s}" for column in columns))
    for name, row in sorted(rows.items(), key=lambda item: -item[1].get("f1", 0)):
        print(f"{name:24s}" + "".join(f"{row.get(column, float('nan')):20.4g}" for column in columns))


def draw(rows: dict[str, dict[str, float]]) -> None:
    """F1 against speed: what finds main text above, what takes (nearly) all text below."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (upper, lower) = plt.subplots(
        2, 1, sharex=True, figsize=(8, 6), height_ratios=(4, 1), gridspec_kw={"hspace": 0.08}
    )
    held_out = json.loads(HELD_OUT.read_text()) if HELD_OUT.exists() else {}
    for name, row in sorted(rows.items()):
        ours, speed, f1 = name.startswith("hornbook"), row["pages_per_s"], row["f1"]
        axes = upper if f1 >= MAIN_TEXT_F1 else lower
        axes.scatter(speed, f1, color="C3" if ours else "C0", s=30, alpha=0.4 if ours else 1, zorder=3)
        axes.annotate(name, (speed, f1), xytext=LABELS.get(name, (6, -3)), textcoords="offset points", fontsize=8)
        if known := held_out.get(name.removeprefix("hornbook ")):
            upper.plot([speed, speed], [known["f1"], f1], color="C3", lw=0.8, ls=":")
            upper.scatter(speed, known["f1"], color="C3", s=80, marker="*", zorder=4)
            upper.annotate(name, (speed, known["f1"]), xytext=(8, -3), textcoords="offset points", fontsize=8)
    for label, style in (
        ("ours, on pages not learned from (4 folds)", {"marker": "*", "color": "C3", "s": 80}),
        ("ours, on pages that the weights were learned from", {"color": "C3", "alpha": 0.4, "s": 30}),
        ("other libraries", {"color": "C0", "s": 30}),
    ):
        upper.scatter([], [], label=label, **style)
    upper.legend(fontsize=8, loc="lower left")
    upper.set(xscale="log", ylabel="token F1, mean over pages", title="HTML to text")
    lower.set(xlabel="pages per second, one core, each page seen once", ylabel="all text")
    lower.set_xticks(TICKS, map(str, TICKS))
    lower.minorticks_off()
    lower.set_xlim(35, 2000)
    for axes in (upper, lower):
        axes.margins(y=0.15)
        axes.grid(alpha=0.3)
    RECORDS.mkdir(exist_ok=True)
    matplotlib.rcParams["svg.hashsalt"] = "hornbook"
    figure.savefig(RECORDS / "extraction.svg", metadata={"Date": None}, bbox_inches="tight")


def record_of(rows: dict[str, dict[str, float]], num_pages: int) -> dict[str, Any]:
    """The record: the claim is F1 of `precise` over trafilatura's best setting."""
    from record import machine

    best = max(row["f1"] for name, row in rows.items() if name.startswith("trafilatura"))
    ours = rows["hornbook precise"]["f1"]
    return {
        "name": "extraction",
        "ours": ours,
        "peers": {name: row["f1"] for name, row in rows.items() if not name.startswith("hornbook")},
        "ratio": round(ours / best, 4),
        "unit": "token F1",
        "machine": machine(),
        "num_pages": num_pages,
        "f1_precise": ours,
        "f1_fast": rows["hornbook fast"]["f1"],
        "pages_per_s_fast": rows["hornbook fast"]["pages_per_s"],
        "pages_per_s_precise": rows["hornbook precise"]["pages_per_s"],
        "f1_trafilatura": best,
        "held_out": json.loads(HELD_OUT.read_text()) if HELD_OUT.exists() else {},
        "sides": rows,
    }


if __name__ == "__main__":
    main()
