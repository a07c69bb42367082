"""Filter pii: replace personal data by placeholders or stand-ins, or drop what has it, and count what was found."""

import hashlib
from collections import Counter
from functools import cached_property
from typing import Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.errors import SettingsError
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.data.language.spans import cut_around, replace_spans
from hornbook.data.personal.detect import KINDS, Kind, Names, Span, find, is_public, name_table

RULES = {
    "pii.email": "edit: an e-mail address. Source: RFC 5322 addresses as people write them, `name [at] host` too",
    "pii.phone": "edit: a telephone number, by its calling code, its grouping or words beside it. Source: E.164, E.123",
    "pii.ip": "edit: an IPv4 or IPv6 address. Source: checked by Python's ipaddress; versions and sections left out",
    "pii.card": "edit: a payment card number. Source: ISO/IEC 7812, Luhn checksum, issuers' digits and lengths",
    "pii.iban": "edit: a bank account number. Source: ISO 13616, the country's length, checksum mod 97",
    "pii.ssn": "edit: a United States social security or taxpayer number. Source: areas and groups of SSA and IRS",
    "pii.national_id": "edit: an identity number with check digits (BR, CN, ES, FI, FR, IT). Source: national laws",
    "pii.coin": "edit: a Bitcoin or Ethereum address. Source: Base58Check, BIP 173",
    "pii.street": "edit: a street address, by its form",
    "pii.person": "edit: a name of the list `names`",
    "pii.too_many": "more pieces of personal data than max_hits (value: how many). Source: Dolma drops above 5",
    "pii.nothing_left": "every line or paragraph had personal data (value: how many pieces)",
    "pii.forbidden": "personal data of a kind in `drop` (value: the kind and how often)",
}

