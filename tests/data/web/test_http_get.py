import gzip
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hornbook.data.web import http_get
from hornbook.data.web.http_get import GetError, Manners, is_private, normal, opened

sys.path.insert(0, str(Path(__file__).parents[1]))
from sites import Asked, page, site

MANNERS = Manners("Hornbook/test (+https://me.example)", 0.6, 1.2, 10_000, private=True)


def get(url: str, manners: Manners = MANNERS) -> tuple[int, bytes]:
    with opened(url, manners) as answer:
        return answer.status, answer.body(manners.max_bytes)


def trouble(url: str, manners: Manners = MANNERS) -> GetError:
    with pytest.raises(GetError) as caught:
        get(url, manners)
    return caught.value


def raw(data: bytes, pause_s: float = 0.0, then: bytes = b"") -> Any:
    """A route that writes bytes of its own."""

    def answer(asked: Asked) -> None:
        asked.wfile.write(data)
        asked.wfile.flush()
        time.sleep(pause_s)
        asked.wfile.write(then)

    return answer


def drip(asked: Asked) -> None:
    asked.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(200):
        asked.wfile.write(b"X: y\r\n")
        asked.wfile.flush()
        time.sleep(0.05)


def test_answers_are_read_whole_and_decoded() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    routes = {
        "/a": page(b"plain"),
        "/z": page(gzip.compress(b"packed" * 50), Content_Encoding="gzip"),
        "/c": raw(chunked),
        "/old": raw(b"HTTP/1.0 200 OK\r\n\r\nno length"),
        "/gone": page(b"", 410),
    }
    with site(routes) as server:
        assert get(server.url + "/a") == (200, b"plain")
        assert get(server.url + "/z") == (200, b"packed" * 50)
        assert get(server.url + "/c") == (200, b"abcde") and get(server.url + "/old") == (200, b"no length")
        assert get(server.url + "/gone")[0] == 410
        headers = server.asked[0][2]
    assert headers["User-Agent"] == MANNERS.user_agent and headers["Accept-Encoding"] == "gzip"
    assert headers["Host"] == server.url.removeprefix("http://") and headers["Connection"] == "close"


@pytest.mark.parametrize(
    ("route", "rule", "passing"),
    [
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"), "truncated", True),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"), "truncated", True),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na", 1.0, b"bcde"), "timeout", True),
        (drip, "timeout", True),
        (raw(b""), "connection", True),
        (raw(b"hello, this is no HTTP\r\n\r\n"), "bad_answer", False),
        (raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"), "bad_answer", False),
        (page(b"x" * 20_000), "too_large", False),
        (raw(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 20_000), "too_large", False),
        (page(gzip.compress(b"\0" * 9_000_000), Content_Encoding="gzip"), "too_large", False),
        (page(gzip.compress(b"x" * 500)[:-9], Content_Encoding="gzip"), "bad_answer", False),
    ],
)
def test_every_way_to_fail_has_a_name_and_a_bound(route: Any, rule: str, passing: bool) -> None:
    with site({"/x": route}) as server:
        begin_s = time.monotonic()
        error = trouble(server.url + "/x")
    assert (error.rule, error.passing) == (rule, passing) and error.found
    assert time.monotonic() - begin_s < 4.0


def test_a_silent_server_and_a_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begin_s = time.monotonic()
        assert trouble(f"http://127.0.0.1:{port}/").rule == "timeout"
        assert 0.5 < time.monotonic() - begin_s < 3.0
        assert trouble(f"https://127.0.0.1:{port}/").rule == "timeout"
    error = trouble(f"http://127.0.0.1:{port}/")
    assert (error.rule, error.passing) == ("connection", True)


def test_private_networks_are_not_asked_unless_one_says_so() -> None:
    with site({"/x": page()}) as server:
        public = Manners("x", 1, 1)
        assert trouble(server.url + "/x", public).rule == "private_address"
        assert trouble(server.url.replace("127.0.0.1", "localhost") + "/x", public).rule == "private_address"
        assert trouble(server.url.replace("127.0.0.1", "127.1") + "/x", public).rule == "private_address"
        assert server.asked == []


