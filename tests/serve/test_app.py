"""The addresses over HTTP, driven by raw requests and by the official client."""

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from fake_engine import ByteCodec, FakeScheduler, echo_text, fake_served, listening, until

from hornbook.core.errors import EngineError

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with listening(fake_served(FakeScheduler()), flush_s=0.0) as address:
        yield address


@pytest.fixture(scope="module")
def client(base: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0)


def test_client_chats_in_one_piece(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=14, seed=3)
    assert reply.choices[0].message.content == "[3] USER: HELL"
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].finish_reason == "length"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (12, 14, 26)


def test_client_streams_a_chat(client: openai.OpenAI) -> None:
    options = {"include_usage": True}
    stream = client.chat.completions.create(
        model="tiny", messages=HELLO, max_tokens=14, seed=3, stream=True, stream_options=options
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "[3] USER: HELL"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 14
    assert len({c.id for c in chunks}) == 1


def test_stream_is_exactly_what_clients_read(base: str) -> None:
    body = {"messages": HELLO, "max_tokens": 4, "seed": 3, "stream": True, "stream_options": {"include_usage": True}}
    reply = httpx.post(f"{base}/v1/chat/completions", json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    frames = reply.text.split("\n\n")
    assert frames[-1] == "" and frames[-2] == "data: [DONE]"
    events = [json.loads(item.removeprefix("data: ")) for item in frames[:-2]]
    common = {
        "object": "chat.completion.chunk",
        "model": "tiny",
        "id": events[0]["id"],
        "created": events[0]["created"],
    }
    for event in events:
        assert {name: event[name] for name in common} == common
    assert [event["choices"] for event in events] == [
        [{"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}],
        [{"index": 0, "delta": {"content": "[3] "}, "logprobs": None, "finish_reason": None}],
        [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}],
        [],
    ]
    assert [event["usage"] for event in events[:-1]] == [None, None, None]
    assert events[-1]["usage"]["total_tokens"] == 16


def test_no_usage_unless_asked(base: str) -> None:
    reply = httpx.post(f"{base}/v1/chat/completions", json={"messages": HELLO, "max_tokens": 4, "stream": True})
    assert "usage" not in reply.text


def test_content_may_be_text_parts(client: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    reply = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": parts}], max_tokens=20)
    assert reply.choices[0].message.content == "[None] USER: ONE TWO"


def test_unknown_fields_are_ignored(base: str) -> None:
    body = {
        "messages": HELLO,
        "max_tokens": 2,
        "user": "me",
        "metadata": {"a": 1},
        "chat_template_kwargs": {},
        "tools": [],
    }
    assert httpx.post(f"{base}/v1/chat/completions", json=body).status_code == 200


def test_choices_have_seeds_of_their_own(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=30, seed=3, n=3)
    texts = [choice.message.content for choice in reply.choices]
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert texts[0].startswith("[3] ") and len(set(texts)) == 3


def test_stop_strings_end_the_text_before_them(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="tiny", messages=HELLO, stop=[": HE", "zzz"])
    assert reply.choices[0].message.content == "[None] USER"
    assert reply.choices[0].finish_reason == "stop"


def test_chat_logprobs(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=2, logprobs=True, top_logprobs=2)
    first = reply.choices[0].logprobs.content[0]
    assert (first.token, first.logprob, first.bytes) == ("[", -0.5, [91])
    assert [(item.token, item.logprob) for item in first.top_logprobs] == [("[", -0.5), ("\x04", -2.0)]


def test_streamed_logprobs_cover_every_token(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=6, logprobs=True, stream=True)
    entries = [item for c in stream if c.choices[0].logprobs for item in c.choices[0].logprobs.content]
    assert "".join(item.token for item in entries) == "[None]"


def test_client_completes(client: openai.OpenAI) -> None:
    reply = client.completions.create(model="tiny", prompt="abc", max_tokens=10)
    assert reply.choices[0].text == "[None] ABC"
    assert reply.usage.prompt_tokens == 4  # BOS and three bytes
    stream = client.completions.create(model="tiny", prompt=["abc", "xy"], max_tokens=10, stream=True)
    texts = {0: "", 1: ""}
    for chunk in stream:
        texts[chunk.choices[0].index] += chunk.choices[0].text
    assert texts == {0: "[None] ABC", 1: "[None] XY "}


def test_prompts_as_token_ids_are_taken_as_they_are(client: openai.OpenAI) -> None:
    ids = ByteCodec().encode("abc")
    assert client.completions.create(model="tiny", prompt=ids, max_tokens=10).usage.prompt_tokens == 3
    reply = client.completions.create(model="tiny", prompt=[ids, ids[:2]], max_tokens=10, n=2)
    assert [choice.text for choice in reply.choices] == ["[None] ABC"] * 2 + ["[None] AB "] * 2
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]


def test_echo_with_logprobs_is_what_the_harness_reads(client: openai.OpenAI) -> None:
    ids = ByteCodec().encode("ab")
    reply = client.completions.create(model="tiny", prompt=[ids], max_tokens=1, logprobs=1, echo=True, temperature=0)
    found = reply.choices[0].logprobs
    assert reply.choices[0].text == "ab["
    assert found.tokens == ["a", "b", "["]
    assert found.token_logprobs == [None, -0.125, -0.5]
    assert found.top_logprobs == [None, {"a": -0.0625, "b": -0.125}, {"[": -0.5}]
    assert found.text_offset == [0, 1, 2]


def test_echo_without_writing(client: openai.OpenAI) -> None:
    reply = client.completions.create(model="tiny", prompt="abc", max_tokens=0, logprobs=0, echo=True)
    assert reply.choices[0].text == "abc"
    assert reply.choices[0].logprobs.tokens == ["<|bos|>", "a", "b", "c"]
    assert reply.choices[0].logprobs.token_logprobs == [None, -0.125, -0.25, -0.375]
    assert reply.choices[0].logprobs.text_offset == [0, 0, 1, 2]
    assert reply.usage.completion_tokens == 0
    stream = client.completions.create(model="tiny", prompt="abc", max_tokens=0, echo=True, stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "abc"


def test_models(client: openai.OpenAI) -> None:
    assert [item.id for item in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").object == "model"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"messages": []}, "messages", None),
        ({"messages": "hi"}, "messages", None),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role", None),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", None),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content", None),
        ({"temperature": "hot"}, "temperature", None),
        ({"temperature": -1}, "temperature", None),
        ({"top_p": 2}, "top_p", None),
        ({"max_tokens": 0}, "max_tokens", None),
        ({"max_tokens": 1.5}, "max_tokens", None),
        ({"n": True}, "n", None),
        ({"stop": [1]}, "stop", None),
        ({"stream": "yes"}, "stream", None),
        ({"seed": 2**64}, "seed", None),
        ({"presence_penalty": 1}, "presence_penalty", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"messages": [{"role": "user", "content": "x" * 300}]}, "messages", "context_length_exceeded"),
    ],
)
def test_wrong_fields_are_named(client: openai.OpenAI, change: dict[str, Any], param: str, code: str | None) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="tiny", messages=HELLO, extra_body=change)
    assert caught.value.status_code == 400
    assert caught.value.type == "invalid_request_error"
    assert (caught.value.param, caught.value.code) == (param, code)


