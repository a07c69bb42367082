"""Sets of rules for kinds of documents: which filters, in which order, and what differs from their own defaults."""

from typing import Any, Literal

Profile = Literal["web", "multilingual", "fineweb", "refinedweb", "stories", "poems", "letters", "code"]
Tables = dict[str, dict[str, Any]]

WEB = ("url", "language", "gopher_quality", "gopher_repetition", "c4", "pii")
TEXTS = ("language", "gopher_quality", "gopher_repetition", "pii")

# What children's books are made of: refrains, short words, few function words.
STORY_QUALITY = {
    "min_words": 10,
    "min_word_chars": 2.0,
    "max_symbols": 0.3,
    "max_ellipsis_lines": 0.9,
    "min_stop_words": 0,
}
STORY_REPETITION = {
    "max_lines": 0.8,
    "max_paragraphs": 0.8,
    "max_line_chars": 0.8,
    "max_paragraph_chars": 0.8,
    "max_top_ngrams": (0.5, 0.5, 0.5),
    "max_duplicate_ngrams": (0.9, 0.9, 0.9, 0.9, 0.9, 0.9),
}

PROFILES: dict[Profile, tuple[tuple[str, ...], Tables]] = {
    "web": (WEB, {"c4": {"end_marks": False}}),
    "multilingual": (WEB, {"c4": {"end_marks": False}, "language": {"keep": ()}}),
    "fineweb": (
        ("url", "language", "gopher_repetition", "gopher_quality", "c4", "fineweb", "pii"),
        {
            "language": {"min_confidence": 0.65},
            "gopher_repetition": {"reading": "datatrove"},
            "gopher_quality": {"reading": "datatrove"},
            "c4": {"reading": "datatrove", "end_marks": False},
            "fineweb": {"reading": "datatrove"},
            "pii": {"mask": ("email", "ip"), "ips": "public"},
        },
    ),
    "refinedweb": (
        ("url", "language", "gopher_quality", "gopher_repetition", "refinedweb"),
        {
            "language": {"min_confidence": 0.65},
            "gopher_quality": {"reading": "dclm"},
            "gopher_repetition": {"reading": "dclm"},
        },
    ),
    "stories": (
        TEXTS,
        {"language": {"unknown": "keep"}, "gopher_quality": STORY_QUALITY, "gopher_repetition": STORY_REPETITION},
    ),
    "poems": (
        TEXTS,
        {
            "language": {"unknown": "keep"},
            "gopher_quality": STORY_QUALITY | {"min_words": 8, "max_bullet_lines": 1.0},
            "gopher_repetition": STORY_REPETITION
            | {"max_lines": 0.9, "max_line_chars": 0.9, "max_top_ngrams": (0.7, 0.7, 0.7)},
        },
    ),
    "letters": (
        TEXTS,
        {
            "language": {"unknown": "keep"},
            "gopher_quality": STORY_QUALITY,
            "gopher_repetition": STORY_REPETITION | {"max_lines": 0.5, "max_line_chars": 0.5},
        },
    ),
    "code": (
        ("outliers", "pii"),
        {
            "outliers": {
                "mean_word_chars": (1.0, 40.0),
                "median_word_chars": (1.0, 30.0),
                "max_digits": 0.5,
                "max_capitals": 0.7,
                "max_white_space": 0.7,
                "max_urls": 0.5,
                "max_parentheses": 0.3,
                "max_symbols": 0.75,  # RedPajama's rule for GitHub: a quarter of the characters are letters or digits
                "min_entropy": 0.3,
                "min_compression": 0.03,
            },
            "pii": {"mask": ("email",)},
        },
    ),
}
# The profile for what `kinds.guess_kind` recognises.
OF_GUESSES: dict[str, Profile] = {"code": "code", "poem": "poems", "letter": "letters", "story": "stories"}


def chain_of(profile: Profile, rules: tuple[str, ...] | None) -> tuple[str, ...]:
    """The filters in order: those that are given, or the profile's."""
    return PROFILES[profile][0] if rules is None else rules


def tables_of(profile: Profile, names: tuple[str, ...], own: Tables) -> Tables:
    """The settings of each filter of a chain: the profile's, then the recipe's over them."""
    defaults = PROFILES[profile][1]
    given = {name: defaults.get(name, {}) | own.get(name, {}) for name in names}
    return {name: table for name, table in given.items() if table}
