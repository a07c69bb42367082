from pathlib import Path

import pytest

from hornbook.core.document import Document, Drop, Keep
from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.data.rules import contents_of, find_filter, known_filters, prepare, rules_with_limits, settings_of


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
    assert decide(Document("1", "12345")) == Keep()
    assert decide(Document("1", "123456")) == Drop("mine.long", 6)
    [rule] = rules_with_limits([str(file)], {}).values()
    assert rule.about == "too long. Source: me"
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
    with pytest.raises(SettingsError, match="fails when imported: ModuleNotFoundError"):
        find_filter(str(tmp_path / "bad.py"))


def test_a_rule_is_there_once() -> None:
    with pytest.raises(SettingsError, match='the rule "c4" is in rules twice'):
        settings_of(["url", "c4", "url2", "c4"], {})


OWN = """
from hornbook.core.document import Drop, Edit, Keep
from hornbook.core.settings import StrictSettings
RULES = {"mine.long": "more than max_chars characters (value: how many)"}
class Settings(StrictSettings):
    max_chars: int = 3
def load(settings):
    return object()
def decide(document, settings, loaded):
    edit = Edit("", {"mine.long": 1, "mine.cut": 1})
    answers = {"drop": Drop("mine.short", 1), "edit": edit, "known": Drop("mine.long", 9)}
    return answers.get(document.text, Keep({"loaded": id(loaded)}))
"""


def test_what_a_rule_loads_is_kept_while_its_settings_and_files_stay_the_same(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OWN)

    def loaded(limit: int, with_contents: bool = True) -> int:
        tables = {str(file): {"max_chars": limit}}
        [decide] = prepare([str(file)], tables, contents_of([str(file)], tables) if with_contents else None)
        return decide(Document("1", "x")).meta["loaded"]

    first = loaded(3)
    assert loaded(3) == first and loaded(4) != first and loaded(3, with_contents=False) != first
    file.write_text(OWN + "# changed\n")
    assert loaded(3) != first


def test_rules_of_ones_own_filter_are_in_its_table(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OWN)
    [decide] = prepare([str(file)], {})
    assert decide(Document("1", "known")) == Drop("mine.long", 9)
    for text, rule in (("drop", "mine.short"), ("edit", "mine.cut")):
        with pytest.raises(SettingsError, match=f'names the rule "{rule}", which is not in its RULES'):
            decide(Document("1", text))
    [found] = rules_with_limits([str(file)], {}).values()
    assert found.setting == f'rule."{file}".max_chars'  # as `--set` takes it


SETTINGS = """
c4: too_long max_chars, lorem_ipsum, curly_bracket, few_sentences min_sentences, line_no_end_mark,
    line_few_words min_line_words, line_javascript, line_policy, line_long_word max_word_chars, citation
entities: person, location, organization, group, date
fineweb: empty, line_ends min_line_ends, short_lines max_short_lines, duplicate_lines max_duplicate_chars,
    newlines max_newlines
gopher: too_short min_words, too_long max_words, short_words min_word_chars, long_words max_word_chars,
    hashes max_symbols, ellipses max_symbols, symbols max_symbols, bullet_lines max_bullet_lines,
    ellipsis_lines max_ellipsis_lines, few_letters min_letter_words, few_stop_words min_stop_words
repetition: lines max_lines, line_chars max_line_chars, paragraphs max_paragraphs, paragraph_chars max_paragraph_chars,
    top_2gram max_top_ngrams[0], top_3gram max_top_ngrams[1], top_4gram max_top_ngrams[2],
    duplicate_5gram max_duplicate_ngrams[0], duplicate_6gram max_duplicate_ngrams[1],
    duplicate_7gram max_duplicate_ngrams[2], duplicate_8gram max_duplicate_ngrams[3],
    duplicate_9gram max_duplicate_ngrams[4], duplicate_10gram max_duplicate_ngrams[5]
language: other, unknown min_confidence, mixed max_other_frac, line
outliers: mean_word, median_word, longest_word max_longest_word_chars, digits max_digits, capitals max_capitals,
    white_space max_white_space, urls max_urls, parentheses max_parentheses, symbols max_symbols, entropy min_entropy,
    repetitive min_compression, noise max_compression
perplexity: too_high max_perplexity, too_low min_perplexity, part
pii: email, phone, ip, card, iban, ssn, national_id, coin, street, person, too_many max_hits, nothing_left, forbidden
refinedweb: line_upper_case max_upper_frac, line_digits max_digit_frac, line_counter, line_few_words min_line_words,
    phrase, too_much_removed max_removed_frac
url: host, hard_word, soft_words, ip_address
blocklist: host, address, rule
bad_words: strong, count max_count, distinct max_distinct, frac max_frac, little_left max_removed_frac, line, paragraph,
    word
"""


def test_every_rule_points_at_the_setting_that_decides_about_it(tmp_path: Path) -> None:
    expected: dict[str, str] = {}
    for part in SETTINGS.strip().replace("\n    ", " ").split("\n"):
        head, _, rules = part.partition(": ")
        expected |= {f"{head}.{rule.split()[0]}": "".join(rule.split()[1:]) for rule in rules.split(",")}
    (tmp_path / "reference.txt").write_text("One text.\n\nAnother text.")
    tables = {"perplexity": {"reference": str(tmp_path / "reference.txt")}}
    found: dict[str, str] = {}
    for name, rule in rules_with_limits(known_filters(), tables).items():
        place = "" if rule.index is None else f"[{rule.index}]"
        found[name] = rule.setting.rpartition(".")[2] + place
        direction = {"max": 1, "min": -1}.get(rule.setting.rpartition(".")[2][:3], 0)
        assert rule.sign == direction or rule.limit is None, name
    assert found == expected