def test_bodies_that_are_no_json(base: str) -> None:
    for body in (b"", b"{", b"\xff\xfe", b"[1]", b"[" * 100_000, b'{"prompt": ' + b"9" * 6000 + b"}"):
        reply = httpx.post(f"{base}/v1/completions", content=body)
        assert reply.status_code == 400, body[:20]
        assert reply.json()["error"]["type"] == "invalid_request_error"


def test_error_classes_of_the_client(client: openai.OpenAI, base: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-9", messages=HELLO)
    assert caught.value.code == "model_not_found"
    assert client.chat.completions.create(model="", messages=HELLO, max_tokens=1).model == "tiny"
    for reply, status in ((httpx.get(f"{base}/v1/nothing"), 404), (httpx.get(f"{base}/v1/completions"), 405)):
        assert reply.status_code == status and reply.json()["error"]["message"]


def test_context_bounds_the_answer_and_says_when_it_cannot(client: openai.OpenAI) -> None:
    prompt = ByteCodec().encode("x" * 199)
    assert client.completions.create(model="tiny", prompt=prompt, max_tokens=50).usage.completion_tokens == 1
    with pytest.raises(openai.BadRequestError, match="200 tokens and this model reads at most 200"):
        client.completions.create(model="tiny", prompt=[*prompt, 9], max_tokens=1)
    assert client.completions.create(model="tiny", prompt=[*prompt, 9], max_tokens=0, echo=True).choices[0].text


def test_old_turns_are_left_out_when_asked(base: str) -> None:
    turns = [{"role": "system", "content": "be kind"}]
    for n in range(8):
        turns += [{"role": "user", "content": f"question {n}"}, {"role": "assistant", "content": f"answer {n}"}]
    turns.append({"role": "user", "content": "last"})
    body = {"messages": turns, "max_tokens": 20, "fit_context": True}
    reply = httpx.post(f"{base}/v1/chat/completions", json=body).json()
    left_out = reply["hornbook"]["messages_left_out"]
    assert left_out > 0 and left_out % 2 == 0
    assert reply["usage"]["prompt_tokens"] <= 180
    assert httpx.post(f"{base}/v1/chat/completions", json=body | {"fit_context": False}).status_code == 400


def test_tokenizer_addresses(base: str) -> None:
    reply = httpx.post(f"{base}/tokenize", json={"prompt": "hé", "add_special_tokens": False}).json()
    assert reply["tokens"] == ByteCodec().encode("hé")
    assert httpx.post(f"{base}/tokenize", json={"prompt": "h"}).json()["tokens"][0] == 1
    assert httpx.post(f"{base}/detokenize", json={"tokens": reply["tokens"]}).json() == {"prompt": "hé"}
    info = httpx.get(f"{base}/tokenizer_info").json()
    assert (info["bos_token"], info["eos_token"], info["pad_token"]) == ("<|bos|>", "<|eos|>", "<|pad|>")
    assert httpx.post(f"{base}/detokenize", json={"tokens": [99999]}).status_code == 400


def test_lone_surrogates_do_no_harm(base: str) -> None:
    reply = httpx.post(f"{base}/tokenize", content=b'{"prompt": "a\\ud800b"}')
    assert reply.status_code == 200


def test_thirty_two_streams_get_what_each_would_get_alone() -> None:
    scheduler = FakeScheduler(step_s=0.0005, num_slots=8)

    async def one(client: openai.AsyncOpenAI, n: int) -> str:
        messages = [{"role": "user", "content": f"number {n}"}]
        stream = await client.chat.completions.create(
            model="tiny", messages=messages, max_tokens=40 + n, seed=n, stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def everyone(address: str) -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            return await asyncio.gather(*(one(client, n) for n in range(32)))

    with listening(fake_served(scheduler), flush_s=0.001) as address:
        texts = asyncio.run(everyone(address))
    by_seed = {request.seed: echo_text(request) for request in scheduler.requests}
    assert texts == [by_seed[n][: 40 + n] for n in range(32)]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_its_text(stream: bool) -> None:
    scheduler = FakeScheduler(step_s=0.002, write=lambda request: "x" * 100_000)
    with listening(fake_served(scheduler, context_tokens=10**6), max_tokens=10**6) as address:
        body = json.dumps({"messages": HELLO, "stream": stream, "n": 2}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as connection:
            connection.sendall(head.encode() + body)
            assert until(lambda: len(scheduler.tickets) == 2 and scheduler.tickets[0].num_written > 3)
            if stream:
                assert b"200 OK" in connection.recv(100)
        assert until(lambda: scheduler.stats()["running"] == 0, 0.5)
        assert until(lambda: httpx.get(f"{address}/health").json()["texts"] == 0)


def test_a_full_queue_says_when_to_come_back() -> None:
    scheduler = FakeScheduler(step_s=0.01, num_slots=1, write=lambda request: "x" * 100_000)
    with listening(fake_served(scheduler), max_waiting=1) as address:
        body = {"messages": HELLO, "stream": True}
        with httpx.stream("POST", f"{address}/v1/chat/completions", json=body | {"n": 2}):
            reply = httpx.post(f"{address}/v1/chat/completions", json=body)
            assert reply.status_code == 429 and reply.headers["retry-after"] == "1"
            assert reply.json()["error"]["code"] == "rate_limit_exceeded"
        assert until(lambda: httpx.get(f"{address}/health").json()["texts"] == 0)
        assert (
            httpx.post(f"{address}/v1/chat/completions", json={"messages": HELLO, "max_tokens": 1}).status_code == 200
        )


def test_time_is_limited() -> None:
    scheduler = FakeScheduler(step_s=0.01, write=lambda request: "x" * 100_000)
    with listening(fake_served(scheduler), max_request_s=0.1) as address:
        reply = httpx.post(f"{address}/v1/chat/completions", json={"messages": HELLO})
        assert reply.status_code == 504 and reply.headers["x-should-retry"] == "false"
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0)
        with pytest.raises(openai.APIError, match=r"0\.1 seconds"):
            list(client.chat.completions.create(model="tiny", messages=HELLO, stream=True))
        assert until(lambda: scheduler.stats()["running"] == 0)


def test_too_many_texts_and_too_large_bodies_are_refused() -> None:
    with listening(fake_served(FakeScheduler()), max_texts=3, max_body_bytes=2000) as address:
        reply = httpx.post(f"{address}/v1/completions", json={"prompt": ["a", "b"], "n": 2})
        assert reply.status_code == 400 and "at most 3" in reply.json()["error"]["message"]
        assert httpx.post(f"{address}/v1/completions", json={"prompt": "x" * 3000}).status_code == 413
        parts = (b"x" * 500 for _ in range(10))
        assert httpx.post(f"{address}/v1/completions", content=parts).status_code == 413


def test_an_engine_that_fails_is_our_failure() -> None:
    scheduler = FakeScheduler(fail=EngineError("the engine is closed"))
    with listening(fake_served(scheduler)) as address:
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0)
        with pytest.raises(openai.InternalServerError, match="the engine is closed"):
            client.chat.completions.create(model="tiny", messages=HELLO)
        assert httpx.get(f"{address}/health").json()["texts"] == 0


def test_the_page_and_its_files_are_served(base: str) -> None:
    reply = httpx.get(base)
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert httpx.get(f"{base}/static/nothing.js").json()["error"]["code"] == "not_found"
    assert httpx.get(f"{base}/static/../app.py").status_code == 404
