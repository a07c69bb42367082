import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.personal.checksums import IBAN_CHARS, card, coin_address, iban, luhn, national_id


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("4111111111111111", True),
        ("4111 1111 1111 1112", False),
        ("4222222222222", True),  # 13 digits
        ("5555555555554444", True),
        ("2223003122003222", True),  # the newer Mastercard range
        ("378282246310005", True),
        ("30569309025904", True),
        ("6011111111111117", True),
        ("3530111333300000", True),
        ("6200000000000005", True),
        ("41111111111111111", False),  # no card has 17 digits and begins with 4
        ("9111111111111116", False),  # no issuer
        ("0000000000000000", False),
    ],
)
def test_cards(number: str, right: bool) -> None:
    assert card(number) == right


def test_one_wrong_digit_is_always_noticed() -> None:
    number = "4111111111111111"
    wrong = [number[:i] + str((int(number[i]) + d) % 10) + number[i + 1 :] for i in range(16) for d in range(1, 10)]
    assert luhn(number) and not any(luhn(w) for w in wrong)


@given(st.integers(0, 10**17))
def test_a_check_digit_can_always_be_found(number: int) -> None:
    assert sum(luhn(f"{number:017d}{digit}") for digit in range(10)) == 1


@pytest.mark.parametrize(
    "account",
    [
        "GB82 WEST 1234 5698 7654 32",
        "DE89370400440532013000",
        "NO9386011117947",
        "FR1420041010050500013M02606",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        "fr14-2004-1010-0505-0001-3M02-606",
    ],
)
def test_accounts(account: str) -> None:
    assert iban(account)
    assert not iban(account[:-1]) and not iban(account + "0")  # another length
    swapped = account.replace("1", "2", 1)
    assert not iban(swapped)


def test_accounts_of_every_country_with_right_check_digits() -> None:
    generator = random.Random(1)
    for country, chars in IBAN_CHARS.items():
        rest = "".join(generator.choice("0123456789") for _ in range(chars - 4))
        moved = "".join(str(int(c, 36)) for c in f"{rest}{country}00")
        account = f"{country}{98 - int(moved) % 97:02d}{rest}"
        assert iban(account), account
        assert not iban(f"{country}{99 - int(moved) % 97:02d}{rest}")
    assert not iban("ZZ82WEST12345698765432")


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("12345678Z", True),  # 12345678 mod 23 = 14
        ("12345678A", False),
        ("X1234567L", True),
        ("X1234567M", False),
        ("RSSMRA85T10A562S", True),
        ("RSSMRA85T10A562T", False),
        ("131052-308T", True),
        ("131052-308S", False),
        ("311352-308T", False),  # no thirteenth month
        ("111.444.777-35", True),
        ("111.444.777-34", False),
        ("111.111.111-11", False),  # passes the sums, belongs to nobody
        ("11144477735", False),  # bare digits pass too often
        ("11010519491231002X", True),
        ("110105194912310021", False),
        ("11010519491331002X", False),  # no such day
        ("1 84 12 76 451 089 46", True),
        ("184127645108947", False),
    ],
)
def test_national_ids(number: str, right: bool) -> None:
    assert national_id(number) == right


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", True),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", False),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", True),
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", True),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", False),
        ("bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", False),  # mixed case
        ("0x52908400098527886E0F7030069857D2E4169EE7", True),
        ("0x52908400", False),
        ("1" * 30, False),
    ],
)
def test_coin_addresses(address: str, right: bool) -> None:
    assert coin_address(address) == right


def test_one_wrong_character_of_a_coin_address_is_always_noticed() -> None:
    for address in ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"):
        for place in range(3, len(address)):
            for char in "9x2":
                wrong = address[:place] + char + address[place + 1 :]
                assert coin_address(wrong) == (wrong == address)


@given(st.text(max_size=40))
def test_nothing_raises(text: str) -> None:
    for check in (card, luhn, iban, national_id, coin_address):
        assert check(text) in (True, False)
