from hornbook.core.document import Document, Drop, Edit, Keep
from hornbook.data.filters.c4 import Settings, decide

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
