"""The chat page in a real browser, against `hornbook serve` in a process of its own: talk, stop, regenerate, edit."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "serve"))
from tiny_model import tiny_folder

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tiny_folder(tmp_path_factory.mktemp("model"), context_tokens=4096)
    command = [sys.executable, "-m", "hornbook.cli.main", "serve", str(folder), "--port", "0", "--eager"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    root = ""
    for line in process.stdout:
        if "chat page" in line:
            root = line.split()[-1]
        if line.startswith("Ctrl-C"):
            break
    assert root, "the server did not start"
    yield root
    process.send_signal(2)
    with process:  # closes its pipe
        assert "Stopped." in process.stdout.read()
        assert process.wait(10) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: install the system package `chromium`")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: install hornbook[dev]")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1100, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.elsewhere, page.errors = [], []
    page.on("request", lambda request: page.elsewhere.append(request.url) if address not in request.url else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector(".starter")
    yield page
    assert page.elsewhere == [], "the page asked another machine for something"
    assert page.errors == []
    context.close()


def say(page: Any, text: str) -> None:
    page.fill("#input", text)
    page.keyboard.press("Enter")


def finished(page: Any) -> None:
    page.wait_for_selector("#send:visible")


def set_longest(page: Any, tokens: int) -> None:
    page.click("#open-settings")
    page.fill("#set-max_tokens", str(tokens))
    page.keyboard.press("Escape")


def test_an_answer_streams_and_is_measured(page: Any) -> None:
    assert page.text_content("#model") == "tiny"
    set_longest(page, 150)
    page.evaluate(
        """() => { window.grown = []; new MutationObserver(() => {
             const length = document.querySelector(".assistant .text")?.textContent.length ?? 0;
             if (length > (window.grown.at(-1) ?? 0)) window.grown.push(length);
           }).observe(document.querySelector("#talk"), { subtree: true, childList: true, characterData: true }); }"""
    )
    say(page, "Hello there")
    finished(page)
    grown = page.evaluate("window.grown")
    assert len(grown) >= 3, "the text came in pieces"
    assert len(page.text_content(".assistant .text")) == grown[-1]
    assert page.text_content(".user .text") == "Hello there"
    measured = page.text_content(".assistant .meta")
    assert measured.startswith("150 tokens · ") and "tokens/s" in measured and "longest length" in measured
    assert page.input_value("#input") == ""


def test_stop_ends_the_text_here_and_in_the_engine(page: Any, address: str) -> None:
    say(page, "Go on for ever")
    page.wait_for_selector(".assistant.writing .text:not(:empty)")
    page.keyboard.press("Escape")
    finished(page)
    assert "stopped" in page.text_content(".assistant .meta")
    text = page.text_content(".assistant .text")
    page.wait_for_timeout(150)
    assert page.text_content(".assistant .text") == text
    for _ in range(20):  # a busy machine needs a moment until the step that it is in has ended
        health = page.request.get(f"{address}/health").json()
        busy = (health["texts"], health["engine"]["active"], health["engine"]["waiting"])
        if busy == (0, 0, 0):
            break
        page.wait_for_timeout(100)
    assert busy == (0, 0, 0)


def test_regenerate_keeps_both_versions(page: Any) -> None:
    set_longest(page, 40)
    say(page, "Once")
    finished(page)
    first = page.text_content(".assistant .text")
    set_longest(page, 20)  # this model says nearly always the same, so the versions differ by their length
    page.click("[aria-label='Write it again']")
    page.wait_for_selector(".pager")
    finished(page)
    second = page.text_content(".assistant .text")
    assert first != second and page.text_content(".pager .count") == "2/2"
    page.click("[aria-label='Earlier version']")
    assert page.text_content(".assistant .text") == first
    page.reload()
    page.wait_for_selector(".pager")
    assert page.text_content(".assistant .text") == first, "the conversation is kept by the browser"


def test_edit_sends_another_question_and_drops_what_followed(page: Any) -> None:
    set_longest(page, 8)
    for text in ("first", "second"):
        say(page, text)
        finished(page)
    assert page.locator(".turn").count() == 4
    page.hover(".user >> nth=0")
    page.click(".user >> nth=0 >> [aria-label='Edit']")
    page.fill(".editor textarea", "other")
    page.keyboard.press("Enter")
    finished(page)
    assert page.locator(".user .text").all_text_contents() == ["other"]
    assert page.locator(".turn").count() == 2


def test_shift_enter_is_a_new_line_and_markup_stays_text(page: Any) -> None:
    set_longest(page, 4)
    page.fill("#input", "<b>one</b>")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    finished(page)
    assert page.text_content(".user .text") == "<b>one</b>\ntwo"


def test_clear_can_be_undone(page: Any) -> None:
    set_longest(page, 4)
    say(page, "keep me")
    finished(page)
    page.click("#clear")
    assert page.locator(".turn").count() == 0 and page.is_visible("#welcome")
    page.click("#toast button")
    assert page.text_content(".user .text") == "keep me"


def test_failures_are_said_and_can_be_tried_again(page: Any) -> None:
    set_longest(page, 4)
    page.route("**/v1/chat/completions", lambda route: route.abort())
    say(page, "Hello")
    page.wait_for_selector(".failure")
    assert "cannot be reached" in page.text_content(".failure")
    page.unroute("**/v1/chat/completions")
    page.click(".failure button")
    page.wait_for_selector(".assistant .meta:has-text('4 tokens')")
    assert page.locator(".failure").count() == 0


def test_a_long_conversation_says_what_is_no_longer_read(page: Any) -> None:
    set_longest(page, 10)
    for number in range(4):
        say(page, f"{number} " + "the fox and the owl " * 240)
        finished(page)
    assert page.locator(".divider").count() == 1
    assert page.locator(".failure").count() == 0


def test_seed_and_settings_are_kept_and_decide_the_text(page: Any) -> None:
    page.click("#open-settings")
    page.fill("#set-seed", "7")
    page.fill("#set-max_tokens", "12")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector(".starter")
    say(page, "Once")
    finished(page)
    first = page.text_content(".assistant .text")
    page.click("[aria-label='Write it again']")
    page.wait_for_selector(".pager")
    assert page.text_content(".assistant .text") == first


def test_phone_width_has_no_sideways_scroll_and_everything_is_labelled(browser: Any, address: str) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 700}, is_mobile=True, has_touch=True).new_page()
    page.goto(address)
    page.wait_for_selector(".starter")
    page.tap("#open-settings")
    for place in ("document.documentElement", "document.querySelector('.panel')"):
        assert page.evaluate(f"{place}.scrollWidth <= {place}.clientWidth")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea")].filter((item) =>
             !(item.getAttribute("aria-label") || item.textContent.trim() || item.labels?.length || item.title)
           ).map((item) => item.outerHTML)"""
    )
    assert unnamed == []
    page.keyboard.press("Escape")
    assert page.is_hidden("#settings")
