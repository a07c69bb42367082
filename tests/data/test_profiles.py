from typing import Any, get_args

from hornbook.data.language.kinds import guess_kind
from hornbook.data.profiles import OF_GUESSES, PROFILES, Profile, chain_of, tables_of
from hornbook.data.rules import settings_of


def test_every_profile_names_filters_and_settings_that_exist() -> None:
    assert set(PROFILES) == set(get_args(Profile))
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


PUBLISHED: dict[Profile, dict[str, dict[str, Any]]] = {
    # datatrove, examples/fineweb.py and the defaults of its filters
    "fineweb": {
        "language": {"keep": ("en",), "min_confidence": 0.65},
        "gopher_repetition": {
            "reading": "datatrove",
            "max_lines": 0.3,
            "max_paragraphs": 0.3,
            "max_line_chars": 0.2,
            "max_paragraph_chars": 0.2,
            "max_top_ngrams": (0.2, 0.18, 0.16),
            "max_duplicate_ngrams": (0.15, 0.14, 0.13, 0.12, 0.11, 0.10),
        },
        "gopher_quality": {
            "reading": "datatrove",
            "min_words": 50,
            "max_words": 100_000,
            "min_word_chars": 3,
            "max_word_chars": 10,
            "max_symbols": 0.1,
            "max_bullet_lines": 0.9,
            "max_ellipsis_lines": 0.3,
            "min_letter_words": 0.8,
            "min_stop_words": 2,
        },
        "c4": {"reading": "datatrove", "end_marks": False, "min_sentences": 5, "min_line_words": 3},
        "fineweb": {
            "min_line_ends": 0.12,
            "max_short_lines": 0.67,
            "short_line_chars": 30,
            "max_duplicate_chars": 0.01,
            "max_newlines": 0.3,
        },
        "pii": {"mask": ("email", "ip"), "ips": "public"},
    },
    # DCLM, baselines/baselines_configs/dclm_baseline_refinedweb.yaml
    "refinedweb": {
        "language": {"min_confidence": 0.65},
        "gopher_quality": {"reading": "dclm", "min_words": 50, "max_words": 100_000, "max_symbols": 0.1},
        "gopher_repetition": {"reading": "dclm", "max_top_ngrams": (0.2, 0.18, 0.16)},
        "refinedweb": {
            "max_upper_frac": 0.5,
            "max_digit_frac": 0.999999,
            "min_line_words": 2,
            "max_removed_frac": 0.05,
        },
    },
}


def test_the_named_chains_have_the_published_numbers() -> None:
    for profile, expected in PUBLISHED.items():
        names, tables = PROFILES[profile]
        found = settings_of(names, tables)
        assert set(found) == {"url", *expected}
        for name, table in expected.items():
            settings = found[name].model_dump()
            assert {key: settings[key] for key in table} == table, name
