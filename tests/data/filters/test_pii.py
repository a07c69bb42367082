from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.errors import SettingsError
from hornbook.core.settings import parse
from hornbook.data.filters.pii import Settings, decide, fake, is_reserved, load
from hornbook.data.personal.detect import KINDS, find


def verdict(text: str, **settings: object) -> Decision:
    return decide(Document("1", text), Settings(**settings))  # type: ignore[arg-type]


ONE_OF_EACH = (
    "ann@mail.example, (415) 555-0134, 198.51.100.7, 5105 1051 0510 5100, NO93 8601 1117 947, 219-09-9999, 12345678Z"
)


def test_one_of_each_kind() -> None:
    assert verdict(ONE_OF_EACH) == Edit(
        "[EMAIL], [PHONE], [IP], [CARD], [IBAN], [SSN], [NATIONAL_ID]",
        {f"pii.{kind}": 1 for kind in ("email", "phone", "ip", "card", "iban", "ssn", "national_id")},
    )
    assert verdict("Nothing to see here, in 2024, at 12:30.") == Keep()


def test_kinds_stay_are_masked_or_forbidden() -> None:
    text = "a@b.org, c@d.org, 192.0.2.1"
    assert verdict(text) == Edit("[EMAIL], [EMAIL], [IP]", {"pii.email": 2, "pii.ip": 1})
    assert verdict(text, mask=("ip",)) == Edit("a@b.org, c@d.org, [IP]", {"pii.ip": 1})
    assert verdict(text, mask=()) == Keep()
    assert verdict(text, drop=("email",)) == Drop("pii.forbidden", "email 2")
    assert verdict(text, mask=("ip",), drop=("card",)) == Edit("a@b.org, c@d.org, [IP]", {"pii.ip": 1})


def test_lists_of_contacts_are_dropped_above_a_number() -> None:
    text = "a@b.org, c@d.org, 192.0.2.1"
    assert verdict(text, max_hits=2) == Drop("pii.too_many", 3)
    assert verdict(text, max_hits=3) == Edit("[EMAIL], [EMAIL], [IP]", {"pii.email": 2, "pii.ip": 1})


def test_lines_and_paragraphs() -> None:
    text = "Hello.\nWrite to a@b.org\nor call.\n\nBye."
    assert verdict(text, scope="line") == Edit("Hello.\nor call.\n\nBye.", {"pii.email": 1})
    assert verdict(text, scope="paragraph") == Edit("Bye.", {"pii.email": 1})
    assert verdict("a@b.org", scope="line") == Drop("pii.nothing_left", 1)


# The cases of an assignment on pretraining data (CS336, 4), in our own words.
@pytest.mark.parametrize(
    ("text", "masked", "hits"),
    [
        ("You can write to ta@school.example with any question.", "You can write to @E@ with any question.", 1),
        ("The two are pl@fakedomain.ai and spl@fakedomain.ai", "The two are @E@ and @E@", 2),
        (
            "Others write |||EMAIL_ADDRESS||| for what they hid. Ask pl@fakedomain.ai",
            "Others write @E@ for what they hid. Ask @E@",
            1,
        ),
        ("Feel free to contact me at 2831823829 if needed.", "Feel free to contact me at @P@ if needed.", 1),
        ("Feel free to contact me at (283)-182-3829 if needed.", "Feel free to contact me at @P@ if needed.", 1),
        ("Feel free to contact me at (283) 182 3829 if needed.", "Feel free to contact me at @P@ if needed.", 1),
        ("Feel free to contact me at 283-182-3829 if needed.", "Feel free to contact me at @P@ if needed.", 1),
        ("The machine answers at 192.0.2.146.", "The machine answers at @I@.", 1),
    ],
)
def test_placeholders_of_dolma(text: str, masked: str, hits: int) -> None:
    for short, long in (("@E@", "EMAIL_ADDRESS"), ("@P@", "PHONE_NUMBER"), ("@I@", "IP_ADDRESS")):
        masked = masked.replace(short, f"|||{long}|||")
    decision = verdict(text, placeholder="dolma")
    assert isinstance(decision, Edit)
    assert (decision.text, sum(decision.counts.values())) == (masked, hits)


def test_stand_ins_belong_to_nobody_and_are_the_same_within_a_document() -> None:
    decision = verdict(f"{ONE_OF_EACH}; Ann@Mail.example, 2a02:2e0::7", placeholder="fake")
    assert isinstance(decision, Edit)
    parts = decision.text.replace(";", ",").split(", ")
    kinds = ("email", "phone", "ip", "card", "iban", "ssn", "national_id", "email", "ip")
    assert parts[0] == parts[7] and parts[6] == "[NATIONAL_ID]"
    for kind, part in zip(kinds, parts, strict=True):
        assert part == "[NATIONAL_ID]" or is_reserved(kind, part), part
    again = decide(Document("1", decision.text), Settings(placeholder="fake"))
    assert again == Keep()
    assert fake("email", "a@b.org", "1") != fake("email", "a@b.org", "2")
    assert len({fake("ip", f"9.9.9.{i}", "1") for i in range(200)}) > 150


def test_private_addresses_can_stay() -> None:
    text = "10.0.0.7 and 192.0.2.1 and 93.184.216.34 and fe80::1ff:fe23:4567:890a"
    assert verdict(text, ips="public") == Edit(text.replace("93.184.216.34", "[IP]"), {"pii.ip": 1})


def test_names_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ann Lee\n")
    settings = parse(Settings, {"mask": ["person"], "names": str(tmp_path / "names.txt")}, "test")
    decision = decide(Document("1", "Ann Lee met Bob."), settings, load(settings))
    assert decision == Edit("[PERSON] met Bob.", {"pii.person": 1})
    with pytest.raises(SettingsError, match='the kind "person" needs names'):
        parse(Settings, {"mask": ["person"]}, "test")
    (tmp_path / "names.txt").write_text("\n")
    with pytest.raises(SettingsError, match="list of names is empty"):
        load(settings)


@given(st.text(alphabet="0123456789abcdefGB.@:+-()/ ,x\n", max_size=60), st.sampled_from(["typed", "dolma", "fake"]))
def test_masking_twice_is_masking_once(text: str, style: str) -> None:
    settings = Settings(placeholder=style, mask=tuple(k for k in KINDS if k != "person"))  # type: ignore[arg-type]
    text = f"{text} a@b.org{text}+44 20 7946 0958{text}"
    first = decide(Document("1", text), settings)
    if isinstance(first, Edit):
        assert decide(Document("1", first.text), settings) == Keep()


@given(st.text())
def test_any_text_gets_a_decision(text: str) -> None:
    decision = verdict(text, mask=tuple(k for k in KINDS if k != "person"))
    assert isinstance(decision, Keep | Edit)
    assert isinstance(decision, Edit) == bool(find(text, KINDS))
