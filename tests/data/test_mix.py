import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import Document, read_documents, to_table
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import mix, passes
from hornbook.data.ledger import read_funnel
from hornbook.report.blocks import Table
from hornbook.tokenizer.encode import is_validation


def doc(name: str, number: int, size: int = 100, **meta: Any) -> Document:
    identity = hashlib.blake2b(f"{name}{number}".encode(), digest_size=16).hexdigest()
    return Document(identity, "x" * size, source=name, meta=meta)


def artifact(folder: Path, documents: list[Document], shards: int = 3) -> Artifact:
    (folder / "kept").mkdir(parents=True)
    for number in range(shards):
        pq.write_table(to_table(documents[number::shards]), folder / f"kept/{number:05d}.parquet")
    return Artifact(folder, Manifest(kind="documents", payload_hash=folder.name))


def do(folder: Path, *artifacts: Artifact, workers: int = 1, seed: int = 0, **settings: Any) -> Counter[str]:
    """Mix; returns how often each id is in the result."""
    out = scratch_out(folder, machine=Machine(workers=workers), seed=seed)
    scores = settings.pop("scores", None)
    inputs: dict[str, Any] = {"documents": artifacts} | ({"weights": scores} if scores else {})
    mix.run(parse(mix.Settings, settings, "test"), inputs, out)
    return Counter(d.id for d in read_documents(folder))


@pytest.fixture
def web_and_tales(tmp_path: Path) -> Artifact:
    """40,000 bytes of web in 400 documents and 4,000 of tales in 40."""
    return artifact(tmp_path / "in", [doc("web", n) for n in range(400)] + [doc("tales", n) for n in range(40)])


def of(found: Counter[str], name: str, most: int = 400) -> Counter[str]:
    ids = {doc(name, n).id for n in range(most)}
    return Counter({identity: n for identity, n in found.items() if identity in ids})


def test_halves_repeat_the_scarce_and_thin_the_plentiful(tmp_path: Path, web_and_tales: Artifact) -> None:
    """Equal parts at no more than four epochs: 16,000 bytes of each, tales four times, two fifths of the web once."""
    found = do(tmp_path / "out", web_and_tales, weights={"web": 1, "tales": 1.0})
    assert set(of(found, "tales", 40).values()) == {4} and len(of(found, "tales", 40)) == 40
    assert set(of(found, "web").values()) == {1} and len(of(found, "web")) == 160
    books = json.loads((tmp_path / "out/mix.json").read_text())
    assert books["domains"]["tales"] == {
        "bytes_in": 4000, "asked_share": 0.5, "got_share": 0.5, "epochs": 4.0, "max_epochs": 4.0,
        "docs": 160, "bytes": 16000,
    }  # fmt: skip
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == 440 + 120 == funnel["kept"] + funnel["dropped"]["mix.not_drawn"]
    assert funnel["others"] == {"copies": 120} and funnel["kept"] == 320


def test_copies_keep_their_id_and_are_numbered(tmp_path: Path, web_and_tales: Artifact) -> None:
    """One id, one side of the validation split, whatever the number of copies."""
    do(tmp_path / "out", web_and_tales, weights={"web": 0.5, "tales": 0.5})
    copies: dict[str, list[int]] = {}
    for document in read_documents(tmp_path / "out"):
        copies.setdefault(document.id, []).append(document.meta.get("copy", 0))
    tales = [found for found in copies.values() if len(found) > 1]
    assert len(tales) == 40 and all(sorted(found) == [0, 1, 2, 3] for found in tales)
    sides = {(d.id, is_validation(d.id, 0.2)) for d in read_documents(tmp_path / "out")}
    assert len(sides) == len(copies)


