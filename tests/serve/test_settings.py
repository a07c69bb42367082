"""Where a server may listen, and its limits."""

import pytest

from hornbook.core.errors import ServeError, SettingsError
from hornbook.core.settings import parse
from hornbook.serve.settings import ServeSettings, check_address, is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "machine.example"])
def test_public_addresses_need_a_key_or_a_word(host: str) -> None:
    with pytest.raises(ServeError, match="--api-key"):
        check_address(ServeSettings(host=host))
    check_address(ServeSettings(host=host, api_key="k"))
    check_address(ServeSettings(host=host, open_to_all=True))


def test_loopback_names() -> None:
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "localhost.evil", "", "10.0.0.1"))
    check_address(ServeSettings())


@pytest.mark.parametrize(
    "wrong",
    [{"port": 70_000}, {"num_slots": 0}, {"max_tokens": 0}, {"max_request_s": 0.0}, {"flush_s": -1.0}, {"prt": 1}],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        parse(ServeSettings, wrong, "a test")
