"""Filter pii: replace personal data by typed placeholders, and count what was found."""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from typing import Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.settings import StrictSettings

RULES = {
    "pii.email": "edit: an e-mail address. Source: RFC 5322 addresses as people write them",
    "pii.phone": "edit: a telephone number with a country code, in North American form, or with a leading zero",
    "pii.ip": "edit: an IPv4 or IPv6 address. Source: checked by Python's ipaddress",
    "pii.card": "edit: a payment card number. Source: ISO/IEC 7812, Luhn checksum and issuer digit",
    "pii.iban": "edit: a bank account number. Source: ISO 13616, checksum mod 97",
    "pii.ssn": "edit: nine digits in the form of a United States social security number (valid areas)",
    "pii.too_many": "more pieces of personal data than max_hits (value: how many). Source: Dolma drops above 5",
}

Kind = Literal["email", "phone", "ip", "card", "iban", "ssn"]
KINDS: tuple[Kind, ...] = ("email", "iban", "card", "ssn", "ip", "phone")

EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}\b"
)
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}\b|\b[a-z]{2}\d{2}[a-z0-9]{11,30}\b")
CARD = re.compile(
    r"""(?<![\d.,+])(?:
      [2-6]\d{11,18} | 1800\d{11}                                        # all together
    | [2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?               # groups of four
    | 3\d{3}([ -])\d{6}\2\d{4,5}                                        # 4-6-5
    )(?!\d)""",
    re.VERBOSE,
)
SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
PHONE = re.compile(
    r"""(?<![\w.+/-])(?<!\d,)(?:
      \+\d{1,3}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]?\d{2,5}){1,4}     # +44 20 7946 0958
    | (?:1[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}                # (415) 555-0134
    | 00\d{1,3}[ .-]\d{1,5}(?:[ .-]?\d{2,5}){1,4}                              # 0041 44 668 18 00
    | \(?0\d{1,4}\)?[ /.-]\d{2,5}(?:[ .-]?\d{2,4}){1,3}                         # 030 901820
    | \d{3}-\d{4}                                                              # 555-0134
    )(?:[ ]?(?:x|ext\.?)[ ]?\d{1,5})?(?![\w]|[-.,]\d)""",
    re.VERBOSE,
)
NO_PHONE = re.compile(r"0?\d[ /.-]\d{1,2}[ /.-]\d{4}|\d{3}-\d{2}-\d{4}")
PATTERNS: dict[Kind, tuple[re.Pattern[str], ...]] = {
    "email": (EMAIL,),
    "iban": (IBAN,),
    "card": (CARD,),
    "ssn": (SSN,),
    "ip": (IPV4, IPV6),
    "phone": (PHONE,),
}
PLACEHOLDERS: dict[Kind, str] = {kind: f"[{kind.upper()}]" for kind in KINDS}


class Settings(StrictSettings):
    """Which kinds of personal data are replaced."""

    mask: tuple[Kind, ...] = ("email", "phone", "ip", "card", "iban", "ssn")
    """Kinds to replace by a placeholder such as [EMAIL]; the others stay."""
    max_hits: int | None = pydantic.Field(default=None, ge=0)
    """Drop a document with more pieces of personal data than this (lists of contacts); empty = never."""


def decide(document: Document, settings: Settings) -> Decision:
    """Replace what is found by placeholders; the counts say how often, by kind."""
    text = document.text
    counts: Counter[str] = Counter()
    for kind in KINDS:
        if kind in settings.mask and _possible(kind, text):
            text = _mask(kind, text, counts)
    if not counts:
        return Keep()
    hits = counts.total()
    if settings.max_hits is not None and hits > settings.max_hits:
        return Drop("pii.too_many", hits)
    return Edit(text, dict(counts))


def _possible(kind: Kind, text: str) -> bool:
    """A check that costs nothing: most texts have no @, and no long numbers."""
    if kind == "email":
        return "@" in text
    return kind == "ip" or any(digit in text for digit in "0123456789")


def _mask(kind: Kind, text: str, counts: Counter[str]) -> str:
    check = CHECKS[kind]

    def replace(match: re.Match[str]) -> str:
        if not check(match.group()):
            return match.group()
        counts[f"pii.{kind}"] += 1
        return PLACEHOLDERS[kind]

    for pattern in PATTERNS[kind]:
        text = pattern.sub(replace, text)
    return text


def luhn(number: str) -> bool:
    """Whether the digits of a number pass the Luhn checksum, come from a card issuer and are 12 to 19.

    Source: ISO/IEC 7812-1, annex B.

    >>> luhn("4111 1111 1111 1111"), luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(c) for c in number if c.isdigit()]
    if not 12 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = [sum(divmod(2 * d, 10)) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(number: str) -> bool:
    """Whether a bank account number passes its checksum.

    Source: ISO 13616: the first four characters go to the end, letters become 10 to 35, the rest mod 97 must be 1.

    >>> iban("GB82 WEST 1234 5698 7654 32"), iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    compact = number.replace(" ", "")
    if not 15 <= len(compact) <= 34:
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def ip_address(text: str) -> bool:
    """Whether a text is an IP address (of either version; a lone `::` is code, not an address)."""
    if ":" in text and len(text) < 6:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def phone(text: str) -> bool:
    """Whether a match has as many digits as a telephone number (7 to 15, E.164) and is no date or 3-2-4 digits."""
    digits = sum(c.isdigit() for c in text)
    return 7 <= digits <= 15 and NO_PHONE.fullmatch(text) is None


def _always(_: str) -> bool:
    return True


CHECKS: dict[Kind, Callable[[str], bool]] = {
    "email": _always,
    "iban": iban,
    "card": luhn,
    "ssn": _always,
    "ip": ip_address,
    "phone": phone,
}
