import json
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.document import Document
from hornbook.core.errors import DataError
from hornbook.data.copies.contamination import Finding, Known, Tally, books, common_ngrams, gather, judge
from hornbook.data.copies.overlap import build_index, common_spans
from hornbook.tasks.items import Item

LETTERS = "a b c d e f g h i j k l m n o p q r s t u v w x y z".split()


def verdict(
    text: str, items: list[list[str]], span_words: int = 4, min_share: float = 0.0, boiled: str = ""
) -> list[Finding]:
    """With n-grams of five words and fields of at least three."""
    texts = [t for item in items for t in item]
    owners = [[n] for n, item in enumerate(items) for _ in item]
    index = build_index(texts, owners, seed_words=3, gram_words=5, max_items=9)
    words = np.array([sum(len(t.split()) for t in item) for item in items])
    boilerplate = np.zeros(int(index.grams.max()) + 1, bool)
    if boiled:
        kinds = build_index([*texts, boiled], [*owners, [99]], seed_words=3, gram_words=5, max_items=9)
        same = common_spans(index, [boiled])
        boilerplate[[index.grams[index.gram_offsets[r[1]] + r[3]] for r in same.tolist()]] = True
        assert len(kinds.offsets) == len(index.offsets) + 1
    return judge(index, common_spans(index, [text]), words, boilerplate, span_words=span_words, min_share=min_share)


def test_shares_and_spans_by_hand() -> None:
    """Ten words: five and then four of them are in the document: nine tenths, of which the five are the match."""
    item = " ".join(LETTERS[:10])
    found = verdict("x a b c d e x g h i j x", [[item]])
    assert found == [Finding(0, 0.9, ((1, 6),))] and found[0].longest == 5
    assert verdict("x a b c d e x g h i j x", [[item]], span_words=5) == [Finding(0, 0.5, ((1, 6),))]
    assert verdict("x a b c d e x g h i j x", [[item]], min_share=0.91) == []
    assert verdict("x a b c d e x g h i j x", [[item]], min_share=0.9) == found  # at the bound
    assert verdict("x a b c d x g h i j x", [[item]]) == []  # no run of five


def test_short_fields_must_be_whole() -> None:
    """Three of four words are nothing, all four are a match; the other field counts for the share."""
    item = ["k l m n", " ".join(LETTERS[:6])]
    assert verdict("x k l m x", [item]) == []
    assert verdict("k l m n", [item]) == [Finding(0, 0.4, ((0, 4),))]


def test_twice_covered_counts_once_and_the_longest_comes_first() -> None:
    items = [[" ".join(LETTERS[:10])], [" ".join(LETTERS[10:20])]]
    found = verdict("a b c d e x a b c d e f x k l m n o p q r s t", items)
    assert [(one.item, one.share, one.spans) for one in found] == [
        (1, 1.0, ((13, 23),)),
        (0, 0.6, ((6, 12), (0, 5))),
    ]


def test_boilerplate_is_no_match_but_a_longer_run_is() -> None:
    items = [[" ".join(LETTERS[:10])]]
    assert verdict("x a b c d e x", items, boiled="a b c d e") == []
    assert verdict("x a b c d e f x", items, boiled="a b c d e")[0].longest == 6


def test_tallies_of_shards_add_up() -> None:
    """The longest match is shown; of equally long ones the first."""
    one, two = Tally(), Tally()
    one.note(Finding(0, 0.5, ((1, 3),)), Document("d1", "so  it\n was"))
    one.note(Finding(0, 0.2, ((0, 2),)), Document("d2", "so it"))
    two.note(Finding(0, 0.9, ((0, 1),)), Document("d3", "so"))
    one.add(two)
    assert one == Tally(3, 0.9, 2, "d1", "it was")


def test_items_are_gathered_with_the_words_that_are_looked_for(tmp_path: Path) -> None:
    """Equal texts of one item count once, short ones not at all."""
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"q": "One two three four", "a": ["ONE two, three four", "x y", "z"]}) + "\n")
    known = gather([str(file)], (), (), 3, tmp_path)
    assert known.words == [4] and known.owners == [0, 0, 0] and known.items[0].task == "a"
    file.write_text(json.dumps({"q": "One two"}))
    with pytest.raises(DataError, match="none of 1 evaluation items has a text of 3 words"):
        gather([str(file)], (), (), 3, tmp_path)


def test_books_by_set_and_part() -> None:
    items = [Item("s", "0", ("a",)), Item("s", "1", ("b",)), Item("s", "p", ("c",), "passage"), Item("t", "0", ("d",))]
    known = Known(items, [], [], [5, 5, 9, 0], ["README"])
    made = books(known, {1: Tally(2, 0.85, 7, "d1", "w"), 2: Tally(1, 0.3, 6, "d2", "v")}, [])
    assert made["sets"] == {
        "s": {"items": 2, "too_short": 0, "found": 1, "whole": 1, "longest": 7, "ids": ["1"]},
        "s (passages)": {"items": 1, "too_short": 0, "found": 1, "whole": 0, "longest": 6, "ids": ["p"]},
        "t": {"items": 1, "too_short": 1, "found": 0, "whole": 0, "longest": 0, "ids": []},
    }
    assert [(e["set"], e["item"], e["words"], e["document"]) for e in made["examples"]] == [
        ("s", "1", 7, "d1"), ("s", "p", 6, "d2"),
    ]  # fmt: skip
    assert made["not_read"] == ["README"]


def test_neighbours_of_equal_count_are_one_entry() -> None:
    """Windows of three over seven words, held by 4 4 4 2 2: two entries of five and four words."""
    text = "a b c d e f g"
    index = build_index([text], [[0]], seed_words=3, gram_words=3, max_items=9)
    counts = np.zeros(5, np.int64)
    counts[np.asarray(index.grams)] = [4, 4, 4, 2, 2]
    found = common_ngrams(Known([], [text], [0], [], []), index, counts, counts > 9)
    assert [(one["text"], one["documents"]) for one in found] == [("a b c d e", 4), ("d e f g", 2)]


def test_common_n_grams_as_text() -> None:
    texts = ["One, two three four!", "x y z", "One two three five"]
    known = Known([], texts, [0, 1, 2], [], [])
    index = build_index(texts, [[0], [1], [2]], seed_words=3, gram_words=3, max_items=9)
    counts = np.zeros(int(index.grams.max()) + 1, np.int64)
    first, second, third = (int(index.grams[index.gram_offsets[t] + w]) for t, w in ((0, 0), (2, 1), (1, 0)))
    counts[first], counts[second], counts[third] = 3, 7, 1
    assert common_ngrams(known, index, counts, counts > 5) == [
        {"text": "two three five", "documents": 7, "left_out": True},
        {"text": "one two three", "documents": 3, "left_out": False},
        {"text": "x y z", "documents": 1, "left_out": False},
    ]
