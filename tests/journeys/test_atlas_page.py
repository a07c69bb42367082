"""The atlas in a real browser: what is drawn, hover, search, legend, touch, hostile texts, and 50,000 dots in time."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbook.data import atlas

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HOSTILE = '</script><img src=x onerror="document.title=1"><b>bold</b>'
FRAMES = """async () => {
  const map = document.querySelector("#map");
  map.setPointerCapture = () => {};
  const point = (type, x, y) => map.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: x, clientY: y,
    buttons: type === "pointerup" ? 0 : 1, bubbles: true, pointerType: "mouse" }));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  window.spent.length = 0;
  point("pointerdown", 700, 400);
  for (let i = 0; i < 60; i++) {
    point("pointermove", 700 + 150 * Math.sin(i / 9), 400 + 90 * Math.cos(i / 7));
    await frame();
  }
  point("pointerup", 700, 400);
  for (let i = 0; i < 60; i++) {
    const deltaY = i % 40 < 20 ? -60 : 60;
    map.dispatchEvent(new WheelEvent("wheel", { deltaY, clientX: 700, clientY: 400, cancelable: true }));
    await frame();
  }
  const ordered = window.spent.slice().sort((a, b) => a - b);
  return { many: ordered.length, p95: ordered[Math.floor(0.95 * ordered.length)] };
}"""
SPENT = """
  const original = window.requestAnimationFrame.bind(window);
  window.spent = [];
  window.requestAnimationFrame = (work) => original((time) => {
    const start = performance.now();
    work(time);
    if (work.name === "draw") window.spent.push(performance.now() - start);
  });
