"""`hornbook doctor`: what this machine can do for Hornbook, and advice where something is missing."""

import importlib.util
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

MIN_MEMORY_BYTES = 4e9
MIN_DISK_BYTES = 5e9
NAMED = ("torch", "numpy", "pyarrow", "trafilatura", "tokenizers")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, what was found, how that stands, and what to do about it."""

    name: str
    state: Literal["ok", "advice", "missing"]
    found: str
    advice: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> int:
    """Check this machine and give advice. The exit code is 1 only when something essential is missing."""
    checks = [check() for check in CHECKS]
    bad = any(check.state == "missing" for check in checks)
    if as_json:
        print(json.dumps({"state": "missing" if bad else "ok", "checks": [asdict(check) for check in checks]}))
        return int(bad)
    wide = max(len(check.name) for check in checks)
    for check in checks:
        mark = {"ok": "ok", "advice": "note", "missing": "MISSING"}[check.state]
        print(f"{mark:<8} {check.name:<{wide}}  {check.found}")
        if check.advice:
            print(f"{'':<{wide + 11}}{check.advice}")
    print("Something essential is missing (above)." if bad else "Ready: `hornbook run demo` is a good first step.")
    return int(bad)


def check_python() -> Check:
    """Which Python this is (an older one than Hornbook needs cannot install it), and whether its system is tested."""
    version = platform.python_version()
    note = "" if sys.platform.startswith("linux") else "Only Linux is tested; this system is not."
    return Check("python", "advice" if note else "ok", f"{version} on {platform.system()}", note)


def check_packages() -> Check:
    """Every package that the core install asks for (extras are left to the user)."""
    from importlib.metadata import PackageNotFoundError, requires, version

    named: list[str] = []
    missing: list[str] = []
    for requirement in requires("hornbook") or []:
        wanted = re.match(r"[A-Za-z0-9._-]+", requirement)
        if wanted is None or "extra ==" in requirement:
            continue
        try:
            found = version(wanted.group())
        except PackageNotFoundError:
            missing.append(wanted.group())
            continue
        named += [f"{wanted.group()} {found}"] if wanted.group() in NAMED else []
    if missing:
        return Check("packages", "missing", f"no {', '.join(missing)}", f"{sys.executable} -m pip install hornbook")
    return Check("packages", "ok", ", ".join([f"hornbook {version('hornbook')}", *named]))


def check_cpu() -> Check:
    """The processor, and whether it multiplies in bf16."""
    from hornbook.compute.cpu import cpu_flags, cpu_name, num_cores

    flags = cpu_flags()
    features = [name for name in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if name in flags]
    found = f"{cpu_name()}, {num_cores()} cores; {', '.join(features) or 'no features listed'}"
    if flags and not {"amx_bf16", "avx512_bf16"} & flags:
        return Check("cpu", "advice", found, "It has no bf16 products: training runs in fp32, about half as fast.")
    return Check("cpu", "ok", found)


def check_speed() -> Check:
    """The measured peaks that plans rest on."""
    if importlib.util.find_spec("torch") is None:
        return Check("speed", "missing", "not measured without torch")
    from hornbook.compute.probe import load_or_measure
    from hornbook.core.recipe import Machine

    try:
        probe = load_or_measure(Machine().cache_folder)
    except OSError as error:
        return Check("speed", "advice", f"not measured: {error.strerror}", "See the cache folder below.")
    bf16 = f", bf16 {probe.bf16_gflops:,.0f}" if probe.bf16_gflops else ""
    on = f"on {probe.device} with {probe.threads} thread{'s' if probe.threads > 1 else ''}"
    return Check("speed", "ok", f"measured peak fp32 {probe.fp32_gflops:,.0f}{bf16} GFLOP/s {on}")


def check_compiler() -> Check:
    """A C++ compiler makes training and generation about twice as fast."""
    for name in (os.environ.get("CXX", "g++"), "g++", "clang++"):
        path = shutil.which(name)
        if path:
            return Check("compiler", "ok", path)
    return Check("compiler", "advice", "no g++", "Training is about two times slower: install g++ (apt install g++).")


def check_memory() -> Check:
    """Memory that could be had now."""
    from hornbook.compute.cpu import memory_bytes
    from hornbook.core.units import human_bytes

    free = memory_bytes()
    if not free:
        return Check("memory", "ok", "this system does not say")
    advice = "The demo needs about 3 GB; close other programs." if free < MIN_MEMORY_BYTES else ""
    return Check("memory", "advice" if advice else "ok", f"{human_bytes(free)} free", advice)


def check_disk() -> Check:
    """Room where runs are written."""
    from hornbook.cli.find import runs_folder
    from hornbook.core.units import human_bytes

    folder = runs_folder().absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    low = free < MIN_DISK_BYTES
    advice = "Free some (`hornbook clean`), or set HORNBOOK_RUNS to a roomier disk." if low else ""
    return Check("disk", "advice" if low else "ok", f"{human_bytes(free)} free for runs in {runs_folder()}", advice)


def check_cache() -> Check:
    """The folder for compiled code and measurements can be written."""
    from hornbook.core.recipe import Machine
    from hornbook.core.units import human_bytes
    from hornbook.pipeline.inputs import folder_bytes

    try:
        folder = Machine().cache_folder
    except OSError as error:
        return Check("cache", "missing", f"{error.filename}: {error.strerror}", "Set HORNBOOK_CACHE to another folder.")
    if not os.access(folder, os.W_OK):
        return Check("cache", "missing", f"{folder} cannot be written", "Set HORNBOOK_CACHE to another folder.")
    return Check("cache", "ok", f"{folder}, {human_bytes(folder_bytes(folder))}")


def check_browser() -> Check:
    """Only the tests of the chat page drive a browser."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return Check("chromium", "ok", path)
    bundled = sorted(Path.home().glob(".cache/ms-playwright/chromium*"))
    if bundled:
        return Check("chromium", "ok", str(bundled[-1]))
    return Check("chromium", "advice", "not here", "Needed only by the tests of the chat page (apt install chromium).")


CHECKS: tuple[Callable[[], Check], ...] = (
    check_python,
    check_packages,
    check_cpu,
    check_speed,
    check_compiler,
    check_memory,
    check_disk,
    check_cache,
    check_browser,
)
