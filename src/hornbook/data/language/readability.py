"""How hard an English text is to read: sentences, syllables, school grades, ages."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s|$)|\n\s*\n")
VOWELS = re.compile(r"[aeiouy]+")
SILENT_INSIDE = re.compile(r"[^aeiouy]e(?:ly|ment|ful|less|ness|thing|time|where|how|body)")
APART = re.compile(
    r"[^cst]ia(?!g)|[^cgstx]io(?!u)|[vbdnr]iou|seum|eo(?!u|pl)|[aeiou]ing|creat|iu|[^ctr]ie[nt](?!d)|scien|riet"
    r"|[aeiou][^aeiou]+ea$|uou|yi|ism$|[ae]ism"
)
KNOWN = {"maybe": 2, "people": 2, "someone": 2, "everyone": 3, "anyone": 3, "mr": 2, "mrs": 2, "being": 2, "area": 3}
LOWEST_AGE, HIGHEST_AGE = 5, 18


@dataclass(frozen=True)
class Readability:
    """`grade`: Flesch-Kincaid; `ease`: Flesch, 100 very easy, 0 very hard; `dale_chall`: None without a word list."""

    num_words: int
    num_sentences: int
    num_syllables: int
    grade: float
    ease: float
    dale_chall: float | None = None

    @property
    def age(self) -> int:
        """The age at which one reads it: the grade plus five, between 5 and 18."""
        return max(LOWEST_AGE, min(HIGHEST_AGE, round(self.grade) + 5))


def read(text: str, easy: Collection[str] | None = None) -> Readability | None:
    """Grades of a text, or None when it has no words. `easy`: words that fourth-graders know, for Dale-Chall.

    Source: Kincaid et al. 1975 (grade), Flesch 1948 (ease), Dale & Chall 1948. Deviations: sentences end at marks
    followed by white space and at empty lines; a word counts as easy, too, when the list has it without -s, -es, -ed,
    -ing, -ly, -er, -est.
    """
    words = [word.lower().replace("’", "'") for word in WORD.findall(text)]
    if not words:
        return None
    num_sentences = count_sentences(text)
    num_syllables = sum(map(syllables, words))
    per_sentence, per_word = len(words) / num_sentences, num_syllables / len(words)
    hard = None if easy is None else 100 * sum(not is_easy(word, easy) for word in words) / len(words)
    dale_chall = None if hard is None else 0.1579 * hard + 0.0496 * per_sentence + (3.6365 if hard > 5 else 0.0)
    grade = 0.39 * per_sentence + 11.8 * per_word - 15.59
    ease = 206.835 - 1.015 * per_sentence - 84.6 * per_word
    return Readability(len(words), num_sentences, num_syllables, grade, ease, dale_chall)


def count_sentences(text: str) -> int:
    """Sentences with at least one word; a text without an end mark is one.

    >>> count_sentences('He said: "Go!" She went. Then it was 3.14 o'"'"'clock')
    3
    """
    return max(1, sum(1 for part in SENTENCE_END.split(text) if WORD.search(part)))


@lru_cache(maxsize=200_000)
def syllables(word: str) -> int:
    """Syllables of an English word in lower case, by rule: groups of vowels, but for silent e and vowels kept apart.

    >>> [syllables(word) for word in ("cat", "table", "lion", "jumped", "wanted", "being", "here")]
    [1, 2, 2, 1, 2, 2, 1]
    """
    word = word.partition("'")[0] if word.endswith(("'s", "'d", "'ll", "'re", "'m", "'ve")) else word
    if word in KNOWN:
        return KNOWN[word]
    count = len(VOWELS.findall(word))
    if len(word) <= 3:
        return max(1, count - (count > 1 and word.endswith("e")))
    count += len(APART.findall(word)) - len(SILENT_INSIDE.findall(word))
    if word.endswith(("sn't", "dn't")):
        count += 1
    if word.endswith("es"):
        count -= _is_silent(word[:-1]) and not word[:-2].endswith(("s", "x", "z", "ch", "sh", "c", "g"))
    elif word.endswith("ed"):
        count -= _is_silent(word[:-1]) and word[-3] not in "td"
    else:
        count -= _is_silent(word)
    return max(1, count)


def _is_silent(word: str) -> bool:
    """Whether a word ends in an e that is not spoken: it is after -tl, -bl; after a vowel it belongs to that."""
    if not word.endswith("e") or word[-2] in "aeiouy":
        return False
    return not (word[-2] == "l" and word[-3] not in "aeiouyl")


def is_easy(word: str, easy: Collection[str]) -> bool:
    """Whether a list of easy words has a word, or the word without a usual ending."""
    if word in easy:
        return True
    for ending, instead in (
        ("'s", ""),
        ("s", ""),
        ("es", ""),
        ("ies", "y"),
        ("ed", ""),
        ("d", ""),
        ("ied", "y"),
        ("ing", ""),
        ("ing", "e"),
        ("ly", ""),
        ("er", ""),
        ("r", ""),
        ("est", ""),
        ("st", ""),
    ):
        stem = word.removesuffix(ending)
        if stem != word and (stem + instead in easy or (len(stem) > 2 and stem[-1] == stem[-2] and stem[:-1] in easy)):
            return True
    return False
