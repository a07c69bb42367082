import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.personal.phones import find_phones


def phones(text: str) -> list[str]:
    return [text[begin:end] for begin, end in find_phones(text, 0, len(text))]


# Numbers of exchanges that regulators keep for examples, and made-up ones in the shape that countries write.
@pytest.mark.parametrize(
    "number",
    [
        "+1 415 555 0134",
        "+14155550134",
        "+44 20 7946 0958",
        "+44 (0)20 7946 0958",
        "+44 020 7946 0958",
        "(+49) 30 901820",
        "+49 (0)30 / 901820-13",
        "+43 1 555 01 34 - 0",
        "+33 1 99 00 12 34",
        "+7(495) 555-01-34",
        "+86 131 0000 1234",
        "+972 2-555-0134",
        "+61 491 570 156",
        "0041 44 668 18 00",
        "(415) 555-0134",
        "(415)555-0134",
        "(283)-182-3829",
        "(283) 182 3829",
        "415-555-0134",
        "415.555.0134",
        "415 555 0134",
        "1-800-555-0134",
        "415-555-0134 x12",
        "020 7946 0958",
        "030/901820",
        "(030) 901820",
        "01 99 00 12 34",
        "0491 570 156",
        "8 (912) 555-01-34",
        "(11) 96123-4567",
        "415\u2011555\u20110134",
        "+44\u00a020\u00a07946\u00a00958",
    ],
)
def test_forms_that_need_no_word(number: str) -> None:
    assert phones(f"Our shop, {number}, is open.") == [number]
    assert phones(number) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "Call <555-0134> now",
        "feel free to contact me at <2831823829> if",
        "Phone:\n<555 0134>\nE-mail",
        "Tel. <55 501 349>",
        "Phone no. <55 501 349>",
        "Contact No: <9876543210>",
        "Tél : <55 501 349>",
        "<55-50-13-49> office",
        "<5550134999>-Fax",
        "Fax: <9-555-0134>E-mail: a",
        "T: <22 12 34 56>",
        "WhatsApp <91234567>",
        "Telefon: <4455 5013-499>",
        "тел. <22-33-44-55>",
        "电话 <13812345678>",
    ],
)
def test_other_groupings_need_a_word(text: str) -> None:
    number = text.partition("<")[2].partition(">")[0]
    plain = text.replace("<", "").replace(">", "")
    assert phones(plain) == [number]
    alone = f"We saw {number} birds"
    assert phones(alone) == []


@pytest.mark.parametrize(
    "text",
    """Born 1987-04-23, died 04.05.2011.|Phones of 2007-2019|© 2004-2019|Call 12/31/1999|fax 01.02.2003|1899 1901 1903
    ISBN 978-3-16-148410-0|ISBN 0306406152|ISSN 2049-3630|order number 415-555-0134|Patent 415-555-0134|bug 555-0134
    1,234,567.89|1.234.567.890|1 234 567 890|12 345 678|phone 1.234.567|$415 555 0134|415-555-0134%|x415-555-0134
    https://a.example/415-555-0134|id=4155550134|415-555-0134_b|3.14159265358979|10.1016/0169-5347
    1 2 3 4 5 6 7 8 9 10 11 12|05 12 23 34 45 49|Nature (1998) 392 123-128|21-19 21-18 15-21|08.30-16.30|+1234567
    Answer: 99034068|3 = 1 + 62426244000|c. 495/2001 Sb.|(12) 34567|(12) 34567 8901 234
    415-555-0134,5|415 555 0134:5
    +999 123 456 789|+44 12|00 12 34|(2019) 123-4567|2015-2016-2017|0 0 0 0 0 0 0 0|12345678901234567890|CAS 7732-18-5
    123-4567|555-0134|100-2000|1.2.3.4.5.6.7|4-3-2-1-4-3-2|11144477735|9780195584516|1573689123
    48.858370 2.294481""".split("|"),
)
def test_what_only_looks_alike(text: str) -> None:
    for line in text.split("\n"):
        assert phones(line.strip()) == []


def test_neighbours() -> None:
    assert phones("415-555-0134 415-555-0199") == ["415-555-0134", "415-555-0199"]
    assert phones("12 (415) 555-0134") == ["(415) 555-0134"]
    several = ["+44 20 7946 0958", "+44 20 7946 0959", "+44 20 7946 0960"]
    assert phones("{}, {}/{}".format(*several)) == several
    assert phones("+998 90 555-01-34 45") == ["+998 90 555-01-34"]  # what follows a whole number is not its own


def test_words_without_a_space_before_them() -> None:
    assert phones("Fax 415-555-0134E-mail") == phones("Fax 415-555-0134Address") == ["415-555-0134"]
    assert phones("It is 415-555-0134Address") == phones("Fax 415-555-0134address") == []


def test_a_tie_with_the_world_outside_the_stretch() -> None:
    text = "Call a 555-0134 b"
    begin = text.index("5")
    assert list(find_phones(text, begin, begin + 9)) == [(begin, begin + 8)]


@given(st.text(alphabet="0123456789 +-().x/telfax\n", max_size=60))
def test_what_is_found_is_a_number_of_a_sensible_length(text: str) -> None:
    last = 0
    for begin, end in find_phones(text, 0, len(text)):
        assert last <= begin < end <= len(text)
        last = end
        assert 5 <= sum(c.isdigit() for c in text[begin:end]) <= 22


def test_hostile_texts_take_linear_time() -> None:
    texts = [
        "1" * 300_000,
        "1 " * 150_000,
        "(0" * 150_000,
        "+1" * 150_000,
        "0-" * 150_000,
        "555-0134 " * 30_000,
        "+(" * 150_000,
    ]
    for text in texts:
        start = time.process_time()
        phones(text)
        short = time.process_time() - start
        assert short < 3, text[:10]
