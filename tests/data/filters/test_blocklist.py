import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import parse
from hornbook.data.filters.blocklist import Settings, decide, load, plain_entries


def verdict(url: str, *paths: Path, **table: object) -> Decision:
    settings = parse(Settings, {"paths": [str(path) for path in paths]} | table, "test")
    return decide(Document("1", "text", url), settings, load(settings))


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    file = tmp_path / "hosts.txt"
    file.write_text(
        "# a comment\n127.0.0.1 localhost\n::1 ip6-localhost\n0.0.0.0 Ads.example # bad\n0.0.0.0 x.example y.example\n"
        "plain.example\n*.wild.example\nhttp://www.page.example/some/path/\n203.0.113.9\nuser.example/~ann\n"
    )
    return file


@pytest.mark.parametrize(
    ("url", "decision"),
    [
        ("", Keep()),
        ("https://good.example/ads.example", Keep()),
        ("https://ads.example/", Drop("blocklist.host", "ads.example (hosts.txt)")),
        ("http://deep.sub.ADS.example:8080/x", Drop("blocklist.host", "ads.example (hosts.txt)")),
        ("https://badads.example/", Keep()),
        ("https://y.example/", Drop("blocklist.host", "y.example (hosts.txt)")),
        ("https://a.plain.example/", Drop("blocklist.host", "plain.example (hosts.txt)")),
        ("https://wild.example/", Drop("blocklist.host", "wild.example (hosts.txt)")),
        ("http://203.0.113.9/x", Drop("blocklist.host", "203.0.113.9 (hosts.txt)")),
        ("https://localhost/", Keep()),
        ("https://page.example/some/path", Drop("blocklist.address", "page.example/some/path (hosts.txt)")),
        (
            "https://www.page.example/some/path/deep?q=1",
            Drop("blocklist.address", "page.example/some/path (hosts.txt)"),
        ),
        ("https://page.example/some/pathology", Keep()),
        ("https://page.example/some", Keep()),
        ("https://user.example/~ann?x", Drop("blocklist.address", "user.example/~ann (hosts.txt)")),
        ("http://[broken", Keep()),
        ("not an address", Keep()),
    ],
)
def test_plain_lists_and_hosts_files(hosts: Path, url: str, decision: Decision) -> None:
    assert verdict(url, hosts) == decision


def test_adblock_lists_say_which_rule(tmp_path: Path) -> None:
    file = tmp_path / "list.txt.gz"
    file.write_bytes(
        gzip.compress(b"[Adblock Plus 2.0]\n||ads.example^\n/banner/*\n@@||ads.example/ok^\nx.example##.ad\n")
    )
    assert verdict("https://ads.example/x", file) == Drop("blocklist.rule", "||ads.example^ (list.txt)")
    assert verdict("https://ads.example/ok", file, adblock="any") == Keep()
    assert verdict("https://x.example/banner/1", file) == Keep()
    assert verdict("https://x.example/banner/1", file, adblock="any") == Drop("blocklist.rule", "/banner/* (list.txt)")


def test_folders_by_category_and_hosts_that_stay(tmp_path: Path) -> None:
    for name, text in {
        "adult/domains": "bad.example\n",
        "adult/urls": "shared.example/bad\n",
        "games/domains": "play.example\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "adult/usage").write_text("black\n")
    assert verdict("https://bad.example/", tmp_path) == Drop("blocklist.host", "bad.example (adult/domains)")
    assert verdict("https://shared.example/bad/x", tmp_path) == Drop(
        "blocklist.address", "shared.example/bad (adult/urls)"
    )
    assert verdict("https://play.example/", tmp_path / "adult") == Keep()
    assert verdict("https://good.bad.example/", tmp_path, allowed_hosts=["good.bad.example"]) == Keep()


def test_entries_of_a_line() -> None:
    assert plain_entries("0.0.0.0 a.example b.example #c.example") == ["a.example", "b.example"]
    assert (
        plain_entries("two words") == plain_entries("# x") == plain_entries("") == plain_entries("a<b>.example") == []
    )
    assert plain_entries("HTTPS://user@WWW.A.example:8/Path/") == ["a.example/Path"]


def test_lists_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no lists"):
        load(Settings())
    with pytest.raises(DataError, match="no list is here"):
        (tmp_path / "empty").mkdir()
        verdict("", tmp_path / "empty")
    (tmp_path / "words.txt").write_text("these are words\nand no hosts\n")
    with pytest.raises(DataError, match="no host, no address and no rule"):
        verdict("", tmp_path / "words.txt")
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8b\x08garbage")
    with pytest.raises(DataError, match="cannot be read"):
        verdict("", tmp_path / "bad.gz")


@given(st.text(max_size=80), st.lists(st.text(max_size=30), max_size=8))
def test_any_address_and_any_line_are_read(url: str, lines: list[str]) -> None:
    for line in lines:
        assert all(entry and " " not in entry for entry in plain_entries(line))
    settings = Settings()
    from hornbook.data.filters.blocklist import Lists
    from hornbook.data.web.adblock import rule_set

    lists = Lists({"x.example": "l"}, {"y.example/a": "l"}, [("l", rule_set(lines, "any"))])
    assert isinstance(decide(Document("1", "", url), settings, lists), Keep | Drop)
    assert isinstance(decide(Document("1", "", f"https://{url}"), settings, lists), Keep | Drop)


def test_hosts_that_stay_in_any_spelling(hosts: Path) -> None:
    assert verdict("https://ads.example/", hosts, allowed_hosts=["ADS.Example."]) == Keep()


@pytest.mark.parametrize("text", ["[Adblock Plus 2.0]\n! nothing\n", "! title\nx.example##.ad\n"])
def test_an_adblock_list_without_a_rule_for_pages_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match="no rule of this list"):
        verdict("", tmp_path / "list.txt")


def test_a_list_for_parts_of_pages_says_which_setting_reads_more_of_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("! title\n/banner/*\n")
    with pytest.raises(DataError, match="adblock = 'any'"):
        verdict("", tmp_path / "list.txt")
    assert verdict("https://a.example/banner/1", tmp_path / "list.txt", adblock="any") == Drop(
        "blocklist.rule", "/banner/* (list.txt)"
    )
