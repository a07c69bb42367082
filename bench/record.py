"""What every benchmark ends with: one line of JSON, also kept in bench/records/."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from hornbook.compute.probe import measure

RECORDS = Path(__file__).parent / "records"


def publish(record: dict[str, Any], keep: bool) -> None:
    """Print the record with the commit as its last field, and write it to records/NAME.json."""
    record = record | {"commit": commit()}
    if keep:
        RECORDS.mkdir(exist_ok=True)
        (RECORDS / f"{record['name']}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record))


def machine(**more: Any) -> dict[str, Any]:
    """CPU, cores, measured matmul peaks, load."""
    probe = measure()
    return {
        "cpu": probe.cpu_name,
        "cores": probe.num_cores,
        "fp32_gflops": round(probe.fp32_gflops),
        "bf16_gflops": round(probe.bf16_gflops),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        **more,
    }


def commit() -> str:
    """The commit of this checkout, empty outside one."""
    try:
        return subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            check=False,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
        ).stdout.strip()
    except OSError:
        return ""
