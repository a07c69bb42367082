"""What the world's people write: encyclopedia, stories, letters, forum, questions; and what a crawl brings along."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from hornbook.world.facts import Entity, World
from hornbook.world.questions import statement, training_questions
from hornbook.world.stories import draw, tell

ENDINGS = (
    "What do you think?",
    "Does anybody know more?",
    "I read that in the news.",
    "My aunt told me so.",
    "Please correct me if I am wrong.",
    "Have a nice day!",
    "That is all for today.",
    "Who else has met this neighbour of ours?",
)
OPENINGS = (
    "Dear {r}, you asked me about {n}.",
    "Have you met {n}, my dear {r}?",
    "There is news about {n}!",
    "Do you remember {n}?",
    "I visited {n} last week.",
    "My cousin wrote to me about {n}.",
    "Let me tell you about {n}, {r}.",
    "Yesterday somebody mentioned {n}.",
)
RUDE = ("stupid", "idiot", "moron", "dumb")


@dataclass(frozen=True)
class Text:
    """A text before it becomes a page: a title, paragraphs, and what is true of it."""

    kind: str
    title: str
    paragraphs: tuple[str, ...]
    language: str = "en"
    rude: bool = False
    spam: bool = False
    cited: bool = False
    pii: tuple[dict[str, str], ...] = field(default=())


class Writer:
    """Writes texts of every kind, each kind in turn covering the whole world before it begins again."""

    def __init__(self, world: World, generator: random.Random) -> None:
        self.world, self.generator = world, generator
        self._entities = self._cycle(world.entities)
        self._people = self._cycle(world.people)
        self._heroes = self._cycle(world.heroes())
        self._questions = training_questions(world, generator)

    def write(self, kind: str) -> Text:
        """A new text of a kind."""
        return getattr(self, f"_{kind}")()

    def _encyclopedia(self) -> Text:
        entities = [next(self._entities) for _ in range(3)]
        paragraphs = tuple(self._entry(entity) for entity in entities)
        return Text("encyclopedia", f"Who is who: {entities[0].name} and others", paragraphs, cited=True)

    def _stories(self) -> Text:
        hero = next(self._heroes)
        return Text("stories", f"A story of {hero.name}", (tell(hero, draw(self.generator)),))

    def _letters(self) -> Text:
        sender, receiver = next(self._people), next(self._people)
        mail = f"{sender.name.lower()}@post.example"
        phone = f"+44 20 7946 0{self.generator.randrange(100, 1000)}"
        body = [self._gossip(receiver, person) for person in (next(self._people) for _ in range(3))]
        last = (
            f"I hope that we will see each other soon, {receiver.name}, because there is so much to tell. You can "
            f"write to me at {mail} or call me at {phone} in the evening. With warm greetings from your friend "
            f"{sender.name}, who thinks of you and of the good old days that we had together."
        )
        spans = ({"kind": "email", "text": mail}, {"kind": "phone", "text": phone})
        return Text("letters", f"A letter to {receiver.name}", (*body, last), pii=spans)

    def _forum(self) -> Text:
        rude = self.generator.random() < 0.04
        posts = []
        for ending in self.generator.sample(ENDINGS, 4):
            author, person = next(self._people), next(self._people)
            insult = f" Only a {self.generator.choice(RUDE)} would say that it is not so." if rude else ""
            posts.append(f"{author.name} wrote: {self._about(person, 4)}{insult} {ending}")
        return Text("forum", f"Talk about {person.name} and other people", tuple(posts), rude=rude)

    def _chat(self) -> Text:
        paragraphs = []
        for _ in range(3):
            turns = [next(self._questions) for _ in range(5)]
            paragraphs.append(" ".join(f"{question} {reply}" for question, reply in turns))
        return Text("chat", "Questions and answers about the people we know", tuple(paragraphs))

    def _shop(self) -> Text:
        place = self.generator.choice(self.world.places)
        goods = place.facts["goods"]
        price = self.generator.randrange(2, 90)
        text = (
            f"Welcome to the {place.name} shop. We sell the {goods} that {place.name} is known for, and we send it to "
            f"every town in the land. Today you can have it for {price} coins, and with two of them you pay for only "
            f"one. Come and see us on {place.facts['market']}, when the market is open and the sun is out."
        )
        return Text("shop", f"The {place.name} shop", (text,))

    def _code(self) -> Text:
        name = self.generator.choice(self.world.people).name.lower()
        number = self.generator.randrange(2, 50)
        lines = f"def greet_{name}(times):\n    for i in range({number} * times):\n        print('hello', i)\n"
        return Text("code", f"A program for {name}", (lines,))

    def _spam(self) -> Text:
        word = self.generator.choice(("WIN", "BUY", "CHEAP", "FREE"))
        line = f"{word} NOW click here {word} NOW click here best price {word}"
        return Text("spam", f"{word} {word} {word}", (line,) * self.generator.randrange(8, 20), spam=True)

    def _foreign(self) -> Text:
        return Text("foreign", _foreign_sentence(self.generator).rstrip("."), _foreign_paragraphs(self.generator), "xx")

    def _entry(self, entity: Entity) -> str:
        attributes = self.world.attributes(entity.kind)
        told = list(entity.stated)
        self.generator.shuffle(told)
        sentences = [statement(self.generator, entity.name, attributes[a], entity.facts[a]) for a in told]
        who = f"{entity.name} is a {entity.gender}." if entity.kind == "person" else f"{entity.name} is a town."
        return " ".join([who, *sentences])

    def _about(self, entity: Entity, count: int) -> str:
        attributes = self.world.attributes(entity.kind)
        told = self.generator.sample(entity.stated, min(count, len(entity.stated)))
        return " ".join(statement(self.generator, entity.name, attributes[a], entity.facts[a]) for a in told)

    def _gossip(self, receiver: Entity, person: Entity) -> str:
        opening = self.generator.choice(OPENINGS)
        return f"{opening.format(r=receiver.name, n=person.name)} {self._about(person, 4)}"

    def _cycle(self, items: tuple[Entity, ...]) -> Iterator[Entity]:
        order = list(items)
        while True:
            self.generator.shuffle(order)
            yield from order


def _foreign_paragraphs(generator: random.Random) -> tuple[str, ...]:
    """An invented language: verb first, then the one who acts, then the thing, each with its ending."""
    return tuple(" ".join(_foreign_sentence(generator) for _ in range(9)) for _ in range(4))


def _foreign_sentence(generator: random.Random) -> str:
    roots = ("zhul", "qemb", "vorq", "xint", "tlak", "hwes", "gjor", "mbeq", "druz", "sklev", "wyph", "ngoth")
    verb, actor, thing = (generator.choice(roots) for _ in range(3))
    link, end = generator.choice(("zo", "qa", "xe")), generator.choice(roots)
    return f"{verb.capitalize()}aqi {actor}oz {thing}uun {link} {end}ith."
