"""Numbers that prove themselves by check digits: payment cards, bank accounts, national ids and coin addresses."""

import hashlib
import re
from datetime import date

IBAN_CHARS = {
    item[:2]: int(item[3:])
    for item in (
        "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DJ:27 "
        "DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 HR:21 HU:28 "
        "IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 "
        "MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24 "
        "SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30"
    ).split()
}
"""Length of an account number by country. Source: SWIFT, IBAN registry."""

ISSUERS = re.compile(
    r"""
      4(?:\d{12}|\d{15}|\d{18})                                                    # Visa
    | (?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}              # Mastercard
    | 3[47]\d{13}                                                                  # American Express
    | (?:6011|64[4-9]\d|65\d\d)\d{12,15}                                           # Discover
    | 3(?:0[0-59]|[689]\d)\d{11,16}                                                # Diners Club
    | 35\d{14,17} | (?:2131|1800)\d{11}                                            # JCB (has 3528 to 3589)
    | 62\d{14,17}                                                                  # UnionPay
    | 220[0-4]\d{12,15}                                                            # Mir
    | (?:5018|502[0-3]|503[89]|56\d\d|5[78]\d\d|6304|6390|67\d\d|60\d\d)\d{8,15}    # Maestro, RuPay
    """,
    re.VERBOSE | re.ASCII,
)
CHECK_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
HETU_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
DIGITS = frozenset("0123456789")


def digits_of(number: str) -> str:
    """The ASCII digits of a number, without what parts them."""
    return "".join(c for c in number if c in DIGITS)


def luhn(number: str) -> bool:
    """Whether the digits of a number pass the Luhn checksum.

    Source: ISO/IEC 7812-1, annex B.

    >>> luhn("4111 1111 1111 1111"), luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(c) for c in digits_of(number)]
    doubled = sum(d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2])
    return bool(digits) and (sum(digits[-1::-2]) + doubled) % 10 == 0


def card(number: str) -> bool:
    """Whether a number is a payment card's: first digits and length of an issuer, Luhn checksum.

    Source: ISO/IEC 7812 and the issuers' published ranges.
    """
    digits = digits_of(number)
    return ISSUERS.fullmatch(digits) is not None and luhn(digits)


def iban(number: str) -> bool:
    """Whether a bank account number has its country's length and passes its checksum.

    Source: ISO 13616: the first four characters go to the end, letters become 10 to 35, the rest mod 97 must be 1.

    >>> iban("GB82 WEST 1234 5698 7654 32"), iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    compact = re.sub(r"[ \u00a0-]", "", number).upper()
    if len(compact) != IBAN_CHARS.get(compact[:2]) or not (compact.isascii() and compact.isalnum()):
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def national_id(number: str) -> bool:
    """Whether a number is one of the national ids below, by its check digits and, where it has one, its date.

    Brazil (CPF, with its dots), China, Finland, France (with 13 + 2 digits), Italy, Spain (DNI, NIE). Ids without check
    digits, and ids of bare digits whose check passes by chance one time in ten, are left out.
    """
    compact = re.sub(r"[ .\u00a0]", "", number).upper()
    return (
        _spain(compact)
        or _italy(compact)
        or _finland(compact)
        or _brazil(number)
        or _china(compact)
        or _france(compact)
    )


def _spain(compact: str) -> bool:
    """Source: Real Decreto 1553/2005: the number mod 23 names the letter; X, Y, Z of foreigners stand for 0, 1, 2."""
    found = re.fullmatch(r"([XYZ]?)-?([0-9]{7,8})-?([A-Z])", compact)
    if found is None or len(found[1]) + len(found[2]) != 8:
        return False
    number = ("XYZ".index(found[1]) if found[1] else 0) * 10**7 + int(found[2])
    return CHECK_LETTERS[number % 23] == found[3]


def _italy(compact: str) -> bool:
    """Source: Decreto Ministeriale 23 December 1976: characters in odd and even places have values; mod 26."""
    if not re.fullmatch(r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]", compact):
        return False
    values = [int(c) if c in DIGITS else ord(c) - 65 for c in compact[:15]]
    total = sum(CODICE_ODD[v] if place % 2 == 0 else v for place, v in enumerate(values))
    return chr(65 + total % 26) == compact[15]


def _finland(compact: str) -> bool:
    """Source: Digital and Population Data Services Agency: the nine digits mod 31 name the last character."""
    found = re.fullmatch(r"([0-3][0-9])([01][0-9])([0-9]{2})[-+A-FU-Y]([0-9]{3})([0-9A-Y])", compact)
    if found is None or not _is_date(2000, int(found[2]), int(found[1])):
        return False
    return HETU_LETTERS[int(found[1] + found[2] + found[3] + found[4]) % 31] == found[5]


def _brazil(number: str) -> bool:
    """Source: Receita Federal: two check digits, each the weighted sum of those before it, mod 11."""
    if not re.fullmatch(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", number):
        return False
    digits = [int(c) for c in digits_of(number)]
    for place in (9, 10):
        total = sum(d * (place + 1 - i) for i, d in enumerate(digits[:place]))
        if total * 10 % 11 % 10 != digits[place]:
            return False
    return len(set(digits)) > 1


def _china(compact: str) -> bool:
    """Source: GB 11643-1999: a date of birth in places 7 to 14, and ISO 7064 mod 11-2."""
    found = re.fullmatch(r"[1-9][0-9]{5}((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})[0-9]{3}[0-9X]", compact)
    if found is None or not _is_date(int(found[1]), int(found[2]), int(found[3])):
        return False
    total = sum(int(c) * pow(2, 17 - i, 11) for i, c in enumerate(compact[:17]))
    return "10X98765432"[total % 11] == compact[17]


def _france(compact: str) -> bool:
    """Source: INSEE, Numéro de sécurité sociale: 97 minus the number mod 97; departments 2A and 2B count as 19, 18."""
    found = re.fullmatch(r"([1278][0-9]{2}(?:0[1-9]|1[0-2]|[2-5][0-9])(?:[0-9]{2}|2[AB])[0-9]{6})([0-9]{2})", compact)
    if found is None:
        return False
    number = int(found[1].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(found[2])


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def coin_address(text: str) -> bool:
    """Whether a text is a Bitcoin address (base58 or bech32, checksums) or has the form of an Ethereum address.

    Source: Bitcoin wiki, Base58Check; BIP 173 and BIP 350. Ethereum's mixed-case checksum (ERC-55) is not looked at.
    """
    if text.startswith("0x"):
        return len(text) == 42
    if text[:3].lower() == "bc1":
        return text in (text.lower(), text.upper()) and _bech32(text.lower())
    number = 0
    for char in text:
        place = BASE58.find(char)
        if place < 0:
            return False
        number = number * 58 + place
    if number.bit_length() > 200:
        return False
    data = number.to_bytes(25, "big")
    return data[0] in (0, 5) and hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


def _bech32(text: str) -> bool:
    values = [3, 3, 0, 2, 3, *map(BECH32.find, text[3:])]  # "bc" expanded
    if min(values) < 0:
        return False
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, step in enumerate(BECH32_STEPS):
            check ^= step if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)
