"""Stage data.atlas: a map of the documents, kept and dropped, as one page that works offline."""

import base64
import gzip
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.settings import StrictSettings
from hornbook.data.insight.layout import EARLY_STEPS, LATE_STEPS, lay_out
from hornbook.data.insight.sample import sample
from hornbook.data.insight.vectors import fit, project, tf_idf
from hornbook.data.web.addresses import host_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+"}
WRITES = "index"
VERSION = 2

MOST_NAMES = 24
MOST_META_NAMES = 40
TITLE_CHARS = 80
LABEL_WORDS = 3
COMMON_FRAC, COMMON_LIFT = 0.12, 3.0
OTHER = "other"
KEPT = "kept"


class Settings(StrictSettings):
    """How many documents are shown, and what places them."""

    num_docs: int = pydantic.Field(default=50_000, ge=3, le=200_000)
    """Dots on the map, a random sample of all documents (pages of more than 50,000 are slow on small machines)."""
    dropped: bool = True
    """Show dropped documents too, coloured by the rule that dropped them."""
    dims: int = pydantic.Field(default=50, ge=2, le=512)
    """Dimensions of the vectors that decide who is whose neighbour."""
    max_words: int = pydantic.Field(default=50_000, ge=100)
    """Words that the vectors are made from."""
    head_chars: int = pydantic.Field(default=2000, ge=100)
    """How much of each document's beginning decides its place."""
    neighbours: int = pydantic.Field(default=15, ge=2, le=200)
    """Nearest neighbours that pull a document."""
    exaggeration: float = pydantic.Field(default=1.0, ge=1, le=12)
    """Above 1 groups are drawn together more tightly, at the price of the order inside them."""
    groups: int | None = pydantic.Field(default=None, ge=1, le=200)
    """Groups that get a label; empty = by the number of documents (7 at 500, 40 at 50,000)."""
    beginning_chars: int = pydantic.Field(default=240, ge=0)
    """How much of a text is on the page."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Sample, place, group, and write the page."""
    import numpy as np
    import pyarrow.parquet

    found = inputs["documents"]
    artifacts: tuple[Artifact, ...] = found if isinstance(found, tuple) else (found,)
    table = sample(artifacts, out, settings.num_docs, settings.head_chars, settings.dropped)
    with out.log.task("atlas", total=EARLY_STEPS + LATE_STEPS, unit="steps") as progress:
        space, counts = fit(table["text"].to_pylist(), settings.dims, settings.max_words, out.seed)
        vectors_NK = project(tf_idf(counts, space.idf_V), space)
        places = lay_out(vectors_NK, settings.neighbours, settings.exaggeration, advance=progress.advance)
    groups = group(vectors_NK, settings.groups or default_groups(len(table)), out.seed)
    labels = [", ".join(words) for words in keywords(counts, groups, space.words)]
    columns = {"x": places[:, 0], "y": places[:, 1], "group": groups}
    shown = table.select(["id", "url", "source", "rule", "value"])
    for name, values in columns.items():
        shown = shown.append_column(name, pyarrow.array(values))
    pyarrow.parquet.write_table(shown, Path(out.path) / "points.parquet", compression="zstd")
    parts = _parts(table, places, groups, labels, settings)
    many = Counter(groups.tolist())
    dropped = Counter(groups[np.array(table["rule"].to_pylist(), object) != ""].tolist())
    rows = [{"label": labels[i], "docs": n, "dropped": dropped[i]} for i, n in many.most_common()]
    write_json(Path(out.path) / "atlas.json", {"groups": rows})
    name = ", ".join(dict.fromkeys(artifact.name for artifact in artifacts))
    total = estimated(table["key"].to_numpy(), settings.num_docs)
    (Path(out.path) / "atlas.html").write_text(page(parts, name, total), encoding="utf-8")
    out.counts.update(docs=len(table), groups=len(rows), dropped=sum(dropped.values()))


def estimated(keys: "np.ndarray", num_docs: int) -> int:
    """How many documents there are, to two digits, from the sample with the lowest hashes; 0 where that is all of them.

    An id counts once, however many inputs hold it. Source: k minimum values (Beyer et al. 2007), (k - 1) / the k-th of
    hashes spread over 0 to 1; its relative error is about 1 / sqrt(k).
    """
    if len(keys) < num_docs:
        return 0
    return int(float(f"{(len(keys) - 1) * 2.0**64 / float(keys[-1]):.2g}"))