def test_a_larger_mix_contains_the_smaller(tmp_path: Path, web_and_tales: Artifact) -> None:
    before: Counter[str] = Counter()
    for total in (3_000, 6_000, 12_000, 50_000):
        found = do(tmp_path / str(total), web_and_tales, weights={"web": 0.8, "tales": 0.2}, total_bytes=total)
        assert before <= found
        assert abs(found.total() * 100 - total) <= 200
        before = found
    assert do(tmp_path / "seed", web_and_tales, weights={"web": 1, "tales": 0}, total_bytes=9_000, seed=1) != do(
        tmp_path / "other", web_and_tales, weights={"web": 1, "tales": 0}, total_bytes=9_000, seed=2
    )


def test_what_cannot_be_met_is_spread_or_refused(tmp_path: Path, web_and_tales: Artifact) -> None:
    asked: dict[str, Any] = {"weights": {"web": 1, "tales": 1}, "total_bytes": 40_000}
    found = do(tmp_path / "out", web_and_tales, **asked, domain_epochs={"tales": 2.5})
    assert of(found, "tales").total() == 100 and of(found, "web").total() == 300
    assert set(of(found, "tales").values()) == {2, 3}
    with pytest.raises(DataError, match=r'cannot be met: "tales": 50.0 % asked, 40.0 % possible at 4 epochs'):
        do(tmp_path / "no", web_and_tales, **asked, short="refuse")


def test_temperature_instead_of_weights(tmp_path: Path, web_and_tales: Artifact) -> None:
    """Sizes 10 to 1, alpha 1/2: parts 3.162 to 1, of 20,000 bytes 15,195 and 4,805."""
    found = do(tmp_path / "out", web_and_tales, alpha=0.5, total_bytes=20_000)
    assert (of(found, "web").total(), of(found, "tales").total()) == (152, 48)


def test_domains_from_meta_and_patterns(tmp_path: Path) -> None:
    documents = [doc(f"crawl-{n % 2}", n, topic="law" if n % 4 else "art") for n in range(80)] + [doc("b", 99)]
    source = artifact(tmp_path / "in", documents)
    found = do(tmp_path / "topic", source, by="topic", weights={"law": 1, "art": 2}, others="drop", total_bytes=6000)
    kept = Counter(d.meta["topic"] for d in read_documents(tmp_path / "topic"))
    assert kept == {"law": 20, "art": 40} and found.total() == 60
    assert read_funnel(tmp_path / "topic")["dropped"]["mix.no_weight"] == 1
    found = do(tmp_path / "glob", source, weights={"crawl-*": 4, "b": 1}, total_bytes=500)
    assert Counter(d.source for d in read_documents(tmp_path / "glob")) == {"crawl-0": 2, "crawl-1": 2, "b": 1}


def test_scores_of_documents_weigh_the_draw(tmp_path: Path) -> None:
    """With weights 9 and 1 and a small sample, nine of ten drawn are of the first kind; unweighed ones come last."""
    documents = [doc("a", n, quality=9.0 if n % 2 else 1.0) for n in range(2000)] + [doc("a", 9999, quality="none")]
    source = artifact(tmp_path / "in", documents)
    do(tmp_path / "out", source, weights={"a": 1}, total_bytes=20_000, weight_field="quality")
    kept = Counter(d.meta["quality"] for d in read_documents(tmp_path / "out"))
    assert kept.total() == 200 and "none" not in kept
    assert kept[9.0] == pytest.approx(180, abs=13)  # three standard deviations of a draw with p = .9


def test_weights_that_a_search_found(tmp_path: Path, web_and_tales: Artifact) -> None:
    (tmp_path / "scores").mkdir()
    record = {"scores": [], "mixture": {"by": "source", "weights": {"web": 0.25, "tales": 0.75}}}
    (tmp_path / "scores/scores.json").write_text(json.dumps(record))
    scores = Artifact(tmp_path / "scores", Manifest(kind="scores"))
    found = do(tmp_path / "out", web_and_tales, scores=scores, total_bytes=16_000)
    assert (of(found, "web").total(), of(found, "tales").total()) == (40, 120)
    (tmp_path / "scores/scores.json").write_text('{"scores": []}')
    with pytest.raises(DataError, match="hold no weights"):
        do(tmp_path / "no", web_and_tales, scores=scores)


