"""The catalogue: enough wordings, none of them twice, grammatical articles."""

from itertools import chain

from hornbook.world.catalogue import fill, person_attributes, place_attributes, with_article

ALL = (*person_attributes(), *place_attributes())


def test_ten_attributes_of_people_and_four_of_places() -> None:
    assert len(person_attributes()) == 10 and len(place_attributes()) == 4
    assert len({a.name for a in ALL}) == 14


def test_every_attribute_has_eight_wordings_with_the_value_in_each() -> None:
    for attribute in ALL:
        assert len(set(attribute.phrases)) == 8
        for phrase in attribute.phrases:
            assert phrase.count("{v}") + phrase.count("{a}") == 1, phrase
        assert len(set(attribute.nouns)) == 3
        assert all("{n}" in asked for asked in attribute.unseen)
        assert "{n}" in attribute.answer and ("{v}" in attribute.answer or "{a}" in attribute.answer)


def test_no_wording_or_noun_serves_two_attributes() -> None:
    phrases = list(chain.from_iterable(a.phrases for a in ALL))
    nouns = list(chain.from_iterable(a.nouns for a in ALL))
    assert len(set(phrases)) == len(phrases) and len(set(nouns)) == len(nouns)


def test_values_are_different_and_none_hides_in_another() -> None:
    for attribute in ALL:
        assert len(set(attribute.values)) == len(attribute.values)
        words = [f" {value} " for value in attribute.values]
        assert not [(a, b) for a in words for b in words if a != b and a in b], attribute.name


def test_articles() -> None:
    assert with_article("otter") == "an otter" and with_article("fox") == "a fox"
    pets = next(a for a in ALL if a.name == "pet").values
    assert not [v for v in pets if v[0] in "aeiou" and not with_article(v).startswith("an ")]
    assert not [v for a in ALL for v in a.values if v.startswith(("u", "hour", "one", "eu"))]  # sound and letter part


def test_fill() -> None:
    assert fill("{n} has {a} called {v}", "Mira", "owl") == "Mira has an owl called owl"
    assert fill("What is {n}'s job?", "Mira") == "What is Mira's job?"
