import json
import random
import shutil
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import Document, read_documents, to_table
from hornbook.core.errors import SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import dedup
from hornbook.data.copies.shingles import jaccard, shingles
from hornbook.data.ledger import read_funnel
from hornbook.report.blocks import Samples, Series

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in ("ll", "nt", "rk", "st")]


def prose(seed: int, length: int = 120) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def changed(words: list[str], share: float, seed: int) -> str:
    generator = random.Random(seed)
    return " ".join("qqq" if generator.random() < share else word for word in words)


def artifact(folder: Path, shards: list[list[Document]]) -> Artifact:
    (folder / "kept").mkdir(parents=True)
    for number, documents in enumerate(shards):
        pq.write_table(to_table(documents), folder / f"kept/{number:05d}.parquet")
    return Artifact(folder, Manifest(kind="documents", payload_hash=folder.name))


def do(folder: Path, *artifacts: Artifact, workers: int = 1, **settings: Any) -> dict[str, tuple[str, Any, str]]:
    """Deduplicate; returns id -> (rule, value, id of the kept copy)."""
    out = scratch_out(folder, machine=Machine(workers=workers))
    dedup.run(parse(dedup.Settings, settings, "test"), {"documents": artifacts}, out)
    rows = [r for f in sorted((folder / "dropped").iterdir()) for r in pq.read_table(f).to_pylist()]
    return {r["id"]: (r["rule"], _value(r), json.loads(r["meta"])["duplicate_of"]) for r in rows}


def _value(row: dict[str, str]) -> float | str:
    return row["value"] if row["rule"] == "dedup.url" else float(row["value"])


def identity(number: int) -> str:
    return f"{number:032x}"


def test_exact_copies_but_for_case_and_white_space(tmp_path: Path) -> None:
    documents = [
        Document(identity(3), "The fox\n\nsat."),
        Document(identity(2), "the  FOX sat."),
        Document(identity(1), "the fox sat"),  # the full stop counts: not the same text
        Document(identity(4), "a hen"),
    ]
    found = do(tmp_path / "out", artifact(tmp_path / "in", [documents]), fuzzy=False)
    assert found == {identity(3): ("dedup.exact", 1.0, identity(2))}  # equally long, the lower id stays
    assert [d.id for d in read_documents(tmp_path / "out")] == [identity(2), identity(1), identity(4)]


def test_near_copies_keep_the_longest_and_say_how_alike_they_are(tmp_path: Path) -> None:
    base = prose(1)
    long = " ".join(base) + " and the end"
    near = " ".join(base[:60] + ["xxx"] + base[61:])
    documents = [
        [Document(identity(1), near), Document(identity(2), " ".join(prose(2)))],
        [Document(identity(3), long)],
    ]
    found = do(tmp_path / "out", artifact(tmp_path / "in", documents))
    hashes, offsets = shingles([near, long], 5)
    # 116 and 119 shingles, 111 shared: the changed word is in 5
    assert jaccard(np.unique(hashes[: offsets[1]]), np.unique(hashes[offsets[1] :])) == pytest.approx(111 / 124)
    assert found == {identity(1): ("dedup.minhash", pytest.approx(111 / 124, abs=1e-6), identity(3))}
    # `chain` above `threshold`: verified copies go all the same
    assert do(tmp_path / "chain", artifact(tmp_path / "in2", documents), chain=0.95) == found
    assert do(tmp_path / "none", artifact(tmp_path / "in3", documents), threshold=0.9) == {}


def test_an_exact_copy_of_a_near_copy_points_at_the_one_that_is_kept(tmp_path: Path) -> None:
    base = prose(5)
    short, long = " ".join(base), " ".join(base) + " more words here"
    documents = [Document(identity(i), text) for i, text in enumerate([short, short.upper(), long])]
    found = do(tmp_path / "out", artifact(tmp_path / "in", [documents]))
    assert {rule for rule, _, _ in found.values()} == {"dedup.exact", "dedup.minhash"}
    assert {kept for _, _, kept in found.values()} == {identity(2)} and set(found) == {identity(0), identity(1)}


def corpus(num: int) -> tuple[list[list[Document]], dict[int, int]]:
    """Documents in shards; every fifth has a copy with some words changed. Returns number of copy -> original."""
    documents, origin = [], {}
    for number in range(num):
        documents.append(Document(identity(len(documents)), " ".join(prose(number)), meta={"n": number}))
        if number % 5 == 0:
            origin[len(documents)] = len(documents) - 1
            text = changed(prose(number), random.Random(number).choice([0.0, 0.01, 0.02, 0.2]), number)
            documents.append(Document(identity(len(documents)), text))
    order = list(range(len(documents)))
    random.Random(0).shuffle(order)
    shuffled = [documents[i] for i in order]
    return [shuffled[i : i + 40] for i in range(0, len(shuffled), 40)], origin


