"""Learns src/hornbook/data/html/model.json from pages with known text, and measures it on pages not learned from.

    .venv/bin/python bench/extraction_weights.py [--pages FOLDER] [--check] [--folds 4] [--seeds 2]

Labels: a block is text as far as its words lie in runs of four words of the gold text. Pages with segments instead of
a text: where four settings of trafilatura agree (weight 1/2), and the segments (weight 2). Sixty pages of the
generated world, with their truth, stand for kinds that are no articles (weight .3). The loss is one minus the F1 that
probabilities expect of a page. `--check` learns without some pages, in turns, and writes what they score to
bench/records/extraction_held_out.json (the frontier of bench/extraction.py shows it). The result depends on the pages,
the seeds and torch's version only.
"""

import argparse
import base64
import json
import math
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gold_pages
import numpy as np
import torch
from gold_pages import Gold, covered, overlap, segment_counts, words_of
from record import RECORDS

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data.html import model as html_model
from hornbook.data.html.blocks import Blocks, read_blocks
from hornbook.data.html.model import Model, Table, features, probabilities
from hornbook.data.html.page import CERTAIN_F1, decode_html

HIDDEN = 16
SETTINGS: tuple[dict[str, Any], ...] = ({"favor_precision": True}, {}, {"fast": True}, {"favor_recall": True})
HELD_OUT = RECORDS / "extraction_held_out.json"
Found = dict[str, list[float]]
TARGET = Path(html_model.__file__).with_name("model.json")


@dataclass
class Example:
    """A page with what is to be learned about its blocks."""

    gold: Gold
    page: Blocks
    table: Table
    votes: Any
    words: list[list[str]]
    truth: Any
    trust: Any


def main() -> None:
    """Learn, or check."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    golds = gold_pages.load(gold_pages.folder_of(options)) + world_pages()
    examples = [example for gold in golds if (example := prepared(gold)) is not None]
    if options.check:
        check(examples, options)
        return
    TARGET.write_text(json.dumps(packed(fitted(examples, options)), indent=1) + "\n")


def world_pages(num: int = 60) -> list[Gold]:
    """Pages of the generated world: letters, forums, shops, ..., made with a seed that no test uses."""
    import pyarrow.parquet as pq

    from hornbook.data.web.warc import Page, read_warc
    from hornbook.world import facts, pages

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        inputs: dict[str, Any] = {}
        for name, module, settings in (("facts", facts, {}), ("pages", pages, {"text_bytes": 200_000})):
            out = scratch_out(folder / name, seed=1234, machine=Machine(workers=1))
            module.run(parse(module.Settings, settings, "bench"), inputs, out)
            inputs = {"truth": Artifact(folder / name, Manifest(kind="truth"))}
        truth = {r["url"]: r for f in (folder / "pages/truth").glob("*.parquet") for r in pq.read_table(f).to_pylist()}
        golds = []
        for file in sorted((folder / "pages/warc").iterdir()):
            for page in read_warc(file, "gzip" if file.suffix == ".gz" else "", 0, None, 5_000_000):
                row = truth.get(page.url) if isinstance(page, Page) else None
                if row is not None and row["kind"] != "missing" and isinstance(page, Page):
                    html = decode_html(page.data, page.charset)[0]
                    golds.append(Gold("world", page.url, html, words_of(row["clean_text"])))
    return golds[:: max(1, len(golds) // num)][:num]


def prepared(gold: Gold) -> Example | None:
    """A page cut into blocks, with labels; None when there is no text on it."""
    import trafilatura

    page = read_blocks(gold.html)
    if not page.texts:
        return None
    words = [words_of(text) for text in page.texts]
    found = [trafilatura.extract(gold.html, include_comments=False, **setting) or "" for setting in SETTINGS]
    votes = np.array([covered(words, words_of(text)) for text in found], np.float32)
    if gold.words is not None:
        truth = np.array(covered(words, gold.words))
        trust = np.full(len(words), 0.3 if gold.collection == "world" else 1.0)
    else:
        truth, trust = labels_of_segments(gold, page, votes)
    return Example(gold, page, features(page), votes[0], words, truth, trust)


def labels_of_segments(gold: Gold, page: Blocks, votes: Any) -> tuple[Any, Any]:
    """Labels where trafilatura's settings agree, and where a segment tells."""
    truth = votes.mean(0).astype(float)
    trust = 0.5 * ((truth > 0.9) | (truth < 0.1))
    texts = [" ".join(text.lower().split()) for text in page.texts]
    for segments, value in ((gold.keep, 1.0), (gold.drop, 0.0)):
        for segment in (" ".join(segment.lower().split()) for segment in segments):
            hits = [i for i, text in enumerate(texts) if segment in text or (len(text) > 20 and text in segment)]
            if value:
                hits = hits if len(hits) <= 2 else []
            else:
                hits = [i for i in hits if len(texts[i]) < 4 * len(segment) + 60]
            if len(segment) >= 3:
                truth[hits], trust[hits] = value, 2.0
    return truth, trust


