from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.errors import DataError
from hornbook.core.settings import parse
from hornbook.data.filters.bad_words import Settings, decide, load


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "en").write_text("grum\nfrotz\nbig frotz\n!zork\n~grum pudding\n")
    (tmp_path / "de.txt").write_text("mist\n")
    return tmp_path


def verdict(text: str, lists: Path, **table: object) -> Decision:
    settings = parse(Settings, {"paths": [str(lists)], "built_in": False} | table, "test")
    return decide(Document("7", text), settings, load(settings))


CLEAN = "word " * 97


def test_one_word_drops_a_page_as_in_c4(lists: Path) -> None:
    rule = {"max_count": 0, "max_frac": None}
    assert verdict("a Frotz here", lists, **rule) == Drop("bad_words.count", "1: frotz")
    assert verdict("frotzen, grum pudding", lists, **rule) == Keep()
    assert verdict("mist", lists, **rule) == Keep()
    assert verdict("mist frotz", lists, languages=["de", "en"], **rule) == Drop("bad_words.count", "2: frotz, mist")


def test_shares_need_a_number_of_hits(lists: Path) -> None:
    # 3 of 100 words, 2 of 99
    assert verdict(CLEAN + "grum grum frotz", lists) == Drop("bad_words.frac", "0.030: grum, frotz")
    assert verdict(CLEAN + "grum grum frotz", lists, max_frac=0.03) == Keep()
    assert verdict(CLEAN + "grum frotz", lists) == Keep()
    assert verdict(CLEAN + "grum frotz", lists, min_count=2) == Drop("bad_words.frac", "0.020: frotz, grum")


def test_different_entries_and_strong_ones(lists: Path) -> None:
    assert verdict(CLEAN * 9 + "grum frotz", lists, max_distinct=1) == Drop("bad_words.distinct", "2: frotz, grum")
    assert verdict(CLEAN * 9 + "grum grum grum", lists, max_distinct=1) == Keep()
    assert verdict(CLEAN * 9 + "Zork", lists) == Drop("bad_words.strong", "zork")
    assert verdict(CLEAN * 9 + "zork", lists, action="mask") == Drop("bad_words.strong", "zork")


def test_masking_and_cutting(lists: Path) -> None:
    text = "One good line.\nA grum line.\n\nThe last paragraph\nhas a big  frotz\nand words, words."
    assert verdict(text, lists, action="mask") == Edit(
        text.replace("grum", "[RUDE]").replace("big  frotz", "[RUDE]"), {"bad_words.word": 2}
    )
    assert verdict(text, lists, action="line") == Edit(
        "One good line.\n\nThe last paragraph\nand words, words.", {"bad_words.line": 2}
    )
    assert verdict(text, lists, action="paragraph") == Drop("bad_words.little_left", 1.0)
    assert verdict(text, lists, action="paragraph", max_removed_frac=1.0) == Edit("", {"bad_words.paragraph": 2})


def test_a_share_stays_by_id(lists: Path) -> None:
    settings = parse(Settings, {"paths": [str(lists)], "max_count": 0, "keep_frac": 0.25}, "test")
    listed = load(settings)
    kept = [i for i in range(400) if decide(Document(str(i), "grum"), settings, listed) == Keep()]
    assert 80 <= len(kept) <= 120  # 100 expected, standard deviation 8.7
    assert kept == [i for i in range(400) if decide(Document(str(i), "frotz"), settings, listed) == Keep()]


def test_the_built_in_list_is_for_shares() -> None:
    settings = Settings()
    listed = load(settings)
    rude = "Shut up, you stupid idiot, nobody wants your damn nonsense."
    assert decide(Document("1", rude), settings, listed) == Drop(
        "bad_words.frac", "0.400: damn, idiot, shut up, stupid"
    )
    fine = "The stupid wolf sat down, and the lamb walked home along the river to its mother and her friends."
    assert decide(Document("1", fine), settings, listed) == Keep()


def test_lists_that_are_not_there(tmp_path: Path, lists: Path) -> None:
    with pytest.raises(DataError, match="no list for these languages"):
        load(parse(Settings, {"paths": [str(lists)], "languages": ["xx"]}, "test"))
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(DataError, match="there are no bad words"):
        load(parse(Settings, {"paths": [str(tmp_path / "empty.txt")], "built_in": False}, "test"))
    (tmp_path / "latin").write_bytes(b"caf\xe9\n")
    with pytest.raises(DataError, match="cannot be read"):
        load(parse(Settings, {"paths": [str(tmp_path / "latin")]}, "test"))


@given(st.text())
def test_any_text_gets_a_decision_and_masking_twice_is_masking_once(text: str) -> None:
    settings = Settings(action="mask", max_removed_frac=1.0)
    listed = load(settings)
    first = decide(Document("1", text + " damn " + text), settings, listed)
    assert isinstance(first, Edit)
    assert decide(Document("1", first.text), settings, listed) == Keep()
