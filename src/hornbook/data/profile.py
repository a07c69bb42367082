"""Stage data.profile: what a corpus is made of: lengths, languages, sources, duplicates, words, reading ages."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.data.files.encodings import decode
from hornbook.data.insight.profile_sample import study
from hornbook.data.insight.sample import sample
from hornbook.data.insight.vectors import words_of
from hornbook.data.language.word_runs import SIZES, RunCounter, merge_top, zipf_exponent
from hornbook.data.ledger import num_bytes
from hornbook.data.passes import passes
from hornbook.data.web.addresses import host_of
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+"}
WRITES = "scores"
VERSION = 2
DEVICE_MATTERS = False

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MEASURES = ("bytes", "characters", "words", "lines")
SHARD_NGRAMS = 20_000
SHARD_NAMES = 5_000
BINS = 40

SIGNS: dict[str, tuple[str, ...]] = {
    "cookies": ("cookie",),
    "privacy or terms": ("privacy policy", "terms of use", "terms of service", "all rights reserved"),
    "subscribe or sign up": ("subscribe", "sign up", "sign in", "newsletter"),
    "share buttons": ("share this", "share on", "follow us", "click here"),
    "javascript": ("javascript",),
    "curly brackets": ("{", "}"),
    "lorem ipsum": ("lorem ipsum",),
    "markup left": ("<div", "<span", "<p>", "<a ", "<br", "<td", "</", "&nbsp;", "&amp;", "&quot;", "&lt;"),
    "replacement characters": ("\ufffd",),
}
"""Page furniture, by what a text holds in lower case."""
CLASSES: tuple[str, ...] = ("letters", "capitals", "digits", "white space", "punctuation and symbols", "beyond ASCII")
KINDS = (("letters", str.isalpha), ("digits", str.isdigit), ("white space", str.isspace))


class Settings(StrictSettings):
    """How much is listed, and how large the sample is that costly measures are taken from."""

    top: int = pydantic.Field(default=25, ge=1, le=200)
    """Names and runs of words in each list."""
    sample_docs: int = pydantic.Field(default=5_000, ge=1)
    """Documents for languages, near-duplicates, reading ages and the growth of the vocabulary: a random sample."""
    head_chars: int = pydantic.Field(default=20_000, ge=100)
    """How much of each document of the sample is read."""
    languages: bool = True
    """Detect the language of the sample's documents whose `meta` does not say it."""
    easy_words: InputPath | None = None
    """A list of words that fourth-graders know, one a line: adds the Dale-Chall grade."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """One pass over all shards, then one over a sample, for each input; `profile.json` holds all numbers."""
    found = inputs["documents"]
    artifacts: tuple[Artifact, ...] = found if isinstance(found, tuple) else (found,)
    easy = None
    if settings.easy_words is not None:
        easy = frozenset(decode(resolve_input(settings.easy_words).read_bytes())[0].lower().split())
    profiles: dict[str, Any] = {}
    for part, artifact in enumerate(artifacts):
        name = artifact.name if artifact.name not in profiles else f"{artifact.name} {part + 1}"
        whole = _whole(artifact, part, settings, out)
        table = sample((artifact,), out, settings.sample_docs, settings.head_chars, name=f"sample{part}")
        with out.log.task(f"profile {name}: sample", total=len(table), unit="docs") as progress:
            profiles[name] = whole | {"sample": study(table, settings.languages, easy, progress.advance)}
    write_json(Path(out.path) / "profile.json", profiles)
    write_json(Path(out.path) / "scores.json", {"scores": []})
    out.counts.update(docs=sum(p["docs"] for p in profiles.values()), words=sum(p["words"] for p in profiles.values()))


def _whole(artifact: Artifact, part: int, settings: Settings, out: Out) -> dict[str, Any]:
    """What is measured of every document, merged over shards in their order."""
    import numpy as np

    walk = passes(artifact, out, f"data.profile {VERSION} {settings.top}", f"whole{part}")
    walk.look(profile_shard, "profile")
    parts = [json.loads((walk.folder / f"{name}.json").read_text(encoding="utf-8")) for name in walk.names]
    sizes = np.concatenate([np.load(walk.folder / f"{name}.sizes.npy") for name in walk.names])
    exact = np.concatenate([np.load(walk.folder / f"{name}.exact.npy") for name in walk.names])
    return {
        "docs": len(sizes),
        "words": int(sizes[:, MEASURES.index("words")].sum()),
        "sizes": {name: spread(sizes[:, place]) for place, name in enumerate(MEASURES)},
        "exact_duplicates": int(len(exact) - len(np.unique(exact))),
        "classes": _added(parts, "classes"),
        "signs": _added(parts, "signs"),
        "names": {
            kind: merge_top([(p["names"].get(kind, []), p["unlisted"].get(kind, 0), 0) for p in parts], settings.top)
            for kind in sorted({kind for p in parts for kind in p["names"]})
        },
        "ngrams": {str(n): merge_top(_runs(parts, n), settings.top) for n in SIZES},
        "zipf": zipf_exponent([c for _, c, _ in merge_top(_runs(parts, 1), 1000)]),
    }


def _runs(parts: list[dict[str, Any]], size: int) -> list[tuple[list[tuple[str, int]], int, int]]:
    """Of each shard the commonest runs of words, the most another one can occur, what their counts can lack."""
    return [(part["ngrams"][str(size)], part["next"][str(size)], part["lack"][str(size)]) for part in parts]


def _added(parts: list[dict[str, Any]], name: str) -> dict[str, int]:
    return {key: sum(part[name][key] for part in parts) for key in parts[0][name]} if parts else {}


def spread(values: "np.ndarray") -> dict[str, Any]:
    """Sum, mean, exact quantiles (linear between neighbours), counts in BINS equal steps of log10 (0 counts as 1)."""
    import numpy as np

    if not len(values):
        return {"sum": 0, "mean": None, "quantiles": dict.fromkeys(map(str, QUANTILES)), "most": None, "histogram": []}
    logs = np.log10(np.maximum(values, 1))
    counts, edges = np.histogram(logs, bins=BINS, range=(float(logs.min()), float(logs.max()) or 1.0))
    quantiles = np.quantile(values, QUANTILES)
    return {
        "sum": int(values.sum()),
        "mean": float(values.mean()),
        "quantiles": {str(q): float(v) for q, v in zip(QUANTILES, quantiles, strict=True)},
        "most": int(values.max()),
        "histogram": counts.tolist(),
        "low": float(edges[0]),
        "high": float(edges[-1]),
    }


def profile_shard(work: Workspace, inputs: dict[str, str], common: None) -> dict[str, Any]:
    """Sizes, a hash of each text, characters, signs of page furniture, names, runs of words of one Parquet file."""
    import numpy as np
    import pyarrow.parquet

    sizes: list[tuple[int, ...]] = []
    exact: list[int] = []
    classes, signs = Counter[str](dict.fromkeys(CLASSES, 0)), Counter[str](dict.fromkeys(SIGNS, 0))
    names: dict[str, Counter[str]] = {}
    ngrams = RunCounter(keep=20 * SHARD_NGRAMS)
    columns = ["text", "url", "source", "meta"]
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=1024, columns=there):
            rows = batch.to_pydict()
            texts: list[str] = rows["text"]
            words = [words_of(text) for text in texts]
            ngrams.add(words)
            sizes += [(num_bytes(t), len(t), len(w), _lines(t)) for t, w in zip(texts, words, strict=True)]
            exact += [_hash(text) for text in texts]
            classes.update(_classes("".join(texts)))
            lowered = [text.lower() for text in texts]
            for name, needles in SIGNS.items():
                signs[name] += sum(1 for text in lowered if any(needle in text for needle in needles))
            _count_names(names, rows)
            work.advance(len(texts))
    with work.output(f"{work.name}.sizes.npy").open("wb") as target:
        np.save(target, np.array(sizes, np.int64).reshape(-1, len(MEASURES)))
    with work.output(f"{work.name}.exact.npy").open("wb") as target:
        np.save(target, np.array(exact, np.uint64))
    listed = {kind: sorted(c.items(), key=lambda item: (-item[1], item[0])) for kind, c in names.items()}
    summary = {
        "classes": dict(classes),
        "signs": dict(signs),
        "names": {kind: rows[:SHARD_NAMES] for kind, rows in listed.items()},
        "unlisted": {kind: rows[SHARD_NAMES][1] if len(rows) > SHARD_NAMES else 0 for kind, rows in listed.items()},
        "ngrams": {str(n): ngrams.top(n, SHARD_NGRAMS) for n in SIZES},
        "next": {str(n): ngrams.next_count(n, SHARD_NGRAMS) for n in SIZES},
        "lack": {str(n): ngrams.cut[n] for n in SIZES},
    }
    work.output(f"{work.name}.json").write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")
    return {"in": len(sizes)}


def _lines(text: str) -> int:
    return sum(1 for line in text.split("\n") if line.strip())


def _hash(text: str) -> int:
    """64 bits of the text but for case and white space, as data.dedup compares them."""
    import hashlib

    said = " ".join(text.lower().split()).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "little")


def _classes(text: str) -> dict[str, int]:
    """Characters by kind; capitals count as letters too, and what is beyond ASCII counts there as well."""
    counts = Counter(text)  # letters repeat, so that each different one is judged once
    found: dict[str, int] = dict.fromkeys(CLASSES, 0)
    for letter, n in counts.items():
        kind = next((name for name, test in KINDS if test(letter)), CLASSES[4])
        found[kind] += n
        found["capitals"] += n * letter.isupper()
        found["beyond ASCII"] += n * (letter > "\x7f")
    return found


def _count_names(names: dict[str, Counter[str]], rows: dict[str, list[Any]]) -> None:
    """Hosts, sources, and short texts of `meta` (language, format, domain, ...)."""
    for source in rows.get("source", ()):
        names.setdefault("source", Counter())[source or "none"] += 1
    for url in rows.get("url", ()):
        if url:
            names.setdefault("host", Counter())[host_of(url) or "none"] += 1
    for meta in rows.get("meta", ()):
        if meta and meta != "{}":
            for name, value in json.loads(meta).items():
                if isinstance(value, str) and len(value) <= 60 and name != "duplicate_of":
                    names.setdefault(f"meta.{name}", Counter())[value] += 1


def describe(artifact: Artifact) -> "list[Block]":
    """Everything side by side, one column for each input."""
    from hornbook.data.insight.profile_report import blocks

    return blocks(json.loads(artifact.file("profile.json").read_text(encoding="utf-8")))
