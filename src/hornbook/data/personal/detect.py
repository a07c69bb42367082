"""Personal data in a text: e-mail and IP addresses, telephone, card, account and identity numbers, streets, names."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from hornbook.data.personal.checksums import IBAN_CHARS, card, coin_address, iban, luhn, national_id
from hornbook.data.personal.phones import NOT_BEFORE, find_phones

Kind = Literal["email", "iban", "card", "ssn", "national_id", "coin", "ip", "phone", "street", "person"]
KINDS: tuple[Kind, ...] = ("email", "iban", "card", "ssn", "national_id", "coin", "ip", "phone", "street", "person")
"""Every kind; where two claim the same characters, the earlier one has them."""
IN_DIGITS: tuple[Kind, ...] = ("iban", "card", "ssn", "national_id", "ip", "phone")


class Span(NamedTuple):
    """Characters `begin` to `end` of a text are personal data of this kind."""

    begin: int
    end: int
    kind: Kind


LOCAL = re.compile(r"[\w.+%'&-]{1,64}\Z")
DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w@]|-[\w])")
AT = re.compile(r"[\[({][ ]?(?:at|AT|@|arroba)[ ]?[\])}][ ]?")
HIDDEN_LOCAL = re.compile(r"[\w.+-]{1,64}[ ]?\Z")
HIDDEN_DOMAIN = re.compile(
    r"[A-Za-z0-9-]{1,63}(?:(?:\.|[ ]?[\[({][ ]?(?:dot|punkt|point)[ ]?[\])}][ ]?)[A-Za-z0-9-]{1,63}){0,4}"
    r"(?:\.|[ ]?[\[({][ ]?(?:dot|punkt|point)[ ]?[\])}][ ]?)[A-Za-z]{2,24}\b",
    re.IGNORECASE,
)
FILES = frozenset("png jpg jpeg gif webp svg ico css js mjs ts map json html htm php rb java txt pdf mp4 mp3".split())
"""What files end in and no domain does."""
FILES_OR_DOMAINS = frozenset(("py", "zip"))
"""What both end in (Paraguay; a domain for all): a file's name where no other dot is."""

