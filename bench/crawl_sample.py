"""A crawl with known truth for benchmarks: pages of the generated world, real gold pages when there are some, copies.

A real page is used several times, each time with other words: every word of five letters or more is exchanged for
another of the same length by a random permutation, so that markup, lengths and stop words stay as they are and the
texts differ. Some pages come twice, with up to 3 % of their words changed in the copy.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from gold_pages import load

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.settings import parse
from hornbook.world import facts, pages
from hornbook.world.warc_file import WarcFile

WORD = re.compile(r"[A-Za-z]{5,}")
OUTSIDE_TAGS = re.compile(r">([^<]+)<")
PAGES_PER_FILE = 250


@dataclass(frozen=True)
class Truth:
    """What is true of a page: its text, whether a corpus wants it, the address of the page it is a copy of."""

    text: str
    good: bool
    copy_of: str = ""


def build(folder: Path, gold: Path | None, variants: int, world_bytes: int, seed: int = 7) -> dict[str, Truth]:
    """Write `folder`/warc/*.warc.gz and `folder`/truth.json; returns the truth by address."""
    (folder / "warc").mkdir(parents=True)
    truth = dict(_world(folder, world_bytes, seed))
    if gold is not None:
        made = list(_real(gold, variants, random.Random(seed)))
        random.Random(seed).shuffle(made)
        for number in range(0, len(made), PAGES_PER_FILE):
            with WarcFile(folder / f"warc/real-{number // PAGES_PER_FILE:03d}.warc.gz", seed, number) as file:
                for url, html, entry in made[number : number + PAGES_PER_FILE]:
                    file.page(url, html.encode(), "utf-8")
                    truth[url] = entry
    (folder / "truth.json").write_text(json.dumps({url: asdict(entry) for url, entry in truth.items()}))
    return truth


def _world(folder: Path, text_bytes: int, seed: int) -> Iterator[tuple[str, Truth]]:
    import pyarrow.parquet

    out = scratch_out(folder / "facts", seed=seed)
    facts.run(parse(facts.Settings, {}, "bench"), {}, out)
    world = Artifact(folder / "facts", Manifest(kind="truth"))
    out = scratch_out(folder / "pages", seed=seed)
    pages.run(parse(pages.Settings, {"text_bytes": text_bytes}, "bench"), {"truth": world}, out)
    for file in (folder / "pages/warc").iterdir():
        file.rename(folder / "warc" / f"world-{file.name}")
    for file in sorted((folder / "pages/truth").glob("*.parquet")):
        for row in pyarrow.parquet.read_table(file).to_pylist():
            good = row["kind"] in {"encyclopedia", "story", "letter", "forum", "chat"}
            yield row["url"], Truth(row["clean_text"], good, row["duplicate_of"] or row["near_duplicate_of"] or "")


def _real(gold: Path, variants: int, draw: random.Random) -> Iterator[tuple[str, str, Truth]]:
    found = [(f"{page.collection}-{page.name}", page.html, " ".join(page.words)) for page in load(gold) if page.words]
    by_length: dict[int, set[str]] = defaultdict(set)
    for _, html, _ in found:
        for word in WORD.findall(html):
            by_length[len(word)].add(word.lower())
    for variant in range(variants):
        other: dict[str, str] = {}
        for words in by_length.values():
            ordered = sorted(words)
            other |= dict(zip(ordered, draw.sample(ordered, len(ordered)), strict=True))
        exchange = partial(exchanged, other=other)
        for name, html, text in found:
            url = f"https://site{len(name) % 5}.example/{name}/{variant}"
            page, article = (html, text) if variant == 0 else (_in_text(html, exchange), exchange(text))
            yield url, page, Truth(article, True)
            if draw.random() < 0.15:
                copy = _in_text(page, _changer(draw, by_length))
                yield f"{url}?copy", copy, Truth("", True, url)


def _in_text(html: str, change: Callable[[str], str]) -> str:
    """The page with its text changed and its tags as they were."""
    return OUTSIDE_TAGS.sub(lambda match: f">{change(match[1])}<", html)


def exchanged(text: str, other: dict[str, str]) -> str:
    """The text with its longer words exchanged; capitals at the beginning stay."""

    def one(match: re.Match[str]) -> str:
        word = match[0]
        new = other.get(word.lower(), word)
        return new.capitalize() if word[0].isupper() else new

    return WORD.sub(one, text)


def _changer(draw: random.Random, by_length: dict[int, set[str]]) -> Callable[[str], str]:
    """Changes each longer word with a probability that is drawn once, between .2 and 3 %."""
    share = draw.uniform(0.002, 0.03)
    words = {length: sorted(of_length) for length, of_length in by_length.items()}

    def one(match: re.Match[str]) -> str:
        return draw.choice(words[len(match[0])]) if draw.random() < share else match[0]

    return lambda text: WORD.sub(one, text)
