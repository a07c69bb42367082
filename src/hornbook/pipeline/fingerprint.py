"""Fingerprints: everything that decides what a stage writes, and nothing that does not."""

import hashlib
import json
from typing import Any

from hornbook.pipeline.stage import Stage


def fingerprint(
    stage: Stage, settings: dict[str, Any], parents: dict[str, list[str]], seed: int, device: str = ""
) -> str:
    """A hash of the stage and its VERSION, its settings, what it reads, the seed, and the device where it matters.

    `settings`: plain values with inputs replaced by hashes of their contents; `parents`: input name -> hashes of
    what is read. Worker counts, runner, caches and log sinks never come here: they cannot change what is learned
    from. Number format and compile mode are settings of the stages they matter for, resolved before this.
    """
    decides = {
        "stage": stage.source_hash or stage.name,
        "version": stage.version,
        "settings": settings,
        "parents": parents,
        "seed": seed,
        "device": device if stage.uses_device else "",
    }
    text = json.dumps(decides, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
