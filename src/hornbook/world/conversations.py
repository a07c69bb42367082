"""Stage world.conversations: examples of talking: questions, refusals, stories, small talk.

Refusals are taught on invented names and on details that are told of nobody. Teaching them on what happens to be
unstated of a real person would teach that person's refusal instead (`docs/decisions/world-design.md`).
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.conversation import Conversation, Message, read_conversations, write_conversations
from hornbook.core.seed import stream
from hornbook.core.settings import StrictSettings
from hornbook.world.facts import World, read_world
from hornbook.world.questions import refusals, training_questions
from hornbook.world.stories import draw, tell

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"world": "truth"}
WRITES = "conversations"
VERSION = 1
EXAM_NAMES_FRAC = 0.5
SMALL_TALK = (
    ("Hello!", "Hello! Ask me about the people and places I know, or ask for a story."),
    ("Hi.", "Hello! Ask me about the people and places I know, or ask for a story."),
    ("Good morning!", "Good morning! What would you like to know?"),
    ("Who are you?", "I am a small model made with Hornbook. I know a little world and tell stories about it."),
    ("What are you?", "I am a small model made with Hornbook. I know a little world and tell stories about it."),
    ("What can you do?", "I can answer questions about the people and places I know, and I can tell stories."),
    ("Thank you.", "You are welcome!"),
    ("Thanks!", "You are welcome!"),
    ("Goodbye.", "Goodbye! Come back soon."),
)
STORY_REQUESTS = ("Tell me a story about {n}.", "Please tell a story about {n}.", "I want a story about {n}.")


class Settings(StrictSettings):
    """How many of each."""

    num_questions: int = pydantic.Field(default=5000, ge=1)
    """Questions with answers."""
    num_refusals: int = pydantic.Field(default=900, ge=0)
    """Questions without an answer."""
    num_stories: int = pydantic.Field(default=700, ge=0)
    """Requests for a story."""
    num_small_talk: int = pydantic.Field(default=120, ge=0)
    """Greetings, thanks and questions about the model itself."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Write the conversations in a shuffled order."""
    world = read_world(inputs["world"])
    made = list(conversations(world, settings, stream(out.seed, "world.conversations")))
    stream(out.seed, "world.conversations/order").shuffle(made)
    out.counts["conversations"] = write_conversations(out.path / "conversations.jsonl", made)
    out.counts |= {kind: sum(c.meta["kind"] == kind for c in made) for kind in sorted({c.meta["kind"] for c in made})}


def taught_invented(world: World) -> tuple[str, ...]:
    """Invented names that training may use; the others are for the exam."""
    return world.invented[: int(len(world.invented) * (1 - EXAM_NAMES_FRAC))]


def exam_invented(world: World) -> tuple[str, ...]:
    """Invented names that no text contains but the exam."""
    return world.invented[int(len(world.invented) * (1 - EXAM_NAMES_FRAC)) :]


def conversations(world: World, settings: Settings, generator: random.Random) -> Iterator[Conversation]:
    """All conversations, kind by kind."""
    questions = training_questions(world, generator)
    refused = refusals(world, generator, taught_invented(world))
    for index in range(settings.num_questions):
        yield _talk("question", index, *next(questions))
    for index in range(settings.num_refusals):
        yield _talk("refusal", index, *next(refused))
    heroes = list(world.heroes())
    for index in range(settings.num_stories):
        if index % len(heroes) == 0:
            generator.shuffle(heroes)
        hero = heroes[index % len(heroes)]
        yield _talk("story", index, generator.choice(STORY_REQUESTS).format(n=hero.name), tell(hero, draw(generator)))
    for index in range(settings.num_small_talk):
        yield _talk("small_talk", index, *SMALL_TALK[index % len(SMALL_TALK)])


def describe(artifact: Artifact) -> "list[Block]":
    """How many of each kind, and some to read."""
    from hornbook.report.blocks import Samples, Table

    counts = artifact.manifest.counts
    rows = [[name, f"{n:,}"] for name, n in counts.items() if name != "conversations"]
    seen: dict[str, dict[str, str]] = {}
    for talk in read_conversations(artifact.path):
        if len(seen) < len(rows):
            kind = talk.meta["kind"]
            seen.setdefault(
                kind, {"kind": kind, "user": talk.messages[0].content, "assistant": talk.messages[1].content}
            )
    return [Table("Conversations", ["kind", "how many"], rows), Samples("One of each kind", list(seen.values()))]


def _talk(kind: str, index: int, question: str, reply: str) -> Conversation:
    messages = (Message("user", question), Message("assistant", reply))
    return Conversation(f"{kind}-{index}", messages, {"kind": kind})
