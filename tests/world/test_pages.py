"""Pages: WARC files that tools read, a truth that fits them byte for byte, and data stages held against it."""

import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import read_documents
from hornbook.core.errors import SettingsError
from hornbook.core.settings import parse
from hornbook.data import dedup, extract
from hornbook.data import filter as filtering
from hornbook.world import facts, pages
from hornbook.world.facts import make_world
from hornbook.world.pages import Settings, jaccard, make_pages

SMALL = Settings(text_bytes=260_000, pages_per_file=120)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    return [
        row for file in sorted(folder.glob("truth/*.parquet")) for row in pyarrow.parquet.read_table(file).to_pylist()
    ]


def written(folder: Path, settings: Settings, seed: int = 7) -> Artifact:
    truth = scratch_out(folder / "truth", seed=seed)
    facts.run(facts.Settings(), {}, truth)
    out = scratch_out(folder / "pages", seed=seed)
    pages.run(settings, {"truth": Artifact(truth.path, Manifest(kind="truth"))}, out)
    return Artifact(out.path, Manifest(kind="pages", counts=out.counts))


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return written(tmp_path_factory.mktemp("world"), SMALL)


@pytest.fixture(scope="module")
def cleaned(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages through the data stages, as the demo does it."""
    folder = tmp_path_factory.mktemp("data")
    steps = ((extract, "extract", "pages"), (filtering, "filter", "documents"), (dedup, "dedup", "documents"))
    current, found = artifact, {}
    for module, name, read in steps:
        out = scratch_out(folder / name, seed=7)
        module.run(parse(module.Settings, {}, name), {read: current}, out)
        current = Artifact(out.path, Manifest(kind="documents", counts=out.counts))
        found[name] = out.path
    return found


def test_the_same_seed_writes_the_same_bytes(artifact: Artifact, tmp_path: Path) -> None:
    assert payload_hash(written(tmp_path / "a", SMALL).path) == payload_hash(artifact.path)
    assert payload_hash(written(tmp_path / "b", SMALL, seed=8).path) != payload_hash(artifact.path)


def test_other_tools_read_the_warc_files(artifact: Artifact) -> None:
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    urls: list[str] = []
    for file in sorted(artifact.path.glob("warc/*.warc.gz")):
        with file.open("rb") as data:
            records = list(ArchiveIterator(data, record_types=WarcRecordType.any_type, parse_http=False))
        data_of_file = file.read_bytes()
        assert data_of_file.count(b"\x1f\x8b\x08\x00") >= len(records)
        with file.open("rb") as data:
            for record in ArchiveIterator(data, record_types=WarcRecordType.response, parse_http=True):
                assert record.http_headers is not None and record.http_headers.status_code in (200, 404)
                body = record.reader.read()
                assert len(body) == int(record.http_headers["Content-Length"])
                urls.append(record.headers["WARC-Target-URI"])
                assert record.headers["WARC-Date"] == "2024-01-01T00:00:00Z"
    assert urls == [row["url"] for row in rows_of(artifact.path)]
    assert len(set(urls)) == len(urls) == artifact.manifest.counts["pages"]


def test_truth_has_the_ids_that_extraction_gives(artifact: Artifact, cleaned: dict[str, Path]) -> None:
    truth = {row["id"]: row for row in rows_of(artifact.path)}
    documents = list(read_documents(cleaned["extract"]))
    assert {d.id for d in documents} == {i for i, row in truth.items() if row["kind"] != "missing"}
    assert all(truth[d.id]["url"] == d.url for d in documents)


def test_extraction_gives_the_clean_text(artifact: Artifact, cleaned: dict[str, Path]) -> None:
    truth = {row["id"]: row for row in rows_of(artifact.path)}
    good = {i: r for i, r in truth.items() if r["kind"] in SMALL.mix() and r["flaw"] != "latin1_as_utf8"}
    exact = sum(d.id in good and d.text == good[d.id]["clean_text"] for d in read_documents(cleaned["extract"]))
    assert exact >= 0.99 * len(good)


def test_good_pages_survive_and_the_rest_mostly_does_not(artifact: Artifact, cleaned: dict[str, Path]) -> None:
    truth = {row["id"]: row for row in rows_of(artifact.path)}
    kept = {d.id for d in read_documents(cleaned["filter"])}
    good = {i for i, row in truth.items() if row["kind"] in SMALL.mix()}
    assert len(kept & good) >= 0.99 * len(good)
    for kind in ("foreign", "code", "missing"):
        assert not [i for i in kept if truth[i]["kind"] == kind], kind


def test_one_page_of_every_family_of_copies_survives(artifact: Artifact, cleaned: dict[str, Path]) -> None:
    truth = {row["id"]: row for row in rows_of(artifact.path)}
    by_url = {row["url"]: row for row in truth.values()}

    def root(row: dict[str, Any]) -> str:
        above = row["duplicate_of"] or row["near_duplicate_of"]
        return root(by_url[above]) if above in by_url else row["url"]

    families = Counter(root(row) for row in truth.values() if row["kind"] in SMALL.mix())
    left = Counter(root(truth[d.id]) for d in read_documents(cleaned["dedup"]) if truth[d.id]["kind"] in SMALL.mix())
    assert max(families.values()) > 1 and set(left) == set(families)
    assert sum(left.values()) <= 1.01 * len(families)


def test_near_copies_are_near_and_others_far(artifact: Artifact) -> None:
    rows = rows_of(artifact.path)
    by_url = {row["url"]: row for row in rows}
    near = [row for row in rows if row["near_duplicate_of"]]
    assert near and all(0.8 <= row["jaccard"] < 1 for row in near)
    for row in near:
        assert jaccard(row["clean_text"], by_url[row["near_duplicate_of"]]["clean_text"]) == pytest.approx(
            row["jaccard"]
        )
    for row in rows:
        if row["duplicate_of"]:
            assert row["clean_text"] == by_url[row["duplicate_of"]]["clean_text"] and row["url"].startswith(
                "http://mirror."
            )
    alone = [
        row for row in rows if not row["duplicate_of"] and not row["near_duplicate_of"] and row["kind"] in SMALL.mix()
    ]
    for kind in SMALL.mix():
        texts = [row["clean_text"] for row in alone if row["kind"] == kind][:25]
        assert max((jaccard(a, b) for i, a in enumerate(texts) for b in texts[:i]), default=0) < 0.5, kind


def test_private_data_is_where_the_truth_says(artifact: Artifact) -> None:
    found = Counter()
    for row in rows_of(artifact.path):
        spans = json.loads(row["pii"])
        inside = [(row["clean_text"][s["begin"] : s["end"]], s["kind"]) for s in spans]
        for text, kind in inside:
            assert re.fullmatch({"email": r"[a-z]+\.\d\d@[a-z-]+\.example", "phone": r"\+44 20 7946 \d{4}"}[kind], text)
            found[kind] += 1
        assert row["clean_text"].count("@") == sum(kind == "email" for _, kind in inside)
    assert found["email"] == found["phone"] >= 3


def test_the_web_is_as_dirty_as_the_settings_say(artifact: Artifact) -> None:
    rows = rows_of(artifact.path)
    kinds = Counter(row["kind"] for row in rows)
    assert {"spam", "rude", "code", "foreign", "missing"} <= set(kinds)
    assert any(row["broken"] for row in rows) and any(row["cited"] for row in rows) and any(row["flaw"] for row in rows)
    assert all(row["language"] == ("fennish" if row["kind"] == "foreign" else "en") for row in rows)
    assert all(row["rude"] == (row["kind"] == "rude") and row["spam"] == (row["kind"] == "spam") for row in rows)
    sizes = Counter(dict.fromkeys(SMALL.mix(), 0))
    for row in rows:
        if row["kind"] in sizes and not row["duplicate_of"] and not row["near_duplicate_of"]:
            sizes[row["kind"]] += len(row["clean_text"])
    for kind, share in SMALL.mix().items():
        assert sizes[kind] / sum(sizes.values()) == pytest.approx(share, abs=0.02), kind
    assert sum(sizes.values()) == pytest.approx(SMALL.text_bytes, rel=0.02)


def test_citations_are_links_on_encyclopedia_pages(artifact: Artifact) -> None:
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    cited = {row["url"] for row in rows_of(artifact.path) if row["cited"]}
    linked: set[str] = set()
    for file in artifact.path.glob("warc/*.warc.gz"):
        with file.open("rb") as data:
            for record in ArchiveIterator(data, record_types=WarcRecordType.response, parse_http=True):
                links = set(re.findall(r'href="(http://[^"]+)"', record.reader.read().decode("utf-8", "replace")))
                assert not links or "encyclopedia" in record.headers["WARC-Target-URI"]
                linked |= links
    assert linked == cited


def test_pages_are_made_one_by_one() -> None:
    world = make_world(facts.Settings(), 7)
    some = list(islice(make_pages(world, Settings(), 7), 80))
    more = list(islice(make_pages(world, Settings(text_bytes=99), 7), 120))
    assert more[:80] == some and [page.number for page in more] == list(range(120))


def test_shares_of_nothing_are_refused() -> None:
    kinds = dict.fromkeys(("encyclopedia", "story", "letter", "forum", "chat", "shop"), 0.0)
    with pytest.raises(SettingsError, match="nothing would be written"):
        parse(Settings, kinds, "here")
    with pytest.raises(SettingsError, match="leave no good pages"):
        parse(Settings, {"junk_frac": 0.8, "mirror_frac": 0.2}, "here")
    assert parse(Settings, kinds | {"story": 2.0}, "here").mix() == {"story": 1.0}


def test_reports_can_show_it(artifact: Artifact) -> None:
    table, samples = pages.describe(artifact)
    assert ["story", artifact.manifest.counts["story"]] in table.rows  # type: ignore[union-attr]
    assert {"encyclopedia", "story", "chat"} <= {item["kind"] for item in samples.items}  # type: ignore[union-attr]
