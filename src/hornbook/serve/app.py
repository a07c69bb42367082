"""The server's addresses: OpenAI's API, the tokenizer's, and the chat page."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from hornbook.core.errors import DataError, EngineError
from hornbook.engine.interface import ContextTooLong, QueueFull
from hornbook.serve import fields
from hornbook.serve.api_error import ApiError, bad_request, machine_failed, too_busy
from hornbook.serve.chat_route import ChatReply
from hornbook.serve.completion_route import CompletionReply, check_num_texts
from hornbook.serve.generation import Room
from hornbook.serve.guard import Guard, read_body
from hornbook.serve.requests import read_chat, read_completion
from hornbook.serve.served import Served
from hornbook.serve.settings import ServeSettings
from hornbook.serve.stream import ClientGone, EventStream, unless_gone

STATIC = Path(__file__).with_name("static")


class Api:
    """The handlers, with the model and the limits they share."""

    def __init__(self, served: Served, settings: ServeSettings) -> None:
        self.served = served
        self.settings = settings
        self.room = Room(served.writer, served.num_slots + settings.max_waiting, settings.flush_s)
        self.scoring = asyncio.Semaphore(1)  # one scoring pass at a time: more would only share the same cores

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions"""
        asked = read_chat(await self._json(request), self.served.codec.vocab_size)
        reply = await run_in_threadpool(ChatReply, self.served, self.settings, asked)
        check_num_texts(len(reply.requests), self.settings.max_texts)
        generation = self.room.open(reply.requests, self.settings.max_request_s)
        if asked.delivery.stream:
            return EventStream(reply.chunks(generation), generation.cancel)
        texts = await unless_gone(request, generation.whole(), generation.cancel)
        return JSONResponse(reply.whole(texts))

    async def completions(self, request: Request) -> Response:
        """POST /v1/completions"""
        asked = read_completion(await self._json(request), self.served.codec.vocab_size)
        check_num_texts(len(asked.prompts) * asked.delivery.num_choices, self.settings.max_texts)
        reply = await run_in_threadpool(CompletionReply, self.served, self.settings, asked)
        if reply.wants_scores:
            async with self.scoring:
                await run_in_threadpool(reply.score)
        generation = None
        if reply.writes:
            generation = self.room.open(reply.requests, self.settings.max_request_s)
        cancel = generation.cancel if generation is not None else _nothing_to_cancel
        if asked.delivery.stream:
            return EventStream(reply.chunks(generation), cancel)
        texts = await unless_gone(request, generation.whole(), cancel) if generation is not None else []
        return JSONResponse(reply.whole(texts))

    async def models(self, request: Request) -> Response:
        """GET /v1/models"""
        return JSONResponse({"object": "list", "data": [self._card()]})

    async def model(self, request: Request) -> Response:
        """GET /v1/models/{name}"""
        self.served.check_name(request.path_params["name"])
        return JSONResponse(self._card())

    async def health(self, request: Request) -> Response:
        """GET /health: alive, and how busy."""
        busy = {"texts": self.room.num_texts, "limit": self.room.limit, "slots": self.served.num_slots}
        return JSONResponse({"status": "ok", "model": self.served.name, **busy, "engine": self.served.stats()})

    async def tokenize(self, request: Request) -> Response:
        """POST /tokenize: {prompt | messages, add_special_tokens} -> {tokens}"""
        data = await self._json(request)
        if data.get("messages") is not None:
            ids = self.served.render(read_chat({"messages": data["messages"]}, 0).messages)
        else:
            prompt = fields.text(data.get("prompt"), "prompt")
            bos = [self.served.codec.bos_id] if fields.flag(data, "add_special_tokens", True) else []
            named = self.served.special_named(prompt)
            ids = [*(item for item in bos if item is not None), *(named or self.served.codec.encode(prompt))]
        reply: dict[str, Any] = {"count": len(ids), "max_model_len": self.served.context_tokens, "tokens": ids}
        if fields.flag(data, "return_token_strs"):
            reply["token_strs"] = [self.served.shown(token) for token in ids]
        return JSONResponse(reply)

    async def detokenize(self, request: Request) -> Response:
        """POST /detokenize: {tokens} -> {prompt}"""
        data = await self._json(request)
        tokens = data.get("tokens")
        if not isinstance(tokens, list):
            raise bad_request('"tokens" must be an array of token ids.', "tokens")
        ids = fields.token_ids(tokens, self.served.codec.vocab_size, "tokens")
        return JSONResponse({"prompt": self.served.codec.decode(ids, skip_special=False)})

    async def tokenizer_info(self, request: Request) -> Response:
        """GET /tokenizer_info: names of the special tokens, size of the vocabulary, chat template."""
        codec = self.served.codec
        named = {"bos_token": codec.bos_id, "eos_token": codec.eos_id, "pad_token": codec.pad_id}
        info: dict[str, Any] = {
            name: None if token is None else codec.decode([token], skip_special=False) for name, token in named.items()
        }
        info["vocab_size"] = codec.vocab_size
        info["chat_template"] = self.served.about.get("chat_template")
        return JSONResponse(info)

    async def page(self, request: Request) -> Response:
        """GET /: the chat page."""
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def _json(self, request: Request) -> dict[str, Any]:
        return fields.decode_object(await read_body(request, self.settings.max_body_bytes))

    def _card(self) -> dict[str, Any]:
        about = {name: value for name, value in self.served.about.items() if name != "chat_template"}
        about |= {"is_chat": self.served.is_chat, "context_tokens": self.served.context_tokens}
        return {
            "id": self.served.name,
            "object": "model",
            "created": self.served.created,
            "owned_by": "hornbook",
            "max_model_len": self.served.context_tokens,
            "hornbook": about,
        }