def test_recall_and_precision_on_planted_copies(tmp_path: Path) -> None:
    shards, origin = corpus(400)
    found = do(tmp_path / "out", artifact(tmp_path / "in", shards))
    texts = {int(d.id, 16): d.text for shard in shards for d in shard}
    alike = set()
    for copy, original in origin.items():
        hashes, offsets = shingles([texts[copy], texts[original]], 5)
        if jaccard(np.unique(hashes[: offsets[1]]), np.unique(hashes[offsets[1] :])) >= 0.8:
            alike.add(frozenset((copy, original)))
    pairs = {frozenset((int(i, 16), int(kept, 16))) for i, (_, _, kept) in found.items()}
    assert 40 < len(alike) < len(origin)
    assert len(alike & pairs) / len(alike) >= 0.99
    assert all(value >= 0.75 for _, value, _ in found.values())
    assert pairs <= {frozenset(item) for item in origin.items()}
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == 480 == funnel["kept"] + sum(funnel["dropped"].values())
    assert set(funnel["dropped"]) == {"dedup.exact", "dedup.minhash"}


def test_recall_among_pages_of_one_template(tmp_path: Path) -> None:
    """170 common words and 30 of their own make pages alike by .73; 100 of 500 share 10 to 17 of the 30 with another.

    Most bands that such a pair (.78 to .84) has in common are the template's, whose buckets hold a quarter of all.
    """
    template, texts, planted = prose(0, 170), [], []
    for number in range(400):
        own = [f"{word}{number}" for word in prose(number, 30)]
        texts.append(" ".join(template + own))
        if number % 4 == 0:
            shared = 10 + number // 4 % 8
            planted.append((len(texts) - 1, len(texts)))
            texts.append(" ".join([*template, *(f"{word}x" for word in own[:-shared]), *own[-shared:]]))
    order = random.Random(1).sample(range(len(texts)), len(texts))
    documents = [Document(identity(n), texts[n]) for n in order]
    found = do(tmp_path / "out", artifact(tmp_path / "in", [documents]))
    gone = {frozenset((int(copy, 16), int(kept, 16))) for copy, (_, _, kept) in found.items()}
    assert all(0.77 < value < 0.85 for _, value, _ in found.values())
    assert gone <= set(map(frozenset, planted)) and len(gone) >= 98


def test_workers_and_the_cut_into_shards_change_no_verdict(tmp_path: Path) -> None:
    shards, _ = corpus(120)
    one = artifact(tmp_path / "in", shards)
    first = do(tmp_path / "a", one)
    assert do(tmp_path / "b", one, workers=2) == first
    assert payload_hash(tmp_path / "a") == payload_hash(tmp_path / "b")
    halves = [
        artifact(tmp_path / "in1", shards[:2]),
        artifact(tmp_path / "in2", [[d for shard in shards[2:] for d in shard]]),
    ]
    assert do(tmp_path / "c", *halves) == first and len(first) > 5