def default_groups(num_docs: int) -> int:
    """How many groups get a label: three, and a sixth of the square root of the documents.

    >>> default_groups(500), default_groups(50_000), default_groups(3)
    (7, 40, 2)
    """
    return max(2, min(40, 3 + round(num_docs**0.5 / 6), num_docs - 1))


def group(vectors_NK: "np.ndarray", num_groups: int, seed: int) -> "np.ndarray":
    """The group of each document by k-means on its vector: int32 [N], the largest group first.

    Source: scikit-learn's MiniBatchKMeans; one thread, fixed seed.
    """
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        starts: Any = 3  # the stub knows only "auto"
        size = min(num_groups, len(vectors_NK))
        means = MiniBatchKMeans(n_clusters=size, random_state=seed % 2**32, n_init=starts, batch_size=2048)
        raw = means.fit_predict(vectors_NK)
    ordered = sorted(Counter(raw.tolist()).items(), key=lambda item: (-item[1], item[0]))
    rank = {old: new for new, (old, _) in enumerate(ordered)}
    return np.array([rank[value] for value in raw.tolist()], np.int32)


def keywords(counts: Any, groups: "np.ndarray", words: list[str], most: int = LABEL_WORDS) -> list[list[str]]:
    """The words that tell each group from the others.

    Source: class-based TF-IDF (Grootendorst 2022): share of the word in the group times ln(1 + mean words of a group /
    the word's count). Deviations: left out are words under three letters, numbers, words that begin like an earlier one
    of the label, and words of more than COMMON_FRAC of all documents that are not COMMON_LIFT times as frequent here.
    """
    import numpy as np
    import scipy.sparse

    num_groups = int(groups.max()) + 1
    rows = scipy.sparse.csr_matrix(
        (np.ones(len(groups), np.float32), (groups, np.arange(len(groups)))), (num_groups, len(groups))
    )
    by_group = np.asarray((rows @ counts).todense(), np.float64)
    sizes = by_group.sum(axis=1)
    common = np.bincount(counts.indices, minlength=len(words)) > COMMON_FRAC * counts.shape[0]
    totals, whole = by_group.sum(axis=0), by_group.sum()
    rarity = np.log(1 + sizes.mean() / np.maximum(1, totals))
    found: list[list[str]] = []
    for row, size in zip(by_group, sizes, strict=True):
        label: list[str] = []
        for place in np.argsort(-row / max(1.0, size) * rarity, kind="stable").tolist():
            word = words[place]
            alike = any(_stem(word, other) == _stem(other, word) for other in label)
            usual = common[place] and row[place] * whole < COMMON_LIFT * totals[place] * size
            if len(word) >= 3 and not (usual or word.isdigit() or alike) and row[place]:
                label.append(word)
            if len(label) == most:
                break
        found.append(label or ["…"])
    return found


def _stem(word: str, other: str) -> str:
    """The beginning that decides whether two words are too alike for one label."""
    return word[: min(4, len(word), len(other))]


def _parts(
    table: "pyarrow.Table", places: "np.ndarray", groups: "np.ndarray", labels: list[str], settings: Settings
) -> dict[str, Any]:
    """Everything the page holds, as JSON can carry it."""
    import numpy as np

    low, span = places.min(axis=0), float(np.ptp(places, axis=0).max()) or 1.0
    centred = (places - low - np.ptp(places, axis=0) / 2) / span + 0.5
    texts = table["text"].to_pylist()
    metas = [json.loads(meta) if meta and meta != "{}" else {} for meta in table["meta"].to_pylist()]
    spots = [densest(centred[groups == place]) for place in range(len(labels))]
    return {
        "ids": table["id"].to_pylist(),
        "urls": table["url"].to_pylist(),
        "titles": [title_of(text, meta) for text, meta in zip(texts, metas, strict=True)],
        "texts": [text[: settings.beginning_chars] for text in texts],
        "x": _packed(np.round(centred[:, 0] * 65535).astype("<u2")),
        "y": _packed(np.round(centred[:, 1] * 65535).astype("<u2")),
        "groups": [
            {"label": label, "x": round(float(x), 4), "y": round(float(y), 4)}
            for label, (x, y) in zip(labels, spots, strict=True)
        ],
        "facets": _facets(table, [labels[place] for place in groups.tolist()], metas, settings.dropped),
    }


