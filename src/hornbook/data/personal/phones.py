"""Telephone numbers in running text, by calling codes, lengths, the way digits are grouped, and the words near by."""

import re
from collections.abc import Iterator
from functools import cache

from hornbook.data.personal.checksums import digits_of

CALLING_CODES = (
    "1:10 7:10 20:8-10 211:9 212:9 213:8-9 216:8 218:9 220:7 221:9 222:8 223:8 224:8-9 225:10 226:8 227:8 228:8 "
    "229:8-10 230:7-8 231:7-9 232:8 233:9 234:8-11 235:8 236:8 237:8-9 238:7 239:7 240:9 241:7-8 242:9 243:7-10 "
    "244:9 245:7-9 246:7 247:5-6 248:7 249:9 250:8-9 251:9 252:7-9 253:8 254:9-10 255:9 256:9 257:8 258:8-9 260:9 "
    "261:9 262:9 263:8-10 264:8-9 265:7-9 266:8 267:7-8 268:8 269:7 27:9 290:4-5 291:7 297:7 298:6 299:6 30:10 "
    "31:9-11 32:8-9 33:9 34:9 350:8 351:9 352:6-11 353:7-10 354:7-9 355:8-9 356:8 357:8 358:6-12 359:7-9 36:8-9 "
    "370:8 371:8 372:7-8 373:8 374:8 375:9-10 376:6-9 377:8-9 378:8-10 380:9 381:8-10 382:8-9 383:8-9 385:8-9 "
    "386:8 387:8-9 389:8 39:6-12 40:9 41:9 420:9 421:9 423:7-9 43:6-13 44:9-10 45:8 46:7-10 47:8 48:9 49:6-13 "
    "500:5 501:7 502:8 503:8 504:8 505:8 506:8 507:7-8 508:6-9 509:8 51:8-9 52:10-11 53:8 54:10-11 55:10-11 56:9 "
    "57:8-10 58:10 590:9 591:8 592:7 593:8-9 594:9 595:8-9 596:9 597:6-7 598:7-8 599:7-8 60:8-10 61:9 62:8-12 "
    "63:8-10 64:8-10 65:8 66:8-9 670:7-8 672:6 673:7 674:7 675:7-8 676:5-7 677:5-7 678:5-7 679:7 680:7 681:6 "
    "682:5 683:4-7 685:5-7 686:5-8 687:6 688:5-7 689:6-8 690:4-7 691:7 692:7 81:9-10 82:8-11 84:9-10 850:8-10 "
    "852:8 853:8 855:8-9 856:8-10 86:10-11 880:8-10 886:8-9 90:10 91:10 92:9-10 93:9 94:9 95:7-10 960:7 961:7-8 "
    "962:8-9 963:8-9 964:8-10 965:8 966:9 967:7-9 968:8 970:8-9 971:8-9 972:8-9 973:8 974:8 975:8 976:8 977:8-10 "
    "98:10 992:9 993:8 994:9 995:9 996:9 998:9 800:8 808:8 870:9 878:12"
)
"""Digits after each calling code. Source: ITU-T E.164 and the national numbering plans (ITU operational bulletins)."""

GAP = "[ .\u00a0\u2009\u202f\u2010\u2011\u2013/-]"
LINK = rf"(?:{GAP}|{GAP}?\(|\){GAP}?)?"
HEAD = r"(?:\(?\+[0-9]{1,3}\)?[ ]?(?:\(0\))?[ ]?[0-9]{1,4}|\(?0[0-9]{1,4})\)?[ ]?[/\u2013-][ ]?"
PIECE = re.compile(rf"(?:{HEAD}|\(?\+|\()?[0-9](?:{LINK}[0-9])*+")
PART = re.compile(r"[ \u00a0\u2009\u202f]+")
GROUP = re.compile("[0-9]+")
EXTENSION = re.compile(
    r"[ ,]{0,2}(?:x|ext\.?|extension)[ .:]?[0-9]{1,6}\b|[ ][\u2013-][ ][0-9]{1,3}(?![\w ]|[.:,][0-9])", re.IGNORECASE
)

