"""`hornbook chat`: talk to a model in the terminal, or get one answer on a line."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hornbook.serve.session import Session

HELP = """\
  /regen              another answer to what you said last
  /reset              begin a new conversation
  /system TEXT        what the model is told first; without TEXT: nothing
  /temperature N      0 is the likeliest answer, 1 the model's own taste
  /max N              longest answer in tokens; 0: as long as fits
  /seed N             the same seed gives the same answer; without N: a new one each time
  /save FILE          write the conversation as JSON lines
  /help  /quit        Ctrl-C stops an answer, Ctrl-D leaves"""


def chat(
    model: Annotated[str, typer.Argument(help="A run (folder or name), RUN/STAGE, or a checkpoint folder.")],
    prompt: Annotated[
        str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="Say this, print the answer, leave.")
    ] = None,
    system: Annotated[str, typer.Option(metavar="TEXT", help="What the model is told first.")] = "",
    temperature: Annotated[float, typer.Option(metavar="N", help="0 is the likeliest answer.")] = 0.7,
    max_tokens: Annotated[int, typer.Option(metavar="N", help="Longest answer; 0: as long as fits.")] = 0,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same answer.")] = None,
) -> None:
    """Talk to a model in the terminal. Lines can be piped in, too: one question each."""
    from hornbook.serve.pick import pick

    check_options(prompt, temperature, max_tokens)
    picked = pick(model)

    import torch

    from hornbook.serve.host import opened
    from hornbook.serve.session import Session, plain_sampling

    interactive = prompt is None and sys.stdin.isatty()
    # one reader: fp32 is faster than bf16 at a batch of one; compiling pays only when the conversation goes on
    with opened(picked, num_slots=1, compiled=interactive, dtype=torch.float32) as served:
        session = Session(served, plain_sampling(temperature, max_tokens or None, seed), system)
        if prompt is not None:
            speak(session.ask(prompt))
        elif interactive:
            converse(session)
        else:
            for line in piped_lines():
                speak(session.ask(line))


def check_options(prompt: str | None, temperature: float, max_tokens: int) -> None:
    """Raises SettingsError for options that no answer can follow."""
    from hornbook.core.errors import SettingsError

    if prompt is not None and not prompt.strip():
        raise SettingsError("--prompt is empty", do="Say something")
    if not 0 <= temperature <= 100:
        raise SettingsError(f"--temperature is {temperature:g}; it can be from 0 to 100")
    if max_tokens < 0:
        raise SettingsError(f"--max-tokens is {max_tokens}; 0 means as long as fits")


def piped_lines() -> Iterator[str]:
    """Questions from a pipe; empty lines ask nothing."""
    for line in sys.stdin:
        if line.strip():
            yield line.strip()


def speak(pieces: Iterator[str]) -> None:
    """Print an answer as it comes."""
    for piece in pieces:
        print(piece, end="", flush=True)
    print(flush=True)


def converse(session: "Session") -> None:
    """Ask for lines until the reader has enough."""
    import contextlib
    import importlib

    with contextlib.suppress(ImportError):
        importlib.import_module("readline")  # arrow keys and history in input()

    print(greeting(session))
    while True:
        try:
            line = input("\n› ").strip()
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print("\nCtrl-D or /quit leaves.")
            continue
        if line in ("/quit", "/exit"):
            return
        if line.startswith("/"):
            command(session, line)
        elif line:
            answer(session, session.ask(line))


def greeting(session: "Session") -> str:
    """Whom one talks to, and how to find out more."""
    what = "Talk to" if session.served.is_chat else "A base model continues a text; begin one for"
    return f"{what} {session.served.name}. /help lists the commands."


def answer(session: "Session", pieces: Iterator[str]) -> None:
    """Print one answer, its length and speed; Ctrl-C stops it. Failures are said and the conversation goes on."""
    from hornbook.core.errors import HornbookError

    began = time.monotonic()
    try:
        speak(pieces)
    except KeyboardInterrupt:
        pieces.close()  # type: ignore[attr-defined] - it is a generator
        print(" …")
    except HornbookError as error:
        print(f"\n{error}")
        return
    took_s = time.monotonic() - began
    notes = [f"{session.num_tokens} tokens", f"{session.num_tokens / took_s:.0f} tokens/s"]
    if session.num_left_out:
        notes.append(f"{session.num_left_out} old messages no longer fit")
    if session.finish_reason == "length":
        notes.append("reached its longest length")
    print(f"  {dim(' · '.join(notes))}")


def dim(text: str) -> str:
    """Faint on a terminal that has colours."""
    import os

    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else f"\x1b[2m{text}\x1b[0m"


def command(session: "Session", line: str) -> None:
    """Carry out a line that begins with a slash."""
    word, _, rest = line[1:].partition(" ")
    rest = rest.strip()
    commands: dict[str, Callable[[], None]] = {
        "help": lambda: print(HELP),
        "regen": lambda: answer(session, session.again()),
        "reset": lambda: _reset(session),
        "system": lambda: _system(session, rest),
        "temperature": lambda: _number(session, "temperature", rest, float, 0.0, 100.0),
        "max": lambda: _number(session, "max_tokens", rest, int, 0, 10**9),
        "seed": lambda: _number(session, "seed", rest, int, 0, 2**63 - 1),
        "save": lambda: _save(session, rest),
    }
    if word not in commands:
        from hornbook.core.settings import did_you_mean

        print(f"There is no command /{word}{did_you_mean(word, list(commands))}. /help lists them.")
        return
    commands[word]()


def _reset(session: "Session") -> None:
    session.reset()
    print("A new conversation.")


def _system(session: "Session", text: str) -> None:
    session.system = text
    print("The model is told this first." if text else "The model is told nothing first.")


def _number(session: "Session", name: str, text: str, kind: type, low: float, high: float) -> None:
    """Set a number; an empty one means the default (a temperature has none)."""
    if not text and name != "temperature":
        session.change(**{name: None})
        print(f"{name} is free.")
        return
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        print(f'"{text}" is not a number from {low:g} to {high:g}.')
        return
    session.change(**{name: None if name == "max_tokens" and value == 0 else value})
    print(f"{name} is {value}.")


def _save(session: "Session", name: str) -> None:
    if not name or not session.messages:
        print("Give a file name: /save talk.jsonl" if session.messages else "Nothing was said yet.")
        return
    path = Path(name).expanduser()
    try:
        session.save(path)
    except OSError as error:
        print(f"Cannot write {path}: {error.strerror}.")
        return
    print(f"Saved {len(session.messages)} messages to {path}.")
