"""From a checkpoint folder to a listening server: load the model, bind the port, say where it is, stop cleanly."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from hornbook.compute.threads import in_passing_thread
from hornbook.core.errors import ServeError
from hornbook.core.units import human_count
from hornbook.engine.local import LocalModel, load
from hornbook.engine.scheduler import Scheduler
from hornbook.serve.app import build_app
from hornbook.serve.pick import Picked
from hornbook.serve.served import Served
from hornbook.serve.settings import ServeSettings, check_address, is_loopback
from hornbook.tokenizer.chat import render

MAX_STARTERS = 4
STARTER_CHARS = 90
GOODBYE_S = 2
"""Seconds that answers under way get when the server is stopped."""


@contextmanager
def opened(picked: Picked, *, num_slots: int = 16, compiled: bool = True, dtype: Any = None) -> Iterator[Served]:
    """The model of a picked folder with its engine running; closed at the end."""
    local = in_passing_thread(lambda: load(picked.folder, num_slots=num_slots, compiled=compiled, dtype=dtype))
    # the server counts what waits itself: the engine's own limit must never be the first to be met
    scheduler = Scheduler(local, num_slots=num_slots, queue_limit=1 << 20)
    try:
        yield served_from(local, scheduler, picked)
    finally:
        scheduler.close()


def served_from(local: LocalModel, scheduler: Scheduler, picked: Picked) -> Served:
    """What the routes need of a loaded model and its scheduler."""
    tokenizer = local.tokenizer
    return Served(
        name=picked.name,
        codec=tokenizer,
        writer=scheduler,
        context_tokens=local.context_tokens,
        num_slots=local.num_slots,
        render=lambda messages: render(messages, tokenizer, add_generation_prompt=True).ids,
        score=local.score_with_top,
        special_ids=frozenset(tokenizer.special.values()),
        is_chat=picked.is_chat and tokenizer.template is not None,
        about={
            "parameters": local.settings.num_parameters(),
            "stage": picked.stage,
            "starters": starters(picked.folder),
            "chat_template": tokenizer.template,
        },
        stats=scheduler.stats,
    )


def starters(folder: Path) -> list[str]:
    """Short questions of the tasks that the model's own run made: ways to begin a conversation."""
    found: list[str] = []
    for tasks in sorted(folder.resolve().parent.glob("*/tasks.json")):
        for file in sorted(tasks.parent.glob("*.jsonl")):
            question = _first_question(file)
            if question and question not in found:
                found.append(question)
    return found[:MAX_STARTERS]


def _first_question(file: Path) -> str:
    """The first short one-turn question of a task; empty when there is none."""
    try:
        with file.open(encoding="utf-8") as lines:
            for _, line in zip(range(200), lines, strict=False):
                messages = json.loads(line).get("messages") or []
                said = [item["content"] for item in messages if item["role"] == "user"]
                if len(said) == 1 and len(said[0]) <= STARTER_CHARS and "\n" not in said[0]:
                    return said[0]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    return ""


def listen(settings: ServeSettings) -> socket.socket:
    """A socket bound to the address. Raises ServeError when it is taken or not this machine's."""
    check_address(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host.strip("[]"), settings.port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise ServeError(
            f"cannot listen on {settings.host} port {settings.port}: {said}",
            do="Take another with --port, or stop the program that has it (--port 0 takes any free one)",
            exit_code=1,
        ) from None


def serve_until_stopped(served: Served, settings: ServeSettings, bound: socket.socket) -> None:
    """Answer requests until Ctrl-C or SIGTERM; answers under way are then ended."""
    config = uvicorn.Config(
        build_app(served, settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GOODBYE_S,
        limit_concurrency=1024,
    )
    try:
        uvicorn.Server(config).run(sockets=[bound])
    except KeyboardInterrupt:  # uvicorn has shut down by then and passes the signal on
        return


def banner(served: Served, settings: ServeSettings, port: int) -> str:
    """Where the page and the API are, under which name and key, and a line to try it with."""
    root = f"http://{shown_host(settings.host)}:{port}"
    key = "the one you gave" if settings.api_key else "any text (none is needed)"
    header = " -H 'Authorization: Bearer '$HORNBOOK_API_KEY" if settings.api_key else ""
    if served.is_chat:
        path, body = "chat/completions", '{"messages": [{"role": "user", "content": "Hello"}]}'
    else:
        path, body = "completions", '{"prompt": "Once upon a time", "max_tokens": 60}'
    size = human_count(served.about.get("parameters", 0))
    return "\n".join(
        [
            f"{served.name}: {size} parameters, reads {served.context_tokens:,} tokens, "
            f"{served.num_slots} answers at a time",
            "",
            f"  chat page   {root}",
            f"  base_url    {root}/v1",
            f"  model       {served.name}",
            f"  api_key     {key}",
            "",
            f"  curl {root}/v1/{path}{header} -H 'Content-Type: application/json' -d '{body}'",
            "",
            "Ctrl-C stops the server.",
        ]
    )


def shown_host(host: str) -> str:
    """A host as others can type it: a wildcard address becomes this machine's name."""
    if host in ("0.0.0.0", "::", ""):
        return socket.gethostname()
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def note_on_openness(settings: ServeSettings) -> str:
    """A warning when the server can be used from elsewhere without a key; empty otherwise."""
    if settings.api_key or is_loopback(settings.host):
        return ""
    return "Anybody who can reach this machine can use this model: no API key is set."
