"""Filter bad_words: drop, cut or mask what has words of a list, one's own or a short one that is built in."""

from collections import Counter
from pathlib import Path
from typing import Literal

import pydantic

from hornbook.core import seed
from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.errors import DataError
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.data.language.spans import cut_around, replace_spans
from hornbook.data.language.word_lists import WORD, Hit, WordList, word_list

RULES = {
    "bad_words.strong": "an entry marked `!` in a list (value: the entry)",
    "bad_words.count": "more hits than max_count (value: hits and entries). Source: C4 drops at the first one",
    "bad_words.distinct": "more different entries than max_distinct (value: how many, and which)",
    "bad_words.frac": "share of words that are hits above max_frac, with min_count of them (value: share and entries)",
    "bad_words.little_left": "cutting or masking would take more than max_removed_frac of the text (value: the share)",
    "bad_words.line": "edit: a line with a hit was taken out",
    "bad_words.paragraph": "edit: a paragraph with a hit was taken out",
    "bad_words.word": "edit: a hit was masked",
}

BUILT_IN = (
    "bastard bastards bloody bollocks bullshit crap crappy damn damned dammit goddamn dumb dumbass filthy idiot idiots "
    "idiotic imbecile imbeciles jackass loser losers moron morons moronic pathetic scum scumbag scumbags stupid "
    "camgirls hentai porn porno pornography sexcam xxx"
).split()
BUILT_IN_PHRASES = ("shut up", "go to hell", "get lost", "screw you", "piss off", "shut your mouth", "i hate you")
INNOCENT = ("bloody mary", "bloody sunday", "dumb waiter", "dumb bell", "dumb bells", "dumb show")


class Settings(StrictSettings):
    """Which words, how many are too many, and what happens then."""

    paths: tuple[InputPath, ...] = ()
    """Lists: files, or folders of files named by language (`en`, `de.txt`), one word or phrase a line as in LDNOOBW.
    `!word`: one is enough for a drop; `~phrase`: inside it nothing counts (`~moby dick`); `# ` begins a comment."""
    languages: tuple[str, ...] = ("en",)
    """Which files of a folder are read."""
    built_in: bool = True
    """Also use Hornbook's own English list: some forty mild words, meant for shares. For more, bring a list (LDNOOBW
    has 27 languages)."""
    innocent: tuple[str, ...] = INNOCENT
    """Phrases inside which nothing counts."""
    action: Literal["drop", "line", "paragraph", "mask"] = "drop"
    """`drop` the document when it is above a limit; take out every `line` or `paragraph` with a hit; or `mask` hits."""
    max_frac: float | None = pydantic.Field(default=0.02, ge=0, le=1)
    """With `drop`: largest share of words that may be hits; empty = any."""
    min_count: int = pydantic.Field(default=3, ge=1)
    """Fewer hits than this are never too large a share."""
    max_distinct: int | None = pydantic.Field(default=None, ge=0)
    """With `drop`: most different entries; empty = any."""
    max_count: int | None = pydantic.Field(default=None, ge=0)
    """With `drop`: most hits; 0 is C4's rule, empty = any."""
    keep_frac: float = pydantic.Field(default=0.0, ge=0, le=1)
    """Share of documents above a limit that stay all the same, chosen by id (so that a model has met the words)."""
    max_removed_frac: float = pydantic.Field(default=0.5, ge=0, le=1)
    """With the other actions: drop the document when more than this share of its characters would go."""
    placeholder: str = "[RUDE]"
    """What `mask` writes."""


def load(settings: Settings) -> WordList:
    """The list made ready. Raises DataError when files give no entry."""
    lines = [*BUILT_IN, *BUILT_IN_PHRASES] if settings.built_in else []
    for path in map(resolve_input, settings.paths):
        for file in _files(path, settings.languages):
            try:
                lines += file.read_text("utf-8-sig").splitlines()
            except (UnicodeDecodeError, OSError) as error:
                raise DataError(f"the word list cannot be read: {error}", where=str(file)) from error
    found = word_list(lines, settings.innocent)
    if not found.phrases and not found.inside:
        raise DataError("there are no bad words", where="rule bad_words", do="Give paths, or built_in = true")
    return found


def _files(path: Path, languages: tuple[str, ...]) -> list[Path]:
    if path.is_file():
        return [path]
    files = [path / f"{language}{end}" for language in languages for end in ("", ".txt") if language]
    if not (found := [file for file in files if file.is_file()]):
        raise DataError("no list for these languages is here", where=str(path), do=f"Looked for {', '.join(languages)}")
    return found


def decide(document: Document, settings: Settings, listed: WordList) -> Decision:
    """Look up the words, then apply the limits.

    Source: Raffel et al. 2020 (C4), 2.2, with `max_count = 0`: one word drops a page; its later program keeps a
    share at random. Deviations: entries are whole words except in scripts without spaces (mC4's reading).
    """
    hits = listed.find(document.text)
    if not hits:
        return Keep()
    drop = _over(document.text, hits, settings, listed) if settings.action == "drop" else _strong(hits, listed)
    if drop is not None:
        return Keep() if _spared(document, settings) else drop
    return Keep() if settings.action == "drop" else _edit(document.text, hits, settings)


def _strong(hits: list[Hit], listed: WordList) -> Drop | None:
    entry = next((hit.entry for hit in hits if hit.entry in listed.strong), "")
    return Drop("bad_words.strong", entry) if entry else None


def _over(text: str, hits: list[Hit], settings: Settings, listed: WordList) -> Drop | None:
    """The first limit that is passed."""
    counts = Counter(hit.entry for hit in hits)
    examples = ", ".join(entry for entry, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5])
    if strong := _strong(hits, listed):
        return strong
    if settings.max_count is not None and len(hits) > settings.max_count:
        return Drop("bad_words.count", f"{len(hits)}: {examples}")
    if settings.max_distinct is not None and len(counts) > settings.max_distinct:
        return Drop("bad_words.distinct", f"{len(counts)}: {examples}")
    if settings.max_frac is not None and len(hits) >= settings.min_count:
        frac = len(hits) / max(1, len(WORD.findall(text)))
        if frac > settings.max_frac:
            return Drop("bad_words.frac", f"{frac:.3f}: {examples}")
    return None


def _spared(document: Document, settings: Settings) -> bool:
    """Whether the document is one of the share that stays: by its id, the same in every run."""
    return settings.keep_frac > 0 and seed.key(0, f"bad_words {document.id}") < settings.keep_frac * 2**64


def _edit(text: str, hits: list[Hit], settings: Settings) -> Decision:
    if settings.action == "mask":
        result = replace_spans(text, ((hit.begin, hit.end, settings.placeholder) for hit in hits))
        number, removed = len(hits), sum(hit.end - hit.begin for hit in hits)
        rule = "bad_words.word"
    else:
        unit = "line" if settings.action == "line" else "paragraph"
        result, number = cut_around(text, ((hit.begin, hit.end) for hit in hits), unit)
        removed, rule = len(text) - len(result), f"bad_words.{unit}"
    frac = removed / len(text)
    if frac > settings.max_removed_frac:
        return Drop("bad_words.little_left", frac)
    return Edit(result, {rule: number})
