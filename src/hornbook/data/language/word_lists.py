"""Lists of words and phrases, and where a text has them."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from hornbook.data.language.words import MARKS

WORD = re.compile(rf"[^\W_]++(?:[{MARKS}]++[^\W_]*+)*+")
BETWEEN = re.compile(r"[\s\u00a0_'’-]{1,3}")
PLAIN = re.compile(rf"{WORD.pattern}(?:[\s'’-]+{WORD.pattern})*")
LETTER = re.compile(rf"[^\W_]|[{MARKS}]")
NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Hit(NamedTuple):
    """Characters `begin` to `end` are this entry of a list."""

    begin: int
    end: int
    entry: str


@dataclass
class WordList:
    """Entries ready to be looked up.

    An entry of letters counts as whole words (so that a word inside "Scunthorpe" does not); its words may be parted by
    spaces, hyphens or apostrophes. An entry in a script without spaces (Chinese, Japanese, Thai, ...) counts wherever
    it stands. An entry with other signs (`s&m`) counts where no letter or digit touches it.
    """

    phrases: dict[str, list[tuple[str, ...]]] = field(default_factory=dict[str, list[tuple[str, ...]]])
    """By first word; longest first."""
    inside: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Entries that are no plain words, by first character; longest first."""
    strong: set[str] = field(default_factory=set[str])
    """Entries one of which is enough."""
    innocent: "WordList | None" = None
    """Phrases inside which nothing counts."""

    def find(self, text: str) -> list[Hit]:
        """Every hit, in order and without overlaps, longest entry first at each place."""
        folded = fold(text)
        hits = sorted([*self._words(folded), *self._signs(folded)], key=lambda hit: (hit.begin, -hit.end))
        if hits and self.innocent is not None:
            shelters = self.innocent.find(text)  # in order and apart: only the last to begin may hold a hit
            begins = [shelter.begin for shelter in shelters]
            last = ((hit, bisect_right(begins, hit.begin) - 1) for hit in hits)
            hits = [hit for hit, place in last if place < 0 or shelters[place].end < hit.end]
        kept: list[Hit] = []
        for hit in hits:
            if not kept or hit.begin >= kept[-1].end:
                kept.append(hit)
        return kept

    def _words(self, folded: str) -> list[Hit]:
        if not self.phrases or self.phrases.keys().isdisjoint(WORD.findall(folded)):
            return []
        words = list(WORD.finditer(folded))
        hits: list[Hit] = []
        for place, word in enumerate(words):
            for phrase in self.phrases.get(word[0], ()):
                run = words[place : place + len(phrase)]
                if tuple(w[0] for w in run) == phrase and all(
                    BETWEEN.fullmatch(folded, a.end(), b.start()) for a, b in pairwise(run)
                ):
                    hits.append(Hit(word.start(), run[-1].end(), " ".join(phrase)))
                    break
        return hits

    def _signs(self, folded: str) -> list[Hit]:
        hits: list[Hit] = []
        for first, entries in self.inside.items():
            place = folded.find(first)
            while place >= 0:
                entry = next((e for e in entries if folded.startswith(e, place) and _alone(folded, place, e)), "")
                if entry:
                    hits.append(Hit(place, place + len(entry), entry))
                place = folded.find(first, place + max(1, len(entry)))
        return hits


def _alone(folded: str, place: int, entry: str) -> bool:
    """Whether an entry may stand here: scripts without spaces anywhere, others not as a part of a word."""
    if NO_SPACES.search(entry):
        return True
    before, after = folded[max(0, place - 1) : place], folded[place + len(entry) : place + len(entry) + 1]
    first, last, before_it, after_it = (bool(LETTER.match(c)) for c in (entry[0], entry[-1], before, after))
    return not (before_it and first) and not (after_it and last)


def fold(text: str) -> str:
    """The text in lower case, character by character, so that places stay (a dotted capital İ would become two).

    >>> fold("DAS İST")
    'das İst'
    """
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def word_list(lines: Iterable[str], innocent: Iterable[str] = ()) -> WordList:
    """Make a list ready. One entry a line; `!entry`: one is enough; `~phrase`: nothing in it counts; `# `: a comment.

    Source: the format of LDNOOBW (one word or phrase a line), with the three signs added.

    >>> [hit.entry for hit in word_list(["ham", "!green eggs"]).find("Green-eggs and Ham, no hamster")]
    ['green eggs', 'ham']
    """
    found = WordList()
    shelters = [*innocent]
    for line in lines:
        entry = fold(" ".join(line.split()))
        if entry.startswith("~") and len(entry) > 1:
            shelters.append(entry[1:])
        elif entry and not entry.startswith("# ") and entry != "#":
            _add(found, entry)
    for entries in (*found.phrases.values(), *found.inside.values()):
        entries.sort(key=lambda entry: (-len(entry), entry))
    found.innocent = word_list(shelters) if shelters else None
    return found


def _add(found: WordList, entry: str) -> None:
    strong = entry.startswith("!") and len(entry) > 1
    entry = entry[1:].strip() if strong else entry
    if PLAIN.fullmatch(entry) and not NO_SPACES.search(entry):
        words = tuple(WORD.findall(entry))
        entry = " ".join(words)
        same = found.phrases.setdefault(words[0], [])
        if words not in same:
            same.append(words)
    elif entry:
        same = found.inside.setdefault(entry[0], [])
        if entry not in same:
            same.append(entry)
    if strong:
        found.strong.add(entry)
