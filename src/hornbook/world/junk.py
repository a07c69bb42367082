"""What a real crawl brings along: spam, rude pages, program code, private data. Nothing in it speaks of the world."""

import random
from dataclasses import dataclass

PRODUCTS = ("pills", "watches", "loans", "tickets", "phones", "diets", "coins", "lessons")
CLAIMS = ("best", "cheapest", "fastest", "safest", "newest", "only real")
INSULTS = ("idiot", "fool", "moron", "pig", "liar", "loser")
RUDE_LINES = (
    "Shut up, you stupid {w}, nobody here wants to read your damn nonsense any more.",
    "Only a complete {w} would write such rubbish, so get lost and never come back.",
    "You are a filthy {w} and your ugly face makes me sick every single time.",
    "Go to hell with your bloody questions, you miserable little {w}.",
    "What a pathetic {w} you are, I hate you and everybody who talks to you.",
    "Listen, you dumb {w}, keep your dirty mouth shut or I will make you.",
    "I have never met such an arrogant {w} in all the years on this damn board.",
    "Crawl back under your stone, {w}, and take your crap with you.",
    "Your mother must be ashamed to have raised a useless {w} like you.",
    "Every {w} on this site thinks that he is clever, and you are the worst.",
)
SPAM_LINES = (
    "Order your {p} today and save half of the price, because this offer ends at midnight.",
    "Thousands of happy customers already trust the {c} {p} of the whole internet.",
    "Do not wait any longer and get the {c} {p} before they are gone for good.",
    "Our {p} are tested by doctors, approved by experts and loved by everyone.",
    "Click on the link below to win free {p} for a full year without any risk.",
    "Work from home and earn money with {p} while you sleep in your own bed.",
    "You have been chosen as our lucky visitor, so claim your {c} {p} right now.",
    "No questions asked, money back at any time, and free {p} for all your friends.",
)
CODE_LINES = (
    "def {f}({v}):",
    "    {v} = {v} + {k}",
    "    for (int {v} = 0; {v} < {k}; {v}++) {{ {f}({v}); }}",
    "    if ({v} == {k}) {{ return {f}({v}); }}",
    "    return {v} * {k}",
    "print({f}({k}))",
    "const {v} = {{ size: {k}, name: '{f}' }};",
)
CODE_TALK = (
    "This function counts the visitors of the page and adds them to the list.",
    "Copy the lines below into a new file and run it with the latest version.",
    "If the test fails, check the number in the second line and try again.",
    "The loop stops as soon as the counter reaches the limit that you set.",
)
FIRST = ("anna", "ben", "carl", "doris", "emil", "frida", "gus", "hanna")
HOSTS = ("mail", "post", "letterbox", "village-net")


@dataclass(frozen=True)
class Span:
    """Private data in a text: characters `begin` to `end` are of this kind (`email` or `phone`)."""

    begin: int
    end: int
    kind: str


def spam(generator: random.Random) -> tuple[str, list[str]]:
    """A page that sells; half of them say the same over and over."""
    product = generator.choice(PRODUCTS)
    if generator.random() < 0.5:
        line = f"Buy {product} now! Best {product} here! Cheap {product} online! "
        return f"Buy {product} now", [(line * generator.randint(4, 8)).strip() for _ in range(6)]
    lines = [text.replace("{p}", product) for text in generator.sample(SPAM_LINES, 8)]
    lines = [text.replace("{c}", generator.choice(CLAIMS)) for text in lines]
    return f"The {generator.choice(CLAIMS)} {product}", [" ".join(lines[i : i + 4]) for i in (0, 4)]


def rude(generator: random.Random) -> tuple[str, list[str]]:
    """A quarrel."""
    lines = [text.replace("{w}", generator.choice(INSULTS)) for text in generator.sample(RUDE_LINES, 9)]
    return "What I always wanted to say", [" ".join(lines[i : i + 3]) for i in (0, 3, 6)]


def code(generator: random.Random) -> tuple[str, list[str]]:
    """Program text with a few words around it."""
    paragraphs: list[str] = []
    for talk in generator.sample(CODE_TALK, 3):
        names = {"f": f"run_{generator.randint(1, 99)}", "v": generator.choice("xyz"), "k": generator.randint(2, 500)}
        paragraphs += [talk, " ".join(line.format(**names).strip() for line in generator.sample(CODE_LINES, 5))]
    return "Notes on a program", paragraphs


def contact(generator: random.Random) -> tuple[str, list[Span]]:
    """A paragraph with an e-mail address and a telephone number, and where they are in it."""
    email = f"{generator.choice(FIRST)}.{generator.randint(10, 99)}@{generator.choice(HOSTS)}.example"
    phone = f"+44 20 7946 {generator.randint(1000, 9999):04d}"
    parts = (
        "If you have found a mistake on this page or want to add something, please write to the editor at ",
        email,
        " at any time, or call the office in the morning on ",
        phone,
        " and ask for the woman who looks after the pages. She will be glad to hear from you.",
    )
    text = "".join(parts)
    spans = [
        Span(text.index(found), text.index(found) + len(found), kind)
        for found, kind in ((email, "email"), (phone, "phone"))
    ]
    return text, spans
