import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.personal.checksums import national_id
from hornbook.data.personal.detect import (
    KINDS,
    NATIONAL_ID,
    Span,
    _national_ids,
    _without_overlaps,
    digit_groups,
    find,
    is_public,
    name_table,
)

CHECKED = ("email", "iban", "card", "ssn", "national_id", "coin", "ip", "phone")


def found(text: str, *kinds: str) -> list[tuple[str, str]]:
    return [(kind, text[begin:end]) for begin, end, kind in find(text, kinds or CHECKED)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "Write to <ann.lee+news@mail.example.org>."),
        ("email", "mail (<bob@example.co.uk>), or '<o'neil@example.org>'"),
        ("email", "mailto:<a_b-c@x1.example>?subject=hi"),
        ("email", "<jürgen@münchen.example>, <a@xn--mnchen-3ya.example>"),
        ("email", "E-mail:<a.b@c.example>;<d@e.example>"),
        ("email", "<ann.lee [at] example [dot] org> or <ann(at)example.org>"),
        ("email", "the last one is <spl@fakedomain.ai>"),
        ("iban", "IBAN <GB82 WEST 1234 5698 7654 32> AND MORE"),
        ("iban", "<DE89370400440532013000>."),
        ("iban", "<de89370400440532013000>, <NO93 8601 1117 947>"),
        ("card", "card <4111 1111 1111 1111> 12/27 123"),
        ("card", "<5500-0000-0000-0004>; <378282246310005>; <3782 822463 10005>"),
        ("card", "my credit card <012345678903> is lost"),
        ("ssn", "SSN <219-09-9999>, ITIN <912-80-1234>"),
        ("ssn", "social security number <219 09 9999> or SSN: <219099999>"),
        ("national_id", "DNI <12345678Z>, NIE <X1234567L>, CF <RSSMRA85T10A562S>"),
        ("national_id", "CPF <111.444.777-35>, hetu <131052-308T>, <11010519491231002X>"),
        ("national_id", "sécu <1 84 12 76 451 089 46>"),
        ("coin", "send to <1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa>, <bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4>"),
        ("ip", "from <192.0.2.146>. And [<10.0.0.1>]:80, http://<198.51.100.7>/x"),
        ("ip", "ping <8.8.8.8> and DNS server <1.1.1.1>"),
        ("ip", "host <2001:db8::8a2e:370:7334>, <fe80::1ff:fe23:4567:890a>, <6a01:2b02:3c03:4d04:e05:60f6:7a07:8b8>"),
        ("ip", "mapped <::ffff:192.0.2.1>; [<2001:db8::1>]:443"),
        ("phone", "call <+44 20 7946 0958>, <415-555-0134>"),
        ("phone", "call <5550134> now, or call <55501345>; phone <20 79461> and 12"),
        ("phone", "tel. <1 2 3 4 5 6 7> x, fax <12-34-567>"),
    ],
)
def test_every_kind_at_its_place(kind: str, text: str) -> None:
    wanted = [part.partition(">")[0] for part in text.split("<")[1:]]
    assert found(text.replace("<", "").replace(">", "")) == [(kind, value) for value in wanted]


LOOK_ALIKES = r"""me@home user@host|icon@2x.png logo@3x.svg|npm i react@18.2.0|@app.route and @property|\@{}ll@{}|a@b
@.@.@
GB82 WEST 1234 5698 7654 33|AB12 CDEF 1234 5678 9012|4111 1111 1111 1112|order 4222222222222|posts/4111111111111111/x
https://a.example/?id=4012888888881881&x|id_4111111111111111|0000 0000 0000 0000|666-09-9999|000-12-3456
123-45-678
219 09 9999|GB82WEST12345698765432X
result is 4212883012996|Nr. 219-05-2006
12345678A|A12345678Z|12345678Zebra|111.444.777-34|11144477735|Version 1.2.3.4|release 10.0.19041.1
Chrome/91.0.44.124
Section 3.1.2.1 says|See 2.4.1.3 above|1.3.6.1.4.1.311|10.0.0.256|192.168.1.1-5|1.2.3|v2.0.50.42|kernel 5.4.0.42
12:30:45
00:1a:2b:3c:4d:5e|50:06:01:60:3b:a0:11:22|43:51:43:a1:b5:fc:8b:b7:0a:3a:a9:b1:0f:66:73:a8|std::vector|a::b::c|face::cafe
x[1::2]
::|1:2:3:4:5:6:7:8|add::bad|da39a3ee5e6b4b0d3255bfef95601890afd80709|123e4567-e89b-12d3-a456-426614174000|6.02214076e23
|||EMAIL_ADDRESS|||, |||PHONE_NUMBER|||, |||IP_ADDRESS|||, [EMAIL], [PHONE], [IP]|1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"""


@pytest.mark.parametrize("text", LOOK_ALIKES.replace("|||", "¦").replace("\n", "|").split("|"))
def test_look_alikes(text: str) -> None:
    assert found(text.replace("¦", "|||")) == []


def test_the_first_kind_has_the_characters() -> None:
    spans = [Span(0, 10, "street"), Span(5, 15, "email"), Span(14, 20, "phone"), Span(20, 22, "person")]
    assert _without_overlaps(spans) == [spans[1], spans[3]]
    assert found("4111 1111 1111 1111") == [("card", "4111 1111 1111 1111")]
    assert found("4111 1111 1111 1111", "phone") == []
    assert found("mail 4155550134@example.org") == [("email", "4155550134@example.org")]
    assert found("call 192.0.2.146") == [("ip", "192.0.2.146")]


