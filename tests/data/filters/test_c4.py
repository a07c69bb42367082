import re
import time

from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.document import Document, Drop, Edit, Keep
from hornbook.data.filters.c4 import SENTENCE_END, Settings, decide
from hornbook.data.language.languages import CLOSERS

GOOD = "The boat left the harbour early."


def verdict(text: str, **settings: object) -> object:
    return decide(Document("1", text), Settings(**settings))  # type: ignore[arg-type]


def test_text_of_sentences_is_kept_as_it_is() -> None:
    assert verdict("\n".join([GOOD] * 5)) == Keep()
    assert verdict("\n\n".join([GOOD] * 5)) == Keep()


def test_each_rule_for_lines() -> None:
    bad = [
        ("c4.line_no_end_mark", "Read more about our boats"),
        ("c4.line_no_end_mark", "And then she said..."),
        ("c4.line_few_words", "Subscribe now!"),
        ("c4.line_javascript", "Please switch on JavaScript in your browser."),
        ("c4.line_policy", "By going on you accept our Cookie Policy today."),
        ("c4.line_long_word", "x" * 1001 + " is a long word."),
    ]
    for rule, line in bad:
        assert verdict("\n".join([GOOD] * 3 + [line] + [GOOD] * 2)) == Edit("\n".join([GOOD] * 5), {rule: 1}), line


def test_lines_end_in_quotation_marks_too() -> None:
    assert verdict("\n".join([GOOD] * 4 + ['She said, "We are late."', "He said, “So are we.”"])) == Keep()


def test_pages_that_are_dropped() -> None:
    assert verdict(f"{GOOD}\nfunction() {{ return; }}") == Drop("c4.curly_bracket", 1)
    assert verdict("\n".join([GOOD] * 6) + "\nLorem Ipsum dolor sit amet.") == Drop("c4.lorem_ipsum", "lorem ipsum")
    assert verdict("\n".join([GOOD] * 4)) == Drop("c4.few_sentences", 4)
    assert verdict("one\ntwo\nthree") == Drop("c4.few_sentences", 0)
    assert verdict(" ".join([GOOD] * 4) + ' "Is it so?" she asked.') == Keep()  # six ends in one line


def test_citation_marks_go() -> None:
    text = "\n".join([GOOD] * 4 + ["The lamp is old[12] and bright[citation needed].[edit]"])
    assert verdict(text) == Edit("\n".join([GOOD] * 4 + ["The lamp is old and bright."]), {"c4.citation": 3})


def test_rules_can_be_switched_off() -> None:
    text = "\n".join([GOOD] * 5 + ["no end mark here", "use {curly}"])
    assert verdict(text, end_marks=False, curly_brackets=False, min_line_words=0) == Keep()


def test_settings_of_dclm_come_with_its_reading_unless_given() -> None:
    dclm = Settings(reading="dclm")
    assert (dclm.min_line_words, dclm.min_sentences, dclm.max_chars) == (5, 3, 190_000)
    given = Settings(reading="dclm", min_sentences=1)
    assert (given.min_line_words, given.min_sentences) == (5, 1)
    assert (Settings().min_line_words, Settings().min_sentences, Settings().max_chars) == (3, 5, None)


def test_dclm_numbers_on_both_sides() -> None:
    assert verdict("\n".join([GOOD] * 3), reading="dclm") == Keep()
    assert verdict("\n".join([GOOD] * 2), reading="dclm") == Drop("c4.few_sentences", 2)
    four = "It left very early."
    assert verdict("\n".join([GOOD] * 3 + [four]), reading="dclm") == Edit(
        "\n".join([GOOD] * 3), {"c4.line_few_words": 1}
    )
    text = (GOOD + "\n") * 3
    assert verdict(text, max_chars=len(text)) == Drop("c4.few_sentences", 3)
    assert verdict(text, max_chars=len(text) - 1) == Drop("c4.too_long", len(text))


def test_brackets_in_lines_that_go_count_for_the_paper_alone() -> None:
    text = "\n".join([GOOD] * 5 + ["menu { home }"])
    assert verdict(text) == Drop("c4.curly_bracket", 1)
    assert verdict(text, reading="datatrove") == Edit("\n".join([GOOD] * 5), {"c4.line_no_end_mark": 1})
    assert verdict(text + "\nA line with { in it.", reading="datatrove") == Drop("c4.curly_bracket", 1)
    assert verdict(text + "\nThis is lorem ipsum text.", reading="dclm", curly_brackets=False) == Drop(
        "c4.lorem_ipsum", "lorem ipsum"
    )


def test_datatrove_counts_a_line_without_an_end_as_a_sentence_and_loses_lines_with_a_spaced_citation() -> None:
    lines = [GOOD] * 4 + ["A title of the page"]
    assert verdict("\n".join(lines), end_marks=False) == Drop("c4.few_sentences", 4)
    assert verdict("\n".join(lines), end_marks=False, reading="datatrove") == Keep()
    cited = [GOOD] * 5 + ["The boat was late. [3]"]
    assert verdict("\n".join(cited)) == Edit("\n".join([*[GOOD] * 5, "The boat was late."]), {"c4.citation": 1})
    assert verdict("\n".join(cited), reading="datatrove") == Edit(
        "\n".join([GOOD] * 5), {"c4.citation": 1, "c4.line_no_end_mark": 1}
    )


def test_other_scripts_end_their_sentences() -> None:
    japanese = "古い灯台の番人は毎晩船を数えた。"
    assert verdict("\n".join([japanese] * 5)) == Keep()
    assert verdict(japanese * 5) == Keep()
    assert verdict("\n".join([japanese] * 5), reading="datatrove") == Drop("c4.few_sentences", 0)
    assert verdict("\n".join(["كان حارس المنارة يعد القوارب كل مساء؟"] * 5)) == Keep()


def test_a_line_of_white_space_behind_a_citation_has_no_long_word() -> None:
    blank = "[1] " + "\u00a0" * 1002 + "[2]"  # datatrove's reading keeps the white space beside a mark
    assert verdict("\n".join([GOOD, blank, *[GOOD] * 4]), reading="datatrove") == Edit(
        "\n".join([GOOD] * 5), {"c4.citation": 2, "c4.line_no_end_mark": 1}
    )


def test_a_million_dots_take_no_time() -> None:
    begin = time.process_time()
    text = f"{GOOD} {'.' * 1_000_000}x and so on."
    assert verdict(text, max_word_chars=10_000_000, min_sentences=2) == Keep()
    assert time.process_time() - begin < 1


@given(st.text(st.sampled_from("a.!।。\"'） \n"), max_size=30))
def test_ends_are_those_of_the_plain_pattern(text: str) -> None:
    closers = f"[{re.escape(CLOSERS)}]*"
    plain = re.compile(rf"[.!?؟۔।॥։።፧។။]+{closers}(?=\s|$)|[。！？．｡]+{closers}")
    assert [m.span() for m in SENTENCE_END.finditer(text)] == [m.span() for m in plain.finditer(text)]
