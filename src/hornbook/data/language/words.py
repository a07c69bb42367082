"""The words of a text, as rules count them: by our own pattern, or as the programs split that others measured with."""

import re
from functools import lru_cache

# Vowel signs and other marks that belong to words but are no \w (Indic, Thai, Hebrew, Arabic; joiners of Persian).
MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ecd\u0f18-\u0f87\u102b-\u103e\u17b4-\u17d3\u200c\u200d"
)
NO_WORDS = str.maketrans({c: " " for c in map(chr, range(128)) if not (c.isalnum() or c in "_'-")})
WORD = re.compile(rf"[\w{MARKS}]+(?:['’-][\w{MARKS}]+)*")

# What spaCy's blank English tokenizer makes of ordinary text: contractions and hyphenated words come apart, addresses,
# numbers, abbreviations, formulas and dots stay whole, every other mark is a word of its own.
SPACY_JOINT = r"""(?:(?<=[^\W\d])-(?=\d)|(?<=\d)-(?=[^\W\d])|[:<>=/](?=\d)|\.(?=[a-z\d_])|(?<=\d),|,(?=\d)|(?<!\d)[+*^]
    |['’](?!(?:s|S|re|ve|ll|d|m)\b)|[\[({@&%~!?;\#|・])"""
SPACY_WORD = re.compile(
    rf"""(?:https?://|www\.)\S*[\w/]                       # addresses
    | (?<!\w)(?:[A-Za-z]\.){{1,20}}+(?!\w)                       # J.  U.S.
    | \d+(?=[ap]m\b)                                       # 9 pm
    | [\w{MARKS}]+?(?=n['’]t\b) | n['’]t\b                  # do n't
    | ['’](?:s|S|re|ve|ll|d|m)\b                           # it 's
    | (?:(?<!\S)[-/@~]+)?[\w{MARKS}]+(?:{SPACY_JOINT}[\w{MARKS}]+)*  # example.org  IL-3  N=12  --user
    | \.\.+ | --+
    | [^\w\s]
    """,
    re.VERBOSE,
)
# Word boundaries of Unicode: apostrophes, full stops and colons inside words stay, hyphens part.
UNICODE_WORD = re.compile(rf"[\w{MARKS}]+(?:['’.:·][\w{MARKS}]+|(?<=\d),\d+)*")
# Scripts written without spaces: Thai, Lao, Tibetan, Burmese, Khmer, kana, ideographs.
UNSPACED = re.compile("[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
UNSPACED_WORD_CHARS = 10
MAX_CACHED_CHARS = 40
CHARS_PER_UNSPACED_WORD = 2


def words_of(text: str) -> list[str]:
    """The words of a text in order: letters, digits and the marks that belong to them, with inner hyphens.

    In languages written without spaces these are whole phrases: see `languages.num_words`.

    >>> words_of("It's a well-known fact: 3 of 4!")
    ["It's", 'a', 'well-known', 'fact', '3', 'of', '4']
    """
    return _ascii_words(text) if text.isascii() else WORD.findall(text)


def _ascii_words(text: str) -> list[str]:
    r"""What `\w+(?:['-]\w+)*` finds in ASCII, at twice its speed: all other characters become spaces, then marks that
    do not stand alone between two letters or digits do, then the text is split."""
    text = f" {text.translate(NO_WORDS)} "
    if "'" in text or "-" in text:
        for pair in ("''", "--", "'-", "-'", " '", "' ", " -", "- "):
            text = text.replace(pair, "  ")
    return text.split()


def spacy_words(text: str) -> list[str]:
    """Words and punctuation marks about as spaCy's blank English pipeline parts them (datatrove counts those).

    Source: spaCy 3.8, `spacy.blank("en")`; a pattern instead of the library, eight times faster; where they part
    (emoticons, rare units and abbreviations) decisions of filters hardly do (docs/decisions/data-readings.md).

    >>> spacy_words("They don't know U.S. law, it's well-known...")
    ['They', 'do', "n't", 'know', 'U.S.', 'law', ',', 'it', "'s", 'well', '-', 'known', '...']
    """
    return list(_spacy_words(text))


@lru_cache(maxsize=1)  # several filters ask about the same document, one after the other
def _spacy_words(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for part in text.split():  # the pattern never looks across white space, and most parts are plain words
        if part.isalpha():
            found.append(part)
        else:
            found += _spacy_parts(part) if len(part) <= MAX_CACHED_CHARS else SPACY_WORD.findall(part)
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def _spacy_parts(part: str) -> tuple[str, ...]:
    return tuple(SPACY_WORD.findall(part))


def unicode_words(text: str) -> list[str]:
    """Words as Unicode parts them, without marks (DCLM's `uniseg`).

    Source: Unicode Standard Annex 29, word boundaries, as a pattern; ideographs are not taken apart.

    >>> unicode_words("It's well-known: 1,000.5 of them, e.g. foxes.")
    ["It's", 'well', 'known', '1,000.5', 'of', 'them', 'e.g', 'foxes']
    """
    return UNICODE_WORD.findall(text)


def is_unspaced(text: str, words: list[str]) -> bool:
    """Whether a text split at spaces gives long phrases, not words, in a script that is written without spaces."""
    if text.isascii() or len(text) <= UNSPACED_WORD_CHARS * len(words):
        return False
    return UNSPACED.search(text) is not None


def count_words(line: str) -> int:
    """Words of a line by white space; in scripts without spaces estimated as half the characters.

    >>> count_words("three short words"), count_words("古い灯台の番人は毎晩船を数えた。")
    (3, 8)
    """
    words = line.split()
    return len(line) // CHARS_PER_UNSPACED_WORD if is_unspaced(line, words) else len(words)


def has_words(line: str, least: int) -> bool:
    """Whether a line has so many words by `count_words`, without counting the others."""
    return least <= 0 or len(line.split(None, least - 1)) >= least or count_words(line) >= least
