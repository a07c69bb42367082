import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.language.word_lists import fold, word_list

LISTED = word_list(
    [
        "# a comment",
        "",
        "cunth",
        "ass",
        "hard core",
        "s&m",
        "!worst",
        "  Two   Girls ",
        "~moby ass",
        "ß",
        "馬鹿",
        "แย่",
        "#tag",
    ],
    innocent=["hard core drill"],
)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("Scunthorpe, a class, assassin, Assam.", []),
        ("An ASS. ass's (ass)", ["ass", "ass", "ass"]),
        ("hard-core, hard core, hard\ncore, hardcore, hard, core", ["hard core"] * 3),
        ("hard or core; hard.core", []),
        ("S&M, xs&m, s&mx, (s&m)", ["s&m", "s&m"]),
        ("Moby Ass and ass, moby-ass", ["ass"]),
        ("a hard core drill", []),
        ("two girls", ["two girls"]),
        ("これは馬鹿です และแย่มาก", ["馬鹿", "แย่"]),
        ("a #TAG x", ["#tag"]),
        ("İ ass İ", ["ass"]),
        ("", []),
    ],
)
def test_where_entries_count(text: str, entries: list[str]) -> None:
    hits = LISTED.find(text)
    assert [hit.entry for hit in hits] == entries
    for hit in hits:
        assert fold(text[hit.begin : hit.end])[0] == hit.entry[0] and hit.end - hit.begin == len(hit.entry)


def test_vowel_signs_are_letters() -> None:
    hindi = word_list(["कमी", "का&म"])
    assert [hit.entry for hit in hindi.find("यह कमी है, कमीना नहीं")] == ["कमी"]
    assert [hit.entry for hit in hindi.find("का&म का&मा")] == ["का&म"]
    assert [hit.entry for hit in word_list(["cafe\u0301", "naif"]).find("cafe cafe\u0301 naif\u0308")] == ["cafe\u0301"]


def test_strong_entries_and_the_longest_entry_first() -> None:
    assert LISTED.strong == {"worst"}
    both = word_list(["big", "big bad wolf", "bad wolf"])
    assert [hit.entry for hit in both.find("A big bad wolf, a bad wolf, big bad dog")] == [
        "big bad wolf",
        "bad wolf",
        "big",
    ]


@given(st.text())
def test_folding_keeps_places(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert [hit.end <= len(text) for hit in LISTED.find(text)].count(False) == 0


@given(st.lists(st.sampled_from(["ass", "Ass", "bass", "worst", "a", ",", "hard", "core", "-"]), max_size=12))
def test_single_words_against_splitting(words: list[str]) -> None:
    text = " ".join(words)
    found = [hit.entry for hit in word_list(["ass", "worst"]).find(text)]
    assert found == [word.lower() for word in words if word.lower() in ("ass", "worst")]


def test_many_hits_in_many_innocent_phrases_take_linear_time() -> None:
    found = word_list(["bloody", "mary jane"], innocent=["bloody mary", "mary bloody mary"])
    start = time.process_time()
    assert found.find("bloody mary, " * 10_000) == []
    assert time.process_time() - start < 2  # every hit against every phrase takes 10 s
    assert [hit.begin for hit in found.find("bloody mary bloody mary, bloody. bloody mary jane")] == [25, 40]