BEFORE = re.compile(
    r"""(?<![^\W_])(?:
      tel | t[ée]l[ée]?phone\w* | tele[fp]h?on\w* | tel[ée]fono\w* | telefax | telefoon | puhelin | puh | phones?
    | tlf | t[ée]l
    | fax | mob | mobiles? | mobil | mobiel | cell | cellphone | cellular\w* | celular | handy | m[óo]vil | gsm
    | call(?:s|ed|ing)?(?!\W+number) | dial | whats?app | viber | sms | hotline | helpline | toll[- ]free
    | text\ (?:me|us|to|at|him|her|them) | messages?\ (?:to|on|at)(?:\ my)? | answering\ (?:at|on)
    | contact(?:\ (?:me|us|at))?
    | reach(?:ed)? | rappel\w* | appel\w* | llam\w+ | ligue | anrufe?n? | ruf\w* | chiam\w+
    | тел\w* | моб\w* | звон\w+ | факс | τηλ\w* | 電話 | 电话 | 手机 | 전화
    | (?:office|desk|home|work|main|direct|voice|[tpfmc])(?=[ ]?:)
    )\.?[^\w\n]{0,3}
    (?:[^\W\d][^\d\n]{0,24}?|\s)??[\s:.=(\[]{0,4}$""",
    re.VERBOSE | re.IGNORECASE,
)
AFTER = re.compile(
    r"[\s,;:(\[-]{0,3}(?:office|fax|mobile|cell|home|work|tel|phone|desk|main|voice|toll[- ]free|handy|gsm)\b",
    re.IGNORECASE,
)
NOT_BEFORE = re.compile(
    r"""(?:\b(?:isbn|issn|doi|orders?|ref|reference|id|uuid|invoice|account|acct|case|serial|model|part|parts|patents?
    | sku|ean|upc|gtin|asin|item|article|art|tracking|version|ver|licen[sc]e|reg|registration|vat|tax|abn|pmid|arxiv|zip
    | vol|volume|pages?|pp?|no|nr|figure|fig|table|section|rfc|iso|bug|issue|ticket|isin|oclc|lccn|issued|barcode
    | chassis|vin|product)
    (?:[ ]?(?:numbers?|nos?|nr|code|id))?[.:\#°]{0,2}\s?(?:is\s)?|[\#$€£¥])$""",
    re.VERBOSE | re.IGNORECASE,
)
PHONE_NUMBER = re.compile(r"(?:tel|phone|fax|mobile|cell|contact)\W+n[or]\W*$", re.IGNORECASE)
DATE = re.compile(
    r"""[(]?(?:
      [0-3]?[0-9][./-][01]?[0-9][./-](?:1[89]|20)[0-9]{2}(?![0-9])
    | [01]?[0-9][./-][0-3]?[0-9][./-](?:1[89]|20)[0-9]{2}(?![0-9])
    | [0-3]?[0-9][./][01]?[0-9][./][0-9]{2}(?![0-9./ ])
    | (?:1[5-9]|20)[0-9]{2}[./-][01]?[0-9][./-][0-3]?[0-9](?![0-9])
    | (?:1[5-9]|20)[0-9]{2}(?:[ ]?[ /\u2013-][ ]?(?:1[5-9]|20)[0-9]{2})+(?![0-9])
    )""",
    re.VERBOSE | re.ASCII,
)
NORTH_AMERICA = re.compile(
    rf"(?:1{GAP})?(?:\([0-9]{{3}}\){GAP}?[0-9]{{3}}{GAP}[0-9]{{4}}"
    r"|[0-9]{3}([.\u2010\u2011\u2013-])[0-9]{3}\1[0-9]{4}"
    rf"|[2-9][0-9]{{2}}[ /\u00a0][2-9][0-9]{{2}}[ \u00a0\u2011-][0-9]{{4}})"
)
AREA = re.compile(
    rf"(?:8{GAP}?)?\((?!(?:19|20)[0-9]{{2}}\))[0-9]{{2,5}}\){GAP}?[0-9]{{2,5}}(?:{GAP}[0-9]{{2,5}}){{0,3}}"
)
TRUNK = re.compile(
    rf"(?:\(0[0-9]{{1,4}}\){GAP}?|0[1-9][0-9]{{0,3}}(?:[ ]?[/\u2013-][ ]?|{GAP}))"
    rf"[0-9]{{2,8}}(?:{GAP}[0-9]{{2,5}}){{0,4}}"
)
THOUSANDS = re.compile(r"[0-9]{1,3}(?:([. \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})+(?:-[0-9]+)?")
MIN_DIGITS, MAX_DIGITS = 7, 15
LOOK_BACK_CHARS, LOOK_AHEAD_CHARS = 48, 16


