from pathlib import Path

import pytest

from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.data.rules import contents_of, find_filter, known_filters, prepare, rules_table


def test_every_built_in_filter_is_whole_and_documents_its_rules() -> None:
    names = known_filters()
    assert {"url", "language", "gopher_quality", "gopher_repetition", "c4", "pii"} <= set(names)
    for name in names:
        module = find_filter(name)
        if name != "perplexity":  # which has to be told what it should find familiar
            assert module.Settings() == module.Settings()
        for rule, about in module.RULES.items():
            assert rule.count(".") == 1 and len(about) > 10, rule


def test_a_setting_that_a_filter_must_have_is_asked_for() -> None:
    with pytest.raises(SettingsError, match='"reference" is missing'):
        prepare(["perplexity"], {})


def test_unknown_filters_and_settings_are_explained() -> None:
    with pytest.raises(SettingsError, match='no filter is called "langauge"; did you mean "language"'):
        find_filter("langauge")
    with pytest.raises(SettingsError, match='unknown setting "min_word"; did you mean "min_words"'):
        prepare(["gopher_quality"], {"gopher_quality": {"min_word": 3}})
    with pytest.raises(SettingsError, match='rule "c4", which is not in rules'):
        prepare(["url"], {"c4": {}})


def test_a_filter_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "short.py"
    file.write_text(
        "from hornbook.core.document import Drop, Keep\nfrom hornbook.core.settings import StrictSettings\n"
        'RULES = {"mine.long": "too long. Source: me"}\n'
        'class Settings(StrictSettings):\n    limit: int = 3\n    """Most characters."""\n'
        "def decide(document, settings):\n    n = len(document.text)\n"
        '    return Drop("mine.long", n) if n > settings.limit else Keep()\n'
    )
    [decide] = prepare([str(file)], {str(file): {"limit": 5}})
    from hornbook.core.document import Document, Drop, Keep

    assert decide(Document("1", "12345")) == Keep()
    assert decide(Document("1", "123456")) == Drop("mine.long", 6)
    assert rules_table([str(file)]) == {"mine.long": "too long. Source: me"}
    before = contents_of([str(file), "url"], {})
    file.write_text(file.read_text() + "\n# changed\n")
    assert set(before) == {str(file)} and contents_of([str(file)], {}) != before


def test_a_filter_that_loads_something_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("spam\n")
    file = tmp_path / "listed.py"
    file.write_text(
        "from hornbook.core.document import Drop, Keep\n"
        "from hornbook.core.settings import InputPath, StrictSettings, resolve_input\n"
        'RULES = {"mine.word": "a listed word. Source: me"}\n'
        'class Settings(StrictSettings):\n    words: InputPath\n    """The list."""\n'
        "def load(settings):\n    return set(resolve_input(settings.words).read_text().split())\n"
        "def decide(document, settings, listed):\n"
        "    found = listed & set(document.text.split())\n"
        '    return Drop("mine.word", min(found)) if found else Keep()\n'
    )
    tables = {str(file): {"words": str(tmp_path / "words.txt")}}
    [decide] = prepare([str(file)], tables)
    from hornbook.core.document import Document, Drop, Keep

    assert decide(Document("1", "ham")) == Keep()
    assert decide(Document("1", "ham spam")) == Drop("mine.word", "spam")
    before = contents_of([str(file)], tables)
    (tmp_path / "words.txt").write_text("ham\n")
    after = contents_of([str(file)], tables)
    assert [name for name in before if before[name] != after[name]] == [f"{file}.words {tmp_path / 'words.txt'}"]


def test_a_missing_file_is_named_with_its_rule() -> None:
    with pytest.raises(ArtifactError, match=r'nothing is at "no.txt" \(rule blocklist, paths; looked at '):
        contents_of(["blocklist"], {"blocklist": {"paths": ["no.txt"]}})


def test_broken_files_are_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no file is at"):
        find_filter(str(tmp_path / "absent.py"))
    (tmp_path / "half.py").write_text("RULES = {}")
    with pytest.raises(SettingsError, match="has no Settings"):
        find_filter(str(tmp_path / "half.py"))
    (tmp_path / "bad.py").write_text("import nothing_like_this")
    with pytest.raises(SettingsError, match="does not import: ModuleNotFoundError"):
        find_filter(str(tmp_path / "bad.py"))
