"""Against a small server that records what it is sent."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hornbook.core.conversation import Message
from hornbook.core.errors import EngineError
from hornbook.engine import remote
from hornbook.engine.interface import ContextTooLong, Request
from hornbook.engine.remote import RemoteModel


class Recorder:
    """What came in, and what to say."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], str | None]] = []
        self.replies: list[tuple[int, Any]] = []


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def address(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            recorder.calls.append((self.path, body, self.headers.get("Authorization")))
            status, reply = recorder.replies.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/"
    server.shutdown()
    server.server_close()


def completion(text: str, reason: str = "stop") -> dict[str, Any]:
    return {"choices": [{"text": text, "finish_reason": reason, "logprobs": {"token_logprobs": [-0.5, -1]}}]}


def test_a_request_becomes_a_completion_call(recorder: Recorder, address: str) -> None:
    recorder.replies = [(200, completion("hi", "length"))]
    request = Request((5, 6), 2, temperature=0.5, top_k=3, seed=9, stop=("x",))
    found = RemoteModel(address, name="m", api_key="k").generate([request])[0]
    assert (found.text, found.logp, found.finish_reason, found.ids) == ("hi", [-0.5, -1.0], "length", ())
    path, body, key = recorder.calls[0]
    assert (path, key) == ("/v1/completions", "Bearer k")
    wanted = {"model": "m", "prompt": [5, 6], "max_tokens": 2, "temperature": 0.5, "top_p": 1.0, "logprobs": 0}
    assert body == wanted | {"top_k": 3, "seed": 9, "stop": ["x"]}


def test_scores_leave_out_the_first_token(recorder: Recorder, address: str) -> None:
    recorder.replies = [(200, {"choices": [{"logprobs": {"token_logprobs": [None, -1.5, -2.5]}}]})]
    first, second = RemoteModel(address, num_parallel=1).score([[5, 6, 7], [5]])
    assert first.tolist() == [-1.5, -2.5] and second.tolist() == []


def test_conversations_are_answered(recorder: Recorder, address: str) -> None:
    recorder.replies = [(200, {"choices": [{"message": {"content": "Yes."}}]})]
    assert RemoteModel(address).answer([[Message("user", "Well?")]], temperature=0) == ["Yes."]
    assert recorder.calls[0][1]["messages"] == [{"role": "user", "content": "Well?"}]


def test_busy_servers_are_asked_again_and_refusals_are_said(recorder: Recorder, address: str) -> None:
    recorder.replies = [(503, {}), (429, {}), (200, completion("ok"))]
    assert RemoteModel(address).generate([Request((5,), 1)])[0].text == "ok"
    recorder.replies = [(400, {"error": {"message": "too long", "code": "context_length_exceeded"}})]
    with pytest.raises(ContextTooLong, match=r"\(400\): too long"):
        RemoteModel(address).generate([Request((5,), 1)])
    recorder.replies = [(401, {"detail": "who are you"})]
    with pytest.raises(EngineError, match="who are you"):
        RemoteModel(address).generate([Request((5,), 1)])


def test_nobody_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    with pytest.raises(EngineError, match="does not answer") as caught:
        RemoteModel("http://127.0.0.1:9/v1").generate([Request((5,), 1)])
    assert caught.value.exit_code == 1
