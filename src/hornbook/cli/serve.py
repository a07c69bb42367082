"""`hornbook serve`: an OpenAI-compatible server and a chat page for one model."""

import os
from typing import Annotated

import typer


def serve(
    model: Annotated[str, typer.Argument(help="A run (folder or name), RUN/STAGE, or a checkpoint folder.")],
    host: Annotated[str, typer.Option(metavar="NAME", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 takes any free one.")] = 8000,
    api_key: Annotated[str, typer.Option(metavar="KEY", help="What requests must carry; or HORNBOOK_API_KEY.")] = "",
    open_to_all: Annotated[bool, typer.Option("--open-to-all", help="Allow a public address without a key.")] = False,
    allow_origin: Annotated[list[str] | None, typer.Option(metavar="URL", help="A web page that may call us.")] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the model; default: the run's.")] = "",
    slots: Annotated[int, typer.Option(metavar="N", help="Answers written together.")] = 16,
    max_waiting: Annotated[int, typer.Option(metavar="N", help="Answers that may wait.")] = 64,
    max_tokens: Annotated[int, typer.Option(metavar="N", help="Longest answer.")] = 4096,
    max_seconds: Annotated[float, typer.Option(metavar="S", help="Longest time for a request.")] = 600.0,
    eager: Annotated[bool, typer.Option("--eager", help="Do not compile: slower, ready at once.")] = False,
) -> None:
    """Serve a model: an OpenAI-compatible API under /v1 and a chat page at /."""
    from dataclasses import replace

    from hornbook.core.errors import SettingsError
    from hornbook.core.settings import parse
    from hornbook.serve.pick import pick
    from hornbook.serve.settings import ServeSettings, check_address

    options = {
        "host": host,
        "port": port,
        "api_key": api_key or os.environ.get("HORNBOOK_API_KEY", ""),
        "open_to_all": open_to_all,
        "allow_origins": tuple(allow_origin or ()),
        "num_slots": slots,
        "max_waiting": max_waiting,
        "max_tokens": max_tokens,
        "max_request_s": max_seconds,
    }
    try:
        settings = parse(ServeSettings, options, "hornbook serve")
    except SettingsError as error:
        raise SettingsError(error.found, do="`hornbook serve --help` lists the options") from None
    check_address(settings)  # before seconds are spent on imports and weights
    picked = pick(model)
    picked = replace(picked, name=name or picked.name)

    from hornbook.serve.host import banner, listen, note_on_openness, opened, serve_until_stopped

    with listen(settings) as bound, opened(picked, num_slots=settings.num_slots, compiled=not eager) as served:
        print(banner(served, settings, bound.getsockname()[1]), flush=True)
        if note := note_on_openness(settings):
            print(note, flush=True)
        serve_until_stopped(served, settings, bound)
    print("Stopped.")
