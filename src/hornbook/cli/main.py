"""The `hornbook` command: help from a static table, and each verb's file imported only when it is called.

A verb is a function of the verb's name in the file of that name, with typer annotations. Importing typer, rich or
any stage costs more than the help itself (typer 0.11 s), so nothing is imported until a verb is known.
"""

import importlib
import os
import sys
from collections.abc import Sequence

VERBS = {
    "new": "look at my files and write a recipe for them",
    "run": "run a recipe: build what is missing or changed, skip what is done",
    "plan": "check a recipe and say what it will take, before any compute is spent",
    "look": "show an artifact or a run: counts, samples, drops, curves, progress",
    "why": "why a page was dropped, or where it is now, by id, address or words",
    "readings": "what each reading of the published filter rules would drop of my documents",
    "compare": "two runs side by side: settings, data, curves, scores",
    "stages": "list the stages, or the settings of one",
    "chat": "talk to a model in the terminal",
    "serve": "serve a model: OpenAI-compatible API and a chat page",
    "clean": "say what could be freed, then free it",
    "doctor": "check this machine and give advice",
}
DEBUG = "--debug"


def main() -> None:
    """Entry point of the `hornbook` command."""
    sys.exit(command(sys.argv[1:]))


def command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0, 2 for the user's mistakes, 1 for failures, 130 for Ctrl-C."""
    debug = DEBUG in arguments or bool(os.environ.get("HORNBOOK_DEBUG"))
    words = [word for word in arguments if word != DEBUG]
    if not words or words[0] in ("--help", "-h", "help"):
        print(overview())
        return 0
    if words[0] in ("--version", "-V"):
        from importlib.metadata import version

        print(f"hornbook {version('hornbook')}")
        return 0
    if words[0] not in VERBS:
        return _unknown(words[0])
    try:
        return call_verb(words[0], words[1:])
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence: a sentence, never a bare traceback
        return failed(error, debug)


def overview() -> str:
    """The help page of `hornbook` itself."""
    width = max(len(verb) for verb in VERBS)
    verbs = "\n".join(f"  {verb:<{width}}  {text}" for verb, text in VERBS.items())
    return f"""Usage: hornbook COMMAND ...

Build a small language model end to end: raw web pages in, a served, evaluated assistant out.

{verbs}

Begin with `hornbook run demo`, then `hornbook chat runs/demo`.
`hornbook COMMAND --help` says more. --debug shows tracebacks; --version the version."""


def call_verb(verb: str, words: Sequence[str]) -> int:
    """Import a verb's file and run its function on the rest of the command line."""
    import typer

    function = getattr(importlib.import_module(f"hornbook.cli.{verb}"), verb)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})(function)
    try:
        code = app(args=list(words), prog_name=f"hornbook {verb}", standalone_mode=False)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        message = getattr(error, "format_message", None)  # the parser's own errors (typer carries its own click)
        if message is None:
            raise
        print(f"hornbook {verb}: {message().rstrip('.')}. `hornbook {verb} --help` says more.", file=sys.stderr)
        return 2
    return code if isinstance(code, int) else 0


def failed(error: Exception, debug: bool) -> int:
    """Say a failure in one paragraph on stderr; the traceback only when asked for."""
    from hornbook.core.errors import HornbookError, is_disk_full

    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, HornbookError):
        print(f"hornbook: {error}", file=sys.stderr)
        return error.exit_code
    if is_disk_full(error):
        print("hornbook: the disk is full. Free some space (`hornbook clean` says what could go).", file=sys.stderr)
        return 1
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    print(f"hornbook: unexpected {said}. Run again with --debug for the traceback.", file=sys.stderr)
    return 1


def _unknown(word: str) -> int:
    import difflib

    near = difflib.get_close_matches(word, list(VERBS), n=1)
    hint = f"did you mean `hornbook {near[0]}`?" if near else "`hornbook --help` lists the commands."
    print(f'hornbook: there is no command "{word}"; {hint}', file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
