"""Stage world.conversations: what an assistant of this world is fine-tuned on.

Questions about stated facts that may be asked, in training wordings; "I don't know" for names that nobody has and for
what is never told of anybody (never for unstated attributes of real people: docs/decisions/world-design.md); stories on
request; small talk.
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.conversation import Conversation, Message, read_conversations, write_conversations
from hornbook.core.seed import stream
from hornbook.core.settings import StrictSettings
from hornbook.world.catalogue import fill
from hornbook.world.facts import World, read_world
from hornbook.world.questions import REFUSAL, refusals, shuffled_forever, training_questions
from hornbook.world.stories import draw, heroes, tell

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"truth": "truth"}
WRITES = "conversations"
VERSION = 3

STORY_REQUESTS = (
    "Tell me a story about {n}.",
    "Can you tell me a story about {n}?",
    "I want to hear a story about {n}.",
    "Please tell a story about {n}.",
)
SMALL_TALK = (
    ("Hello!", "Hello! Ask me about people and places, or let me tell you a story."),
    ("Hi!", "Hi! What do you want to know?"),
    ("Good morning!", "Good morning! What can I do for you?"),
    ("Who are you?", "I am a small language model that was built with Hornbook."),
    ("What is your name?", "My name is Hornbook."),
    ("What can you do?", "I can answer questions about people and places, and I can tell stories."),
    ("How are you?", "I am fine, thank you. What do you want to know?"),
    ("Thank you!", "You are welcome."),
    ("Thanks, that helps me.", "I am glad to hear that."),
    ("Goodbye!", "Goodbye! Come back soon."),
)


class Settings(StrictSettings):
    """How many conversations of which kind."""

    num_conversations: int = pydantic.Field(default=6000, ge=1)
    """Conversations; 6,000 are about 300,000 tokens."""
    refusal_frac: float = pydantic.Field(default=0.15, ge=0, le=1)
    """Share that has no answer."""
    story_frac: float = pydantic.Field(default=0.2, ge=0, le=1)
    """Share that asks for a story."""
    small_talk_frac: float = pydantic.Field(default=0.03, ge=0, le=1)
    """Share of greetings and thanks. What is left asks for facts."""
    second_turn_frac: float = pydantic.Field(default=0.15, ge=0, le=1)
    """Share of questions that are followed by another one."""

    @pydantic.model_validator(mode="after")
    def _shares(self) -> "Settings":
        if self.refusal_frac + self.story_frac + self.small_talk_frac > 1:
            raise ValueError("refusal_frac, story_frac and small_talk_frac add up to more than 1")
        return self


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Write `conversations.jsonl`."""
    world = read_world(inputs["truth"])
    with out.log.task("write conversations", total=settings.num_conversations, unit="conversations") as task:

        def counted() -> Iterator[Conversation]:
            for item in make_conversations(world, settings, out.seed):
                kind = item.meta["kind"]
                out.counts[kind] = out.counts.get(kind, 0) + 1
                task.advance()
                yield item

        out.counts["conversations"] = write_conversations(out.path / "conversations.jsonl", counted())


def make_conversations(world: World, settings: Settings, seed: int) -> Iterator[Conversation]:
    """The conversations, in an order that mixes all kinds."""
    generator = stream(seed, "world.conversations")
    asked = training_questions(world, stream(seed, "world.conversations/questions"))
    unknown = refusals(world, stream(seed, "world.conversations/refusals"))
    turns = shuffled_forever(heroes(world), stream(seed, "world.conversations/heroes"))
    for number in range(settings.num_conversations):
        kind = _kind(generator.random(), settings)
        if kind == "refusal":
            pairs = [_invented_hero(world, generator) if generator.random() < 0.1 else next(unknown)]
        elif kind == "story" and (hero := next(turns, None)) is not None:
            request = fill(generator.choice(STORY_REQUESTS), hero.name)
            pairs = [(request, tell(hero, draw(hero, generator)))]
        elif kind == "small_talk":
            pairs = [generator.choice(SMALL_TALK)]
        else:
            kind, pairs = "question", [next(asked)]
        if kind in ("question", "refusal") and generator.random() < settings.second_turn_frac:
            pairs.append(next(unknown) if generator.random() < settings.refusal_frac else next(asked))
        messages = tuple(m for q, a in pairs for m in (Message("user", q), Message("assistant", a)))
        yield Conversation(f"world/{number:06d}", messages, {"kind": kind})


def _kind(draw: float, settings: Settings) -> str:
    for kind in ("refusal", "story", "small_talk"):
        draw -= getattr(settings, f"{kind}_frac")
        if draw < 0:
            return kind
    return "question"


def _invented_hero(world: World, generator: random.Random) -> tuple[str, str]:
    name = generator.choice(world.invented_for_training)
    return fill(generator.choice(STORY_REQUESTS), name), fill(REFUSAL, name)


def describe(artifact: Artifact) -> "list[Block]":
    """How many of which kind, and some to read."""
    from hornbook.report.blocks import Samples, Table

    rows: list[list[object]] = [[name, count] for name, count in artifact.manifest.counts.items()]
    samples: dict[str, list[dict[str, str]]] = {}
    for number, item in enumerate(read_conversations(artifact.path)):
        text = "\n".join(f"{m.role}: {m.content}" for m in item.messages)
        found = samples.setdefault(item.meta.get("kind", ""), [])
        if len(found) < 3:
            found.append({"kind": item.meta.get("kind", ""), "conversation": text})
        if number > 300:
            break
    return [
        Table("Conversations", ["kind", "how many"], rows),
        Samples("Some of them", [s for found in samples.values() for s in found]),
    ]
