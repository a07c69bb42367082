"""Web pages whose main text is known: three public collections in a folder, their readers and scorers.

The folder (option `--pages`, or `web` under HORNBOOK_DATA) holds `article_extraction` (scrapinghub's
article-extraction-benchmark), `readability` (Mozilla's test pages) and `trafilatura_eval` (trafilatura's evaluation,
segments to keep and to drop instead of a text). Files may be gzipped.
"""

import argparse
import gzip
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.data.html.page import decode_html

WORD = re.compile(r"\w+")
BLOCK = "p div li td th tr br h1 h2 h3 h4 h5 h6 figcaption pre blockquote section table dt dd figure".split()


@dataclass
class Gold:
    """A page: `words` of its text, or segments that must (not) be in it."""

    collection: str
    name: str
    html: str
    words: list[str] | None = None
    keep: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)


def words_of(text: str) -> list[str]:
    """Lower-case words."""
    return WORD.findall(text.lower())


def folder_of(options: argparse.Namespace) -> Path:
    """The folder of the collections."""
    root = options.pages or (Path(os.environ["HORNBOOK_DATA"]) / "web" if os.environ.get("HORNBOOK_DATA") else None)
    if root is None or not Path(root).is_dir():
        raise SystemExit("give --pages FOLDER, or set HORNBOOK_DATA to a folder with `web` in it")
    return Path(root)


def load(folder: Path) -> list[Gold]:
    """Every page that is there, sorted by collection and name."""
    return [*_articles(folder / "article_extraction"), *_readability(folder / "readability"),
            *_segments(folder / "trafilatura_eval")]  # fmt: skip


def _read(path: Path) -> bytes | None:
    zipped = path.with_name(path.name + ".gz")
    if zipped.exists():
        return gzip.decompress(zipped.read_bytes())
    return path.read_bytes() if path.exists() else None


def _articles(folder: Path) -> list[Gold]:
    found = []
    for name, truth in sorted(json.loads(_read(folder / "ground-truth.json") or b"{}").items()):
        if (data := _read(folder / "html" / f"{name}.html")) is not None:
            found.append(Gold("article_extraction", name, decode_html(data, "")[0], words_of(truth["articleBody"])))
    return found


def _readability(folder: Path) -> list[Gold]:
    found = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        page, expected = _read(place / "source.html"), _read(place / "expected.html")
        if page is not None and expected is not None:
            words = words_of(_plain(expected.decode("utf-8", "replace")))
            found.append(Gold("readability", place.name, decode_html(page, "")[0], words))
    return found


def _segments(folder: Path) -> list[Gold]:
    found = []
    for truth in json.loads(_read(folder / "evaldata.json") or b"{}").values():
        if (data := _read(folder / "html" / truth["file"])) is not None:
            gold = Gold("trafilatura_eval", truth["file"], decode_html(data, "")[0])
            gold.keep, gold.drop = truth.get("with", []), truth.get("without", [])
            found.append(gold)
    return sorted(found, key=lambda gold: gold.name)


def _plain(html: str) -> str:
    """All text of a small page, words of neighbouring blocks apart."""
    import lxml.html

    tree = lxml.html.fromstring(html)
    for element in tree.iter(*BLOCK):
        element.tail = " " + (element.tail or "")
        element.text = " " + (element.text or "")
    return str(tree.text_content())


def overlap(found: list[Any], wanted: list[Any]) -> float:
    """F1 of two bags."""
    a, b = Counter(found), Counter(wanted)
    return 2 * sum((a & b).values()) / max(1, a.total() + b.total())


def grams(words: list[str], size: int = 4) -> list[tuple[str, ...]]:
    """All runs of `size` words (of the whole text when it is shorter)."""
    size = max(1, min(size, len(words)))
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


def segment_counts(text: str, gold: Gold) -> tuple[int, int, int]:
    """Segments kept that must be, lost that must be kept, kept that must not be."""
    text = " ".join(text.split())
    kept = sum(" ".join(segment.split()) in text for segment in gold.keep)
    return kept, len(gold.keep) - kept, sum(" ".join(segment.split()) in text for segment in gold.drop)


def covered(blocks: list[list[str]], gold: list[str], size: int = 4) -> list[float]:
    """Of each block, the share of words that lie in a run of `size` words of the gold text; runs cross blocks."""
    size = max(1, min(size, len(gold)))
    wanted = set(grams(gold, size)) if gold else set()
    flat = [word for block in blocks for word in block]
    hit = [False] * len(flat)
    for i in range(len(flat) - size + 1):
        if tuple(flat[i : i + size]) in wanted:
            hit[i : i + size] = [True] * size
    shares, position = [], 0
    for block in blocks:
        shares.append(sum(hit[position : position + len(block)]) / len(block) if block else 0.0)
        position += len(block)
    return shares
