"""Learning: the merges of a plain implementation, the same every time, a folder that every tool reads."""

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import regex
from pydantic import ValidationError

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, to_table
from hornbook.core.errors import DataError
from hornbook.tokenizer import learn
from hornbook.tokenizer.split import pattern
from hornbook.tokenizer.tokenizer import Tokenizer


def documents(folder: Path, texts: list[str], shards: int = 2) -> Artifact:
    """A documents artifact of these texts."""
    import pyarrow.parquet

    (folder / "kept").mkdir(parents=True)
    made = [Document(f"{folder.name}-{i}", text) for i, text in enumerate(texts)]
    size = -(-len(made) // shards)
    for shard in range(shards):
        pyarrow.parquet.write_table(
            to_table(made[shard * size : (shard + 1) * size]), folder / "kept" / f"{shard:05d}.parquet"
        )
    counts = {"docs": len(made), "bytes": sum(len(t.encode()) for t in texts)}
    return Artifact(folder, Manifest("documents", counts=counts))


def merges_by_hand(texts: list[str], num_merges: int) -> list[tuple[bytes, int]]:
    """Byte-pair encoding as in the paper: (token, how often its pair was there), ties left to the caller."""
    words = Counter(
        tuple(bytes([b]) for b in m.group().encode()) for t in texts for m in regex.finditer(pattern("qwen2"), t)
    )
    learned: list[tuple[bytes, int]] = []
    for _ in range(num_merges):
        pairs = Counter[tuple[bytes, bytes]]()
        for word, count in words.items():
            for pair in itertools.pairwise(word):
                pairs[pair] += count
        best, count = pairs.most_common(1)[0]
        assert sum(n == count for n in pairs.values()) == 1, "the example has a tie"
        learned.append((best[0] + best[1], count))
        joined = Counter[tuple[bytes, ...]]()
        for word, n in words.items():
            out: list[bytes] = []
            i = 0
            while i < len(word):
                pair_here = word[i : i + 2] == best
                out.append(word[i] + word[i + 1] if pair_here else word[i])
                i += 2 if pair_here else 1
            joined[tuple(out)] += n
        words = joined
    return learned


def test_merges_by_hand() -> None:
    text = ["aaaa " * 40 + "cdcd " * 21 + "cd " * 11 + "xyz " * 5]
    hand = merges_by_hand(text, 4)
    ranks = learn.learn_ranks(text, learn.Settings(vocab_size=16 + 256 + 4))
    assert sorted(ranks, key=ranks.__getitem__)[256:] == [token for token, _ in hand]


def test_single_bytes_come_first_and_every_merge_has_its_parts(texts: ModuleType) -> None:
    ranks = learn.learn_ranks(texts.mixed(50_000), learn.Settings(vocab_size=400))
    assert sorted(ranks.values()) == list(range(384))
    assert {token for token, rank in ranks.items() if rank < 256} == {bytes([b]) for b in range(256)}


def test_run_writes_the_whole_folder(tmp_path: Path, texts: ModuleType) -> None:
    inputs = {
        "documents": (documents(tmp_path / "a", texts.mixed(50_000)[:100]), documents(tmp_path / "b", texts.stories(9)))
    }
    out = scratch_out(tmp_path / "out")
    learn.run(learn.Settings(vocab_size=500), inputs, out)
    assert sorted(file.name for file in out.path.iterdir()) == [
        "chat_template.jinja",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert out.counts["vocab_size"] == 500 and out.counts["docs"] == 109
    config = json.loads((out.path / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
    data = json.loads((out.path / "tokenizer.json").read_text())
    assert data["normalizer"] is None
    assert [(t["id"], t["special"]) for t in data["added_tokens"]] == [(i, True) for i in range(16)]
    blocks = learn.describe(Artifact(out.path, Manifest("tokenizer", counts=out.counts)))
    assert len(blocks) == 3


def test_the_same_bytes_with_any_number_of_threads(tmp_path: Path, texts: ModuleType) -> None:
    (tmp_path / "texts.json").write_text(json.dumps(texts.stories(400) + texts.mixed(30_000)))
    code = (
        "import json, sys\nfrom pathlib import Path\nfrom hornbook.tokenizer import learn\n"
        "s = learn.Settings(vocab_size=900)\nt = json.loads(Path(sys.argv[1]).read_text())\n"
        "p = Path(sys.argv[2]); p.mkdir()\nlearn.write_folder(p, learn.learn_ranks(t, s), s)\n"
    )
    for threads in (1, 2):
        env = os.environ | {"RAYON_NUM_THREADS": str(threads), "PYTHONHASHSEED": str(threads)}
        command = [sys.executable, "-c", code, str(tmp_path / "texts.json"), str(tmp_path / str(threads))]
        subprocess.run(command, check=True, env=env)
    first, second = ((tmp_path / t / "tokenizer.json").read_bytes() for t in "12")
    assert first == second


def test_a_sample_of_documents_when_there_are_too_many(tmp_path: Path) -> None:
    artifact = documents(tmp_path / "a", [f"word{i} " * 10 for i in range(400)])
    seen = Counter[str]()
    limit = artifact.manifest.counts["bytes"] // 4
    chosen = list(learn._texts((artifact,), limit, seen, lambda n: None))
    assert 70 <= len(chosen) <= 100 and seen["bytes"] <= limit
    assert int(chosen[-1].split()[0][4:]) > 350, "a sample is taken from everywhere, not from the front"
    assert chosen == list(learn._texts((artifact,), limit, Counter(), lambda n: None))


def test_fewer_tokens_than_asked_for(tmp_path: Path) -> None:
    out = scratch_out(tmp_path / "out")
    learn.run(learn.Settings(vocab_size=4096), {"documents": (documents(tmp_path / "a", ["ab ab ab", "ab"]),)}, out)
    assert out.counts["vocab_size"] < 4096
    assert Tokenizer.load(out.path).decode(Tokenizer.load(out.path).encode("ab 🙂")) == "ab 🙂"


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text to learn"):
        learn.run(
            learn.Settings(), {"documents": (documents(tmp_path / "a", ["", ""]),)}, scratch_out(tmp_path / "out")
        )


def test_bytes_alone_and_whole_texts(tmp_path: Path, texts: ModuleType) -> None:
    bare = learn.Settings(vocab_size=272)
    learn.write_folder(tmp_path, learn.learn_ranks(texts.stories(5), bare), bare)
    assert Tokenizer.load(tmp_path).encode("aé") == [16 + b for b in "aé".encode()]
    whole = learn.Settings(vocab_size=300, split="none")
    ranks = learn.learn_ranks(["once upon a time, " * 20] * 3, whole)
    assert any(token.startswith(b"once upon") for token in ranks)
    learn.write_folder(tmp_path, ranks, whole)
    loaded = Tokenizer.load(tmp_path)
    assert loaded.decode(loaded.encode("once upon\na time, " * 3000)) == "once upon\na time, " * 3000


@pytest.mark.parametrize("settings", [{"vocab_size": 271}, {"split": "qwen3"}, {"max_bytes": 0}])
def test_settings_that_make_no_sense(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        learn.Settings(**settings)