def test_a_name_with_one_private_address_is_refused_and_names_are_resolved_once(monkeypatch: Any) -> None:
    with site({"/x": page(b"here")}) as server:
        asked: list[str] = []

        def resolve(host: str, port: int, **_: object) -> Any:
            asked.append(host)
            places = ["127.0.0.1"] if host == "inside.example" else ["93.184.215.14", "10.0.0.1"]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, server.server_port)) for place in places]

        monkeypatch.setattr(http_get.socket, "getaddrinfo", resolve)
        assert get("http://inside.example/x") == (200, b"here")
        error = trouble("http://rebound.example/x", Manners("x", 1, 1))
        assert (error.rule, error.found) == ("private_address", "rebound.example is 10.0.0.1")
        assert asked == ["inside.example", "rebound.example"]


def test_a_host_that_nobody_knows(monkeypatch: Any) -> None:
    def resolve(host: str, *_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN if host.startswith("later") else socket.EAI_NONAME, "who?")

    monkeypatch.setattr(http_get.socket, "getaddrinfo", resolve)
    assert (trouble("http://later.example/").rule, trouble("http://later.example/").passing) == ("no_host", True)
    assert trouble("http://never.example/").passing is False


@pytest.mark.parametrize(
    "address",
    "127.0.0.1 0.0.0.0 10.1.1.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 224.0.1.1 255.255.255.255 192.0.2.1 "
    "::1 :: fe80::1%eth0 fd00::1 ff02::1 ::ffff:127.0.0.1 64:ff9b::a00:1 2002:7f00:1:: 240.0.0.1".split(),
)
def test_private_addresses(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses(address: str) -> None:
    assert not is_private(address)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://A.Example:443", "https://a.example/"),
        ("http://a.example.:8080/x#y", "http://a.example:8080/x"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("http://a.example/%7Ea%2Fb?x=1%202&y=ä b", "http://a.example/%7Ea%2Fb?x=1%202&y=%C3%A4%20b"),
        ("http://a.example/x\ny", "http://a.example/xy"),
    ],
)
def test_normal_addresses(url: str, expected: str) -> None:
    assert normal(url) == expected == normal(normal(url))


@pytest.mark.parametrize(
    "url",
    "ftp://a.example/ javascript:x //a.example/ a.example/x http:// http://u:p@a.example/ http://a.example:99999/ "
    "http://a.example:x/ file:///etc/passwd http://[broken/ http://a_b!.example/".split()
    + ["", "http://a b/", "http://xn--\ud800/"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(GetError, match="bad_url"):
        normal(url)


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl, which makes a certificate, is missing"
)
def test_certificates_are_checked(tmp_path: Path, monkeypatch: Any) -> None:
    key, cert = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {cert} -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with site({"/x": page(b"safe")}) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = f"https://localhost:{server.server_port}/x"
        error = trouble(url)
        assert (error.rule, error.passing) == ("connection", False) and "no safe connection" in error.found
        trusting = ssl.create_default_context(cafile=cert)
        monkeypatch.setattr(http_get, "_tls", lambda: trusting)
        assert get(url) == (200, b"safe")
        assert "no safe connection" in trouble(url.replace("localhost", "127.0.0.1")).found


@pytest.mark.parametrize("length", [b"\xb2", b"9" * 5000, b"-1", b"3 3", b""])
def test_a_length_that_is_no_number_says_nothing(length: bytes) -> None:
    with site({"/x": raw(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nabc")}) as server:
        with opened(server.url + "/x", MANNERS) as answer:
            assert answer.length is None
            assert answer.body(100) == b"abc"


def test_bytes_of_utf8_in_headers_are_no_white_space() -> None:
    with site({"/x": raw(b"HTTP/1.1 200 OK\r\nX: \t\xc3\xa0  b\xc2\x85\r\nContent-Length: 12\r\n\r\n")}) as server:
        with opened(server.url + "/x", MANNERS) as answer:
            assert answer.header("x").encode("latin-1") == b"\xc3\xa0 b\xc2\x85" and answer.length == 12
