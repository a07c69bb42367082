import math

import pytest

from hornbook.data.language.ngrams import ALPHABET, CharacterModel


def test_two_characters_by_hand() -> None:
    model = CharacterModel(["aab"], order=2)
    p_a = (2 + 2 / ALPHABET) / (3 + 2)  # a a b: three characters, two kinds
    p_b = (1 + 2 / ALPHABET) / (3 + 2)
    first = (1 + 1 * p_a) / (1 + 1)  # a after the beginning: once of once, one kind
    second = (1 + 2 * p_b) / (2 + 2)  # b after a: once of twice, two kinds
    expected = -(math.log2(first) + math.log2(second)) / 2
    assert model.bits_per_character("ab") == pytest.approx(expected, rel=1e-6)


def test_what_was_never_seen_costs_the_shortest_probability() -> None:
    model = CharacterModel(["aab"], order=2)
    unseen = 2 / ALPHABET / (3 + 2)
    first = (0 + 1 * unseen) / (1 + 1)  # z after the beginning
    assert model.bits_per_character("z") == pytest.approx(-math.log2(first), rel=1e-6)
    after = -math.log2(unseen)  # after z nothing was seen: the shorter n-gram alone
    assert model.bits_per_character("zz") == pytest.approx((-math.log2(first) + after) / 2, rel=1e-6)
    assert model.bits_per_character("") == 0.0
    assert CharacterModel([], order=3).bits_per_character("a") == pytest.approx(math.log2(ALPHABET))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_of_all_next_characters_add_up_to_one(order: int) -> None:
    model = CharacterModel(["the hen and the fox", "then the end"], order)
    seen = sorted(set("the hen and the foxthen the end"))
    for context in ("", "t", "th", "fo", "qq"):
        bits = model.bits_per_character(context) * len(context)
        total = sum(2 ** (bits - model.bits_per_character(context + c) * (len(context) + 1)) for c in seen)
        unseen = 2 ** (bits - model.bits_per_character(context + "ж") * (len(context) + 1))
        assert total + unseen * (ALPHABET - len(seen)) == pytest.approx(1, rel=1e-5)


def test_familiar_texts_are_less_surprising_and_order_of_texts_does_not_matter() -> None:
    texts = ["the hen ran home and the fox ran after the hen", "the fox and the hen had a boat"]
    model, other = CharacterModel(texts), CharacterModel(texts[::-1])
    familiar, strange = "the hen had the boat", "x7 qqz vvk pzt"
    assert model.bits_per_character(familiar) < 2.5 < 8 < model.bits_per_character(strange)
    assert model.bits_per_character(familiar) == other.bits_per_character(familiar)
