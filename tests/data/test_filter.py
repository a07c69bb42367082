import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import Document, Drop, Keep, read_documents, to_table
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import filter as stage
from hornbook.data.filters import gopher_quality
from hornbook.data.ledger import read_funnel
from hornbook.data.profiles import PROFILES
from hornbook.data.rules import forget_loaded
from hornbook.report.blocks import Table
from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Workspace

PROSE = (
    "The ferry left the old harbour at seven in the morning, and nobody on board had slept well. "
    "A baker sold warm rolls from a basket while the captain watched the fog over the islands. "
    "To reach the market they have to pass the long bridge with its two towers of grey stone. "
)
PAGE = PROSE + (
    "When the fog rose, the children counted eleven gulls and one very small boat with a red sail. "
    "Their teacher wrote the number on a card. Nobody could say whose boat it was, or where it went."
)
STORY = "The fox ran. The fox ran fast. Run, fox, run! And the fox ran home to bed."


def artifact(folder: Path, shards: list[list[Document]]) -> Artifact:
    (folder / "kept").mkdir(parents=True)
    for number, documents in enumerate(shards):
        pq.write_table(to_table(documents), folder / f"kept/{number:05d}.parquet")
    return Artifact(folder, Manifest(kind="documents"))


def do(folder: Path, documents: Artifact, workers: int = 1, **settings: Any) -> Any:
    out = scratch_out(folder, machine=Machine(workers=workers))
    stage.run(parse(stage.Settings, settings, "test"), {"documents": documents}, out)
    return out


def dropped(folder: Path) -> list[tuple[str, str, str]]:
    rows = [r for f in sorted((folder / "dropped").iterdir()) for r in pq.read_table(f).to_pylist()]
    return [(r["id"], r["rule"], r["value"]) for r in rows]


def test_the_chain_keeps_edits_and_drops(tmp_path: Path) -> None:
    documents = [
        Document("good", PROSE, "https://a.example/1", "s", {"k": 1}),
        Document("mail", PROSE + "Ask bob@example.org about it.", "https://a.example/2"),
        Document("bad", PROSE, "https://porn.example/"),
        Document("short", "Too short to keep it here."),
        Document("german", "Die Fähre verließ den alten Hafen um sieben Uhr, und niemand hatte gut geschlafen. " * 5),
    ]
    given = artifact(tmp_path / "in", [documents[:3], documents[3:]])
    out = do(tmp_path / "out", given, rules=["url", "language", "gopher_quality", "pii"])
    good, mail = read_documents(tmp_path / "out")
    assert good.meta.pop("language") == mail.meta.pop("language") == "en"
    assert 0.5 < good.meta.pop("language_confidence") <= 1 and 0.5 < mail.meta.pop("language_confidence") <= 1
    assert good == documents[0]
    assert mail == Document("mail", PROSE + "Ask [EMAIL] about it.", "https://a.example/2")
    assert dropped(tmp_path / "out") == [
        ("bad", "url.hard_word", "porn"),
        ("short", "gopher.too_short", "6"),
        ("german", "language.other", "de"),
    ]
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == 5 and funnel["kept"] == 2 and funnel["edited"] == {"pii.email": 1}
    assert out.counts["docs"] == 2


def test_profiles_are_for_kinds_of_documents(tmp_path: Path) -> None:
    given = artifact(tmp_path / "in", [[Document("story", STORY), Document("page", PAGE)]])
    do(tmp_path / "stories", given, profile="stories")
    assert [d.id for d in read_documents(tmp_path / "stories")] == ["story", "page"]
    do(tmp_path / "web", given)
    assert [d.id for d in read_documents(tmp_path / "web")] == ["page"]


def test_workers_change_nothing(tmp_path: Path) -> None:
    shards = [[Document(f"{i}{j}", PROSE if (i + j) % 3 else "no") for j in range(20)] for i in range(4)]
    given = artifact(tmp_path / "in", shards)
    do(tmp_path / "one", given, rules=["gopher_quality"])
    do(tmp_path / "two", given, workers=2, rules=["gopher_quality"])
    assert payload_hash(tmp_path / "one") == payload_hash(tmp_path / "two")


def test_a_filter_of_ones_own_that_hangs_on_one_document(tmp_path: Path) -> None:
    file = tmp_path / "slow.py"
    file.write_text(
        "from hornbook.core.document import Keep\nfrom hornbook.core.settings import StrictSettings\nRULES = {}\n"
        "class Settings(StrictSettings):\n    pass\n"
        "def decide(document, settings):\n    while document.text == 'hang':\n        pass\n    return Keep()\n"
    )
    given = artifact(tmp_path / "in", [[Document("1", "a"), Document("2", "hang"), Document("3", "c")]])
    do(tmp_path / "out", given, rules=[str(file)], record_cpu_s=0.3)
    assert [d.id for d in read_documents(tmp_path / "out")] == ["1", "3"]
    assert dropped(tmp_path / "out") == [("2", "filter.timeout", "0.3")]