DIGIT_MARKS = bytes(ord("0") if chr(code) in "0123456789" else ord(" ") for code in range(256))
MARKED = re.compile(b"00*")  # not 0+: a pattern that begins with a plain character is sought by the C library
RUN_CHARS = "0123456789 .\u00a0\u2009\u202f\u2010\u2011\u2013()/-"
RUN = re.compile(rf"[0-9][{RUN_CHARS}]{{5,}}", re.ASCII)
CARD = re.compile(
    r"""(?<![0-9.,+$€£])(?:
      [0-9]{12,19}                                                                 # all together
    | [2-6][0-9]{3}([ \u00a0-])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?P<more>\1[0-9]{1,3})?  # groups of four
    | 3[0-9]{3}([ \u00a0-])[0-9]{6}\3[0-9]{4,5}                                    # 4-6-5
    )(?![0-9])""",
    re.VERBOSE,
)
CARD_WORDS = re.compile(
    r"\b(?:cards?|kreditkarte|karte|tarjeta|carte|credit|debit|cc|visa|mastercard|maestro|amex|pan)\b[^\n0-9]{0,24}\Z",
    re.IGNORECASE,
)
SSN = re.compile(
    r"(?<![0-9-])(?!000|666)(?:[0-8][0-9]{2}([- ]?)(?!00)[0-9]{2}"
    r"|9[0-9]{2}([- ]?)(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9]))(?:\1|\2)(?!0000)[0-9]{4}(?![0-9-])"
)
SSN_WORDS = re.compile(r"\b(?:ssn|social[ -]security|itin|tax(?:payer)? id\w*)\b[^\n]{0,30}\Z", re.IGNORECASE)
IBAN = re.compile(r"[0-9]{2}(?<=\b[A-Za-z]{2}[0-9]{2})(?:[ \u00a0-]?[A-Za-z0-9]){11,30}")
NATIONAL_ID = re.compile(
    r"""[0-9](?:
      [0-9]{2}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}                                        # Brazil
    | [0-9]{17}|[0-9]{16}[Xx]                                                      # China
    | [0-9]{5}[-+A-FU-Y][0-9]{3}[0-9A-Y]                                           # Finland
    | (?:[ ]?[0-9]{2}){2}[ ]?(?:[0-9]{2}|2[AB])[ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{2} # France
    | [0-9]{7}[ -]?[A-Z] | [0-9]{6}(?<=[XYZ][0-9]{7})-?[A-Z]                        # Spain
    | (?<=[A-Za-z]{6}[0-9])[0-9][A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]           # Italy
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)
IPV4 = re.compile(r"(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9]|-[0-9])")
NOT_IP = re.compile(
    r"(?:\b(?:v|ver|version|versions?|release|build|firmware|update|rev|revision|section|chapter|clause|§+|sec|article|rule"
    r"|table|fig|figure|kernel|driver|sdk|api|upgrade(?:d)? (?:to|from)|oid)\b[ .:=]{0,3}|[A-Za-z]/|[§#])\Z",
    re.IGNORECASE,
)
IP_WORDS = re.compile(
    r"\b(?:ips?|ipv4|address|host|server|servers|ping|dns|gateway|router|subnet|inet|from|at)\b", re.IGNORECASE
)
IPV6_HINT = re.compile(r":[0-9A-Fa-f]{0,4}:")
IPV6 = re.compile(r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{0,4})(?![\w:]|\.[0-9])")
IPV6_FIRST = re.compile(r"(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]|ff[0-9a-f]{2}):", re.IGNORECASE)
COIN = re.compile(r"(?:0x[0-9a-fA-F]{40}|(?:bc1|BC1)[0-9A-Za-z]{11,71}|[13][1-9A-HJ-NP-Za-km-z]{25,34})(?![0-9A-Za-z])")
CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{0,30}"
STREET = re.compile(
    rf"""(?<![\w.,/-])(?:
      [0-9]{{1,5}}[A-Za-z]?,?[ ](?:[NSEW]\.?[ ])?(?:{CAPITAL}[ ]|[0-9]{{1,3}}(?:st|nd|rd|th)[ ]){{1,4}}
      (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Way|Terrace|Highway|Hwy
        |Parkway|Pkwy|Close|Crescent|Gardens|Alley)\b\.?
      (?:,?[ ](?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|\#)\.?[ ]?[\w-]{{1,6}})?
    | P\.?[ ]?O\.?[ ]?Box[ ][0-9]{{1,6}}
    | [0-9]{{1,4}}(?:[ ]?(?:bis|ter))?,?[ ](?:rue|avenue|boulevard|place|chemin|impasse|quai)[ ]
      (?:[\w'’-]{{1,20}}+[ ]?){{1,5}}
    | [A-ZÄÖÜ][\wäöüß-]{{1,30}}(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer)[ ][0-9]{{1,4}}[a-z]?
    | (?:Calle|Avenida|Plaza|Via|Viale|Piazza|Rua)[ ]
      (?:[\w'’.-]{{1,20}}[ ]){{1,4}}?,?[ ]?(?:n[.º°]{{0,2}}[ ]?)?[0-9]{{1,4}}
    )(?![\w])""",
    re.VERBOSE,
)
NAME_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
NAME_GAP = re.compile(r"\s{1,3}")
INITIAL_GAP = re.compile(r"\.\s{0,2}")
INITIAL_CHARS = 2
Names = dict[str, list[tuple[str, ...]]]
"""The words of every name that is looked for, by its first word, longest name first."""


def find(text: str, kinds: Iterable[Kind], names: Names | None = None) -> list[Span]:
    """Every piece of personal data of these kinds, in order, without overlaps.

    Takes time linear in the text: patterns start at a rare sign (an @, a digit) and look a bounded way around it.
    `names`: from `name_table`; persons are found by it alone.
    """
    wanted = set(kinds)
    found = [
        Span(begin, end, kind) for kind, finder in FINDERS.items() if kind in wanted for begin, end in finder(text)
    ]
    if not wanted.isdisjoint(IN_DIGITS):
        found += _in_digits(text, wanted)
    if "ip" in wanted:
        found += [Span(begin, end, "ip") for begin, end in _ipv6s(text)]
    if names and "person" in wanted:
        found += [Span(begin, end, "person") for begin, end in find_names(text, names)]
    return _without_overlaps(found)


def _without_overlaps(found: list[Span]) -> list[Span]:
    if not found:
        return []
    rank = {kind: place for place, kind in enumerate(KINDS)}
    kept: list[Span] = []
    for span in sorted(found, key=lambda s: (s.begin, rank[s.kind])):
        if not kept or span.begin >= kept[-1].end:
            kept.append(span)
        elif rank[span.kind] < rank[kept[-1].kind]:
            kept[-1] = span
    return kept


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """E-mail addresses, also `ann [at] example [dot] org`.

    Source: RFC 5321 lengths and RFC 5322 dot-atoms in the characters that people use. Deviation: no quoted local parts,
    no address literals; names of picture and program files (`icon@2x.png`) are not addresses.
    """
    position = text.find("@")
    last = 0
    while position >= 0:
        domain = DOMAIN.match(text, position + 1, position + 256)
        local = LOCAL.search(text[max(last, position - 64) : position]) if domain else None
        name = local[0].lstrip("'.-%&+") if local else ""
        if domain and name and not _is_file(domain[0]) and name[-1] != ".":
            last = domain.end()
            yield position - len(name), last
        position = text.find("@", position + 1)
    for sign in _hidden_signs(text):
        domain = HIDDEN_DOMAIN.match(text, sign.end(), sign.end() + 256)
        before = text[max(0, sign.start() - 65) : sign.start()]
        local = HIDDEN_LOCAL.search(before) if domain else None
        if domain and local:
            yield sign.start() - len(local[0]), domain.end()


def _hidden_signs(text: str) -> Iterator[re.Match[str]]:
    """Every `[at]`. Brackets are sought one sort at a time: ten times faster than a pattern that begins with any."""
    for bracket in "[({":
        position = text.find(bracket)
        while position >= 0:
            if sign := AT.match(text, position):
                yield sign
            position = text.find(bracket, position + 1)


def _is_file(name: str) -> bool:
    """Whether what stands behind an @ ends as files do: `icon@2x.png`, `module@next.py`."""
    rest, _, end = name.lower().rpartition(".")
    return end in FILES or (end in FILES_OR_DOMAINS and "." not in rest)


def find_coins(text: str) -> Iterator[tuple[int, int]]:
    """Addresses of Bitcoin and Ethereum."""
    for found in COIN.finditer(text):
        if not text[max(0, found.start() - 1) : found.start()].isalnum() and coin_address(found[0]):
            yield found.span()


def find_streets(text: str) -> Iterator[tuple[int, int]]:
    """Street addresses by house number and words such as "Road", "rue" or "straße": a guess, not a check."""
    return (found.span() for found in STREET.finditer(text))


def find_names(text: str, names: Names) -> Iterator[tuple[int, int]]:
    """Names of a list in the case of the list; white space parts their words, or the full stop of an initial."""
    words = list(NAME_WORD.finditer(text))
    place = 0
    while place < len(words):
        for name in names.get(words[place][0], ()):
            run = words[place : place + len(name)]
            if tuple(word[0] for word in run) == name and all(_goes_on(text, a, b) for a, b in pairwise(run)):
                yield run[0].start(), run[-1].end()
                place += len(name) - 1
                break
        place += 1


def _goes_on(text: str, word: re.Match[str], following: re.Match[str]) -> bool:
    """Whether two words may belong to one name, by what lies between them: "J. Lee" does, "Ann. Lee" are sentences."""
    if NAME_GAP.fullmatch(text, word.end(), following.start()):
        return True
    return len(word[0]) <= INITIAL_CHARS and INITIAL_GAP.fullmatch(text, word.end(), following.start()) is not None


def name_table(lines: Iterable[str]) -> Names:
    """Names, one a line, made ready for `find_names`."""
    table: Names = {}
    for line in lines:
        if words := tuple(NAME_WORD.findall(line)):
            table.setdefault(words[0], []).append(words)
    return {first: sorted(set(rest), key=lambda name: (-len(name), name)) for first, rest in table.items()}


def _in_digits(text: str, wanted: set[Kind]) -> Iterator[Span]:
    """Numbers: only groups of digits with what stands around them are looked at, and those are rare."""
    groups = digit_groups(text)
    if "iban" in wanted:
        yield from (Span(b, e, "iban") for b, e in _ibans(text, groups))
    if "national_id" in wanted:
        yield from (Span(b, e, "national_id") for b, e in _national_ids(text, groups))
    last = 0
    for start, stop in groups:
        if start < last or (stop - start < 5 and text[stop + 1 : stop + 2] not in RUN_CHARS):
            continue
        if (run := RUN.match(text, start)) is None:
            continue
        begin, last = run.span()
        for _ in "(+":
            begin -= text[begin - 1 : begin] in ("(", "+")
        if "card" in wanted:
            yield from (Span(b, e, "card") for b, e in _cards(text, begin, last))
        if "ssn" in wanted:
            yield from (Span(b, e, "ssn") for b, e in _ssns(text, begin, last))
        if "ip" in wanted:
            yield from (Span(b, e, "ip") for b, e in _ipv4s(text, begin, last))
        if "phone" in wanted:
            yield from (Span(b, e, "phone") for b, e in find_phones(text, begin, last))


def digit_groups(text: str) -> list[tuple[int, int]]:
    """Where groups of ASCII digits begin and end.

    Sought in bytes, one for each character, which is several times faster than a pattern.

    >>> digit_groups("é12, 3")
    [(1, 3), (5, 6)]
    """
    return [found.span() for found in MARKED.finditer(text.encode("ascii", "replace").translate(DIGIT_MARKS))]


def _ibans(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Bank account numbers, together or in groups; what follows a whole one, or a false start, is not swallowed."""
    last = 0
    for start, _ in groups:
        if start - 2 < last or not text[start - 1].isalpha() or (found := IBAN.match(text, start)) is None:
            continue
        begin = end = start - 2
        missing = IBAN_CHARS.get(text[begin:start].upper(), 0)
        while end < found.end() and missing:
            missing -= text[end].isalnum()
            end += 1
        if not text[end : end + 1].isalnum() and iban(text[begin:end]):
            last = end
            yield begin, end


def _national_ids(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Numbers with the check digits of a national identity number."""
    last = 0
    for start, stop in groups:
        if stop - start < 6 and not text[stop + 1 : stop + 2].isdigit():
            continue  # behind a short group of an id stands one sign or letter, and then more digits
        places = range(max(start, last), stop)
        found = next((match for place in places if (match := NATIONAL_ID.match(text, place))), None)
        if found is None:
            continue
        begin, last = found.span()
        if text[begin - 6 : begin].isalpha() and begin >= 6:
            begin -= 6
        elif begin and text[begin - 1] in "XYZ":
            begin -= 1
        before = text[begin - 1 : begin]
        if not (before.isalnum() or (before and before in "-_/.=")) and national_id(text[begin:last]):
            yield begin, last


def _cards(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Source: ISO/IEC 7812. Behind a word such as "card" the issuer is not asked. One number in ten passes Luhn by
    chance: those inside paths and addresses, and short ones without groups and without such a word, do not count."""
    for found in CARD.finditer(text, begin, end):
        first, last = found.span()
        if found["more"] and not luhn(found[0]):
            last = found.start("more")  # sixteen digits, and then a date or a code
        number = text[first:last]
        if luhn(number) and not _in_token(text, first, last):
            before = text[max(0, first - 36) : first]
            named = CARD_WORDS.search(before) is not None and number.strip("0- ") != ""
            sure = card(number) and (not number.isdigit() or len(number) > 14)
            if named or (sure and not NOT_BEFORE.search(before)):
                yield first, last


def _ssns(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Source: Social Security Administration, valid areas, groups and serials; ITIN ranges of the IRS. Without its two
    hyphens a number counts behind "SSN" or "social security" only."""
    for found in SSN.finditer(text, begin, end):
        before = text[max(0, found.start() - 60) : found.start()]
        alone = found[0].count("-") == 2 and not NOT_BEFORE.search(before)
        if (alone or SSN_WORDS.search(before)) and not _in_token(text, *found.span()):
            yield found.span()


def _in_token(text: str, begin: int, end: int) -> bool:
    """Whether a number is a part of a word, a path or an address on the web."""
    before, after = text[max(0, begin - 1) : begin], text[end : end + 1]
    if before.isalnum() or after.isalnum() or (before and before in "_/&-#%") or (after and after in "_%/&"):
        return True
    return before in ("=", "?") and "://" in text[max(0, begin - 200) : begin].rpartition(" ")[2]


def _ipv4s(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Four small numbers are a section or a version unless a word before them speaks of addresses."""
    if text.count(".", begin, end) < 3:
        return
    for found in IPV4.finditer(text, begin, end):
        if text[found.end() : found.end() + 1].isalnum() or not ip_address(found[0]):
            continue
        before = text[max(0, found.start() - 24) : found.start()]
        small = all(int(part) < 32 for part in found[0].split("."))
        if not NOT_IP.search(before) and (not small or IP_WORDS.search(before)):
            yield found.span()


def _ipv6s(text: str) -> Iterator[tuple[int, int]]:
    last = 0
    for hint in IPV6_HINT.finditer(text):
        begin = hint.start()
        if begin < last:
            continue
        for _ in range(4):
            begin -= begin > last and text[begin - 1] in "0123456789abcdefABCDEF"
        before = text[max(0, begin - 1) : begin]
        found = None if before.isalnum() or (before and before in ":._") else IPV6.match(text, begin)
        if found and ip_address(found[0]):
            last = found.end()
            yield begin, last


def ip_address(text: str) -> bool:
    """Whether a text is an IP address. Short forms of version 6 must begin with a prefix in use: `a::b` is code."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    if ":" not in text or "." in text or IPV6_FIRST.match(text):
        return True
    return "::" not in text and max(map(len, text.split(":"))) > 2  # eight pairs of digits: a fingerprint


def is_public(address: str) -> bool:
    """Whether an IP address can be reached from everywhere: not private, not for documentation."""
    return ipaddress.ip_address(address).is_global


FINDERS: dict[Kind, Callable[[str], Iterator[tuple[int, int]]]] = {
    "email": find_emails,
    "coin": find_coins,
    "street": find_streets,
}
