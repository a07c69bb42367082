"""Graders against wordings that try to fool them."""

import pytest

from hornbook.core.conversation import Message
from hornbook.tasks.example import Example
from hornbook.tasks.graders import contains, equals, exact, mentions, normalise, refusal, refuses

FOODS = ("pea soup", "nut waffles", "cheese pie")
ASKED = Example(
    "1",
    (Message("user", "What is Pova's favourite dish?"),),
    ("plum cake",),
    {"rivals": list(FOODS), "subject": "Pova"},
)
UNKNOWN = Example("2", (Message("user", "What is Zorel's pet?"),), (), {"rivals": ["otter", "fox", "plum cake"]})


@pytest.mark.parametrize(
    "text",
    [
        "Pova's favourite food is plum cake.",
        "plum cake",
        "Plum-cake!",
        "It is  PLUM\ncake.",
        "Pova never says no to plum cake.",
        "Pova loves plum cake, and nothing else.",
    ],
)
def test_exact_accepts_the_value_in_any_sentence(text: str) -> None:
    assert exact(ASKED, text) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cake",
        "plum cakes",
        "plumcake",
        "plum, and then some cake",
        "Pova's favourite food is pea soup.",
        "plum cake or pea soup",
        "plum cake, pea soup, nut waffles, cheese pie",
        "Pova's favourite food is not plum cake.",
        "Pova's favourite food isn't plum cake.",
        "It was never the plum cake.",
        "I don't know. plum cake",
        "I don’t know, maybe plum cake.",
        "I have no idea, plum cake perhaps.",
        "I don't know, but Pova's favourite food is plum cake.",
        "I'm not sure. Pova eats plum cake.",
        "Dorin's favourite food is plum cake.",
        "The food that Dorin likes best is plum cake.",
    ],
)
def test_exact_is_not_fooled(text: str) -> None:
    assert exact(ASKED, text) == 0.0


def test_a_rival_inside_the_right_value_is_no_rival() -> None:
    example = Example("3", (), ("market arch",), {"rivals": ["arch", "market"]})
    assert exact(example, "Tolburg's main sight is a market arch.") == 1.0
    assert exact(example, "a market arch and a second arch") == 0.0


def test_exact_without_answers_is_never_right() -> None:
    assert exact(UNKNOWN, "otter") == exact(UNKNOWN, "") == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "I don't know anybody called Zorel.",
        "I don’t know that about Zorel.",
        "I do not know.",
        "Sorry, I have no idea who Zorel is.",
        "i dont know",
    ],
)
def test_refusals_are_found(text: str) -> None:
    assert refuses(text)
    assert refusal(UNKNOWN, text) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Zorel's pet is an otter.",
        "I don't know, maybe an otter.",
        "I don't know anybody called Zorel. Zorel's pet is an otter.",
        "I don't know, but the pet is probably small.",
        "You know that I know.",
        "They said i don't knowingly lie.",
        "Nobody is called Zorel.",
    ],
)
def test_refusal_is_not_fooled(text: str) -> None:
    assert refusal(UNKNOWN, text) == 0.0


def test_refusal_may_repeat_a_word_of_the_question() -> None:
    example = Example("4", (Message("user", "Is Zorel's pet a fox?"),), (), {"rivals": ["fox", "otter"]})
    assert refusal(example, "I don't know whether it is a fox.") == 1.0


def test_equals_wants_the_whole_text() -> None:
    assert equals(ASKED, " Plum  cake. ") == 1.0
    assert equals(ASKED, "It is plum cake.") == equals(ASKED, "") == 0.0
    assert equals(Example("5", (), ("...",)), "") == 0.0


def test_contains_wants_whole_words() -> None:
    assert contains(ASKED, "pea soup and plum cake") == 1.0
    assert contains(ASKED, "plum cakes") == contains(ASKED, "") == 0.0
    assert contains(Example("6", (), ("",)), "anything") == 0.0


def test_normalise_and_mentions() -> None:
    assert normalise("Año: Nuevo_2024!") == "año nuevo 2024"
    assert mentions("a fox.", "fox") and not mentions("a foxglove", "fox") and not mentions("a fox", "...")
