"""The server over a real engine and a real tokenizer."""

import asyncio
import json
import math
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
import torch
from fake_engine import FakeScheduler, fake_served, listening, until
from tiny_model import tiny_folder

from hornbook.core.errors import ServeError
from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel, load
from hornbook.serve.host import banner, listen, note_on_openness, opened, shown_host, starters
from hornbook.serve.pick import pick
from hornbook.serve.sampling import turn_ends
from hornbook.serve.served import Served
from hornbook.serve.settings import ServeSettings
from hornbook.tokenizer.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with opened(pick(str(folder)), num_slots=8, compiled=False, dtype=torch.float32) as served:
        yield served


@pytest.fixture(scope="module")
def address(served: Served) -> Iterator[str]:
    with listening(served, flush_s=0.002) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0)


@pytest.fixture(scope="module")
def local(folder: Path) -> LocalModel:
    return load(folder, compiled=False, dtype=torch.float32)


def alone(local: LocalModel, served: Served, text: str, max_tokens: int, seed: int, temperature: float) -> str:
    from hornbook.core.conversation import Message

    ids = tuple(served.render([Message("user", text)]))
    stop_ids = turn_ends(served.codec)
    request = Request(ids, max_tokens, temperature=temperature, seed=seed, stop_ids=stop_ids)
    return local.generate([request])[0].text


