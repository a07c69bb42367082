"""Run one benchmark by name and hold its last line to the form that records have.

    make bench NAME=decode [ARGS="--repeats 3"]        make bench        lists them

A benchmark is a file of this folder. It prints a table and, last, one JSON line, and writes the line to
bench/records/NAME.json (README.md beside this file says what the fields mean).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FIELDS = {
    "name": str,
    "ours": (int, float),
    "peers": dict,
    "ratio": (int, float, type(None)),
    "unit": str,
    "machine": dict,
    "commit": str,
}


def main(words: list[str]) -> int:
    """Run the benchmark that the first word names; the others go to it. The exit code says whether all was well."""
    names = benchmarks()
    if not words or words[0] not in names:
        asked = f'there is no benchmark "{words[0]}". ' if words else ""
        print(f"{asked}make bench NAME=...   one of:")
        for name, about in names.items():
            print(f"  {name:20} {about}")
        return 2 if words else 0
    return run(words[0], words[1:])


def benchmarks() -> dict[str, str]:
    """Every benchmark of this folder and the first sentence of its text."""
    return {
        file.stem: file.read_text("utf-8").partition('"""')[2].partition("\n")[0].rstrip('"')
        for file in sorted(HERE.glob("*.py"))
        if file.stem != Path(__file__).stem and "\ndef main(" in file.read_text("utf-8")
    }


def run(name: str, options: list[str]) -> int:
    """Run it, pass its lines on as they come, and check the last."""
    command = [sys.executable, "-u", str(HERE / f"{name}.py"), *options]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line if line.strip() else last
    if process.returncode:
        return process.returncode
    wrong = problems(name, last)
    for sentence in wrong:
        print(f"bench/{name}.py: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


def problems(name: str, line: str) -> list[str]:
    """What is wrong with a benchmark's last line."""
    try:
        record: Any = json.loads(line)
    except ValueError:
        return [f"the last line is no JSON: {line.strip()[:80]!r}"]
    if not isinstance(record, dict):
        return ["the last line is no JSON object"]
    wrong = [
        f'"{field}" is {record[field]!r}' if field in record else f'"{field}" is missing'
        for field, kind in FIELDS.items()
        if field not in record or not isinstance(record[field], kind)
    ]
    if record.get("name") != name:
        wrong.append(f'"name" is {record.get("name")!r} and should be "{name}"')
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