def test_mistakes_are_found_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='did you mean "language"'):
        parse(stage.Settings, {"rules": ["langage"]}, "test")
    with pytest.raises(SettingsError, match='did you mean "min_words"'):
        parse(stage.Settings, {"rule": {"gopher_quality": {"minwords": 1}}}, "test")
    with pytest.raises(SettingsError, match='rule "c4", which is not in rules'):
        parse(stage.Settings, {"rules": ["url"], "rule": {"c4": {}}}, "test")
    given = artifact(tmp_path / "in", [[Document("1", "x")]])
    with pytest.raises(DataError, match="dropped by gopher.too_short 1"):
        do(tmp_path / "out", given, rules=["gopher_quality"])


def test_resolve_freezes_the_code_of_ones_own_filters(tmp_path: Path) -> None:
    settings, derived = stage.resolve(parse(stage.Settings, {}, "test"), probe=None, hints={})
    assert settings.code == {} and derived == {"rules": "url, language, gopher_quality, gopher_repetition, c4, pii"}
    file = tmp_path / "mine.py"
    file.write_text(
        "from hornbook.core.settings import StrictSettings as Settings\nRULES = {}\ndef decide(d, s): ...\n"
    )
    kinds = parse(stage.Settings, {"kind_field": "guess", "kinds": {"poem": "poems"}}, "test")
    assert stage.resolve(kinds, probe=None, hints={})[1]["rules for poem"] == (
        "poems: language, gopher_quality, gopher_repetition, pii"
    )
    own = parse(stage.Settings, {"rules": [str(file)]}, "test")
    assert set(stage.resolve(own, probe=None, hints={})[0].code) == {str(file)}


POEM = (
    "Little boat upon the sea,\nwill you bring a shell for me?\n"
    "Little boat upon the foam,\nwill you bring my father home?\n"
)


def test_each_kind_of_document_has_its_rules(tmp_path: Path) -> None:
    given = artifact(
        tmp_path / "in",
        [
            [
                Document("labelled", POEM, meta={"format": "verse"}),
                Document("other", POEM, meta={"format": "shop"}),
                Document("bare", POEM),
                Document("page", PAGE),
            ]
        ],
    )
    do(tmp_path / "none", given)
    assert [d.id for d in read_documents(tmp_path / "none")] == ["page"]
    do(tmp_path / "labels", given, kinds={"verse": "poems"})
    assert [d.id for d in read_documents(tmp_path / "labels")] == ["labelled", "page"]
    assert read_funnel(tmp_path / "labels")["others"] == {"profile poems": 1, "profile web": 3}
    do(tmp_path / "guess", given, kind_field="guess")
    kept = list(read_documents(tmp_path / "guess"))
    assert [(d.id, d.meta.get("kind")) for d in kept] == [
        ("labelled", "poem"),
        ("other", "poem"),
        ("bare", "poem"),
        ("page", None),
    ]
    made = Artifact(tmp_path / "labels", Manifest(kind="documents", settings={"kinds": {"verse": "poems"}, "rule": {}}))
    [rules] = [block for block in stage.describe(made) if isinstance(block, Table)]
    assert all(row[3] for row in rules.rows)  # every rule that dropped something is explained
    with pytest.raises(SettingsError, match="kinds"):
        parse(stage.Settings, {"kinds": {"verse": "poem"}}, "test")


def test_what_a_filter_measured_stays_with_the_document_even_when_it_goes(tmp_path: Path) -> None:
    given = artifact(tmp_path / "in", [[Document("page", PAGE), Document("short", PROSE[:90], meta={"k": 1})]])
    do(tmp_path / "out", given, rules=["language", "gopher_quality"])
    [row] = pq.read_table(tmp_path / "out/dropped/00000.parquet").to_pylist()
    assert row["rule"] == "gopher.too_short"
    assert set(json.loads(row["meta"])) == {"k", "language", "language_confidence"}


def test_every_profile_is_whole() -> None:
    for name in PROFILES:
        assert parse(stage.Settings, {"profile": name}, "test").chains()