PASSES = 4
DOLMA = {"email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "ip": "IP_ADDRESS", "card": "CREDIT_CARD", "ssn": "US_SSN"}
FAKE_CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000")
FAKE_IBANS = (
    "GB82WEST12345698765432",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "CH9300762011623852957",
)
FAKE_AREAS = ("202", "212", "303", "404", "415", "512", "617", "702")
FAKE_NETS = ("192.0.2", "198.51.100", "203.0.113")


class Settings(StrictSettings):
    """Which kinds of personal data are looked for, and what happens to them."""

    mask: tuple[Kind, ...] = ("email", "phone", "ip", "card", "iban", "ssn", "national_id")
    """Kinds to replace; the others stay. Also there: `coin`, `street` (a guess by form), `person` (needs `names`)."""
    drop: tuple[Kind, ...] = ()
    """Kinds for which the whole document is dropped. Goes before `mask`."""
    max_hits: int | None = pydantic.Field(default=None, ge=0)
    """Drop a document with more pieces of personal data than this (lists of contacts; Dolma: 5); empty = never."""
    placeholder: Literal["typed", "dolma", "fake"] = "typed"
    """`typed`: [EMAIL]. `dolma`: |||EMAIL_ADDRESS|||. `fake`: an address or number reserved for examples, the same one
    for the same original within a document (kinds without such a reserve get the typed form)."""
    scope: Literal["span", "line", "paragraph"] = "span"
    """What goes: the piece itself, or the whole line or paragraph that holds it, without a placeholder."""
    ips: Literal["all", "public"] = "all"
    """`public` leaves private, local and documentation addresses as they are (datatrove does so)."""
    names: InputPath | None = None
    """A file of names, one a line, for the kind `person`: words in this case and order. No model guesses names here."""

    @pydantic.model_validator(mode="after")
    def _person_needs_names(self) -> "Settings":
        if "person" in self.kinds and self.names is None:
            raise ValueError('the kind "person" needs names = "FILE"')
        return self

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind that is looked for."""
        return tuple(kind for kind in KINDS if kind in self.mask or kind in self.drop)


def load(settings: Settings) -> Names | None:
    """The names to look for."""
    if settings.names is None:
        return None
    path = resolve_input(settings.names)
    try:
        names = name_table(path.read_text("utf-8").splitlines())
    except (UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"the list of names cannot be read: {error}", where=str(path)) from error
    if not names:
        raise SettingsError("the list of names is empty", where=str(path), do="Give one name a line")
    return names


def decide(document: Document, settings: Settings, names: Names | None = None) -> Decision:
    """Replace what is found; the counts say how often, by kind.

    A replacement may free a neighbour (a number that touched another one), so that the text is looked at again until
    nothing is found, at most four times: masking a masked text changes nothing.
    """
    text = document.text
    counts: Counter[str] = Counter()
    for _ in range(PASSES):
        spans = [span for span in find(text, settings.kinds, names) if _counts(text, span, settings)]
        if not spans:
            break
        counts.update(span.kind for span in spans)
        if forbidden := [kind for kind in settings.drop if counts[kind]]:
            return Drop("pii.forbidden", " ".join(f"{kind} {counts[kind]}" for kind in forbidden))
        text = _replace(text, spans, settings, document.id)
    hits = counts.total()
    if settings.max_hits is not None and hits > settings.max_hits:
        return Drop("pii.too_many", hits)
    if counts and not text.strip():
        return Drop("pii.nothing_left", hits)
    return Edit(text, {f"pii.{kind}": number for kind, number in counts.items()}) if counts else Keep()


def _counts(text: str, span: Span, settings: Settings) -> bool:
    value = text[span.begin : span.end]
    if span.kind == "ip" and settings.ips == "public" and not is_public(value):
        return False
    return settings.placeholder != "fake" or not is_reserved(span.kind, value)


def _replace(text: str, spans: list[Span], settings: Settings, salt: str) -> str:
    if settings.scope != "span":
        return cut_around(text, ((begin, end) for begin, end, _ in spans), settings.scope)[0]
    style = settings.placeholder
    return replace_spans(text, ((b, e, _placeholder(kind, text[b:e], style, salt)) for b, e, kind in spans))


def _placeholder(kind: Kind, value: str, style: str, salt: str) -> str:
    if style == "dolma":
        return f"|||{DOLMA.get(kind, kind.upper())}|||"
    return (fake(kind, value, salt) if style == "fake" else "") or f"[{kind.upper()}]"


def fake(kind: Kind, value: str, salt: str) -> str:
    """An address or number of the same kind that belongs to nobody, chosen by a hash of the original and `salt`.

    With the document's id as salt the same person cannot be followed from one document to another. Different originals
    may meet in one stand-in (there are 762 addresses for documentation). Empty for kinds without a reserve.

    Source: datatrove's PII formatter; RFC 2606 (example.org), RFC 5737 and 3849 (documentation addresses), NANPA
    (555-0100 to 555-0199 are fiction), the card networks' test numbers, the examples of the IBAN registry, SSA
    (987-65-4320 to 4329 are for advertisements). Deviation: datatrove takes addresses in turn, of which six are real.
    """
    digest = hashlib.blake2b(f"{salt}\x1f{kind}\x1f{value.lower()}".encode("utf-8", "replace"), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    if kind == "email":
        return f"reader{number % 10_000:04d}@example.{('com', 'net', 'org')[number // 10_000 % 3]}"
    if kind == "ip" and ":" in value:
        return f"2001:db8::{number & 0xFFFF:x}:{number >> 16 & 0xFFFF:x}"
    if kind == "ip":
        return f"{FAKE_NETS[number % 3]}.{1 + number // 3 % 254}"
    if kind == "phone":
        return f"({FAKE_AREAS[number % 8]}) 555-01{number // 8 % 100:02d}"
    if kind == "ssn":
        return f"987-65-432{number % 10}"
    choices = {"card": FAKE_CARDS, "iban": FAKE_IBANS}.get(kind, ("",))
    return choices[number % len(choices)]


def is_reserved(kind: Kind, value: str) -> bool:
    """Whether an address or number is one of those that belong to nobody."""
    compact = "".join(c for c in value if c.isalnum())
    if kind == "email":
        return value.lower().rpartition("@")[2] in ("example.com", "example.net", "example.org")
    if kind == "ip":
        return value.startswith("2001:db8:") or value.rpartition(".")[0] in FAKE_NETS
    if kind == "phone":
        return len(compact) in (10, 11) and compact[-7:-2] == "55501" and compact[-10:-7] in FAKE_AREAS
    if kind == "ssn":
        return compact[:-1] == "98765432"
    return compact in FAKE_CARDS or compact.upper() in FAKE_IBANS