class Net(torch.nn.Module):
    """What html_model.probabilities computes, for learning."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.first = torch.nn.Linear(num_features, HIDDEN)
        self.second = torch.nn.Linear(HIDDEN * 11, HIDDEN)
        self.third = torch.nn.Linear(HIDDEN, 1)

    def forward(
        self, rows: torch.Tensor, begins: torch.Tensor, ends: torch.Tensor, groups: torch.Tensor, pages: torch.Tensor
    ) -> torch.Tensor:
        """Logits of blocks; one feature in ten is hidden while learning."""
        if self.training:
            rows = rows * (torch.rand_like(rows) > 0.1)
        hidden = torch.relu(self.first(rows))
        num = len(hidden)
        seen = [hidden]
        for lag in (1, 2, 3):
            for shift in (lag, -lag):
                moved = torch.roll(hidden, shift, 0)
                same = (torch.roll(pages, shift) == pages) & (
                    torch.arange(num).roll(shift) == torch.arange(num) - shift
                )
                seen.append(moved * same[:, None])
        sums = torch.cat([torch.zeros(1, HIDDEN, dtype=torch.float64), torch.cumsum(hidden.double(), 0)])
        for level in range(3):
            size = (ends[level] - begins[level]).clamp(min=1)[:, None]
            seen.append((sums[ends[level]] - sums[begins[level]]).float() / size)
        of_group = torch.zeros(int(groups.max()) + 1, HIDDEN).index_add(0, groups, hidden)
        seen.append((of_group / torch.bincount(groups)[:, None])[groups])
        return self.third(torch.relu(self.second(torch.cat(seen, 1))))[:, 0]


def fitted(examples: list[Example], options: argparse.Namespace) -> Model:
    """Several nets, from several seeds. The first feature (characters, uncompressed) is left out."""
    rows = [e.table.rows[:, 1:] for e in examples]
    together = np.concatenate(rows)
    mean, scale = together.mean(0), 1 / np.maximum(together.std(0), 0.2)
    rows = [torch.from_numpy(np.clip((r - mean) * scale, -5, 5)).float() for r in rows]
    nets = [one_net(examples, rows, seed, options.epochs) for seed in range(options.seeds)]
    weights = [{name: value.numpy() for name, value in net.state_dict().items()} for net in nets]
    return Model(
        mean.astype(np.float32),
        scale.astype(np.float32),
        np.concatenate([w["first.weight"].T for w in weights], axis=1),
        np.concatenate([w["first.bias"] for w in weights]),
        np.stack([w["second.weight"].T for w in weights]),
        np.stack([w["second.bias"] for w in weights]),
        np.stack([w["third.weight"][0] for w in weights]),
        np.concatenate([w["third.bias"] for w in weights]),
        0.4,
    )


def one_net(examples: list[Example], rows: list[torch.Tensor], seed: int, epochs: int, size: int = 16) -> Net:
    """AdamW over batches of pages, the rate falling like a cosine."""
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    net = Net(rows[0].shape[1])
    optimizer = torch.optim.AdamW(net.parameters(), 4e-3, weight_decay=0.01)
    num_steps = epochs * math.ceil(len(examples) / size)
    step = 0
    for _ in range(epochs):
        shuffled = order.permutation(len(examples))
        for begin in range(0, len(examples), size):
            for group in optimizer.param_groups:
                group["lr"] = 4e-3 * min(1, step / 30) * (0.5 + 0.5 * math.cos(math.pi * step / num_steps))
            step += 1
            loss = batch_loss(net, [(examples[i], rows[i]) for i in shuffled[begin : begin + size]])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
    return net.eval()


def batch_loss(net: Net, batch: list[tuple[Example, torch.Tensor]]) -> torch.Tensor:
    """One minus expected F1, mean over pages; a page whose blocks are all trusted little counts little."""
    begins, ends, groups, pages = [], [], [], []
    num_blocks = num_groups = 0
    for k, (example, rows) in enumerate(batch):
        begins.append(example.table.begins + num_blocks)
        ends.append(example.table.ends + num_blocks)
        groups.append(example.table.groups + num_groups)
        pages.append(np.full(len(rows), k))
        num_blocks += len(rows)
        num_groups += int(example.table.groups.max()) + 1
    page = torch.from_numpy(np.concatenate(pages))
    logits = net(
        torch.cat([rows for _, rows in batch]), torch.from_numpy(np.concatenate(begins, 1)),
        torch.from_numpy(np.concatenate(ends, 1)), torch.from_numpy(np.concatenate(groups)), page,
    )  # fmt: skip
    likely = torch.sigmoid(logits)
    truth = torch.from_numpy(np.concatenate([e.truth for e, _ in batch])).float()
    trust = torch.from_numpy(np.concatenate([e.trust for e, _ in batch])).float()
    size = torch.tensor([float(len(words)) for e, _ in batch for words in e.words]) * trust

    def summed(values: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(batch)).index_add(0, page, values)

    f1 = (2 * summed(size * likely * truth) + 5) / (summed(size * likely) + summed(size * truth) + 5)
    return ((1 - f1) * (summed(trust) / summed(torch.ones_like(trust))).clamp(max=1)).mean()


def packed(model: Model) -> dict[str, Any]:
    """As numbers of 16 bits in a JSON document."""
    arrays = {f.name: getattr(model, f.name) for f in fields(Model) if f.init and f.name != "threshold"}
    return {
        "threshold": model.threshold,
        "arrays": {
            name: {"shape": list(a.shape), "data": base64.b64encode(a.astype(np.float16).tobytes()).decode()}
            for name, a in arrays.items()
        },
    }


def check(examples: list[Example], options: argparse.Namespace) -> None:
    """F1 on pages not learned from: in folds over pages, then with each collection left out."""
    real = [e for e in examples if e.gold.collection != "world"]
    splits = {f"fold {i}": real[i :: options.folds] for i in range(options.folds)}
    names = ("article_extraction", "readability", "trafilatura_eval")
    splits |= {name: [e for e in real if e.gold.collection == name] for name in names}
    over_folds: dict[str, Found] = {"fast": {}, "precise": {}}
    for name, held in splits.items():
        out = {id(e) for e in held}
        rest = [e for e in examples if id(e) not in out]
        model = fitted(rest, options)
        found = over_folds if name.startswith("fold") else {"fast": {}, "precise": {}}
        scored(held, model, found)
        if name in names:
            for profile, values in found.items():
                report(f"{profile}, learned without {name}", values)
    record = {profile: report(f"{profile}, {options.folds} folds", values) for profile, values in over_folds.items()}
    HELD_OUT.write_text(json.dumps(record | {"unit": "token F1 on pages not learned from"}, indent=1) + "\n")


def scored(examples: list[Example], model: Model, found: dict[str, Found]) -> None:
    """Add the scores of pages to `found`, chosen as html.to_text chooses."""
    for example in examples:
        table = example.table
        likely = probabilities(table, model)
        keep = {"fast": html_model.chosen(likely, table, model.threshold)}
        keep["precise"] = keep["fast"]
        if html_model.expected_f1(likely, keep["fast"], table) < CERTAIN_F1:
            keep["precise"] = html_model.chosen((likely + example.votes) / 2, table, 0.5)
        for profile, chosen in keep.items():
            values = found[profile]
            if example.gold.words is not None:
                words = [word for i in chosen for word in example.words[i]]
                values.setdefault(example.gold.collection, []).append(overlap(words, example.gold.words))
            else:
                text = " ".join(example.page.texts[i] for i in chosen)
                for key, count in zip(("kept", "lost", "wrong"), segment_counts(text, example.gold), strict=True):
                    values.setdefault(key, []).append(count)


def report(title: str, found: Found) -> dict[str, float]:
    """One line, and its numbers."""
    row = {key: round(float(np.mean(found[key])), 4) for key in ("article_extraction", "readability") if key in found}
    both = [value for key in ("article_extraction", "readability") for value in found.get(key, [])]
    if both:
        row["f1"] = round(float(np.mean(both)), 4)
    if "kept" in found:
        kept, lost, wrong = (sum(found[key]) for key in ("kept", "lost", "wrong"))
        row["f1_segments"] = round(2 * kept / (2 * kept + lost + wrong), 4)
    print(f"{title}: {row}", flush=True)
    return row


if __name__ == "__main__":
    main()
