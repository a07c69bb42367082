"""Which lines of a page are its site's furniture (menus, headers, footers) and not its text."""

import hashlib
import re
import string
from collections.abc import Iterable

EDGE_LINES = 40
"""Lines at the head and at the tail of a document that are looked at."""
LONG = "\n"
"""Stands for the key of a line too long to be furniture."""

FORMULAS = (
    *("the end", "the very end", "end", "fin", "fine", "ende", "das ende", "la fin", "el fin", "fim", "koniec", "slut"),
    *("once upon a time", "once upon a time there was", "happily ever after", "and they lived happily ever after"),
    *("they all lived happily ever after", "they lived happily ever after", "to be continued", "good night"),
    *("es war einmal", "il était une fois", "érase una vez", "había una vez", "c'era una volta", "era uma vez"),
    *("the moral", "moral", "moral of the story", "the moral of the story", "prologue", "epilogue", "preface"),
    *("introduction", "contents", "summary", "abstract", "references", "notes", "dear sir", "dear madam", "amen"),
)
"""Lines that belong to texts however often a site repeats them."""

_DROPPED = (
    string.punctuation
    + string.whitespace.replace("\n", "")
    + "“”‘’„‚«»‹›–—−…·•¡¿©®™→←▶►|\u00a0\u2009\u202f\ufeff\u200b"
)
_TABLE = str.maketrans({**dict.fromkeys(_DROPPED, None), **dict.fromkeys("123456789", "0")})
_ZEROS = re.compile("00+")
_DIGIT = re.compile(r"\d")
_DATES = re.compile(
    r"(?<![^\W\d_])(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun"
    r"|[ap]\.?m\.?|st|nd|rd|th)(?![^\W\d_])"
)
_PART = re.compile(
    r"(?:(?:chapter|part|book|scene|act|canto|verse|stanza|section|letter|volume|day|story|tale|poem|fable|song|lesson"
    r"|kapitel|teil|chapitre|number|no)*(?:0|[ivxlc]+))"
)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*$")
_MARKS = re.compile(
    r"[©®™|»›→•@]|copyright|rights? reserved|https?:|www\.|\.(?:com|org|net)\b|cookies?\b|privacy"
    r"|terms of (?:use|service)|newsletter|\bsubscribe|\bsign (?:in|up)\b|\blog ?(?:in|out)\b|\bclick\b|\bfollow us\b"
    r"|read more|powered by|contact us|\be-?mail\b|facebook|twitter|instagram|thank(?:s| you) for (?:reading|visiting)"
    r"|\bwelcome to\b|web ?site|\bour (?:site|blog|page|shop|store)\b|\bthis site\b"
)
_MENU_WORDS = re.compile(
    r" [-–—·/] |\b(?:skip|back) to\b|\babout (?:us|this)\b|\b(?:home|page|menu|search|share|comments?|reply|replies"
    r"|print|posted|published|next|previous|contact|contents|categor\w+|advert\w*|sponsor\w*)\b"
)


def line_key(line: str) -> str:
    """What is equal in two lines that say the same: letters in lower case; numbers, and dates beside them, as one 0.

    "" for a line without letters: it neither counts nor belongs to anybody.

    >>> line_key("Last updated: 5 May 2024"), line_key("last updated – 12 June 2023"), line_key("* 12 *")
    ('lastupdated0', 'lastupdated0', '')
    """
    text = line.lower()
    if _DIGIT.search(text):
        text = _DATES.sub("0", text)
    key = _ZEROS.sub("0", text.translate(_TABLE))
    return "" if key == "0" else key


def hash_key(*parts: str) -> int:
    """64 bits of BLAKE2b."""
    return int.from_bytes(
        hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).digest(), "little"
    )


def edge_keys(lines: list[str], most_chars: int) -> list[str]:
    """The key of every line; LONG for those of more than `most_chars`, and for those too far from head and tail to be
    cut (behind one line more than EDGE_LINES, so that lines without a key beside the last of them are known).
    """
    known: dict[int, str] = {}
    for order in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        if len(known) == len(lines):
            break
        num_keys = 0
        for number in order:
            if number not in known:
                line = lines[number]
                known[number] = line_key(line) if len(line) <= most_chars else LONG
            num_keys += bool(known[number])
            if num_keys > EDGE_LINES:
                break
    return [known.get(number, LONG) for number in range(len(lines))]


def edges(keys: list[str]) -> list[str]:
    """The different keys among the first and last EDGE_LINES lines that have one, but LONG."""
    there = [key for key in keys if key]
    return [key for key in dict.fromkeys(there[:EDGE_LINES] + there[-EDGE_LINES:]) if key != LONG]


def is_prose(line: str) -> bool:
    """Whether a line reads like a sentence or a title, not like a menu or a footer.

    It ends as sentences do, or has three words and more, most of them in lower case and no number; and it has none of
    the marks of menus and footers.

    >>> [is_prose(s) for s in ("The end.", "Stories for the evening", "Our Tales", "© 2024 Anna.", "Back to top")]
    [True, True, False, False, False]
    """
    low = line.lower()
    if _MARKS.search(low):
        return False
    if _SENTENCE_END.search(line.rstrip()):
        return True
    words = line.split()
    mostly_low = 2 * sum(word[0].islower() for word in words) >= len(words)
    return len(words) >= 3 and mostly_low and not _DIGIT.search(line) and not _MENU_WORDS.search(low)


def is_part(key: str) -> bool:
    """Whether a key is the number of a chapter, a part, a verse."""
    return _PART.fullmatch(key) is not None


def protected_keys(formulas: Iterable[str]) -> frozenset[str]:
    """Keys of lines that are never furniture."""
    return frozenset(map(line_key, formulas))


def zones(keys: list[str], furniture: set[str], prose: set[str], own_lines: int) -> set[int]:
    """The numbers of the lines to cut: furniture with at most `own_lines` lines of the text itself above it, or below.

    What reads like prose (`prose`, a part of `furniture`) counts as text and is cut only where other furniture stands
    between it and the text: what touches the text belongs to it ("The end.", a title). Lines without a key go with
    their neighbours: when the next line with a key on both sides is cut (or missing).

    >>> sorted(zones(["home", "about", "", "a", "b", "home", "c", "d", "foot"], {"home", "about", "foot"}, set(), 1))
    [0, 1, 8]
    >>> sorted(zones(["hi", "home", "title", "a", "b", "end", "foot"], {"hi", "home", "end", "foot"}, {"hi", "end"}, 1))
    [0, 1, 6]
    """
    cut: set[int] = set()
    with_key = [number for number, key in enumerate(keys) if key]
    for order in (with_key[:EDGE_LINES], with_key[: -EDGE_LINES - 1 : -1]):
        own, at_text = 0, False
        waiting: list[int] = []
        for number in order:
            key = keys[number]
            if key in furniture and key not in prose:
                cut.update((*waiting, number))
                waiting = []
            elif (own := own + 1) > own_lines:
                break
            elif key in furniture and not at_text:
                waiting.append(number)
            else:
                waiting, at_text = [], True
    return cut | _between(keys, cut) if cut else cut


def _between(keys: list[str], cut: set[int]) -> set[int]:
    """Lines without a key whose neighbours with one are cut."""
    found: set[int] = set()
    waiting: list[int] = []
    before = True
    for number, key in enumerate(keys):
        if not key:
            waiting.append(number)
            continue
        if before and number in cut:
            found.update(waiting)
        waiting, before = [], number in cut
    return found | set(waiting) if before else found
