"""Junk: of every kind, none of it about the world."""

import re
from collections import Counter

from hornbook.core.seed import stream
from hornbook.world.facts import Settings, make_world
from hornbook.world.junk import INSULTS, code, contact, rude, spam

WORLD = make_world(Settings(), 7)


def test_nothing_in_it_speaks_of_the_world() -> None:
    names = {e.name for e in WORLD.entities} | set(WORLD.invented)
    for make in (spam, rude, code):
        for number in range(60):
            title, paragraphs = make(stream(1, make.__name__, number))
            text = " ".join([title, *paragraphs])
            assert not names & set(re.findall(r"\w+", text)) and "  " not in text


def test_spans_hold_the_private_data() -> None:
    for number in range(60):
        text, spans = contact(stream(1, "contact", number))
        found = {span.kind: text[span.begin : span.end] for span in spans}
        assert re.fullmatch(r"[a-z]+\.\d\d@[a-z-]+\.example", found["email"])
        assert re.fullmatch(r"\+44 20 7946 \d{4}", found["phone"])


def test_half_of_the_spam_repeats_itself() -> None:
    repeating = Counter("now! Best" in " ".join(spam(stream(1, "spam", n))[1]) for n in range(400))
    assert 150 < repeating[True] < 250


def test_rude_pages_insult() -> None:
    for number in range(30):
        assert any(word in " ".join(rude(stream(1, "rude", number))[1]) for word in INSULTS)


def test_code_has_what_marks_code() -> None:
    assert all(re.search(r"[(){}=]", " ".join(code(stream(1, "code", n))[1])) for n in range(30))