def test_what_is_decided_is_not_decided_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends while the last shard is written: the next one compares nothing, unless a verdict is missing."""
    shards, _ = corpus(60)
    one = artifact(tmp_path / "in", shards)
    first = do(tmp_path / "straight", one)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dedup, "decide_shard", stop)
        do(tmp_path / "stopped", one)
    shutil.copytree(tmp_path / "stopped", tmp_path / "broken")
    next((tmp_path / "broken").rglob("00001.verdicts.json")).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(dedup, "alike", stop)
        assert do(tmp_path / "stopped", one) == first
        with pytest.raises(KeyboardInterrupt):
            do(tmp_path / "broken", one)
    assert do(tmp_path / "broken", one) == first


def test_documents_without_words_are_only_exact_copies(tmp_path: Path) -> None:
    documents = [Document(identity(i), text) for i, text in enumerate(["...", "!!!", "...", "?"])]
    found = do(tmp_path / "out", artifact(tmp_path / "in", [documents, []]))
    assert found == {identity(2): ("dedup.exact", 1.0, identity(0))}


def test_ids_of_other_makers_are_kept_as_they_are(tmp_path: Path) -> None:
    text = " ".join(prose(9))
    documents = [Document("größe-1", text), Document("b/2", text)]
    assert do(tmp_path / "out", artifact(tmp_path / "in", [documents])) == {"größe-1": ("dedup.exact", 1.0, "b/2")}


def test_one_page_under_several_addresses(tmp_path: Path) -> None:
    urls = [
        "http://www.a.org/x/",
        "https://a.org/x?utm_source=b#top",
        "https://m.a.org/x",
        "https://a.org/x?ref=1",
        "https://a.org/y",
        "",
        "",
    ]
    documents = [Document(identity(n), f"{' '.join(prose(n, 20 + n))}", url) for n, url in enumerate(urls)]
    read = artifact(tmp_path / "in", [documents[:3], documents[3:]])
    assert do(tmp_path / "a", read) == {
        identity(0): ("dedup.url", "a.org/x", identity(2)),
        identity(1): ("dedup.url", "a.org/x", identity(2)),
    }
    assert set(do(tmp_path / "b", read, url_mobile=False)) == {identity(0)}
    assert set(do(tmp_path / "c", read, url_ignore=["ref"])) == {identity(n) for n in range(3)}
    assert len(do(tmp_path / "f", read, url_max_docs=3)) == 2
    assert do(tmp_path / "d", read, url=False) == do(tmp_path / "e", read, url_max_docs=2) == {}


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, 2),
        ({"keep": "first"}, 3),
        ({"keep": "newest"}, 1),
        ({"keep": "highest"}, 3),
        ({"keep": "newest", "keep_by": "n"}, 2),
    ],
)
def test_which_copy_stays(tmp_path: Path, settings: dict[str, Any], kept: int) -> None:
    base = " ".join(prose(3))
    documents = [
        Document(identity(3), base, meta={"date": "2021-01-01", "quality": 0.9}),
        Document(identity(1), base.upper(), meta={"date": "2024-01-01", "quality": 0.1, "n": 5}),
        Document(identity(2), base + " more", meta={"n": 6}),
    ]
    found = do(tmp_path / "out", artifact(tmp_path / "in", [documents]), **settings)
    assert [d.id for d in read_documents(tmp_path / "out")] == [identity(kept)]
    assert {copy for _, _, copy in found.values()} == {identity(kept)}


def test_published_signatures_by_name(tmp_path: Path) -> None:
    one = parse(dedup.Settings, {"published": "redpajama_0.82"}, "test")
    assert one.words() == 13 and one.cuts() == ((9, 13),)
    assert parse(dedup.Settings, {}, "test").cuts() == ((14, 8), (18, 6))  # FineWeb's, and its 112 numbers cut again
    assert parse(dedup.Settings, {"extra_rows": 0}, "test").cuts() == ((14, 8),)
    for name, (_, bands, rows) in dedup.PUBLISHED.items():
        crossing = (1 - 0.5 ** (1 / bands)) ** (1 / rows)
        assert float(name.split("_")[1]) == pytest.approx(crossing, abs=0.005)
    assert set(dedup.PUBLISHED) == set(get_args(dedup.Published))
    with pytest.raises(SettingsError, match="published sets bands too"):
        parse(dedup.Settings, {"published": "fineweb_0.68", "bands": 3}, "test")


@pytest.mark.parametrize("name", [None, *dedup.PUBLISHED])
def test_settings_as_a_lock_and_a_manifest_hold_them(name: str | None, tmp_path: Path) -> None:
    """Every field, whether it was set or not."""
    settings = parse(dedup.Settings, {"published": name} if name else {"bands": 3}, "test")
    assert parse(dedup.Settings, settings.model_dump(), "lock") == settings
    do(tmp_path / "out", artifact(tmp_path / "in", corpus(5)[0]), **settings.model_dump(exclude_defaults=True))
    blocks = dedup.describe(Artifact(tmp_path / "out", Manifest(kind="documents", settings=settings.model_dump())))
    assert any(isinstance(block, Series) for block in blocks)


def test_the_report_shows_the_curve_and_the_biggest_groups(tmp_path: Path) -> None:
    shards, _ = corpus(60)
    do(tmp_path / "out", artifact(tmp_path / "in", shards))
    blocks = dedup.describe(Artifact(tmp_path / "out", Manifest(kind="documents", settings={"rows": 7, "new": 1})))
    biggest = json.loads((tmp_path / "out/clusters.json").read_text())["biggest"]
    assert list(biggest[0]) == ["documents", "kept", "copy 1"]
    series = next(block for block in blocks if isinstance(block, Series))
    assert dict(series.lines["14 bands of 7"])[0.8] == pytest.approx(1 - (1 - 0.8**7) ** 14)
    assert any(isinstance(block, Samples) and block.title == "The biggest groups" for block in blocks)