class PageFiles(StaticFiles):
    """The page's files; browsers ask again each time whether they changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, with the order to revalidate."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def build_app(served: Served, settings: ServeSettings) -> Guard:
    """The ASGI application of one model."""
    api = Api(served, settings)
    routes = [
        Route("/", api.page),
        Route("/v1/models", api.models),
        Route("/v1/models/{name:path}", api.model),
        Route("/v1/chat/completions", api.chat, methods=["POST"]),
        Route("/v1/completions", api.completions, methods=["POST"]),
        Route("/health", api.health),
        Route("/tokenize", api.tokenize, methods=["POST"]),
        Route("/detokenize", api.detokenize, methods=["POST"]),
        Route("/tokenizer_info", api.tokenizer_info),
        Mount("/static", PageFiles(directory=STATIC)),
    ]
    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        ApiError: _api_error,
        HTTPException: _http_error,
        DataError: _unusable,
        ContextTooLong: _context_too_long,
        QueueFull: _queue_full,
        EngineError: _engine_error,
        ClientGone: _client_gone,
        ClientDisconnect: _client_gone,
        Exception: _unforeseen,
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), settings)


async def _api_error(request: Request, error: ApiError) -> Response:
    return error.response()


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        message = f"{request.url.path} does not take {request.method}."
        return ApiError(405, message, code="method_not_allowed", headers=dict(error.headers or {})).response()
    message = f"There is nothing at {request.url.path}. The API begins at /v1."
    return ApiError(error.status_code, message, code="not_found").response()


async def _engine_error(request: Request, error: EngineError) -> Response:
    return machine_failed(str(error)).response()


async def _unusable(request: Request, error: DataError) -> Response:
    return bad_request(str(error)).response()


async def _context_too_long(request: Request, error: ContextTooLong) -> Response:
    return bad_request(str(error), "prompt", "context_length_exceeded").response()


async def _queue_full(request: Request, error: QueueFull) -> Response:
    return too_busy().response()


async def _client_gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; nginx's number for "client closed request"


async def _unforeseen(request: Request, error: Exception) -> Response:
    return machine_failed(f"{type(error).__name__}: {error}").response()


def _nothing_to_cancel() -> None:
    pass
