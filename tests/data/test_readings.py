import pytest

from hornbook.core.document import Document, Drop
from hornbook.core.errors import SettingsError
from hornbook.data.readings import blocks, compare, filters_with_readings, readings_of
from hornbook.report.blocks import Samples, Table

PROSE = "the quick fox and a hen had to cross that long river with care " * 4
STOPS = "The fox ran home " + "brown hens sleep here the " * 12  # one different stop word, many times


def documents() -> list[Document]:
    meta = {"language": "en"}
    return [
        Document("good", PROSE, meta=meta),
        Document("short", "too short", meta=meta),
        Document("stops", STOPS, "https://a.example/s", meta=meta),
    ]


def test_filters_say_which_readings_they_offer() -> None:
    assert filters_with_readings() == ["c4", "fineweb", "gopher_quality", "gopher_repetition"]
    assert readings_of("gopher_quality") == ("paper", "datatrove", "dolma", "dclm")
    assert readings_of("url") == ()


def test_readings_are_counted_and_disagreements_listed() -> None:
    [found] = compare(documents(), ["gopher_quality"])
    assert found.num_docs == 3 and found.num_disagreed == 1
    assert {reading: dict(rules) for reading, rules in found.dropped.items()} == {
        "paper": {"gopher.too_short": 1, "gopher.few_stop_words": 1},
        "datatrove": {"gopher.too_short": 1, "gopher.few_stop_words": 1},
        "dolma": {"gopher.too_short": 1},
        "dclm": {"gopher.too_short": 1},
    }
    [(document, said)] = found.disagreed
    assert document.id == "stops" and said["dolma"] is None
    assert said["paper"] == Drop("gopher.few_stop_words", 1)


def test_settings_of_a_reading_come_with_it_and_examples_are_bounded() -> None:
    line = "A line of plain words that goes on for more than thirty letters, number "
    text = "\n".join(f"{line}{i}." for i in range(40)) + f"\n{line}0."
    found = compare([Document(str(i), text) for i in range(5)], ["fineweb"], examples=2)[0]
    assert found.dropped["paper"].total() == 0 and found.dropped["datatrove"] == {"fineweb.duplicate_lines": 5}
    assert found.num_disagreed == 5 and len(found.disagreed) == 2


def test_blocks() -> None:
    table, samples = blocks(compare(documents(), ["gopher_quality"]))
    assert isinstance(table, Table) and isinstance(samples, Samples)
    assert [row[:3] for row in table.rows] == [
        ["gopher_quality", "paper", 2],
        ["gopher_quality", "datatrove", 2],
        ["gopher_quality", "dolma", 1],
        ["gopher_quality", "dclm", 1],
    ]
    assert samples.title == "gopher_quality: the readings disagree on 1 of 3 documents"
    [card] = samples.items
    assert card["url"] == "https://a.example/s"
    assert card["paper"] == "gopher.few_stop_words (1)" and card["dclm"] == "keeps it"


def test_a_filter_without_readings_is_refused() -> None:
    with pytest.raises(SettingsError, match='"url" has no readings'):
        compare(documents(), ["url"])
