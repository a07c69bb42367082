import gc
import random
import re
import sys
from pathlib import Path

import pytest

from hornbook.data.html import page as html
from hornbook.data.html.page import decode_html, to_text

sys.path.insert(0, str(Path(__file__).parents[1]))
import warcs


def test_decoding_a_page() -> None:
    assert decode_html("größer".encode(), "iso-8859-1") == ("größer", "")  # valid UTF-8 wins over a wrong header
    assert decode_html("größer".encode("cp1252"), "iso-8859-1") == ("größer", "transcoded")
    meta = '<meta charset="windows-1251"><p>Жили-были старик со старухой'
    assert decode_html(meta.encode("cp1251"), "") == (meta, "transcoded")
    assert decode_html("\ufeffhé".encode(), "latin-1") == ("hé", "")
    assert decode_html("hé".encode("utf-16"), "") == ("hé", "transcoded")
    text, repair = decode_html(b"caf\xe9 " * 20, "no-such-charset")
    assert (text, repair) == ("café " * 20, "transcoded")


@pytest.mark.parametrize("profile", ["precise", "fast", "markdown"])
def test_the_article_is_found_and_the_rest_is_not(profile: str) -> None:
    text = to_text(warcs.page("Oldtown"), profile)  # type: ignore[arg-type]
    for paragraph in warcs.body("Oldtown"):
        assert paragraph in text
    assert "About Oldtown" in text
    assert "Imprint" not in text and "Cookies" not in text and "<" not in text


CODE = """<article><h1>How to count $n$</h1>
<p>The loop below counts every visitor of the village and prints the number once a day.</p>
<pre><code class="language-python">for visitor in village:
    if visitor.new:
        count += 1
</code></pre>
<p>It takes <math><msup><mi>n</mi><mn>2</mn></msup></math> steps, which is fine for a village of this size.</p>
<ul><li>one step for each visitor that came to the market today</li>
<li>one more step for the miller and his grey cat</li></ul>
</article>"""


@pytest.mark.parametrize("profile", ["precise", "fast", "markdown"])
def test_code_lists_and_formulas_survive(profile: str) -> None:
    text = to_text(warcs.PAGE.format(title="Counting", body=CODE), profile)  # type: ignore[arg-type]
    assert "for visitor in village:\n    if visitor.new:\n        count += 1" in text
    assert "$n^2$ steps" in text and "- one more step" in text
    assert ("```python\nfor" in text) == (profile == "markdown")


def test_a_second_opinion_is_asked_for_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(html, "_second_opinion", lambda page: asked.append(page) or "")
    assert to_text(warcs.page("Oldtown"), "fast") == to_text(warcs.page("Oldtown"), "precise") and not asked
    monkeypatch.setattr(html, "CERTAIN_F1", 2.0)
    assert "About Oldtown" in to_text(warcs.page("Oldtown"), "fast") and not asked
    assert "About Oldtown" in to_text(warcs.page("Oldtown"), "precise") and asked == [warcs.page("Oldtown")]


def test_both_profiles_keep_the_same_blocks() -> None:
    for place in range(6):
        body = (
            CODE.replace("counts", "<b>c</b>ounts")
            .replace("steps", "<i> steps</i>")
            .replace("village", "<b>v</b>illage", place)
        )
        page = warcs.PAGE.format(
            title="Counting <b>n</b>", body=f"<b>{warcs.body('Anton')[0]}</b><br><b></b><br>" + body
        )
        found = [re.sub(r"[*`#\s>-]|python", "", to_text(page, profile)) for profile in ("precise", "markdown")]  # type: ignore[arg-type]
        assert found[0] == found[1]


def test_a_deep_page_is_not_given_to_another_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    assert html._second_opinion("<svg>" + "<g>" * 1500 + "</svg>x") is None
    with pytest.raises(ImportError):
        html._second_opinion("<svg>" + "<g>" * 500 + "</svg>x")


def test_the_collector_rests_and_has_nothing_to_do() -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        gc.collect()
        with html.collector_at_rest():
            assert not gc.isenabled()
            to_text(warcs.page("Oldtown"), "fast")
            assert gc.collect() == 0
        with pytest.raises(ZeroDivisionError), html.collector_at_rest():
            _ = 1 / 0
        assert gc.isenabled() == enabled
    gc.enable()


def test_mutated_pages_raise_nothing() -> None:
    page = warcs.PAGE.format(title="Counting", body=CODE + "<table><tr><td>a<td>b</table>")
    chance = random.Random(3)
    for _ in range(150):
        text = page
        for _ in range(chance.randint(1, 8)):
            begin = chance.randrange(len(text))
            end = min(len(text), begin + chance.choice((0, 1, 3, 40)))
            text = (
                text[:begin]
                + chance.choice(
                    ("", "<", ">", '"', "</div>", "<pre>", "\x00", "&#x110000;", "&#" + "9" * 5000, text[:60])
                )
                + text[end:]
            )
        for profile in ("fast", "markdown"):
            found = to_text(text, profile)  # type: ignore[arg-type]
            assert found == found.strip() and "\x01" not in found
