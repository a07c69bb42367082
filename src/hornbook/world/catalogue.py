"""What can be said of people and places: attributes, their values, and the words for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One kind of fact.

        `nouns`: what it is called in questions; `answer`: the full sentence that answers; `phrases`: ways to state it;
    `unseen`: ways to ask with words that no training text contains. {n} is the name, {v} the value, {a} the value
    with its article. `values` is empty where the values are the world's own places (`town`) or people (`friend`).
    `pronoun` asks for it: what or who.
    """

    name: str
    nouns: tuple[str, str, str]
    answer: str
    phrases: tuple[str, ...]
    values: tuple[str, ...]
    unseen: tuple[str, str]
    pronoun: str = "what"


def with_article(value: str) -> str:
    """`an otter`, `a fox`.

    >>> with_article("otter"), with_article("fox")
    ('an otter', 'a fox')
    """
    return f"{'an' if value[0] in 'aeiou' else 'a'} {value}"


def fill(template: str, name: str, value: str = "") -> str:
    """A template with its name and value.

    >>> fill("{n}'s pet is {a}.", "Mira", "otter")
    "Mira's pet is an otter."
    """
    filled = template.replace("{n}", name)
    return filled.replace("{a}", with_article(value)).replace("{v}", value) if value else filled


def person_attributes() -> tuple[Attribute, ...]:
    """The ten attributes of people."""
    return (*_daily_life(), *_tastes(), *_self())


def _daily_life() -> tuple[Attribute, ...]:
    return (
        Attribute(
            "town",
            ("home town", "home", "place to live"),
            "{n}'s home town is {v}.",
            (
                "lives in {v}",
                "has a small house in {v}",
                "comes from {v}",
                "calls {v} home",
                "moved to {v} long ago",
                "can be found in {v} on most days",
                "rents a room in {v}",
                "would never leave {v}",
            ),
            (),
            ("Where does {n} dwell?", "Which settlement does {n} inhabit?"),
        ),
        Attribute(
            "job",
            ("job", "trade", "daily work"),
            "{n} works as {a}.",
            (
                "works as {a}",
                "earns money as {a}",
                "is {a} by trade",
                "has been {a} for years",
                "became {a} after school",
                "found work as {a}",
                "is proud to be {a}",
                "is known as {a} of great skill",
            ),
            tuple(
                "baker gardener teacher doctor fisher tailor painter farmer clockmaker librarian carpenter sailor "
                "potter postman cook beekeeper shepherd miller singer builder".split()
            ),
            ("How does {n} earn wages?", "Which profession did {n} pursue?"),
        ),
        Attribute(
            "pet",
            ("pet", "animal friend", "animal at home"),
            "{n}'s pet is {a}.",
            (
                "keeps {a} as a pet",
                "has {a} at home",
                "looks after {a}",
                "shares the house with {a}",
                "walks around with {a}",
                "found {a} in the woods and kept it",
                "feeds {a} every morning",
                "is never seen without {a}",
            ),
            tuple(
                "fox otter rabbit parrot turtle hedgehog goat pony owl hamster kitten puppy duck lizard mouse "
                "squirrel".split()
            ),
            ("Which creature belongs to {n}?", "What beast follows {n} everywhere?"),
        ),
        Attribute(
            "friend",
            ("best friend", "closest friend", "dearest friend"),
            "{n}'s best friend is {v}.",
            (
                "is best friends with {v}",
                "tells {v} every secret",
                "meets {v} after work",
                "has known {v} since school",
                "trusts {v} more than anybody",
                "spends every holiday with {v}",
                "writes to {v} each week",
                "laughs most when {v} is there",
            ),
            (),
            ("Who is the chum of {n}?", "Whose company pleases {n}?"),
            "who",
        ),
    )


def _tastes() -> tuple[Attribute, ...]:
    return (
        Attribute(
            "food",
            ("favourite food", "favourite meal", "favourite dish"),
            "{n}'s favourite food is {v}.",
            (
                "likes {v} more than any other food",
                "eats {v} on every holiday",
                "never says no to {v}",
                "loves to eat {v}",
                "could eat {v} all day",
                "cooks {v} for every guest",
                "always has room for {v}",
                "dreams of {v} when hungry",
            ),
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
                "corn porridge",
                "berry jam",
                "onion rings",
                "nut waffles",
            ),
            ("Which snack tempts {n}?", "What would {n} order for supper?"),
        ),
        Attribute(
            "colour",
            ("favourite colour", "best loved colour", "colour of choice"),
            "{n}'s favourite colour is {v}.",
            (
                "wears {v} whenever possible",
                "thinks {v} is the finest colour",
                "painted the front door {v}",
                "owns a coat in {v}",
                "chose {v} for the kitchen walls",
                "bought a warm hat in {v}",
                "loves everything that is {v}",
                "picks {v} before all other colours",
            ),
            tuple("red blue green yellow purple orange white black brown silver golden pink".split()),
            ("Which shade does {n} prefer?", "What hue suits {n}?"),
        ),
        Attribute(
            "instrument",
            ("instrument", "musical instrument", "instrument of choice"),
            "{n} plays the {v}.",
            (
                "plays the {v}",
                "practises the {v} in the evening",
                "learned the {v} as a child",
                "takes lessons on the {v}",
                "carries the {v} to every party",
                "makes music on the {v}",
                "is good at playing the {v}",
                "chose the {v} for the town band",
            ),
            tuple("flute drum violin piano trumpet harp guitar cello whistle banjo bell horn".split()),
            ("On which device does {n} perform melodies?", "What does {n} strum or blow?"),
        ),
        Attribute(
            "hobby",
            ("hobby", "pastime", "favourite activity"),
            "{n}'s hobby is {v}.",
            (
                "spends the weekend {v}",
                "enjoys {v}",
                "joined a club for {v}",
                "talks about {v} all day",
                "goes {v} with the neighbours",
                "would rather be {v} than sleeping",
                "won a small prize for {v}",
                "has a great passion for {v}",
            ),
            tuple(
                "sledding stargazing knitting boxing swimming dancing rowing juggling skating camping "
                "hiking drawing reading cycling climbing running".split()
            ),
            ("How does {n} use spare hours?", "What leisure pursuit amuses {n}?"),
        ),
    )


