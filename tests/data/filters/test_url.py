import pytest

from hornbook.core.document import Document, Drop, Keep
from hornbook.data.filters.url import Settings, decide


@pytest.mark.parametrize(
    ("url", "decision"),
    [
        ("", Keep()),
        ("https://www.essex.gov.uk/schools", Keep()),
        ("https://news.example.org/expertsexchange", Keep()),
        ("https://adult.example.org/learning", Keep()),  # one doubtful word is not enough
        ("https://example.org/adult-webcam", Drop("url.soft_words", "adult webcam")),
        ("https://free-porn.example.org/", Drop("url.hard_word", "porn")),
        ("http://192.168.0.7/index.html", Drop("url.ip_address", "192.168.0.7")),
        ("http://[2001:db8::1]/x", Drop("url.ip_address", "2001:db8::1")),
        ("https://shop.bad.example/x", Drop("url.host", "bad.example")),
        ("https://BAD.example", Drop("url.host", "bad.example")),
        ("https://bad.example./x", Drop("url.host", "bad.example")),
        ("http://10.0.0.1./x", Drop("url.ip_address", "10.0.0.1")),
        ("https://notbad.example", Keep()),
        ("http://[broken", Keep()),
    ],
)
def test_every_rule(url: str, decision: object) -> None:
    assert decide(Document("1", "text", url), Settings(blocked_hosts=("bad.example",))) == decision


def test_number_hosts_can_be_allowed() -> None:
    assert decide(Document("1", "x", "http://10.0.0.1/"), Settings(allow_ip_hosts=True)) == Keep()
