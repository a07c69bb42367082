"""`hornbook chat` as people use it: one answer, a pipe, a conversation with commands."""

import builtins
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hornbook.cli.chat import converse
from hornbook.cli.main import command

sys.path.insert(0, str(Path(__file__).parents[1] / "serve"))
from fake_engine import FakeScheduler, fake_served
from tiny_model import tiny_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_folder(tmp_path_factory.mktemp("model")))


def test_one_answer(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["chat", folder, "--prompt", "hello", "--max-tokens", "12", "--seed", "3"]
    assert command(asked) == 0
    first = capsys.readouterr().out
    assert first.strip() and first.endswith("\n")
    assert command(asked) == 0
    assert capsys.readouterr().out == first


def test_lines_from_a_pipe_are_questions(
    folder: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n\ntwo\n"))
    assert command(["chat", folder, "--max-tokens", "3", "--temperature", "0"]) == 0
    out = capsys.readouterr()
    assert out.out.strip() and out.err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing-here"], 'no run or checkpoint "nothing-here"'),
        (["x", "--prompt", " "], "--prompt is empty"),
        (["x", "--temperature=-1"], "from 0 to 100"),
        (["x", "--max-tokens=-1"], "0 means as long as fits"),
        ([], "model"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["chat", *words]) == 2
    out = capsys.readouterr()
    assert said in out.err and "Traceback" not in out.err and out.out == ""


def test_a_run_without_a_model_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.toml").write_text("")
    assert command(["chat", str(tmp_path)]) == 2
    assert "no finished model" in capsys.readouterr().err


def talk(monkeypatch: pytest.MonkeyPatch, lines: list[str | BaseException], scheduler: FakeScheduler) -> None:
    """A conversation in which the reader types these lines."""
    from hornbook.serve.session import Session, plain_sampling

    typed: Iterator[str | BaseException] = iter(lines)

    def read(prompt: str = "") -> str:
        line = next(typed, EOFError())
        if isinstance(line, BaseException):
            raise line
        return line

    monkeypatch.setattr(builtins, "input", read)
    converse(Session(fake_served(scheduler), plain_sampling()))


def test_a_conversation_with_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    scheduler = FakeScheduler(write=lambda request: f"answer {len(request.ids)}")
    lines = ["hello", "/regen", "/temperature 0", "/temperature x", "/max 5", "/seed 4", "/system be kind", "hi"]
    lines += [f"/save {tmp_path / 'talk.jsonl'}", "/reset", "/save x", "/help", "/sistem", KeyboardInterrupt(), "/quit"]
    talk(monkeypatch, lines, scheduler)
    out = capsys.readouterr().out
    assert re.search(r"answer 12\n  9 tokens · [\d,]+ tokens/s", out)
    for piece in (
        "Saved 4 messages",
        "A new conversation",
        "Nothing was said yet",
        "/regen  ",
        'did you mean "system"',
    ):
        assert piece in out
    assert '"x" is not a number from 0 to 100' in out and "Ctrl-D or /quit leaves" in out
    last = scheduler.requests[-1]
    assert (last.temperature, last.max_tokens, last.seed) == (0.0, 5, 4)
    assert (tmp_path / "talk.jsonl").exists()


def test_failures_do_not_end_the_conversation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(monkeypatch, ["x" * 500, "short"], FakeScheduler(write=lambda request: "fine"))
    out = capsys.readouterr().out
    assert "at most 200" in out and "fine" in out