LISTED = """
from pathlib import Path
from hornbook.core.document import Drop, Keep
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
RULES = {"mine.word": "a listed word (value: the word)"}
class Settings(StrictSettings):
    words: InputPath
    \"\"\"The list.\"\"\"
def load(settings):
    words = resolve_input(settings.words)
    with words.with_suffix(".log").open("a") as log:
        log.write("loaded ")
    return set(words.read_text().split())
def decide(document, settings, listed):
    found = listed & set(document.text.split())
    return Drop("mine.word", min(found)) if found else Keep()
"""


def filter_here(folder: Path, shard: str, settings: stage.Settings, begin: Any = None) -> Workspace:
    """One shard without worker processes."""
    work = Workspace(Path(shard).stem, folder, folder / "scratch", {}, Limits())
    if begin is not None:
        work.begin = begin
    stage.filter_shard(work, {"file": shard}, settings)
    work.publish()
    return work


def test_what_a_filter_loads_is_loaded_once_for_all_shards_and_profiles(tmp_path: Path) -> None:
    (tmp_path / "listed.py").write_text(LISTED)
    (tmp_path / "words.txt").write_text("spam")
    name = str(tmp_path / "listed.py")
    table = {"rules": [name], "rule": {name: {"words": str(tmp_path / "words.txt")}}, "kinds": {"verse": "poems"}}
    settings = parse(stage.Settings, table, "test")
    given = artifact(tmp_path / "in", [[Document("1", "ham")], [Document("2", "spam"), Document("3", "ham")]])
    for shard in sorted((given.path / "kept").iterdir()):
        filter_here(tmp_path / "out", str(shard), settings)
    assert dropped(tmp_path / "out") == [("2", "mine.word", "spam")]
    assert (tmp_path / "words.log").read_text() == "loaded "
    forget_loaded()
    settings.chains()
    assert (tmp_path / "words.log").read_text() == "loaded " * 2


def test_a_changed_list_is_another_job(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("one.example\n")
    given = artifact(tmp_path / "in", [[Document("1", PROSE, "https://one.example/"), Document("2", PROSE)]])
    settings = {"rules": ["blocklist"], "rule": {"blocklist": {"paths": [str(tmp_path / "bad.txt")]}}}
    out = do(tmp_path / "out", given, **settings)
    assert out.counts["docs"] == 1
    (tmp_path / "bad.txt").write_text("two.example\n")
    assert do(tmp_path / "out", given, **settings).counts["docs"] == 2  # the finished shard does not count any more


def test_what_filters_load_late_is_charged_to_no_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def decide(document: Document, settings: object) -> Drop | Keep:
        said.append(f"decide {document.id}")
        return Keep()

    def begin(position: int, record: str = "") -> None:
        said.append(f"begin {record}")

    monkeypatch.setattr(gopher_quality, "decide", decide)
    (tmp_path / "mine.py").write_text(
        "from hornbook.core.document import Keep\nfrom hornbook.core.settings import StrictSettings as Settings\n"
        "RULES = {}\ndef decide(d, s):\n    assert d.id\n    return Keep()\n"  # it is not asked about nobody's text
    )
    settings = parse(stage.Settings, {"rules": ["gopher_quality", str(tmp_path / "mine.py")]}, "test")
    given = artifact(tmp_path / "in", [[Document("1", PROSE)]])
    filter_here(tmp_path / "out", str(given.path / "kept/00000.parquet"), settings, begin)
    assert said == ["decide ", "begin 1", "decide 1"]


def test_the_limit_behind_a_drop_is_that_of_the_documents_profile(tmp_path: Path) -> None:
    table = {"kinds": {"verse": "poems"}, "kind_field": "format"}
    made = Artifact(tmp_path, Manifest(kind="documents", settings=table))
    limits = {
        kind: stage.rules_of(made, Document("1", "", meta={"format": kind}))["repetition.lines"].limit
        for kind in ("verse", "shop")
    }
    assert limits == {"verse": 0.9, "shop": 0.3} and stage.rules_of(made)["repetition.lines"].limit == 0.3
    [about] = [stage.rules_of(made, Document("1", "", meta={"format": "verse"}))["repetition.lines"].about]
    assert "limits of the profile poems" in about and "c4.too_long" in stage.rules_of(made)
    plain = Artifact(tmp_path, Manifest(kind="documents", settings={}))
    assert "profile" not in stage.rules_of(plain, Document("1", ""))["repetition.lines"].about


def test_settings_of_an_own_filter_that_is_gone_are_a_settings_error(tmp_path: Path) -> None:
    made = Artifact(tmp_path, Manifest(kind="documents", settings={"rules": ["./gone.py"]}))
    with pytest.raises(SettingsError, match='no file is at "./gone.py"'):
        stage.rules_of(made)
