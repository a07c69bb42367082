"""A pipe is 100 columns wide and has no colours."""

from hornbook.cli.screen import screen


def test_in_a_pipe(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    console = screen()
    assert console.width == 100 and not console.is_terminal
    console.print("[bold]word[/bold] :smile:")
    assert capsys.readouterr().out == "word :smile:\n"
