"""Take the picture of the chat page in the README from a run, in a headless Chromium.

    .venv/bin/python docs/picture.py runs/demo "A question" "Another question" ...

The server, the model and its answers are real; nothing is drawn or edited.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

IMAGE = Path(__file__).parent / "images" / "chat.png"
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def main(words: list[str]) -> int:
    """Serve the model, ask, take the picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if len(words) < 2 or chromium is None:
        print(__doc__ if chromium else "no Chromium: install the system package `chromium`", file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "hornbook.cli.main", "serve", words[0], "--port", "0", "--eager"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            address = next((line.split()[-1] for line in server.stdout or () if "chat page" in line), "")
            if not address:
                print("the server did not start", file=sys.stderr)
                return 1
            take(chromium, address, words[1:])
        finally:
            server.terminate()
    print(f"{IMAGE}: {IMAGE.stat().st_size:,} bytes")
    return 0


def take(chromium: str, address: str, questions: list[str]) -> None:
    """Ask every question in one conversation each time it has been answered, then take the picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        page: Any = browser.new_page(viewport={"width": 1000, "height": 640}, reduced_motion="reduce")
        page.goto(address)
        page.wait_for_selector(".starter")
        for number, question in enumerate(questions, 1):
            page.fill("#input", question)
            page.keyboard.press("Enter")
            page.wait_for_function("n => document.querySelectorAll('.assistant').length >= n", arg=number)
            page.wait_for_selector(".assistant.writing", state="detached", timeout=60_000)
        IMAGE.parent.mkdir(exist_ok=True)
        page.screenshot(path=str(IMAGE))
        browser.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
