"""A model behind an address that speaks OpenAI's API: ours, vLLM, llama.cpp's server, or a hosted one."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy

from hornbook.core.conversation import Message
from hornbook.core.errors import EngineError
from hornbook.engine.interface import Completion, ContextTooLong, Request

RETRIES = 4


class RemoteModel:
    """`engine.interface.LanguageModel` over HTTP.

    Prompts travel as ids, so the server must have the tokenizer that made them (`answer` sends text instead). Ids that
    were drawn do not come back over this API: completions have text and log-probabilities only.
    """

    def __init__(
        self, address: str, *, name: str = "", api_key: str = "", num_parallel: int = 16, timeout_s: float = 300.0
    ) -> None:
        """`address` ends in `/v1`. Nothing is sent before the first call."""
        self.address = address.rstrip("/")
        self.name = name
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self.num_parallel = num_parallel
        self.timeout_s = timeout_s

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        """Go on from every prompt; answers in the order of the requests."""
        return self._together(self._generate, requests)

    def answer(self, conversations: Sequence[Sequence[Message]], **sampling: Any) -> list[str]:
        """The next assistant message of every conversation; `sampling` goes into the body as it is."""

        def ask(messages: Sequence[Message]) -> str:
            turns = [{"role": message.role, "content": message.content} for message in messages]
            found = self._post("/chat/completions", {"messages": turns, **sampling})
            return found["choices"][0]["message"]["content"] or ""

        return self._together(ask, conversations)

    def score(self, ids: Sequence[Sequence[int]]) -> list[numpy.ndarray]:
        """Log-probability (nats, fp32) of each token given those before, by echoing the prompt."""

        def ask(text: Sequence[int]) -> numpy.ndarray:
            if len(text) < 2:
                return numpy.zeros(0, dtype=numpy.float32)
            body = {"prompt": list(text), "max_tokens": 0, "echo": True, "logprobs": 0}
            found = self._post("/completions", body)["choices"][0]["logprobs"]["token_logprobs"]
            return numpy.array(found[1 : len(text)], dtype=numpy.float32)

        return self._together(ask, ids)

    def refresh(self, model: Any) -> None:
        """Raises EngineError: weights elsewhere cannot be changed from here."""
        raise EngineError("a model behind an address cannot take over weights", where=self.address)

    def _generate(self, request: Request) -> Completion:
        body: dict[str, Any] = {
            "prompt": list(request.ids),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "logprobs": request.num_logprobs or 0,
        }
        extra = {
            "top_k": request.top_k,
            "min_p": request.min_p,
            "seed": request.seed,
            "stop": list(request.stop),
            "stop_token_ids": list(request.stop_ids),
            "ignore_eos": request.ignore_eos,
        }
        found = self._post("/completions", body | {name: value for name, value in extra.items() if value})
        choice = found["choices"][0]
        logps = (choice.get("logprobs") or {}).get("token_logprobs") or []
        reason = "length" if choice.get("finish_reason") == "length" else "stop"
        return Completion((), choice["text"], [float(logp) for logp in logps], None, reason)

    def _together(self, ask: Any, items: Sequence[Any]) -> list[Any]:
        if not items:
            return []
        with ThreadPoolExecutor(min(self.num_parallel, len(items))) as pool:
            return list(pool.map(ask, items))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One call; busy and briefly broken servers are asked again with growing pauses."""
        data = json.dumps({"model": self.name, **body}).encode()
        for attempt in range(RETRIES):
            call = urllib.request.Request(self.address + path, data, self._headers)
            try:
                with urllib.request.urlopen(call, timeout=self.timeout_s) as reply:
                    return json.load(reply)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 500, 502, 503, 504) or attempt == RETRIES - 1:
                    raise self._refused(error) from None
            except (OSError, ValueError) as error:
                if attempt == RETRIES - 1:
                    found = f"the model does not answer: {error}"
                    raise EngineError(found, where=self.address, do="Is it running?", exit_code=1) from None
            time.sleep(0.25 * 2**attempt)
        raise EngineError("the model does not answer", where=self.address, exit_code=1)

    def _refused(self, error: urllib.error.HTTPError) -> EngineError:
        """What the server says, in OpenAI's error form or any other."""
        raw = error.read().decode(errors="replace")
        try:
            said = json.loads(raw)["error"]
            message, code = str(said.get("message", raw)), said.get("code")
        except (ValueError, KeyError, TypeError, AttributeError):
            message, code = raw[:300], None
        kind = ContextTooLong if code == ContextTooLong.code else EngineError
        return kind(f"the model refused ({error.code}): {message}", where=self.address)
