"""Questions: what is held out stays out, and refusals never teach anything about real people."""

import re
from collections import Counter
from itertools import islice

from hornbook.core.seed import stream
from hornbook.world.catalogue import fill
from hornbook.world.facts import Settings, make_world
from hornbook.world.questions import (
    NEVER_TOLD,
    answer,
    asked_pairs,
    frames,
    held_out_pairs,
    is_held_out,
    refusals,
    training_questions,
    unstated_pairs,
    wordings,
)

WORLD = make_world(Settings(), 7)
ALL = [*WORLD.attributes("person").values(), *WORLD.attributes("place").values()]
ASKED = list(islice(training_questions(WORLD, stream(1, "t")), 5000))


def test_a_third_of_the_combinations_is_held_out_and_every_frame_and_noun_is_seen() -> None:
    for attribute in ALL:
        seen, held = wordings(attribute, held_out=False), wordings(attribute, held_out=True)
        assert len(seen) == 18 and len(held) == 9 and not set(seen) & set(held)
        for frame in range(9):
            assert sum(is_held_out(frame, noun, attribute.name) for noun in range(3)) == 1
        for noun in range(3):
            assert sum(is_held_out(frame, noun, attribute.name) for frame in range(9)) == 3


def test_training_asks_no_held_out_pair_and_no_held_out_wording() -> None:
    held = {fill(asked, e.name) for e, a in asked_pairs(WORLD) + held_out_pairs(WORLD) for asked in wordings(a, True)}
    for pairs in (held_out_pairs(WORLD), unstated_pairs(WORLD)):
        held |= {fill(asked, e.name) for e, a in pairs for asked in wordings(a, False) + list(a.unseen)}
    assert not {question for question, _ in ASKED} & held


def test_training_asks_every_pair_equally_often_in_nine_frames_in_turn() -> None:
    replies = Counter(reply for _, reply in ASKED)
    assert set(replies) == {answer(e, a) for e, a in asked_pairs(WORLD)}
    assert max(replies.values()) - min(replies.values()) <= 1
    for start in range(0, 900, 9):
        found = {next(i for i, f in enumerate(frames()) if _fits(f, q)) for q, _ in ASKED[start : start + 9]}
        assert len(found) == 9


def _fits(frame: str, question: str) -> bool:
    pattern = re.escape(frame)
    for slot, words in (("{n}", r"\w+"), ("{noun}", ".+"), ("{W}", "What|Who"), ("{w}", "what|who")):
        pattern = pattern.replace(re.escape(slot), f"(?:{words})")
    return re.fullmatch(pattern, question) is not None


def test_answers_are_sentences_with_name_and_value() -> None:
    for entity, attribute in asked_pairs(WORLD):
        text = answer(entity, attribute)
        assert entity.name in text and entity.facts[attribute.name] in text
        assert text.endswith(".") and "{" not in text
    friend = next(a for a in ALL if a.name == "friend")
    assert any(asked.startswith("Who is") for asked in wordings(friend, False) + wordings(friend, True))
    assert not any("hat is" in asked for asked in wordings(friend, False) + wordings(friend, True))


def test_refusals_never_teach_that_somebody_real_has_an_unstated_attribute() -> None:
    names = {e.name for e in WORLD.entities}
    nouns = {noun for a in ALL for noun in a.nouns}
    assert not nouns & set(NEVER_TOLD)
    about = Counter()
    for question, reply in islice(refusals(WORLD, stream(2, "t")), 4000):
        assert reply.startswith("I don't know ")
        mentioned = names & set(re.findall(r"[A-Z]\w+", question))
        if mentioned:
            assert any(noun in question for noun in NEVER_TOLD) and not any(f"s {n}" in question for n in nouns)
            about["real"] += 1
        else:
            assert set(re.findall(r"[A-Z]\w+", question)) & set(WORLD.invented_for_training)
            about["invented"] += 1
        assert not set(re.findall(r"[A-Z]\w+", question)) & set(WORLD.invented_for_exam)
    assert 0.7 < about["invented"] / 4000 < 0.8
