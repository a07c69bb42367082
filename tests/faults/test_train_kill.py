"""Pretraining and fine-tuning killed with SIGKILL and run again: the same payload bytes as never killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
import small

from hornbook.checkpoint import folder as checkpoint
from hornbook.core.artifact import Artifact, Manifest, building, open_artifact
from hornbook.core.conversation import Conversation, Message, write_conversations
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog
from hornbook.core.settings import parse
from hornbook.posttrain import sft
from hornbook.pretrain import causal
from hornbook.train import loop, resume

TINY = {"width": 32, "layers": 2, "heads": 2, "kv_heads": 2, "head_size": 16, "hidden": 64, "max_tokens": 128}
LOOP = {"compile": False, "log_steps": 3, "save_s": 1e-9, "optimizer": {"muon_fp32": True}}
SAVES = {"before any save": "0:before", "in the middle of a save": "4:during", "after a save": "7:after"}


def run(stage: str, folder: Path) -> None:
    """One stage into `folder`/<stage>, from what `prepare` wrote."""
    module: Any = {"causal": causal, "sft": sft}[stage]
    table: dict[str, Any] = {"row_tokens": 64, "batch_rows": 4, "sample_tokens": 5, "loop": LOOP}
    table |= {"total_tokens": 16 * 256, "dtype": "fp32"} | ({"model": TINY} if stage == "causal" else {})
    inputs = {
        "tokens": Artifact(folder / "tokens", Manifest(kind="tokens")),
        "model": Artifact(folder / "start", Manifest(kind="checkpoint")),
        "conversations": Artifact(folder / "talks", Manifest(kind="conversations")),
    }
    log, machine = RunLog(quiet=True), Machine(threads=1)
    with building(folder / stage, kind="checkpoint", log=log, machine=machine, seed=3, fingerprint="f") as out:
        module.run(parse(module.Settings, table, "test"), inputs, out)


def prepare(folder: Path) -> None:
    small.tokens_artifact(folder / "tokens", num_docs=60)
    model = small.model(vocab_size=272, max_tokens=64)
    checkpoint.save(folder / "start", model, folder / "tokens" / "tokenizer", card={})
    (folder / "talks").mkdir()
    made = [Conversation(f"c{n}", (Message("user", f"{n}?"), Message("assistant", "yes" * (n % 5)))) for n in range(90)]
    write_conversations(folder / "talks" / "conversations.jsonl", made)


def main() -> None:
    """`kill`: "STEP:before", ":during" or ":after" the save at that step ends this process; "" lives."""
    stage, folder, kill = sys.argv[1:4]
    if kill:
        step, moment = kill.split(":")
        _kill_at(int(step), moment)
    run(stage, Path(folder))


def _kill_at(step: int, moment: str) -> None:
    save, write = resume.save, resume.save_file

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def saving(folder: Path, model: Any, optimizer: Any, state: dict[str, Any]) -> None:
        if state["step"] >= step and moment == "before":
            die()
        if state["step"] == step and moment == "during":
            resume.save_file = lambda tensors, file, metadata: (write(tensors, file, metadata), _cut(file), die())
        save(folder, model, optimizer, state)
        if state["step"] == step and moment == "after":
            die()

    loop.resume.save = saving  # type: ignore[assignment]


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def start(stage: str, folder: Path, kill: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, stage, str(folder), kill])


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both stages, never killed."""
    folder = tmp_path_factory.mktemp("straight")
    prepare(folder)
    for stage in ("causal", "sft"):
        run(stage, folder)
    return folder


def check(stage: str, folder: Path, straight: Path) -> None:
    found, wanted = open_artifact(folder / stage), open_artifact(straight / stage)
    names = sorted(p.name for p in wanted.path.iterdir())
    assert sorted(p.name for p in found.path.iterdir()) == names and "model.safetensors" in names
    assert found.manifest.payload_hash == wanted.manifest.payload_hash
    assert found.manifest.counts["tokens"] == wanted.manifest.counts["tokens"] == 16 * 256


@pytest.mark.parametrize(
    ("stage", "moment"), [("causal", name) for name in SAVES] + [("sft", "in the middle of a save")]
)
def test_killed_at_a_named_moment(tmp_path: Path, straight: Path, stage: str, moment: str) -> None:
    prepare(tmp_path)
    assert start(stage, tmp_path, SAVES[moment]).wait() == -signal.SIGKILL
    assert not (tmp_path / stage).exists() and (tmp_path / f"{stage}.partial").exists()
    run(stage, tmp_path)
    check(stage, tmp_path, straight)


@pytest.mark.parametrize("stage", ["causal", "sft"])
def test_killed_at_random_moments(tmp_path: Path, straight: Path, stage: str) -> None:
    seed = time.time_ns() % 10**6
    print(f"seed {seed}")
    moments = random.Random(seed)
    prepare(tmp_path)
    for _ in range(2 if stage == "causal" else 1):
        process = start(stage, tmp_path)
        time.sleep(moments.uniform(1.5, 5.0))
        process.kill()
        process.wait()
    if not (tmp_path / stage).exists():
        run(stage, tmp_path)
    check(stage, tmp_path, straight)


if __name__ == "__main__":
    main()