"""


def put(path: Path, count: int) -> Path:
    """A page of `count` dots in four groups; the first dot says something hostile and lies alone in a corner."""
    stream = np.random.default_rng(3)
    group = np.arange(count) % 4
    spots = np.array([[0.3, 0.3], [0.7, 0.3], [0.3, 0.7], [0.7, 0.7]])[group] + stream.normal(size=(count, 2)) * 0.05
    spots = np.clip(spots, 0, 1)
    spots[0] = [0.98, 0.5]
    words = random.Random(1)
    texts = [" ".join(words.choices("mill river wind bread story night".split(), k=30)) for _ in range(count)]
    texts[0] = HOSTILE + " needle"
    outcome = ["rule.short" if n % 4 == 3 else "kept" for n in range(count)]
    parts = {
        "ids": [f"{n:032x}" for n in range(count)],
        "urls": [f"https://x.example/{n}" for n in range(count)],
        "titles": [HOSTILE, *(f"title {n}" for n in range(1, count))],
        "texts": texts,
        "x": atlas._packed(np.round(spots[:, 0] * 65535).astype("<u2")),
        "y": atlas._packed(np.round(spots[:, 1] * 65535).astype("<u2")),
        "groups": [{"label": f"group {n}", "x": 0.3 + 0.4 * (n % 2), "y": 0.3 + 0.4 * (n // 2)} for n in range(4)],
        "facets": [
            atlas.facet("group", [f"group {n}" for n in group]),
            atlas.facet("kept or dropped", outcome, quiet="kept"),
        ],
    }
    path.write_text(atlas.page(parts, HOSTILE, 2 * count), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: install the system package `chromium`")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: install hornbook[dev]")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def opened(browser: Any, file: Path, **more: Any) -> Any:
    context = browser.new_context(**({"viewport": {"width": 1100, "height": 800}} | more))
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.errors, page.elsewhere = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda r: page.elsewhere.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    page.add_init_script(SPENT)
    page.goto(f"file://{file}")
    page.wait_for_selector("html[data-ready]")
    page.wait_for_function("window.spent.length > 0")
    return page


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(tmp_path_factory.mktemp("atlas") / "atlas.html", 500)


@pytest.fixture
def page(browser: Any, small: Path) -> Iterator[Any]:
    page = opened(browser, small)
    yield page
    assert page.errors == [] and page.elsewhere == [], "the page failed, or asked for something outside"
    page.context.close()


def colours(page: Any) -> int:
    """Different colours on the canvas."""
    return page.evaluate(
        """() => { const c = document.querySelector("#map");
          const drawn = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
          return new Set(new Uint32Array(drawn.buffer)).size; }"""
    )


def settle(page: Any) -> None:
    page.evaluate("() => new Promise((d) => requestAnimationFrame(() => requestAnimationFrame(d)))")


def test_dots_legend_and_counts(page: Any) -> None:
    assert colours(page) > 20
    assert page.text_content("#counts") == "500 documents of about 1,000"
    assert page.locator("#legend button").all_text_contents() == [f"group {n}125" for n in range(4)]
    before = colours(page)
    for n in (1, 2, 3):
        page.click(f"#legend li:nth-child({n + 1}) button")
    settle(page)
    assert colours(page) < before
    page.click("#legend li:nth-child(4) button", modifiers=["Shift"])
    assert page.locator("#legend [aria-pressed=true]").count() == 1
    page.select_option("#facet", label="kept or dropped")
    assert page.locator("#legend button").all_text_contents() == ["kept375", "rule.short125"]


def test_what_documents_say_is_never_markup(page: Any) -> None:
    page.fill("#search", "NEEDLE")
    page.wait_for_selector("#hits button")
    assert page.text_content("#found") == "1 found"
    page.click("#hits button")
    assert HOSTILE in page.text_content("#card b") and page.text_content("#card mark") == "needle"
    assert page.locator("#card img, #card p b, #hits img, header img").count() == 0
    assert page.title().startswith(HOSTILE[:20]) and page.text_content("h1") == HOSTILE
    assert page.text_content("#card code") == "0" * 32


def test_pointing_at_a_dot_opens_its_card_and_dragging_moves_the_map(page: Any) -> None:
    page.click("#all")
    settle(page)
    size = 0.94 * min(1100 - 300, 800)
    x, y = (1100 + 300) / 2 + (0.98 - 0.5) * size, 400
    page.mouse.move(x, y)
    page.wait_for_selector("#card:not([hidden])")
    assert page.text_content("#card code") == "0" * 32
    page.mouse.move(x, y - 200)
    page.wait_for_selector("#card", state="hidden")
    page.mouse.move(500, 700)
    page.mouse.down()
    page.mouse.move(380, 640, steps=4)
    page.mouse.up()
    page.mouse.move(x - 120, y - 60)
    page.wait_for_selector("#card:not([hidden])")
    assert page.text_content("#card code") == "0" * 32


def test_light_and_dark(page: Any) -> None:
    paper = "document.querySelector('#map').getContext('2d').getImageData(1, 799, 1, 1).data[0]"
    assert page.evaluate(paper) > 200
    page.click("#theme")
    settle(page)
    assert page.evaluate(paper) < 60


def test_a_phone_taps_and_finds_room(browser: Any, small: Path) -> None:
    page = opened(
        browser, small, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    assert page.is_hidden("#legend") and page.evaluate("document.documentElement.scrollWidth") <= 390
    page.touchscreen.tap(195 + (0.98 - 0.5) * 0.94 * 390, 390)
    page.wait_for_selector("#card:not([hidden])")
    box = page.locator("#card").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and page.text_content("#card code") == "0" * 32
    page.tap("#fold")
    assert page.is_visible("#legend")
    assert page.errors == []
    page.context.close()


def test_fifty_thousand_dots_stay_fluid(browser: Any, tmp_path: Path) -> None:
    """Drawing takes under 33 ms in 95 of 100 frames (best of five tries: other programs share the cores)."""
    file = put(tmp_path / "atlas.html", 50_000)
    assert file.stat().st_size < 25_000_000
    page = opened(browser, file)
    tries = []
    for _ in range(5):
        tries.append(page.evaluate(FRAMES))
        if tries[-1]["p95"] < 33:
            break
    assert tries[-1]["many"] >= 110, "every frame was drawn"
    assert min(found["p95"] for found in tries) < 33
    assert page.errors == []
    page.context.close()
