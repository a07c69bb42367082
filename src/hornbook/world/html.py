"""Web pages around texts: navigation, advertisements, footers; broken markup and wrong encodings on request."""

import html
import random
import re
from dataclasses import dataclass

MENU = ("Home", "News", "About us", "Archive", "Contact", "Help", "Search", "Members")
ADVERTS = (
    "Buy two hats and pay for one!",
    "Sleep better tonight with our new pillow.",
    "Click here for the lowest prices of the year!",
    "Your neighbours already have this kettle.",
)
FOOTERS = ("All rights reserved.", "Terms of use", "Privacy policy", "Made with care", "Sitemap", "Imprint")


@dataclass(frozen=True)
class Sheet:
    """What a page shows: a headline, paragraphs (`# ...` is a heading), and links that it names as its sources."""

    title: str
    paragraphs: tuple[str, ...]
    sources: tuple[str, ...] = ()


def render(sheet: Sheet, design: int, generator: random.Random) -> str:
    """The page in one of the site designs."""
    body = "\n".join(_block(text) for text in sheet.paragraphs)
    parts = (_semantic, _classes, _table)[design % 3](sheet, body, generator)
    head = f'<meta charset="utf-8">\n<title>{html.escape(sheet.title)}</title>\n<style>nav a {{ padding: 4px }}</style>'
    script = "<script>var visits = 1; function count() { visits += 1 }</script>"
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n{script}\n</head>\n<body>\n{parts}\n</body>\n</html>\n'


def broken(page: str, generator: random.Random) -> str:
    """The page as careless programs write it: closing tags missing, others doubled, attributes without quotes."""
    page = page.replace("</p>", "", 1 + page.count("</p>") // 2)
    page = re.sub(r'(class|id)="(\w+)"', r"\1=\2", page)
    page = page.replace("</div>", "</div></span>", 1).replace("</html>", "" if generator.random() < 0.5 else "</htm>")
    return page.replace("<nav>", "<nav><b><i>", 1)


def encode(page: str, flaw: str) -> tuple[bytes, str]:
    """The page's bytes and the charset that the server names. `flaw`: "" or one of the two usual mistakes."""
    if flaw == "utf8_as_latin1":
        return page.encode(), "iso-8859-1"
    if flaw == "latin1_as_utf8":
        return page.encode("windows-1252", "xmlcharrefreplace"), "utf-8"
    return page.encode(), "utf-8"


def _block(text: str) -> str:
    if text.startswith("# "):
        return f"<h2>{html.escape(text[2:])}</h2>"
    return f"<p>{html.escape(text, quote=False)}</p>"


def _menu(generator: random.Random, count: int) -> str:
    return "".join(
        f'<li><a href="/{word.lower().replace(" ", "-")}">{word}</a></li>' for word in generator.sample(MENU, count)
    )


def _sources(sheet: Sheet) -> str:
    links = "".join(f'<li><a href="{html.escape(url)}">{html.escape(url)}</a></li>' for url in sheet.sources)
    return f'<div class="references"><ol>{links}</ol></div>' if links else ""


def _semantic(sheet: Sheet, body: str, generator: random.Random) -> str:
    return (
        f"<header><nav><ul>{_menu(generator, 5)}</ul></nav></header>\n"
        f"<main>\n<article>\n<h1>{html.escape(sheet.title)}</h1>\n{body}\n</article>\n</main>\n"
        f'<aside class="advert"><p>{generator.choice(ADVERTS)}</p></aside>\n{_sources(sheet)}\n'
        f"<footer><p>{' | '.join(generator.sample(FOOTERS, 3))}</p></footer>"
    )


def _classes(sheet: Sheet, body: str, generator: random.Random) -> str:
    return (
        f'<div class="navigation"><ul class="menu">{_menu(generator, 6)}</ul></div>\n'
        f'<div class="sidebar"><div class="ad-banner">{generator.choice(ADVERTS)}</div></div>\n'
        f'<div class="content" id="main">\n<h1>{html.escape(sheet.title)}</h1>\n{body}\n</div>\n{_sources(sheet)}\n'
        f'<div class="footer">{" - ".join(generator.sample(FOOTERS, 4))}</div>'
    )


def _table(sheet: Sheet, body: str, generator: random.Random) -> str:
    return (
        f'<div id="header"><ul class="nav">{_menu(generator, 4)}</ul></div>\n'
        f'<div id="wrapper"><div class="post"><h1>{html.escape(sheet.title)}</h1>\n'
        f'<div class="entry-content">\n{body}\n</div></div>\n'
        f'<div class="widget">{generator.choice(ADVERTS)}</div></div>\n'
        f'{_sources(sheet)}\n<div id="footer"><span>{generator.choice(FOOTERS)}</span></div>'
    )
