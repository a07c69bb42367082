"""Artifacts: folders on disk that are complete or absent, with a manifest that says what they are and came from."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hornbook.core.errors import ArtifactError
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog

SCHEMA_VERSION = 1
KINDS = (
    "pages",
    "documents",
    "truth",
    "tasks",
    "tokenizer",
    "tokens",
    "conversations",
    "preferences",
    "checkpoint",
    "scores",
    "index",
    "annotations",
)
MANIFEST = "manifest.json"
RESUME = ".resume"
NUMBERED = re.compile(r"(\d\d+)-(.+)")
"""The folder of a stage in a run: its number and its id."""
NOT_PAYLOAD = frozenset({MANIFEST, "timing.jsonl"})


@dataclass(frozen=True)
class Manifest:
    """What an artifact is, how it was made and from what. Kept as `manifest.json` beside the payload.

    `parents`: input name -> {"id", "fingerprint", "payload_hash"}; `fingerprint`: of everything that decides the
    payload; `payload_hash`: of the payload's bytes; `counts`: whatever the stage counted.
    """

    kind: str
    stage: str = ""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    parents: dict[str, Any] = field(default_factory=dict[str, Any])
    fingerprint: str = ""
    payload_hash: str = ""
    code_version: str = ""
    seed: int = 0
    counts: dict[str, Any] = field(default_factory=dict[str, Any])
    licences: list[str] = field(default_factory=list[str])
    sources: list[str] = field(default_factory=list[str])
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Artifact:
    """A complete artifact on disk."""

    path: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """What a run calls it: the id of its stage, which is the folder's name without the number in front."""
        numbered = NUMBERED.fullmatch(self.path.name)
        return numbered[2] if numbered else self.path.name

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.manifest.kind

    def file(self, name: str) -> Path:
        """The path of a file of the payload. Raises ArtifactError when it is missing."""
        path = self.path / name
        if not path.exists():
            raise ArtifactError(f'"{name}" is missing from this {self.kind}', where=str(self.path), do="Build it again")
        return path


@dataclass
class Out:
    """What a stage writes into: a `.partial` folder that gets its final name when the stage has finished.

    `licences`, `sources`: those of the inputs are there already when a stage of a recipe runs; it adds its own.
    """

    path: Path
    log: RunLog
    machine: Machine
    seed: int = 0
    counts: dict[str, Any] = field(default_factory=dict[str, Any])
    licences: list[str] = field(default_factory=list[str])
    sources: list[str] = field(default_factory=list[str])

    @property
    def resume(self) -> Path:
        """A folder for what a restart needs; kept between restarts, gone when the artifact is complete."""
        folder = self.path / RESUME
        folder.mkdir(exist_ok=True)
        return folder


def open_artifact(path: Path, kind: str | None = None) -> Artifact:
    """The complete artifact in a folder. Raises ArtifactError when it is absent, incomplete or of another kind."""
    file = path / MANIFEST
    if not file.exists():
        partial = path.with_name(path.name + ".partial")
        do = (
            "It was interrupted: run the recipe again to finish it"
            if partial.exists()
            else "Run the stage that makes it"
        )
        raise ArtifactError("no complete artifact is here", where=str(path), do=do)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        manifest = Manifest(**{name: data[name] for name in data if name in Manifest.__dataclass_fields__})
    except (json.JSONDecodeError, TypeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"the manifest cannot be read: {error}", where=str(file), do="Build it again") from None
    if manifest.schema_version > SCHEMA_VERSION:
        raise ArtifactError(
            f"this artifact has schema {manifest.schema_version}, this Hornbook reads up to {SCHEMA_VERSION}",
            where=str(file),
            do="Use the newer Hornbook that wrote it",
        )
    if kind is not None and manifest.kind not in kind.split("|"):
        raise ArtifactError(f"found {manifest.kind} where {kind} is needed", where=str(path))
    return Artifact(path, manifest)


def payload_hash(path: Path) -> str:
    """BLAKE2b over the names and bytes of every payload file (all but the manifest, clocks and resume state)."""
    files = (file for file in files_of(path) if file.name not in NOT_PAYLOAD)
    return hash_files((file for file in files if file.relative_to(path).parts[:1] != (RESUME,)), path)


def files_of(path: Path) -> list[Path]:
    """Every file below a folder, in order; a file itself."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def hash_files(files: Iterable[Path], root: Path) -> str:
    """BLAKE2b over the names, as seen from `root`, and the bytes of files."""
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        look = f"{file.relative_to(root).as_posix()}\x00{file.stat().st_size}\x00"
        digest.update(look.encode("utf-8", "surrogateescape"))
        with file.open("rb") as data:
            while block := data.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write JSON that is complete or absent: a scratch file, synced to disk, then renamed."""
    scratch = path.with_name(f".{path.name}.new")
    with scratch.open("w", encoding="utf-8") as out:
        json.dump(value, out, ensure_ascii=False, indent=1)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    scratch.replace(path)


@contextmanager
def building(
    final: Path,
    *,
    kind: str,
    log: RunLog,
    machine: Machine,
    seed: int = 0,
    stage: str = "",
    settings: dict[str, Any] | None = None,
    parents: dict[str, Any] | None = None,
    fingerprint: str = "",
    code_version: str = "",
) -> Iterator[Out]:
    """Build an artifact under `final`.partial and give it its name when the body has finished.

    A partial folder of the same fingerprint is continued; one of another fingerprint is emptied first. When the
    body fails, the partial folder stays for the next try and nothing appears under the final name.
    """
    partial = final.with_name(final.name + ".partial")
    _prepare(partial, fingerprint)
    out = Out(path=partial, log=log, machine=machine, seed=seed)
    yield out
    shutil.rmtree(partial / RESUME, ignore_errors=True)
    manifest = Manifest(
        kind=kind,
        stage=stage,
        settings=settings or {},
        parents=parents or {},
        fingerprint=fingerprint,
        payload_hash=payload_hash(partial),
        code_version=code_version,
        seed=seed,
        counts=out.counts,
        licences=sorted(set(out.licences)),
        sources=sorted(set(out.sources)),
    )
    write_json(partial / MANIFEST, asdict(manifest))
    _replace_folder(partial, final)


def scratch_out(path: Path, seed: int = 0, machine: Machine | None = None) -> Out:
    """An `Out` on a plain folder, for tests and for calling a stage by hand."""
    path.mkdir(parents=True, exist_ok=True)
    return Out(path=path, log=RunLog(quiet=True), machine=machine or Machine(), seed=seed)


def _prepare(partial: Path, fingerprint: str) -> None:
    mark = partial / RESUME / "fingerprint"
    if partial.exists() and (not mark.exists() or mark.read_text() != fingerprint):
        shutil.rmtree(partial)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(fingerprint)


def _replace_folder(partial: Path, final: Path) -> None:
    """Move the finished folder to its name; an older one leaves by a rename too, so nobody sees half of either."""
    if final.exists():
        old = final.with_name(f".{final.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        final.rename(old)
        partial.rename(final)
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.rename(final)
