from typing import Any

from hornbook.data.insight.profile_report import blocks
from hornbook.report.blocks import Series, Spreads, Table
from hornbook.report.html import prepare


def profile(docs: int, error: int = 0) -> dict[str, Any]:
    sizes: dict[str, Any] = {
        "sum": 100,
        "mean": 10.0,
        "quantiles": dict.fromkeys("abcdef", 10.0),
        "most": 20,
        "histogram": [1, 2],
    }
    sizes |= {"low": 0.0, "high": 1.0}
    sample = {"docs": 4, "languages": {"en": 3, "de": 1}, "ages": {"5": 1, "6": 3, "18": 0}, "grade": 1.0, "ease": 90.0}
    sample |= {"dale_chall": None, "near_duplicates": 1, "growth": [[1, 1], [10, 6]]}
    listed = [["the", 6, 0], ["fox", 2, error]]
    return {
        "docs": docs,
        "words": 10,
        "sizes": dict.fromkeys(("bytes", "characters", "words", "lines"), sizes),
        "exact_duplicates": 1,
        "classes": {"letters": 80},
        "signs": {"cookies": 2},
        "names": {"host": [["<b>x</b>", 3, 0]]},
        "ngrams": dict.fromkeys("123", listed),
        "zipf": 1.0,
        "sample": sample,
    }


def test_one_column_for_each_corpus_and_bounds_are_said() -> None:
    found = {block.title: block for block in blocks({"before": profile(8), "after": profile(4, error=3)})}
    words = found["Commonest words"]
    assert isinstance(words, Table) and words.rows[0] == ["the", 6, "60.0 %", 6, "60.0 %"]
    assert words.note == "A count can be too low by 3 at most."
    signs = found["Page furniture"]
    assert isinstance(signs, Table) and signs.rows == [["cookies", "25.0 %", "50.0 %"]]
    ages = found["Reading ages"]
    assert isinstance(ages, Table) and [row[0] for row in ages.rows] == ["5 and younger", "6", "18 and older"]
    assert ages.rows[1][1:] == ["75.0 %", "75.0 %"]
    lengths, grows = found["Lengths of documents"], found["How the vocabulary grows"]
    assert isinstance(lengths, Spreads) and (lengths.rows[0].low, lengths.rows[0].high) == (1, 10)
    assert isinstance(grows, Series) and grows.lines["after"] == [(1.0, 1.0), (10.0, 6.0)]
    assert all(prepare(block) for block in found.values())


def test_names_of_every_corpus_are_listed() -> None:
    first, second = profile(8), profile(8)
    first["names"] = {"host": [["a", 4, 0], ["b", 3, 0], ["both", 1, 0]]}
    second["names"] = {"host": [["c", 5, 0], ["both", 2, 0], ["d", 1, 0]]}
    (hosts,) = (block for block in blocks({"before": first, "after": second}) if block.title == "Most frequent: host")
    assert isinstance(hosts, Table)
    assert [row[:2] + row[3:4] for row in hosts.rows] == [["a", 4, None], ["c", None, 5], ["b", 3, None]]