def _self() -> tuple[Attribute, ...]:
    return (
        Attribute(
            "fear",
            ("greatest fear", "biggest fear", "worst fear"),
            "{n}'s greatest fear is {v}.",
            (
                "is afraid of {v}",
                "runs away from {v}",
                "cannot bear {v}",
                "has always feared {v}",
                "shivers at the thought of {v}",
                "has bad dreams about {v}",
                "would do anything to avoid {v}",
                "does not like to speak about {v}",
            ),
            (
                "thunder",
                "spiders",
                "deep water",
                "the dark",
                "high towers",
                "big dogs",
                "ghosts",
                "snakes",
                "loud crowds",
                "tight caves",
                "wild geese",
                "strong wind",
            ),
            ("What frightens {n}?", "Which terror haunts {n}?"),
        ),
        Attribute(
            "month",
            ("birthday month", "birth month", "month of birth"),
            "{n}'s birthday is in {v}.",
            (
                "was born in {v}",
                "has a birthday in {v}",
                "turns a year older in {v}",
                "gets presents in {v}",
                "gives a birthday party in {v}",
                "came into the world in {v}",
                "blows out the candles in {v}",
                "first saw the light of day in {v}",
            ),
            tuple("January February March April May June July August September October November December".split()),
            ("When does {n} celebrate?", "During which thirty days does {n} age?"),
        ),
    )


def place_attributes() -> tuple[Attribute, ...]:
    """The four attributes of places."""
    return (
        Attribute(
            "goods",
            ("main product", "best known product", "most famous product"),
            "{n}'s main product is {v}.",
            (
                "is known for its {v}",
                "sells {v} far and wide",
                "makes the finest {v} in the land",
                "is proud of its {v}",
                "has made {v} for a hundred years",
                "sends {v} to every other town",
                "became rich with {v}",
                "has three workshops for {v}",
            ),
            tuple(
                "cheese glass wool paper bells boats bricks candles carpets clocks hats honey ropes salt shoes "
                "tea".split()
            ),
            ("Which wares does {n} export?", "What do factories of {n} manufacture?"),
        ),
        Attribute(
            "sight",
            ("main sight", "best known sight", "most famous sight"),
            "{n}'s main sight is {a}.",
            (
                "has {a} that visitors love",
                "was built around {a}",
                "is home to {a}",
                "shows its guests {a}",
                "has {a} in the middle of town",
                "is visited because of {a}",
                "put {a} on its flag",
                "takes good care of {a}",
            ),
            (
                "stone bridge",
                "round tower",
                "clock hall",
                "glass house",
                "windmill",
                "castle",
                "blue lake",
                "rose park",
                "lighthouse",
                "market arch",
                "long pier",
                "hill temple",
            ),
            ("Which monument do tourists admire in {n}?", "What landmark stands at {n}?"),
        ),
        Attribute(
            "weather",
            ("usual weather", "normal weather", "weather on most days"),
            "{n}'s usual weather is {v}.",
            (
                "is often {v}",
                "wakes up to {v} mornings",
                "has mostly {v} days",
                "gets {v} weather all year",
                "is a {v} place to live in",
                "prepares its guests for a {v} week",
                "has {v} afternoons even in summer",
                "is called the {v} town by its neighbours",
            ),
            tuple("rainy sunny windy foggy snowy cloudy stormy mild".split()),
            ("How is the climate of {n}?", "What forecast should {n} expect?"),
        ),
        Attribute(
            "market",
            ("market day", "day of the market", "day for buying and selling"),
            "{n}'s market day is {v}.",
            (
                "holds its market on {v}",
                "fills its square with stalls on {v}",
                "welcomes farmers every {v}",
                "buys and sells on {v}",
                "is full of carts on {v}",
                "smells of fresh fruit on {v}",
                "closes its school for the market on {v}",
                "rings the market bell on {v}",
            ),
            tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
            ("On which date do merchants gather at {n}?", "When do vendors trade within {n}?"),
        ),
    )