def densest(places: "np.ndarray") -> "np.ndarray":
    """Where most of these places are: the mean of those in the fullest of 24 x 24 cells."""
    import numpy as np

    cells = np.minimum((places * 24).astype(np.int64), 23) @ np.array([24, 1])
    return places[cells == np.bincount(cells).argmax()].mean(axis=0)


def title_of(text: str, meta: dict[str, Any]) -> str:
    """A document's title: what `meta` says, or else its first line, cut."""
    said = meta.get("title")
    line = said if isinstance(said, str) and said.strip() else next(iter(text.strip().split("\n")), "")
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rstrip() + "…"


def _facets(
    table: "pyarrow.Table", groups: list[str], metas: list[dict[str, Any]], dropped: bool
) -> list[dict[str, Any]]:
    """What dots can be coloured by: group, outcome, source, host, and fields of `meta` with few different values."""
    found = [facet("group", groups)]
    rules = table["rule"].to_pylist()
    if dropped and any(rules):
        found.append(facet("kept or dropped", [rule or KEPT for rule in rules], quiet=KEPT))
    found.append(facet("source", table["source"].to_pylist()))
    found.append(facet("host", [host_of(url) for url in table["url"].to_pylist()]))
    for name in sorted({name for meta in metas for name, value in meta.items() if isinstance(value, str)}):
        values = [str(meta.get(name) or "none") for meta in metas]
        if len(set(values)) <= MOST_META_NAMES:
            found.append(facet(name, values))
    return found[:1] + [item for item in found[1:] if len(item["names"]) > 1]


def facet(name: str, values: list[str], quiet: str = "") -> dict[str, Any]:
    """Values as codes: the commonest MOST_NAMES have names of their own, the others are one; `quiet`: drawn grey."""
    import numpy as np

    counts = Counter(value or "none" for value in values)
    names = [value for value, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    most = MOST_NAMES * 2 if name == "group" else MOST_NAMES
    if len(names) > most:
        names = [*names[: most - 1], OTHER]
    code = {value: place for place, value in enumerate(names)}
    codes = np.array([code.get(value or "none", len(names) - 1) for value in values], np.uint8)
    grey = [place for place, value in enumerate(names) if value in (quiet, OTHER, "none")]
    return {"name": name, "names": names, "codes": _packed(codes), "quiet": grey}


def _packed(array: "np.ndarray") -> str:
    return base64.b64encode(array.tobytes()).decode()


def page(parts: dict[str, Any], name: str, total: int) -> str:
    """The page: one file, nothing outside it. All that came from documents is compressed data, never markup."""
    import jinja2
    from markupsafe import Markup

    here = Path(__file__).parent / "insight"
    script = (here / "atlas.js").read_text(encoding="utf-8")
    said = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    digest = hashlib.sha256(script.encode()).digest()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("atlas.html.jinja").render(
        title=name,
        num_docs=f"{len(parts['ids']):,}",
        of=f"about {total:,}" if total > len(parts["ids"]) else "",
        css=Markup((here / "atlas.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=f"sha256-{base64.b64encode(digest).decode()}",
        payload=base64.b64encode(gzip.compress(said, 6, mtime=0)).decode(),
    )


def describe(artifact: Artifact) -> "list[Block]":
    """The groups of the map, and where the map is."""
    from hornbook.report.blocks import Table, share

    groups = json.loads(artifact.file("atlas.json").read_text(encoding="utf-8"))["groups"]
    total = sum(row["docs"] for row in groups)
    rows: list[list[object]] = [
        [row["label"], row["docs"], share(row["docs"], total), share(row["dropped"], row["docs"])] for row in groups
    ]
    note = f"The map is {artifact.path.name}/atlas.html: open it in a browser, it needs no network."
    return [Table("Groups on the map", ["words", "documents", "of the map", "dropped"], rows, note)]
