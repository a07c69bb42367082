import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.files.encodings import announced, decode, encoding_of_lines

GERMAN = "Die Mädchen fütterten zwölf Hühner und hörten Geschichten über Bären, die süße Äpfel mögen. "
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy. Byl jednou jeden král a měl tři dcery. "
RUSSIAN = "Жили-были старик со старухой у самого синего моря, и поймал он рыбку. "
GREEK = "Μια φορά κι έναν καιρό ήταν ένας βασιλιάς που είχε τρεις κόρες. "
HEBREW = "היה היה מלך אחד שהיו לו שלוש בנות יפות וחכמות. "
JAPANESE = "むかしむかし、あるところに、おじいさんとおばあさんが住んでいました。"
CHINESE = "从前有一座山，山里有一座庙，庙里有一个老和尚在讲故事。"
TAIWANESE = "從前有一座山，山裡有一座廟，廟裡有一個老和尚在講故事。"
KOREAN = "옛날 옛적에 호랑이가 담배를 피우던 시절에 한 아이가 살았습니다. "
QUIET = "It was a long walk home for everybody that evening, and nobody spoke until the café came in sight. "

SAMPLES = [
    (GERMAN, "cp1252"),
    (GERMAN, "iso-8859-1"),
    (QUIET, "cp1252"),
    (CZECH, "cp1250"),
    (CZECH, "iso-8859-2"),
    (RUSSIAN, "koi8-r"),
    (RUSSIAN, "cp1251"),
    (GREEK, "iso-8859-7"),
    (HEBREW, "cp1255"),
    (JAPANESE, "shift_jis"),
    (JAPANESE, "euc-jp"),
    (JAPANESE, "iso-2022-jp"),
    (CHINESE, "gb18030"),
    (TAIWANESE, "big5"),
    (KOREAN, "euc-kr"),
]
WIDE = [(text, name) for text in (GERMAN, RUSSIAN) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")]


@pytest.mark.parametrize(("text", "name"), [*SAMPLES, *WIDE])
@pytest.mark.parametrize("times", [1, 20])
def test_what_nobody_declared_is_detected(text: str, name: str, times: int) -> None:
    assert decode((text * times).encode(name)) == (text * times, "transcoded")


@pytest.mark.parametrize(("text", "name"), SAMPLES)
def test_a_wrong_label_does_no_harm_where_the_bytes_speak_for_themselves(text: str, name: str) -> None:
    page = f"<html><body><p class='story'>{text * 5}</p></body></html>"
    data = page.encode(name)
    assert decode(data, ("utf-8",)) == (page, "transcoded")
    assert decode(data, (name,)) == (page, "transcoded")
    if text is not CZECH:  # 15 % accented letters could be Western ones
        assert decode(data, ("iso-8859-1",)) == (page, "transcoded")


def test_utf8_stays_whatever_is_declared() -> None:
    for text in ("naïve ☃", KOREAN, ""):
        assert decode(text.encode(), ("koi8-r", "utf-16")) == (text, "")
    assert decode("\ufeffbom".encode()) == ("bom", "")


def test_a_few_bad_bytes_in_utf8_are_replaced() -> None:
    broken = ("déjà vu " * 50).encode() + b"\xff" + "déjà vu".encode()
    assert decode(broken, ("iso-8859-1",)) == ("déjà vu " * 50 + "\ufffd" + "déjà vu", "replaced")


def test_names_that_only_some_know() -> None:
    data = RUSSIAN.encode("koi8-r")[:30]  # too little to detect
    for name in ("KOI8-R", "koi8_r", " koi8-r "):
        assert decode(data, (name,)) == (RUSSIAN[:30], "transcoded")
    assert decode(b"caf\xe9 " * 20, ("no-such-charset", "latin-1")) == ("café " * 20, "transcoded")


def test_japanese_in_seven_bits_and_text_that_only_looks_like_it() -> None:
    assert decode(b"a terminal says \x1b$B and nothing follows\xff")[1] != ""
    assert decode(b"\x1b[31mred\x1b[0m") == ("\x1b[31mred\x1b[0m", "")
    assert decode("\x1b$B öä".encode()) == ("\x1b$B öä", "")


def test_zero_bytes_alone_announce_nothing() -> None:
    assert announced(b"a\0b" * 10) == "" and announced(b"\0" * 100) == "" and announced(b"a\0") == ""
    assert announced(b"\x01\x00\x02\x00\x03\x00" * 20) == ""  # numbers of two bytes are no text
    assert announced("a fox".encode("utf-16-le")) == "utf-16-le"
    assert decode(b"a\0b" * 10) == ("a\0b" * 10, "")


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "latin-1", "gb18030", "nonsense", "utf-16"]))
def test_nothing_raises_and_utf8_can_be_written(data: bytes, declared: str) -> None:
    text, repair = decode(data, (declared,))
    text.encode()
    assert repair in ("", "transcoded", "replaced")


@given(st.text(max_size=200))
def test_text_survives(text: str) -> None:
    if not any(shift in text for shift in ("\x1b$B", "\x1b$@")) and "\0" not in text:
        assert decode(text.encode()) == (text.removeprefix("\ufeff"), "")


def test_the_encoding_of_many_short_lines_is_that_of_all() -> None:
    words = "příliš žluťoučký kůň úpěl ďábelské ódy byl jednou jeden král a měl tři dcery".split()
    for name in ("cp1250", "iso-8859-2"):
        head = "".join(f"{word}\n" for word in words * 20).encode(name)
        known = encoding_of_lines(head)
        assert [decode(word.encode(name), known=known)[0] for word in words] == words, name
    assert any(decode(word.encode("cp1250"))[0] != word for word in words)  # none of them alone says enough
    assert decode("Ä,Ö,Ü".encode("cp1252"), known="cp1252") == ("Ä,Ö,Ü", "transcoded")


def test_files_of_utf8_have_no_other_encoding() -> None:
    assert encoding_of_lines("žluť\n".encode() * 9 + "žluť".encode()[:-1]) == "" == encoding_of_lines(b"")
    assert encoding_of_lines("déjà vu\n".encode() * 99 + b"d\xe9j\xc3\xa0 vu and \xc3\xa0 more\n") == ""
    assert decode("žluť".encode(), known="cp1250") == ("žluť", "")
