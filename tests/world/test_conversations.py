"""Conversations: nothing of the exam, nothing unstated, the shares that were asked for."""

import json
import re
from pathlib import Path

import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.conversation import read_conversations
from hornbook.core.errors import SettingsError
from hornbook.core.settings import parse
from hornbook.world import conversations, facts
from hornbook.world.catalogue import fill
from hornbook.world.conversations import Settings, make_conversations
from hornbook.world.facts import make_world
from hornbook.world.questions import answer, asked_pairs, held_out_pairs, unstated_pairs, wordings
from hornbook.world.stories import heroes
from hornbook.world.story_check import parse as read_story

WORLD = make_world(facts.Settings(), 7)
ALL = list(make_conversations(WORLD, Settings(), 7))


def test_shares_are_as_asked() -> None:
    kinds = [c.meta["kind"] for c in ALL]
    assert len(ALL) == 6000 and len({c.id for c in ALL}) == 6000
    for kind, share in {"question": 0.62, "refusal": 0.15, "story": 0.2, "small_talk": 0.03}.items():
        assert kinds.count(kind) / 6000 == pytest.approx(share, abs=0.02)


def test_nothing_of_the_exam_is_in_it() -> None:
    said = "\n".join(m.content for c in ALL for m in c.messages)
    questions = {m.content for c in ALL for m in c.messages if m.role == "user"}
    for entity, attribute in held_out_pairs(WORLD):
        asked = wordings(attribute, True) + wordings(attribute, False)
        assert not {fill(q, entity.name) for q in asked} & questions
        assert answer(entity, attribute) not in said
    for entity, attribute in unstated_pairs(WORLD):
        asked = wordings(attribute, True) + wordings(attribute, False)
        assert not {fill(q, entity.name) for q in asked} & questions
    for entity, attribute in asked_pairs(WORLD):
        assert not {fill(q, entity.name) for q in wordings(attribute, True)} & questions
    assert not set(WORLD.invented_for_exam) & set(re.findall(r"[A-Z]\w+", said))


def test_answers_are_right() -> None:
    right = {answer(e, a) for e, a in asked_pairs(WORLD)}
    known = {hero.name: hero for hero in heroes(WORLD)}
    for conversation in ALL[:1500]:
        roles = [m.role for m in conversation.messages]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        first = conversation.messages[1].content
        kind = conversation.meta["kind"]
        if kind == "question":
            assert first in right
        elif kind == "refusal":
            assert first.startswith("I don't know")
        elif kind == "story":
            found = read_story(first, known)
            assert not isinstance(found, str) and found[0].name in conversation.messages[0].content


def test_the_stage_writes_what_it_counts_and_the_same_twice(tmp_path: Path) -> None:
    truth = scratch_out(tmp_path / "truth", seed=7)
    facts.run(facts.Settings(), {}, truth)
    inputs = {"truth": Artifact(truth.path, Manifest(kind="truth"))}
    hashes = []
    for name in ("a", "b"):
        out = scratch_out(tmp_path / name, seed=7)
        conversations.run(Settings(num_conversations=400), inputs, out)
        hashes.append(payload_hash(out.path))
    assert hashes[0] == hashes[1] and out.counts["conversations"] == 400
    read = list(read_conversations(out.path))
    assert read == ALL[:400] and json.loads((out.path / "conversations.jsonl").read_text().split("\n")[0])["id"]
    blocks = conversations.describe(Artifact(out.path, Manifest(kind="conversations", counts=out.counts)))
    assert [block.title for block in blocks] == ["Conversations", "Some of them"]


def test_a_world_without_heroes_asks_facts_instead() -> None:
    world = make_world(facts.Settings(num_people=10, num_places=4, num_invented=40, stated_frac=0.01), 1)
    assert not heroes(world)
    found = list(make_conversations(world, Settings(num_conversations=50, story_frac=0.8), 1))
    assert not [c for c in found if c.meta["kind"] == "story"]


def test_shares_above_one_are_refused() -> None:
    with pytest.raises(SettingsError, match="more than 1"):
        parse(Settings, {"story_frac": 0.9, "refusal_frac": 0.2}, "here")
