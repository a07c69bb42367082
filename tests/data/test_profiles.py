from hornbook.data.language.kinds import guess_kind
from hornbook.data.profiles import OF_GUESSES, PROFILES, chain_of, known_profiles, tables_of
from hornbook.data.rules import settings_of


def test_every_profile_names_filters_and_settings_that_exist() -> None:
    assert set(PROFILES) == set(known_profiles())
    for name, (rules, tables) in PROFILES.items():
        assert set(tables) <= set(rules), name
        assert list(settings_of(rules, tables)) == list(rules)


def test_the_recipe_stands_over_the_profile_and_tables_follow_the_chain() -> None:
    assert chain_of("stories", None)[0] == "language" and chain_of("stories", ("pii",)) == ("pii",)
    tables = tables_of("stories", ("language", "pii"), {"language": {"keep": ("de",)}, "c4": {"citations": False}})
    assert tables == {"language": {"unknown": "keep", "keep": ("de",)}}


def test_guesses_have_profiles() -> None:
    assert set(OF_GUESSES.values()) <= set(PROFILES)
    assert guess_kind("def f(x):\n    return (x[0] + 1) * 2\n\nf([1, 2, 3])\n") in OF_GUESSES
