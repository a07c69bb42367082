"""What is written about the world: paragraphs of each kind of text, in many wordings, true to the facts.

Paragraphs of one page never use a wording twice, so that pages pass the repetition rules of data filters and different
pages stay far from the similarity at which deduplication calls them copies (`docs/decisions/world-pages.md`).
"""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

from hornbook.core.seed import stream
from hornbook.world.catalogue import Attribute, fill
from hornbook.world.facts import Entity, World
from hornbook.world.questions import asked_pairs, shuffled_forever, training_questions, wordings
from hornbook.world.stories import draw, heroes, plots_of, tell

Item = TypeVar("Item")
HANDLES = tuple("oldowl bluepen teacup rainboot snowdrop redkite quickfox moonlamp".split())


class Author:
    """Writes pages about a world, each kind from its own stream; every person and place gets its turn."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.attributes = {kind: world.attributes(kind) for kind in ("person", "place")}
        self._entities = shuffled_forever(world.entities, stream(seed, "world.texts/entities"))
        self._people = shuffled_forever(world.people, stream(seed, "world.texts/people"))
        self._places = shuffled_forever(world.places, stream(seed, "world.texts/places"))
        self._heroes = shuffled_forever(heroes(world), stream(seed, "world.texts/heroes"))
        self._pairs = shuffled_forever(asked_pairs(world), stream(seed, "world.texts/pairs"))
        self._questions = training_questions(world, stream(seed, "world.texts/questions"))
        self._plots = sorted({number for hero in heroes(world) for number in plots_of(hero)})

    def write(self, kind: str, generator: random.Random) -> tuple[str, list[str]]:
        """Title and paragraphs (`# ...` is a heading) of a page of this kind."""
        makers = {
            "encyclopedia": self._encyclopedia,
            "story": self._stories,
            "letter": self._letter,
            "forum": self._forum,
            "chat": self._chat,
            "shop": self._shop,
        }
        return makers[kind](generator)

    def _encyclopedia(self, generator: random.Random) -> tuple[str, list[str]]:
        chosen = _different(self._entities, 6)
        wordings = _Wordings(self.attributes, generator)
        paragraphs: list[str] = []
        for entity in chosen:
            told = list(entity.stated)
            generator.shuffle(told)
            for part in _halves(told, 5):
                paragraphs.append(self._entry(entity, part, wordings, generator))
        return f"The book of {chosen[0].name} and others", [p for p in paragraphs if p]

    def _entry(self, entity: Entity, told: Sequence[str], wordings: "_Wordings", generator: random.Random) -> str:
        """A paragraph of facts; here and there a pronoun, now and then two facts in one sentence."""
        he = {"woman": "She", "man": "He", "": "It"}[entity.gender]
        phrases = [wordings.phrase(entity, name) for name in told]
        sentences: list[str] = []
        while phrases:
            subject = entity.name if not sentences or generator.random() < 0.75 else he
            if len(phrases) > 1 and generator.random() < 0.25:
                sentences.append(f"{subject} {phrases.pop()} and {phrases.pop()}.")
            elif subject == entity.name and generator.random() < 0.4:
                sentences.append(f"{wordings.opening()} {subject} {phrases.pop()}.")
            else:
                sentences.append(f"{subject} {phrases.pop()}.")
        return " ".join(sentences)

    def _stories(self, generator: random.Random) -> tuple[str, list[str]]:
        paragraphs: list[str] = []
        for number in generator.sample(self._plots, len(self._plots)):
            hero = next(h for h in self._heroes if number in plots_of(h))
            choices = draw(hero, generator) | {"plot": number}
            paragraphs += [f"# A story about {hero.name}", tell(hero, choices)]
        return "Stories for the evening", paragraphs

    def _letter(self, generator: random.Random) -> tuple[str, list[str]]:
        wordings = _Wordings(self.attributes, generator)
        lead_ins = shuffled_forever(LETTER_LEADS, generator)
        paragraphs = [generator.choice(LETTER_OPENINGS)]
        for person in _different(self._people, 6):
            told = list(person.stated)
            generator.shuffle(told)
            facts = [f"{person.name} {wordings.phrase(person, name)}." for name in told[:5]]
            paragraphs.append(" ".join([fill(next(lead_ins), person.name), *facts]))
        return "A letter from the village", [*paragraphs, generator.choice(LETTER_CLOSINGS)]

    def _forum(self, generator: random.Random) -> tuple[str, list[str]]:
        wordings_of_page = _Wordings(self.attributes, generator)
        replies, thanks = shuffled_forever(FORUM_REPLIES, generator), shuffled_forever(FORUM_THANKS, generator)
        paragraphs: list[str] = []
        for entity, attribute in _different(self._pairs, 8):
            asker, replier = generator.sample(HANDLES, 2)
            question = fill(generator.choice(wordings(attribute, held_out=False)), entity.name)
            others = [name for name in entity.stated if name != attribute.name]
            extra = [wordings_of_page.phrase(entity, name) for name in generator.sample(others, min(2, len(others)))]
            more = f" {entity.name} {' and '.join(extra)}." if extra else ""
            said = f"{entity.name} {wordings_of_page.phrase(entity, attribute.name)}."
            paragraphs.append(
                f"{asker} wrote: {question} {replier} replied: {next(replies)} {said}{more} {next(thanks)}"
            )
        return "The village forum", paragraphs

    def _chat(self, generator: random.Random) -> tuple[str, list[str]]:
        paragraphs: list[str] = []
        for ask, reply in (("Question", "Answer"), ("Reader", "Editor")):
            for _ in range(3):
                lines = [f"{ask}: {q} {reply}: {a}" for q, a in (next(self._questions) for _ in range(3))]
                paragraphs.append(" ".join(lines))
        return "Questions that readers asked us", paragraphs

    def _shop(self, generator: random.Random) -> tuple[str, list[str]]:
        wordings = _Wordings(self.attributes, generator)
        offers = shuffled_forever(SHOP_OFFERS, generator)
        paragraphs: list[str] = []
        for place in _different(self._places, 4):
            facts = [f"{place.name} {wordings.phrase(place, name)}." for name in generator.sample(place.stated, 2)]
            goods = [next(offers).replace("{k}", str(generator.randint(2, 60))) for _ in range(3)]
            paragraphs.append(" ".join([*facts, *goods]))
        return "The travelling shop", paragraphs


class _Wordings:
    """Deals phrases and openings so that a page uses each as seldom as possible."""

    def __init__(self, attributes: dict[str, dict[str, Attribute]], generator: random.Random) -> None:
        self._attributes = attributes
        self._decks = {
            (kind, name): shuffled_forever(attribute.phrases, stream(generator.getrandbits(63), name))
            for kind, found in attributes.items()
            for name, attribute in found.items()
        }
        self._openings = shuffled_forever(OPENINGS, generator)

    def phrase(self, entity: Entity, name: str) -> str:
        """One of the ways to state this fact, without the subject."""
        return fill(next(self._decks[entity.kind, name]), entity.name, entity.facts[name])

    def opening(self) -> str:
        """The beginning of a sentence that goes on with a name."""
        return next(self._openings)


def _different(turns: Iterator[Item], count: int) -> list[Item]:
    """The next `count` items that are not the same (two rounds of turns may meet in one page)."""
    found: list[Item] = []
    for _ in range(20 * count):
        item = next(turns)
        if item not in found:
            found.append(item)
        if len(found) == count:
            break
    return found


def _halves(items: list[str], size: int) -> list[list[str]]:
    """Parts of about `size` items, none of them tiny."""
    count = max(1, round(len(items) / size))
    return [items[i * len(items) // count : (i + 1) * len(items) // count] for i in range(count)]


OPENINGS = (
    "As everybody knows,",
    "It is said that",
    "According to old friends,",
    "Neighbours say that",
    "By all accounts,",
    "One more thing is certain:",
    "It may surprise you that",
    "Records show that",
    "Besides,",
    "As far as we know,",
    "People remember that",
    "Few people know that",
)
LETTER_OPENINGS = (
    "My dear cousin, thank you for your long letter. It is raining here, so I have time to answer at last, and I "
    "want to tell you about all the people whom I met this week.",
    "Dear sister, I hope that you are well and that your cough is better now. You asked me for news about the "
    "neighbours, so here comes everything that I have heard.",
    "Dear uncle, the train was late, but my journey was pleasant in the end. I have made so many new friends that"
    " I must write down something about each of them.",
    "Dearest aunt, your parcel came yesterday and made me very happy. While the soup is cooking I will tell you "
    "who came to see me and what they talked about.",
    "My good old friend, the evenings are long now and I think of you often. Let me tell you about a few people "
    "here whom you will surely like when you visit us.",
    "Dear brother, the garden looks lovely and all the apples are in the cellar. There was a large party last "
    "night, and these are some of the guests who sat at my table.",
)
LETTER_LEADS = (
    "On Sunday I had a long talk with {n}.",
    "You surely remember {n} from the fair.",
    "Then there is {n}, whom I like very much.",
    "I sat next to {n} at dinner.",
    "The postman told me a lot about {n}.",
    "Guess who waved to me today: it was {n}.",
    "I must not forget {n}.",
    "The next visitor was {n}.",
)
LETTER_CLOSINGS = (
    "That is all for today, because the candle is burning low. Please write back soon and tell me everything "
    "about your new house. With love from all of us, your faithful cousin.",
    "Now I must go and feed the hens before it gets dark. Give my greetings to the whole family and do not forget"
    " to eat well. Yours as ever, until the next letter comes.",
    "I hope that you can come and meet them all in spring. The guest room is ready for you and the stove is warm."
    " Many greetings and a big hug from your old friend.",
    "My pen is nearly dry, so I will stop here. Keep warm, take care of your cough and think of me sometimes. I "
    "am looking forward to your answer. Always yours.",
)
FORUM_REPLIES = (
    "That one is easy.",
    "I can help you with that.",
    "My aunt told me about it.",
    "I asked around, and this is what I found.",
    "We talked about this last week.",
    "Good question, here is the answer.",
    "I am quite sure about this.",
    "Somebody wrote about it before.",
)
FORUM_THANKS = (
    "Thanks a lot, that helps me.",
    "Great, now I can finish my list.",
    "How nice of you to answer so quickly!",
    "Many thanks from the whole family.",
    "Oh, I would never have guessed that.",
    "Perfect, that is what I needed.",
    "Good to know, thank you.",
    "You are the best, thanks!",
)
SHOP_OFFERS = (
    "A pair of warm gloves costs {k} coins this week.",
    "We offer strong baskets for {k} coins each.",
    "Our woollen blankets are only {k} coins.",
    "You can have a new broom for {k} coins.",
    "The large teapot is yours for {k} coins.",
    "Children love the wooden horse, and it costs {k} coins.",
    "For {k} coins we repair your umbrella.",
    "A box of coloured pencils sells at {k} coins.",
    "The soft pillow with feathers is {k} coins.",
    "Take home a dozen eggs for {k} coins.",
    "The small lamp with a green shade costs {k} coins.",
    "Sharp garden tools begin at {k} coins.",
    "We ask {k} coins for the tall mirror.",
    "The picture of the harbour is on sale for {k} coins.",
)