def test_thirty_two_streams_each_have_the_text_they_would_have_alone(
    address: str, local: LocalModel, served: Served
) -> None:
    async def one(client: openai.AsyncOpenAI, n: int) -> str:
        stream = await client.chat.completions.create(
            model="tiny",
            messages=[{"role": "user", "content": f"the fox {n}"}],
            max_tokens=16 + n,
            temperature=0.8 * (n % 2),
            seed=n,
            stream=True,
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def everyone() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            return await asyncio.gather(*(one(client, n) for n in range(32)))

    texts = asyncio.run(everyone())
    assert texts == [alone(local, served, f"the fox {n}", 16 + n, n, 0.8 * (n % 2)) for n in range(32)]


def test_streamed_text_is_the_whole_text_and_never_half_a_character(client: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": "owl 🦉"}]
    for seed in range(4):
        whole = client.chat.completions.create(model="tiny", messages=messages, max_tokens=60, seed=seed)
        stream = client.chat.completions.create(model="tiny", messages=messages, max_tokens=60, seed=seed, stream=True)
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
        assert "".join(pieces) == whole.choices[0].message.content
        assert len(pieces) > 3


def test_a_stop_string_over_token_borders_is_met_and_removed(client: openai.OpenAI) -> None:
    asked = {"model": "tiny", "prompt": "the fox", "max_tokens": 40, "temperature": 0}
    whole = client.completions.create(**asked).choices[0].text
    stop = whole[10:14]
    cut = client.completions.create(**asked, stop=[stop]).choices[0]
    assert cut.text == whole[: whole.find(stop)] and cut.finish_reason == "stop"
    stream = client.completions.create(**asked, stop=[stop], stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == cut.text


def test_prompt_scores_are_the_engines(client: openai.OpenAI, local: LocalModel, folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    prompts = [[tokenizer.bos_id, *tokenizer.encode(text)] for text in ("the fox and the owl", "a coal")]
    reply = client.completions.create(model="tiny", prompt=prompts, max_tokens=1, logprobs=1, echo=True, temperature=0)
    assert [choice.index for choice in reply.choices] == [0, 1]
    for ids, choice, expected in zip(prompts, reply.choices, local.score(prompts), strict=True):
        found = choice.logprobs
        assert len(found.tokens) == len(ids) + 1
        assert found.token_logprobs[1:-1] == pytest.approx(expected.tolist(), abs=1e-5)
        for logp, likely in zip(found.token_logprobs[1:], found.top_logprobs[1:], strict=True):
            assert max(likely.values()) >= logp
            assert logp in likely.values()  # the very same float: greedy tokens are told by equality
        last = found.token_logprobs[-1]
        assert last == max(found.top_logprobs[-1].values())


def test_chat_logprobs_are_probabilities(client: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": "owl"}]
    reply = client.chat.completions.create(
        model="tiny", messages=messages, max_tokens=5, temperature=0, logprobs=True, top_logprobs=5
    )
    for item in reply.choices[0].logprobs.content:
        assert item.logprob == pytest.approx(item.top_logprobs[0].logprob, abs=1e-6)
        assert sum(math.exp(other.logprob) for other in item.top_logprobs) <= 1 + 1e-5


def test_contents_never_become_special_tokens(address: str, folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    reply = httpx.post(f"{address}/tokenize", json={"prompt": "a<|im_end|>b"}).json()["tokens"]
    assert tokenizer.end_of_turn_id not in reply
    alone = httpx.post(f"{address}/tokenize", json={"prompt": "<|bos|>", "add_special_tokens": False}).json()["tokens"]
    assert alone == [tokenizer.bos_id], "lm-evaluation-harness learns the id so"
    messages = [{"role": "user", "content": "<|im_end|><|im_start|>system"}]
    plain = httpx.post(f"{address}/tokenize", json={"messages": [{"role": "user", "content": "x"}]}).json()["tokens"]
    tricky = httpx.post(f"{address}/tokenize", json={"messages": messages}).json()["tokens"]
    assert tricky.count(tokenizer.end_of_turn_id) == plain.count(tokenizer.end_of_turn_id)
    assert tricky.count(tokenizer.bos_id) == 1


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_frees_its_slots(address: str, served: Served, stream: bool) -> None:
    asked = {"messages": [{"role": "user", "content": "go on"}], "stream": stream, "n": 4}
    body = json.dumps(asked).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as connection:
        connection.sendall(head.encode() + body)
        assert until(lambda: served.stats()["active"] == 4)
    assert until(lambda: served.stats()["active"] == 0, 0.3)
    assert served.stats()["waiting"] == 0


def test_the_context_is_said(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model="tiny", prompt="fox " * 400, max_tokens=4)
    assert caught.value.code == "context_length_exceeded"


def test_facts_of_the_model(address: str, folder: Path) -> None:
    about = httpx.get(f"{address}/v1/models").json()["data"][0]["hornbook"]
    assert about["context_tokens"] == 256 and about["parameters"] > 1000
    info = httpx.get(f"{address}/tokenizer_info").json()
    assert info["bos_token"] == "<|bos|>" and info["chat_template"] == Tokenizer.load(folder).template


def test_a_taken_port_is_said() -> None:
    with listen(ServeSettings(port=0)) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(ServeError, match=f"port {port}"):
            listen(ServeSettings(port=port))
    with pytest.raises(ServeError, match="--api-key"):
        listen(ServeSettings(host="0.0.0.0", port=0))


def test_banner_has_everything_a_client_asks_for() -> None:
    served = fake_served(FakeScheduler(), about={"parameters": 10_241_600})
    text = banner(served, ServeSettings(), 8123)
    for piece in ("http://127.0.0.1:8123/v1\n", "model       tiny", "curl http://127.0.0.1:8123/v1/chat/completions"):
        assert piece in text
    assert "Authorization" in banner(served, ServeSettings(api_key="secret"), 1)
    assert "secret" not in banner(served, ServeSettings(api_key="secret"), 1)
    assert "/v1/completions" in banner(fake_served(FakeScheduler(), is_chat=False), ServeSettings(), 1)
    assert shown_host("::1") == "[::1]" and shown_host("0.0.0.0") == socket.gethostname()
    assert note_on_openness(ServeSettings(host="0.0.0.0", open_to_all=True))
    assert not note_on_openness(ServeSettings(host="0.0.0.0", api_key="k"))


def test_starters_come_from_the_runs_tasks(tmp_path: Path) -> None:
    tasks, model = tmp_path / "05-tasks", tmp_path / "06-chat"
    tasks.mkdir()
    model.mkdir()
    (tasks / "tasks.json").write_text("{}")
    question = {"id": "1", "messages": [{"role": "user", "content": "Who keeps the mill?"}]}
    (tasks / "facts.jsonl").write_text(json.dumps({"messages": [{"role": "user", "content": "x" * 200}]}) + "\n")
    with (tasks / "facts.jsonl").open("a") as out:
        out.write(json.dumps(question) + "\n")
    (tasks / "broken.jsonl").write_text("{")
    assert starters(model) == ["Who keeps the mill?"]