def find_phones(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The telephone numbers in a stretch of digits and what parts them, as (begin, end) in `text`.

    A number counts with a plus sign, a known calling code and its length; in the grouping of North America; with its
    area code in brackets or behind a zero; and in any other grouping of 7 to 15 digits where a word such as "phone",
    "call" or "fax" stands beside it. Dates, prices and numbers behind "order", "ISBN", "id" and the like do not.

    Source: ITU-T E.164 (calling codes, at most 15 digits) and E.123 (how numbers are written). Deviation: national
    plans are looked at for their lengths only, not for which areas exist.
    """
    position = begin
    while position < end and (piece := PIECE.search(text, position, end)):
        yield from _judge(text, piece.start(), piece.end())
        position = piece.end()


def _judge(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The piece as one number; failing that, its parts between spaces."""
    number = text[begin:end]
    num_digits = len(digits_of(number))
    if num_digits < MIN_DIGITS:
        return
    if num_digits <= MAX_DIGITS + 4 and (last := _whole(text, begin, end)):
        yield begin, last
        return
    # "12 (415) 555-0134" and "415-555-0134 415-555-0199": a bracket begins a number, a space may end one.
    cuts = [m.end() for m in PART.finditer(text, begin, end) if text[m.end()] == "("]
    if not cuts and any(mark in number for mark in "-.()"):
        cuts = [m.end() for m in PART.finditer(text, begin, end)]
    for first, last in zip([begin, *cuts], [*cuts, end], strict=True) if cuts else ():
        stop = first + len(text[first:last].rstrip(" \u00a0\u2009\u202f"))
        if len(digits_of(text[first:stop])) >= MIN_DIGITS and (done := _whole(text, first, stop)):
            yield first, done


def _whole(text: str, begin: int, end: int) -> int:
    """Where the telephone number that begins at `begin` ends, with its extension; 0 for none."""
    glued = _glued(text, end)
    if _touches(text, begin, end if not glued else len(text)):
        return 0
    number = text[begin:end]
    last = _international(number.lstrip("(+"), end) if "+" in number[:2] else _national(text, begin, end, glued)
    extension = EXTENSION.match(text, last) if last else None
    return extension.end() if extension else last


def _national(text: str, begin: int, end: int, glued: bool) -> int:
    """`end` for a number without a plus sign that its grouping or the words beside it prove to be one, else 0."""
    number = text[begin:end]
    num_digits = len(digits_of(number))
    if num_digits > MAX_DIGITS or DATE.match(number):
        return 0
    before = text[max(0, begin - LOOK_BACK_CHARS) : begin]
    if NOT_BEFORE.search(before) and not PHONE_NUMBER.search(before):
        return 0
    if not glued and _by_grouping(number, num_digits):
        return end
    if THOUSANDS.fullmatch(number) and num_digits % 3 != 0 and "." in number:
        return 0
    if BEFORE.search(before) or AFTER.match(text, end, end + LOOK_AHEAD_CHARS):
        return end
    return 0


def _by_grouping(number: str, num_digits: int) -> bool:
    """Whether the grouping of the digits alone says that this is a telephone number."""
    if number.startswith("00"):
        digits = digits_of(number.replace("(0)", ""))[2:]
        return len(GROUP.findall(number)) > 2 and _fits(digits)
    if NORTH_AMERICA.fullmatch(number):
        return True
    if AREA.fullmatch(number):
        return 9 <= num_digits <= 11
    if TRUNK.fullmatch(number) and 9 <= num_digits <= 12:
        lengths = [len(group) for group in GROUP.findall(number)]
        return set(lengths) != {2} or len(lengths) == 5
    return False


def _international(number: str, end: int) -> int:
    """Where a number behind a plus sign ends: its longest beginning of whole groups that has its country's length."""
    groups = list(GROUP.finditer(number))
    trunk = number.find("(0)")
    for last in range(min(len(groups), 8), 0, -1):
        digits = "".join(group[0] for group in groups[:last] if trunk < 0 or group.start() != trunk + 1)
        if _fits(digits):
            return end - (len(number) - groups[last - 1].end())
    return 0


def _fits(digits: str) -> bool:
    """Whether digits begin with a calling code and have a length that exists behind it."""
    lengths = _lengths()
    for size in (1, 2, 3):
        if (span := lengths.get(digits[:size])) is not None:
            rest = len(digits) - size
            # People write the trunk zero behind the code too: +44 020 7946 0958.
            return span[0] <= rest <= span[1] or (digits[size : size + 1] == "0" and span[0] <= rest - 1 <= span[1])
    return False


@cache
def _lengths() -> dict[str, tuple[int, int]]:
    """Fewest and most digits behind each calling code."""
    table = (item.split(":") for item in CALLING_CODES.split())
    return {code: (int(span.partition("-")[0]), int(span.rpartition("-")[2])) for code, span in table}


def _glued(text: str, end: int) -> bool:
    """Whether a word with a capital letter follows without a space, as where a page lost a line break."""
    after = text[end : end + 2]
    return len(after) == 2 and after[0].isupper() and (after[1].isalpha() or after[1] == "-")


def _touches(text: str, begin: int, end: int) -> bool:
    """Whether a number is a part of something longer: a word, a path, a decimal, a sum of money."""
    before, after = text[max(0, begin - 2) : begin], text[end : end + 2]
    if before[-1:] == "/" and text[begin] == "+":
        before = ""  # one of two numbers
    if before and (
        before[-1].isalnum() or before[-1] in "_/=&%@#$€£¥^~\\" or (before[-1] in ".,:-+" and before[0].isdigit())
    ):
        return True
    if before and before[-1] in ".+-" and len(before) > 1 and before[0].isalnum():
        return True
    if not after:
        return False
    if after[0].isalnum() or after[0] in "_%€$£@=":
        return EXTENSION.match(text, end) is None
    return after[0] in ",.:" and after[1:].isdigit()
