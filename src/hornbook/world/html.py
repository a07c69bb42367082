"""Texts as web pages: with navigation, advertising and footers around them, tidy or broken."""

import html
import random

from hornbook.world.prose import Text

NAVIGATION = ("Home", "News", "People", "Places", "Stories", "Forum", "Shop", "About", "Contact")
SITES = {
    "encyclopedia": "who-is-who.example",
    "stories": "bedtime-stories.example",
    "letters": "old-letters.example",
    "forum": "town-forum.example",
    "chat": "ask-anything.example",
    "shop": "market-square.example",
    "code": "little-programs.example",
    "spam": "best-prices.example",
    "foreign": "zhulaqi.example",
}


def page(text: Text, generator: random.Random, number: int) -> str:
    """The HTML page of a text; one in twelve has broken markup that readers must live with."""
    close = "" if generator.random() < 1 / 12 else "</p>"
    tag = "pre" if text.kind == "code" else "p"
    close = "</pre>" if tag == "pre" else close
    body = "\n".join(f"<{tag}>{html.escape(p, quote=False)}{close}" for p in text.paragraphs)
    title = html.escape(text.title, quote=False)
    links = "".join(f'<li><a href="/{name.lower()}">{name}</a></li>' for name in NAVIGATION)
    return (
        f'<!DOCTYPE html>\n<html lang="{text.language}"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font-family:serif}</style><script>var page=1;</script></head>\n"
        f"<body><header><nav><ul>{links}</ul></nav></header>\n<main><article>\n<h1>{title}</h1>\n{body}\n"
        "</article></main>\n"
        f'<aside class="ad"><a href="/offer/{number % 97}">Special offer</a></aside>\n'
        '<footer><a href="/privacy">Privacy</a> <a href="/terms">Terms</a> All rights reserved</footer>'
        "</body></html>\n"
    )


def url(text: Text, number: int) -> str:
    """The address of a text's page."""
    return f"https://{SITES[text.kind]}/{text.kind}/{number}.html"
