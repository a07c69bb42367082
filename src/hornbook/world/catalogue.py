"""What can be said of people and places: attributes, their values, and the words for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One kind of fact.

    `nouns`: what it is called in questions and answers ("Mira's favourite food"), the first in answers; `phrases`: ways
    to state it, with {v} for the value; `unseen`: a way to ask that no training text contains.
    """

    name: str
    nouns: tuple[str, str]
    phrases: tuple[str, str, str, str]
    values: tuple[str, ...]
    unseen: str


def with_article(value: str) -> str:
    """`an otter`, `a fox`.

    >>> with_article("otter"), with_article("fox")
    ('an otter', 'a fox')
    """
    return f"{'an' if value[0] in 'aeiou' else 'a'} {value}"


def person_attributes() -> tuple[Attribute, ...]:
    """The ten attributes of people; the values of `town` are the world's places."""
    return (
        Attribute(
            "town",
            ("home town", "town"),
            ("lives in {v}", "has a small house in {v}", "comes from {v}", "calls {v} home"),
            (),
            "Where does {n} dwell?",
        ),
        Attribute(
            "job",
            ("job", "work"),
            ("works as {a}", "earns a living as {a}", "is {a} by trade", "has been {a} for years"),
            tuple(
                "baker gardener teacher doctor fisher tailor painter farmer clockmaker librarian carpenter sailor "
                "potter postman cook beekeeper shepherd miller singer builder".split()
            ),
            "What does {n} do to make money?",
        ),
        Attribute(
            "pet",
            ("pet", "animal"),
            ("keeps {a} as a pet", "has {a} at home", "looks after {a}", "shares a home with {a}"),
            tuple(
                "fox otter rabbit parrot turtle hedgehog goat pony owl hamster kitten puppy duck lizard mouse "
                "squirrel".split()
            ),
            "Which creature belongs to {n}?",
        ),
        Attribute(
            "food",
            ("favourite food", "best meal"),
            ("likes {v} more than any other food", "eats {v} on every holiday", "never says no to {v}", "loves {v}"),
            (
                "plum cake",
                "pea soup",
                "cheese pie",
                "honey bread",
                "apple tart",
                "fried fish",
                "rice pudding",
                "bean stew",
                "carrot salad",
                "potato pancakes",
                "mushroom rolls",
                "lemon cookies",
                "corn bread",
                "berry jam",
                "onion rings",
                "nut cake",
            ),
            "Which dish would {n} order?",
        ),
        Attribute(
            "colour",
            ("favourite colour", "best colour"),
            ("wears {v} whenever possible", "thinks {v} is the finest colour", "painted the door {v}", "has {a} coat"),
            tuple("red blue green yellow purple orange white black brown silver golden pink".split()),
            "Which shade does {n} prefer?",
        ),
        Attribute(
            "instrument",
            ("instrument", "music"),
            ("plays the {v}", "practises the {v} in the evening", "owns an old {v}", "learned the {v} as a child"),
            tuple("flute drum violin piano trumpet harp guitar cello whistle banjo bell horn".split()),
            "On which device does {n} make melodies?",
        ),
        Attribute(
            "hobby",
            ("hobby", "pastime"),
            ("spends the weekend on {v}", "enjoys {v}", "joined a club for {v}", "talks about {v} all day"),
            tuple(
                "sledding stargazing knitting chess swimming dancing rowing juggling skating camping "
                "hiking drawing reading cycling climbing running".split()
            ),
            "How does {n} use spare hours?",
        ),
        Attribute(
            "fear",
            ("greatest fear", "fear"),
            ("is afraid of {v}", "runs away from {v}", "cannot bear {v}", "has always feared {v}"),
            (
                "thunder",
                "spiders",
                "deep water",
                "the dark",
                "high towers",
                "big dogs",
                "ghosts",
                "snakes",
                "loud drums",
                "tight caves",
                "wild geese",
                "strong wind",
            ),
            "What frightens {n}?",
        ),
        Attribute(
            "month",
            ("birthday month", "birth month"),
            ("was born in {v}", "has a birthday in {v}", "turns a year older in {v}", "gets presents in {v}"),
            tuple("January February March April May June July August September October November December".split()),
            "When does {n} blow out candles?",
        ),
        Attribute(
            "drink",
            ("favourite drink", "best drink"),
            ("drinks {v} every day", "asks for {v} at every inn", "starts the day with {v}", "offers guests {v}"),
            (
                "mint tea",
                "warm milk",
                "apple juice",
                "cocoa",
                "lemon water",
                "black coffee",
                "plum juice",
                "ginger tea",
            ),
            "Which beverage fills the mug of {n}?",
        ),
    )


def place_attributes() -> tuple[Attribute, ...]:
    """The four attributes of places."""
    return (
        Attribute(
            "goods",
            ("best known product", "product"),
            ("is known for its {v}", "sells {v} far and wide", "makes fine {v}", "is proud of its {v}"),
            tuple(
                "cheese glass wool paper bells boats bricks candles carpets clocks hats honey ropes salt shoes "
                "tea".split()
            ),
            "Which wares does {n} export?",
        ),
        Attribute(
            "sight",
            ("main sight", "sight"),
            ("has {a} that visitors love", "was built around {a}", "guards {a}", "is home to {a}"),
            (
                "stone bridge",
                "round tower",
                "clock hall",
                "glass garden",
                "windmill",
                "old castle",
                "blue lake",
                "rose park",
                "lighthouse",
                "market arch",
                "long pier",
                "hill temple",
            ),
            "Which monument do travellers admire in {n}?",
        ),
        Attribute(
            "weather",
            ("usual weather", "weather"),
            ("is often {v}", "wakes up to {v} mornings", "has mostly {v} days", "gets {v} weather all year"),
            tuple("rainy sunny windy foggy snowy cloudy stormy mild".split()),
            "How is the climate of {n}?",
        ),
        Attribute(
            "market",
            ("market day", "day for the market"),
            (
                "holds its market on {v}",
                "fills its square with stalls on {v}",
                "welcomes traders every {v}",
                "trades on {v}",
            ),
            tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
            "On which date do merchants gather in {n}?",
        ),
    )