@pytest.mark.parametrize(
    ("text", "streets"),
    [
        ("at 12 W. Maple St. in town", ["12 W. Maple St."]),
        ("7 West 33rd Street, New York", ["7 West 33rd Street"]),
        ("1234 Q Street, Suite 900 and P.O. Box 1234", ["1234 Q Street, Suite 900", "P.O. Box 1234"]),
        ("Lindengasse 5, 1010 Wien; Alter Mühlweg 8", ["Lindengasse 5", "Mühlweg 8"]),
        ("She went 3 times down the Road and 20 Years on the way", []),
    ],
)
def test_streets_by_form(text: str, streets: list[str]) -> None:
    assert [value for _, value in found(text, "street")] == streets


def test_names_of_a_list() -> None:
    names = name_table(["Ann Lee", "Ann Lee Smith", "Bob O'Neil", "", "李雷"])
    text = "Ann Lee-Smith, Ann Lee Smith, Ann\nLee. ann lee; Bob O'Neil, Bobby; 李雷"
    spans = find(text, ["person"], names)
    assert [text[b:e] for b, e, _ in spans] == ["Ann Lee Smith", "Ann\nLee", "Bob O'Neil", "李雷"]


def test_public_addresses() -> None:
    assert is_public("8.8.8.8") and is_public("2606:4700::1111")
    assert not any(map(is_public, ("10.0.0.1", "192.0.2.1", "127.0.0.1", "2001:db8::1", "fe80::1")))


@given(st.text())
def test_any_text_gives_ordered_spans_inside_it(text: str) -> None:
    last = 0
    for begin, end, kind in find(text, KINDS):
        assert last <= begin < end <= len(text) and kind in KINDS
        last = end


PIECES = st.sampled_from(
    "a@b.org 4111111111111111 +442079460958 192.0.2.1 :: . - / ( ) @ x 12 , GB82WEST12345698765432 é".split(" ")
)


@given(st.lists(PIECES, max_size=14))
def test_spans_of_pieces_glued_together(pieces: list[str]) -> None:
    for glue in ("", " "):
        text = glue.join(pieces)
        spans = find(text, KINDS)
        assert all(a.end <= b.begin for a, b in zip(spans, spans[1:], strict=False))


HOSTILE = (
    "1",
    "1 ",
    "@",
    "a@",
    "a.",
    ".",
    "a.@",
    ":",
    "a:",
    "::1:",
    "A",
    "GB82",
    "GB82 ",
    "1.",
    "(0",
    "0-",
    "a@b.c ",
    "[at]",
    "bc1q",
    "0x",
    "'",
    "1 Abc ",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_texts_take_linear_time(piece: str) -> None:
    seconds: list[float] = []
    for size in (50_000, 200_000):
        text = piece * (size // len(piece))
        start = time.process_time()
        find(text, KINDS)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 12 * max(seconds[0], 0.02), seconds
    assert seconds[1] < 4, seconds


def test_a_long_word_behind_a_house_number_is_looked_at_once() -> None:
    text = ("1 rue " + "a" * 101 + " ") * 3  # each could be parted in millions of ways
    start = time.process_time()
    assert found(text, "street") == []
    assert time.process_time() - start < 0.3
    assert found("au 12 bis rue de l'Arbre-Sec à Paris", "street")[0][1].startswith("12 bis rue de l'Arbre-Sec")


def test_addresses_in_paraguay_are_no_files() -> None:
    text = "ana@correo.com.py, icon@2x.min.js, module@next.py, a@b.archive.zip, x@y.zip"
    assert found(text, "email") == [("email", "ana@correo.com.py"), ("email", "a@b.archive.zip")]


def test_a_false_start_hides_no_account() -> None:
    account = "DE89 3704 0044 0532 0130 00"
    for before in ("No12 ", "GB82 WEST 1234 5698 7654 33 ", "GB82 WEST 1234 5698 7654 32 "):
        assert [value for _, value in found(before + account, "iban")][-1] == account, before
    assert len(found("GB82 WEST 1234 5698 7654 32 " + account, "iban")) == 2


def test_numbers_are_found_at_any_digit() -> None:
    """The places of digits are sought in another way than by the patterns: the same as these find one by one."""
    pieces = ["5", "1", "12", "٣", " ", ".", "-", "111.444.777-35", "X1234567L", "12345678Z", "RSSMRA85T10A562S", "é"]
    dice = random.Random(5)
    for _ in range(300):
        text = "".join(dice.choice(pieces) for _ in range(12))
        assert [b for b, _ in digit_groups(text)] == [m.start() for m in re.finditer("[0-9]+", text)], text
        assert [e for _, e in digit_groups(text)] == [m.end() for m in re.finditer("[0-9]+", text)], text
        ids = [(m.start(), m.end()) for m in NATIONAL_ID.finditer(text)]
        groups = digit_groups(text)
        assert list(_national_ids(text, groups)) == sorted(whole_ids(text, ids)), text


def whole_ids(text: str, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The national ids among the places where the pattern matches, from the first to the last."""
    kept: list[tuple[int, int]] = []
    for begin, end in places:
        if begin >= 6 and text[begin - 6 : begin].isalpha():
            begin -= 6
        elif begin and text[begin - 1] in "XYZ":
            begin -= 1
        before = text[begin - 1 : begin] if begin else ""
        if not before.isalnum() and before not in ("-", "_", "/", ".", "=") and national_id(text[begin:end]):
            kept.append((begin, end))
    return kept


def test_words_of_a_name_stand_together() -> None:
    names = name_table(["Ann Lee", "J. R. Smith"])
    text = "said Ann. Lee walked, Ann 1234 Lee, Ann, Lee; Ann  Lee; J.R. Smith and J. R.\nSmith"
    assert [text[b:e] for b, e, _ in find(text, ["person"], names)] == ["Ann  Lee", "J.R. Smith", "J. R.\nSmith"]