def test_mistakes_are_sentences(tmp_path: Path, web_and_tales: Artifact) -> None:
    def fails(kind: type[Exception], match: str, **settings: Any) -> None:
        with pytest.raises(kind, match=match):
            do(tmp_path / "no", web_and_tales, **settings)

    fails(SettingsError, "no parts are given")
    fails(SettingsError, "not both", alpha=0.5, weights={"web": 1})
    fails(SettingsError, "from 0 on", weights={"web": -1})
    fails(SettingsError, "all weights are 0", weights={"web": 0})
    fails(DataError, r'1 of 2 domains have no weight: "tales" \(9.1 %\)', weights={"web": 1})
    fails(DataError, 'names "tails", no source; did you mean "tales"', weights={"web": 1, "tails": 1})
    fails(DataError, 'domain_epochs names "wep"', alpha=1.0, domain_epochs={"wep": 1.0})


def test_workers_and_shards_change_nothing(tmp_path: Path, web_and_tales: Artifact) -> None:
    hashes = set()
    for workers in (1, 2):
        do(tmp_path / f"w{workers}", web_and_tales, workers=workers, weights={"web": 2, "tales": 1})
        hashes.add(payload_hash(tmp_path / f"w{workers}"))
    assert len(hashes) == 1
    documents = [doc("web", n) for n in range(400)] + [doc("tales", n) for n in range(40)]
    other = artifact(tmp_path / "in7", documents, shards=7)
    again = do(tmp_path / "w7", other, weights={"web": 2, "tales": 1})
    assert again == Counter(d.id for d in read_documents(tmp_path / "w1"))


def test_the_report_sets_asked_beside_got(tmp_path: Path, web_and_tales: Artifact) -> None:
    do(tmp_path / "out", web_and_tales, weights={"web": 1, "tales": 1})
    table, *_ = mix.describe(Artifact(tmp_path / "out", Manifest(kind="documents", stage="data.mix")))
    assert isinstance(table, Table) and table.columns[0] == "source"
    assert table.rows[0] == ["tales", "4 kB", "9.1 %", "50.0 %", "50.0 %", "16 kB", 160, 4.0]


def test_a_second_start_draws_the_same(
    tmp_path: Path, web_and_tales: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted when all shards are surveyed and drawn; domains come in another order than the alphabet's."""
    asked: dict[str, Any] = {"weights": {"web": 0.7, "tales": 0.3}, "total_bytes": 9_000}
    do(tmp_path / "straight", web_and_tales, **asked)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    for module, place in ((mix, "plan"), (passes, "conclude")):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(module, place, stop)
            do(tmp_path / "again", web_and_tales, **asked)
    do(tmp_path / "again", web_and_tales, **asked)
    assert payload_hash(tmp_path / "again") == payload_hash(tmp_path / "straight")


def test_too_many_domains_over_all_shards(
    tmp_path: Path, web_and_tales: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = artifact(tmp_path / "many", [doc(f"s{n}", n) for n in range(9)])  # three in each shard
    monkeypatch.setattr(mix, "MAX_DOMAINS", 5)
    with pytest.raises(DataError, match='"source" has more than 5 different values'):
        do(tmp_path / "out", source, alpha=1.0)


def test_documents_without_text_are_no_mix(tmp_path: Path) -> None:
    empty = [doc("empty", n, size=0) for n in range(3)]
    for number, asked in enumerate([{"alpha": 0.5}, {"weights": {"empty": 1}}, {"weights": {"other": 1}}]):
        with pytest.raises(DataError, match="these documents have no text"):
            do(tmp_path / f"out{number}", artifact(tmp_path / f"in{number}", empty), **asked)
    both = artifact(tmp_path / "both", [*empty, doc("web", 1)])
    with pytest.raises(DataError, match="no document was kept"):
        do(tmp_path / "no", both, weights={"empty": 1, "web": 0}, total_bytes=100)
