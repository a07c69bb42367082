"""`hornbook doctor`: what this machine has, what is missing, and what to do about it."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from hornbook.core.recipe import Machine
from hornbook.core.units import human_bytes

MIN_MEMORY_BYTES = 4_000_000_000
MIN_DISK_BYTES = 2_000_000_000
PACKAGES = ("torch", "pyarrow", "polars", "tokenizers", "tiktoken", "fastwarc", "trafilatura", "pydantic", "starlette")
EXTRAS = {"transformers": "dev", "gguf": "gguf", "ray": "cluster", "presidio-analyzer": "pii", "trackio": "trackers"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `mark`: `ok`, `note` or `bad`; `advice`: what to do."""

    mark: str
    name: str
    found: str
    advice: str = ""


def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Without importing torch or measuring the machine.")] = False,
) -> int:
    """Check this machine: Python, packages, processor, memory, disk, compiler, browser; with advice."""
    from hornbook.cli.screen import screen

    findings = [python(), *packages(), *processor(), memory(), disk(), compiler(), cache(), browser(), extras()]
    if not quick:
        findings += [*torch_build(), speed()]
    console = screen()
    colours = {"ok": "green", "note": "yellow", "bad": "red"}
    for item in findings:
        console.print(f"[{colours[item.mark]}]{item.mark:>4}[/]  {item.name:<10} {item.found}")
        if item.advice:
            console.print(f"      {'':<10} {item.advice}", style="dim", markup=False)
    bad = [item.name for item in findings if item.mark == "bad"]
    console.print(f"\n{', '.join(bad)} must be mended first." if bad else "\nReady: hornbook run demo", markup=False)
    return 1 if bad else 0


def python() -> Finding:
    """The version of Python, and whether it is new enough."""
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < (3, 11):
        return Finding("bad", "python", found, "Hornbook needs Python 3.11 or newer")
    return Finding("ok", "python", f"{found}, {platform.system()} {platform.machine()}", _untested())


def packages() -> list[Finding]:
    """Versions of the packages that matter; missing ones by name."""
    versions = {name: installed(name) for name in PACKAGES}
    missing = [name for name, found in versions.items() if not found]
    said = ", ".join(f"{name} {found}" for name, found in versions.items() if found)
    findings = [Finding("ok", "packages", f"hornbook {installed('hornbook')}, {said}")]
    if missing:
        findings.append(Finding("bad", "packages", f"missing: {', '.join(missing)}", "Install hornbook again with pip"))
    return findings


def processor() -> list[Finding]:
    """The processor and what its matrix units can do."""
    from hornbook.compute.cpu import cpu_flags, cpu_name, num_cores

    flags = cpu_flags()
    found = f"{cpu_name()}, {num_cores()} cores"
    if "amx_bf16" in flags:
        return [Finding("ok", "processor", found, "AMX: bf16 training is about three times as fast as fp32")]
    if "avx512_bf16" in flags:
        return [Finding("ok", "processor", found, "AVX512-BF16: bf16 training is about twice as fast as fp32")]
    return [Finding("note", "processor", found, "No bf16 units: training runs in fp32, budgets in time buy less")]


def memory() -> Finding:
    """Memory of the machine."""
    from hornbook.compute.cpu import memory_bytes

    found = memory_bytes()
    advice = "The demo needs about 2 GB; larger models need more" if found < MIN_MEMORY_BYTES else ""
    return Finding("note" if advice else "ok", "memory", human_bytes(found), advice)


def disk() -> Finding:
    """Free space where runs would lie."""
    from hornbook.cli.find import runs_folder

    folder = runs_folder().absolute()
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    advice = "`hornbook clean` says what could be freed" if free < MIN_DISK_BYTES else ""
    writable = os.access(place, os.W_OK)
    if not writable:
        return Finding("bad", "disk", f"{place} cannot be written", "Set HORNBOOK_RUNS to a folder of yours")
    return Finding("note" if advice else "ok", "disk", f"{human_bytes(free)} free at {place}", advice)


def compiler() -> Finding:
    """A C++ compiler: compiled training and decoding need it, everything works without."""
    wanted = os.environ.get("CXX") or "g++"
    found = shutil.which(wanted) or shutil.which("clang++")
    if found:
        return Finding("ok", "compiler", found)
    return Finding(
        "note",
        "compiler",
        f"no {wanted}",
        "Training and decoding run two to three times slower without one; on Debian: apt-get install g++",
    )


def cache() -> Finding:
    """Where compiled code and measurements are kept, and how much."""
    folder = Machine().cache_folder
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Finding("ok", "cache", f"{folder}, {human_bytes(size)}", "`hornbook clean --cache` empties it" if size > 1e9 else "")


def browser() -> Finding:
    """A Chromium: only the tests of web pages need it."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
    if found:
        return Finding("ok", "browser", found)
    return Finding("note", "browser", "no Chromium", "Only the tests of web pages need it: apt-get install chromium")


def extras() -> Finding:
    """Which optional parts are installed."""
    here = [f"{name} {found}" for name in EXTRAS if (found := installed(name))]
    missing = [f"{name} (hornbook[{extra}])" for name, extra in EXTRAS.items() if not installed(name)]
    return Finding("ok", "extras", ", ".join(here) or "none", f"Not installed: {', '.join(missing)}" if missing else "")


def torch_build() -> list[Finding]:
    """Which devices torch can use."""
    import torch

    device = "CUDA" if torch.cuda.is_available() else "MPS" if torch.backends.mps.is_available() else "CPU"
    advice = ""
    if device == "CPU" and torch.version.cuda:
        advice = "This torch brings 2 GB of CUDA that nothing here uses; the README says how to get the CPU build"
    return [Finding("note" if advice else "ok", "torch", f"{torch.__version__} on {device}", advice)]


def speed() -> Finding:
    """The measured speed of matrix products (a second or two, kept for a week)."""
    from hornbook.compute.probe import load_or_measure

    probe = load_or_measure(Machine().cache_folder)
    found = f"{probe.fp32_gflops:,.0f} GFLOP/s in fp32, {probe.bf16_gflops:,.0f} in bf16; training uses {probe.dtype}"
    return Finding("ok", "speed", found)


def installed(name: str) -> str:
    """The installed version of a package, or nothing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _untested() -> str:
    return "" if platform.system() == "Linux" else "Only Linux is tested; macOS and Windows are meant to work"


