"""Text from bytes of any encoding: what is announced, what is declared, what is likely; repairs are named."""

import codecs
import re
from collections.abc import Iterable, Iterator

BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
HEAD_BYTES = 4096
SHIFTS = (b"\x1b$B", b"\x1b$@")
TAGS = re.compile(rb"<[^<>]{0,2000}>")
C1 = re.compile("[\x80-\x9f]")
WESTERN = ("cp1252", "iso8859-1", "iso8859-15")
WINDOWS = {"iso8859-2": "windows-1250", "iso8859-7": "windows-1253", "iso8859-13": "windows-1257"}
"""The encoding that Windows made of one: the detector names the first, the second has letters where it has controls."""
MAX_WESTERN_FRAC = 0.25
"""Accented among all letters: German 3-5 %, French 4-6 %, Czech 15 %; Cyrillic, Greek, Hebrew nearly all."""
MAX_BAD_FRAC = 0.01


def announced(head: bytes) -> str:
    """The codec of a text whose first bytes show that it is UTF-16 or UTF-32, else "".

    By its byte order mark; without one by zero bytes in every other place, as all text with spaces and line ends has.

    >>> announced("a fox".encode("utf-16")), announced("a fox ran".encode("utf-16-be")), announced(b"a fox ran")
    ('utf-16', 'utf-16-be', '')
    """
    marked = next((name for bom, name in BOMS if head.startswith(bom)), "")
    if marked or len(head) < 8 or b"\0" not in head:
        return marked
    pairs = len(head) // 2
    even, odd = (head[first : 2 * pairs : 2].count(0) for first in (0, 1))
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros * 20 >= pairs and others * 100 <= pairs and _is_text(head[: 2 * pairs], name):
            return name
    return ""


def _is_text(data: bytes, codec: str) -> bool:
    text = data.decode(codec, "replace")[:-1]  # the last pair may be half a character
    return "\ufffd" not in text and not re.search("[\x00-\x08\x0e-\x1f]", text)


def decode(data: bytes, declared: Iterable[str] = (), known: str = "") -> tuple[str, str]:
    """Text from bytes, and which repair it needed: "" (none), "transcoded" or "replaced".

    In this order: what the first bytes announce; UTF-8 when it is valid, whatever is declared (other texts pass that
    test by accident with probability near 0); bytes that are UTF-8 but for a few places (at most one in 100
    characters, beside well-formed multi-byte characters) keep what is good, the rest becomes U+FFFD; the encoding that
    the whole file is `known` to have; the declared encodings; detection. All names in the web's reading (latin-1 means
    windows-1252). A declared Western encoding comes after the detected one when more than a quarter of the letters
    would be accented: it is what servers say when nobody told them.
    """
    codec = announced(data[:HEAD_BYTES])
    if codec:
        text = data.decode(codec, "replace")
        return text, "replaced" if "\ufffd" in text else "transcoded"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _other(data, declared, known)
    if any(shift in data for shift in SHIFTS):  # Japanese mail and old pages: seven bits, so it looks like ASCII
        try:
            return data.decode("iso2022_jp"), "transcoded"
        except UnicodeDecodeError:
            pass
    return text, ""


def _other(data: bytes, declared: Iterable[str], known: str) -> tuple[str, str]:
    """Text from bytes that are not valid UTF-8."""
    from resiliparse.parse.encoding import bytes_to_str

    almost = data.decode("utf-8-sig", "replace")
    num_bad = almost.count("\ufffd")
    num_wide = len(almost) - len(almost.encode("ascii", "ignore")) - num_bad
    if num_bad <= MAX_BAD_FRAC * len(almost) and num_wide >= num_bad:
        return almost, "replaced"
    for name in _candidates(data, declared, known):
        text = bytes_to_str(data, _windows(name, data), errors="replace", fallback_encodings=())
        if text.count("\ufffd") <= MAX_BAD_FRAC * len(text):
            return text, "replaced" if "\ufffd" in text else "transcoded"
    return almost, "replaced"


def _candidates(data: bytes, declared: Iterable[str], known: str) -> Iterator[str]:
    """Encodings to be tried, in this order."""
    if known:
        yield known
    names = [name for name in map(_known, declared) if name and not name.startswith("utf-")]
    found = detect(data)
    if names and names[0] in WESTERN and _accented_frac(data) > MAX_WESTERN_FRAC:
        yield found
    yield from names
    yield found
    yield "cp1252"


def encoding_of_lines(head: bytes) -> str:
    """The encoding that the lines of a file share, by those in its beginning that are not UTF-8; "" when all are.

    For `decode` as `known`: one line alone is often too short to tell by.
    """
    whole = head[: head.rfind(b"\n") + 1]
    if _is_utf8(whole) or decode(whole)[1] != "transcoded":
        return ""
    sample = b"\n".join(line for line in whole.split(b"\n") if not _is_utf8(line))[: 1 << 16]
    return _windows(detect(sample), sample)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _windows(name: str, data: bytes) -> str:
    """The encoding that Windows made of one, where the data has letters that only that one has."""
    from resiliparse.parse.encoding import bytes_to_str

    if name not in WINDOWS:
        return name
    return WINDOWS[name] if C1.search(bytes_to_str(data, name, errors="replace", fallback_encodings=())) else name


def detect(data: bytes) -> str:
    """The likely encoding of bytes that are not UTF-8: what resiliparse says, and Korean, of which it knows nothing."""
    from resiliparse.parse.encoding import detect_encoding

    name = detect_encoding(data) or "cp1252"
    if name in (*WESTERN, "utf-8") and _accented_frac(data) > MAX_WESTERN_FRAC:
        text = data.decode("cp949", "replace")
        if len(re.findall("[가-힣]", text)) >= 0.9 * (len(text) - len(text.encode("ascii", "ignore"))):
            return "euc_kr"
    return "cp1252" if name == "utf-8" else name


def _accented_frac(data: bytes) -> float:
    """Share of bytes above 127 among letters, in the text between tags."""
    text = TAGS.sub(b" ", data[: 1 << 16])
    num_high = len(re.findall(rb"[\x80-\xff]", text))
    num_low = len(re.findall(rb"[A-Za-z]", text))
    return num_high / max(1, num_high + num_low)


def _known(name: str) -> str:
    """A declared encoding's name in the web's reading; Python's names are understood, too; "" when nobody knows it."""
    from resiliparse.parse.encoding import map_encoding_to_html5

    found = map_encoding_to_html5(name.strip(), fallback_utf8=False) if name.strip() else None
    if found or not name.strip():
        return found or ""
    try:
        return map_encoding_to_html5(codecs.lookup(name.strip()).name, fallback_utf8=False) or ""
    except (LookupError, ValueError):
        return ""


def well_formed(text: str) -> str:
    """The text without lone surrogates (JSON can write half a character, UTF-8 cannot); pairs are joined."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
