"""Who may ask: key, host, origin."""

import httpx
from fake_engine import FakeScheduler, fake_served, listening

from hornbook.serve.guard import host_name

CHAT = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}


def test_key_is_needed_for_the_api_but_not_for_the_page() -> None:
    with listening(fake_served(FakeScheduler()), api_key="se cret") as address:
        chat = f"{address}/v1/chat/completions"
        for header in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic se cret"},
            {"Authorization": ""},
        ):
            reply = httpx.post(chat, json=CHAT, headers=header)
            assert reply.status_code == 401 and reply.json()["error"]["code"] == "invalid_api_key"
        assert httpx.post(chat, json=CHAT, headers={"Authorization": "Bearer se cret"}).status_code == 200
        assert httpx.get(f"{address}/v1/models").status_code == 401
        assert httpx.post(f"{address}/tokenize", json={"prompt": "a"}).status_code == 401
        assert httpx.get(address).status_code == 200
        assert httpx.get(f"{address}/health").status_code == 200


def test_a_loopback_server_answers_to_its_own_names_only() -> None:
    with listening(fake_served(FakeScheduler())) as address:
        for host in ("localhost", "127.0.0.1:99", "[::1]:8000"):
            assert httpx.get(f"{address}/v1/models", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"):
            reply = httpx.get(f"{address}/v1/models", headers={"Host": host})
            assert reply.status_code == 403 and reply.json()["error"]["code"] == "host_not_allowed"


def test_pages_of_others_may_not_call_unless_allowed() -> None:
    with listening(fake_served(FakeScheduler()), allow_origins=("https://friend.example",)) as address:
        chat = f"{address}/v1/chat/completions"
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            reply = httpx.post(chat, json=CHAT, headers={"Origin": origin})
            assert reply.status_code == 403 and "access-control-allow-origin" not in reply.headers
        assert httpx.post(chat, json=CHAT, headers={"Origin": address}).status_code == 200
        reply = httpx.post(chat, json=CHAT, headers={"Origin": "https://friend.example"})
        assert reply.headers["access-control-allow-origin"] == "https://friend.example"
        asked = {"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
        reply = httpx.options(chat, headers=asked)
        assert reply.status_code == 204 and "Authorization" in reply.headers["access-control-allow-headers"]


def test_request_ids_come_back() -> None:
    with listening(fake_served(FakeScheduler())) as address:
        assert httpx.get(f"{address}/health", headers={"X-Request-Id": "abc"}).headers["x-request-id"] == "abc"
        assert len(httpx.get(f"{address}/health").headers["x-request-id"]) == 32


def test_host_headers_without_their_ports() -> None:
    assert [host_name(host) for host in ("a:1", "[::1]:80", "a", "")] == ["a", "[::1]", "a", ""]
