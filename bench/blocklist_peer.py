"""The peers' side of bench/blocklist.py, in an environment of their own.

    .peers/bin/python bench/blocklist_peer.py braveblock | adblockparser RULES_FILE ADDRESSES_FILE

Reads rules and addresses, one a line, and prints one line of JSON: the seconds for all addresses, and for each whether
it is blocked as a page (braveblock: request type `document`, opened by itself; adblockparser: no option is told).
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def braveblock(rules: list[str]) -> Callable[[str], bool]:
    """Brave's engine."""
    from braveblock import Adblocker  # pyright: ignore[reportMissingImports]  # the peers have it

    engine = Adblocker(rules=rules, include_easylist=False, include_easyprivacy=False)
    return lambda url: bool(engine.check_network_urls(url=url, source_url=url, request_type="document"))


def adblockparser(rules: list[str]) -> Callable[[str], bool]:
    """A parser in Python that turns rules into regular expressions."""
    from adblockparser import AdblockRules  # pyright: ignore[reportMissingImports]

    parsed = AdblockRules(rules)
    return lambda url: bool(parsed.should_block(url, {}))


if __name__ == "__main__":
    blocked = {"braveblock": braveblock, "adblockparser": adblockparser}[sys.argv[1]](
        Path(sys.argv[2]).read_text("utf-8").splitlines()
    )
    addresses = Path(sys.argv[3]).read_text("utf-8").splitlines()
    start = time.perf_counter()
    answers = [blocked(address) for address in addresses]
    print(json.dumps({"seconds": time.perf_counter() - start, "blocked": answers}))
