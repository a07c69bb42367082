"""`hornbook serve`: an OpenAI-compatible server and a chat page for one model."""

import os
from typing import Annotated

import typer


def serve(
    model: Annotated[str, typer.Argument(help="A run (folder or name), RUN/STAGE, or a checkpoint folder.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any free one.", min=0, max=65535)] = 8000,
    api_key: Annotated[str, typer.Option(help="Key that requests must carry; or HORNBOOK_API_KEY.")] = "",
    open_to_all: Annotated[bool, typer.Option("--open-to-all", help="Allow a public address without a key.")] = False,
    allow_origin: Annotated[list[str] | None, typer.Option(help="A web page that may call the API.")] = None,
    name: Annotated[str, typer.Option(help="Name to serve the model under; default: the run's.")] = "",
    slots: Annotated[int, typer.Option(help="Answers written at the same time.", min=1, max=256)] = 16,
    max_waiting: Annotated[int, typer.Option(help="Texts that may wait before 429.", min=0)] = 64,
    max_tokens: Annotated[int, typer.Option(help="Longest answer.", min=1)] = 4096,
    max_seconds: Annotated[float, typer.Option(help="Longest time for one request.", min=0.1)] = 600.0,
    eager: Annotated[
        bool, typer.Option("--eager", help="Do not compile (slower answers, nothing to wait for).")
    ] = False,
) -> None:
    """Serve a model: an OpenAI-compatible API under /v1 and a chat page at /."""
    from dataclasses import replace

    from hornbook.serve.pick import pick
    from hornbook.serve.settings import ServeSettings, check_address

    settings = ServeSettings(
        host=host,
        port=port,
        api_key=api_key or os.environ.get("HORNBOOK_API_KEY", ""),
        open_to_all=open_to_all,
        allow_origins=tuple(allow_origin or ()),
        max_waiting=max_waiting,
        max_tokens=max_tokens,
        max_request_s=max_seconds,
    )
    check_address(settings)  # before seconds are spent on imports and weights
    picked = pick(model)
    picked = replace(picked, name=name or picked.name)

    from hornbook.serve.host import banner, listen, note_on_openness, opened, serve_until_stopped

    with listen(settings) as bound, opened(picked, num_slots=slots, compiled=not eager) as served:
        print(banner(served, settings, bound.getsockname()[1]), flush=True)
        if note := note_on_openness(settings):
            print(note, flush=True)
        serve_until_stopped(served, settings, bound)
    print("Stopped.")
