import pytest

from hornbook.core.document import Document, Drop, Edit, Keep
from hornbook.data.filters.pii import Settings, decide


def verdict(text: str, **settings: object) -> object:
    return decide(Document("1", text), Settings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kind", "masked"),
    [
        ("Write to ann.lee+news@mail.example.org.", "email", "Write to [EMAIL]."),
        ("mail (bob@example.co.uk)", "email", "mail ([EMAIL])"),
        ("at bob@example.com", "email", "at [EMAIL]"),
        ("Call (415) 555-0134 now", "phone", "Call [PHONE] now"),
        ("Call 415-555-0134.", "phone", "Call [PHONE]."),
        ("Call +1 415 555 0134", "phone", "Call [PHONE]"),
        ("Call +44 20 7946 0958, please", "phone", "Call [PHONE], please"),
        ("Tel. 030 901820 13", "phone", "Tel. [PHONE]"),
        ("Call 555-0134 x12", "phone", "Call [PHONE]"),
        ("from 192.0.2.146 again", "ip", "from [IP] again"),
        ("host 2001:db8::8a2e:370:7334 up", "ip", "host [IP] up"),
        ("card 4111 1111 1111 1111 ok", "card", "card [CARD] ok"),
        ("card 5500-0000-0000-0004", "card", "card [CARD]"),
        ("card 378282246310005", "card", "card [CARD]"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "iban", "IBAN [IBAN]"),
        ("IBAN DE89370400440532013000.", "iban", "IBAN [IBAN]."),
        ("SSN 219-09-9999", "ssn", "SSN [SSN]"),
    ],
)
def test_every_kind_is_found(text: str, kind: str, masked: str) -> None:
    assert verdict(text) == Edit(masked, {f"pii.{kind}": 1})


@pytest.mark.parametrize(
    "text",
    [
        "He had 1 234 567 reasons and 12.50 left.",
        "Born 1987-04-23, died 04.05.2011.",
        "Version 1.2.3.4567 came at 12:30:45.",
        "std::vector and a::b::c",
        "ISBN 978-3-16-148410-0",
        "card 4111 1111 1111 1112",  # wrong checksum
        "GB82 WEST 1234 5698 7654 33 is wrong",
        "666-09-9999 and 000-12-3456",
        "Pages 100-200 of 1,000,000.",
        "999.300.1.1 is no address",
        "me@home and user@host",
    ],
)
def test_look_alikes_stay(text: str) -> None:
    assert verdict(text) == Keep()


def test_counts_by_kind_and_limits() -> None:
    text = "a@b.org, c@d.org, 192.0.2.1"
    assert verdict(text) == Edit("[EMAIL], [EMAIL], [IP]", {"pii.email": 2, "pii.ip": 1})
    assert verdict(text, mask=("ip",)) == Edit("a@b.org, c@d.org, [IP]", {"pii.ip": 1})
    assert verdict(text, max_hits=2) == Drop("pii.too_many", 3)
    assert verdict(text, max_hits=3) == Edit("[EMAIL], [EMAIL], [IP]", {"pii.email": 2, "pii.ip": 1})


def test_masking_twice_changes_nothing_more() -> None:
    first = verdict("a@b.org 415-555-0134 192.0.2.1 4111111111111111 219-09-9999 DE89370400440532013000")
    assert isinstance(first, Edit) and verdict(first.text) == Keep()
    assert sum(first.counts.values()) == 6


def test_long_texts_take_linear_time() -> None:
    for text in ("1 " * 50_000, "a." * 50_000 + "@", "(0" * 50_000, "0-" * 50_000, "A" * 100_000, ":" * 100_000):
        verdict(text)
