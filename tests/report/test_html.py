"""The page: self-contained, escaped, complete; read by a real HTML parser."""

import re
from html.parser import HTMLParser

import pytest

from hornbook.report.blocks import (
    Flow,
    FlowStep,
    Funnel,
    Samples,
    ScoreRow,
    Scores,
    Series,
    Spread,
    Spreads,
    Table,
    Text,
)
from hornbook.report.html import Page, Section, prepare, render, ticked

HOSTILE = "</style></pre><script>alert('x')</script><img src=http://evil.example/a.png onerror=alert(1)>\x1b[31m\u202e"
BLOCKS = [
    Text("Words", "One.\n\nTwo."),
    Table("Rows", ["name", "count"], [["a", 12345], ["b", None]], "A note."),
    Series("Curve", "tokens", "bits", {"a": [(0, 2.0), (1, 1.0)]}),
    Samples("Texts", [{"text": f"sample {i}"} for i in range(7)]),
    Funnel("Funnel", 200, 150, {"rule.b": 10, "rule.a": 40, "rule.none": 0}, {"pii.email": 3}),
    Samples("Folded", [{"text": "behind a title"}], folded=True),
    Flow("Flow", [FlowStep("clean", 200, 150, 9, 8, {"rule.b": 50})], "documents", "River."),
    Spreads("Spreads", ["limit"], [Spread("rule.c", 0, 10, [1, 0, 4], 5.0, [5])], "Marks."),
    Scores("Scores", [ScoreRow("facts", 0.95, 0.91, 0.98, 200, "share", 0.2, 0.9, "greedy")]),
]
EMPTY = "area base br col hr img input link meta line path use rect".split()


class Reader(HTMLParser):
    """Collects tags and text, and checks that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not [tag for tag in self.open if tag != "p"], self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def page(**more):
    section = Section("01", "text", "data.read", "Reads.", "complete", BLOCKS, [("path", "a.txt")], "Reads x.")
    given = {"title": "run", "state": "complete", "sections": [section], "tiles": [("1.2", "bits")], "next": ["Try."]}
    return Page(**(given | more))


def test_everything_is_on_the_page():
    found = Reader(render(page()))
    words = " ".join(found.words)
    for part in ("Two.", "12,345", "A note.", "sample 6", "150 of 200 documents stayed (75.0 %).", "rule.a", "20.0 %"):
        assert part in words
    assert "rule.none" not in words and words.index("rule.a") < words.index("rule.b"), "largest first, zeros left out"
    assert "95.0 %" in words and "91.0 % – 98.0 %" in words and "≥ 90.0 % met" in words and "greedy" in words
    assert "4 more" in words, "samples beyond the third are folded"
    assert "Edited by rule: pii.email 3." in words


def test_it_asks_nobody_for_anything():
    text = render(page())
    found = Reader(text)
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "img", "iframe", "object", "form", "video"}
    for tag, attributes in found.tags:
        for name in ("src", "href", "action", "xlink:href", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    policy = next(a["content"] for tag, a in found.tags if tag == "meta" and a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_links_of_the_contents_lead_somewhere():
    found = Reader(render(page()))
    targets = {attributes.get("id") for _, attributes in found.tags}
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert links and all(link[1:] in targets for link in links)


@pytest.mark.parametrize("place", ["title", "subtitle", "problem", "footer"])
def test_hostile_words_in_the_frame(place):
    plain = {tag for tag, _ in Reader(render(page())).tags}
    assert {tag for tag, _ in Reader(render(page(**{place: HOSTILE}))).tags} <= plain | {"div"}


def test_hostile_words_in_blocks():
    plain = {tag for tag, _ in Reader(render(page())).tags}
    blocks = [
        Text(HOSTILE, HOSTILE),
        Table(HOSTILE, [HOSTILE], [[HOSTILE]], HOSTILE),
        Series(HOSTILE, HOSTILE, HOSTILE, {HOSTILE: [(0, 1), (1, 2)]}),
        Samples(HOSTILE, [{HOSTILE: HOSTILE}]),
        Funnel(HOSTILE, 2, 1, {HOSTILE: 1}, {HOSTILE: 1}, HOSTILE),
        Scores(HOSTILE, [ScoreRow(HOSTILE, 1, 1, 1, 1, HOSTILE, 1, 1, HOSTILE)]),
    ]
    section = Section("01", HOSTILE, HOSTILE, HOSTILE, "complete", blocks, [(HOSTILE, HOSTILE)], HOSTILE)
    files = [(HOSTILE, HOSTILE)]
    text = render(page(sections=[section], tiles=[(HOSTILE, HOSTILE)], next=[HOSTILE], files=files))
    assert {tag for tag, _ in Reader(text).tags} <= plain | {"pre", "details", "summary"}
    assert "\x1b" not in text and "\u202e" not in text


def test_the_same_page_gives_the_same_bytes():
    assert render(page()) == render(page())


def test_long_things_are_cut_and_say_so():
    assert prepare(Table("", ["a"], [[i] for i in range(100)]))["hidden"] == 40
    shown = prepare(Samples("", [{"text": "x" * 5000}]))["shown"][0][0][1]
    assert len(shown) < 2100 and shown.endswith("(3,000 more characters)")


def test_numbers_are_set_to_the_right_only_in_columns_of_numbers():
    made = prepare(Table("", ["a", "b", "c"], [[1, "x", None], [2.5, 3, None]]))
    assert made["numeric"] == [True, False, False]


def test_an_empty_curve_says_so():
    assert prepare(Series("t", "x", "y", {}))["note"] == "Nothing to draw yet."


def test_backticks_become_code_and_nothing_else_becomes_html() -> None:
    shown = str(ticked("run `hornbook look <b>` or <script>x</script> `unended"))
    assert shown == "run <code>hornbook look &lt;b&gt;</code> or &lt;script&gt;x&lt;/script&gt; `unended"
