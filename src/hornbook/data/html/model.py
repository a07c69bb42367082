"""Which blocks of a page are its main text: features of all blocks at once, and small learned models over them."""

import base64
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbook.data.html.blocks import NUM_BITS, Blocks
from hornbook.data.html.classes import HIDDEN_BIT

if TYPE_CHECKING:
    from array import array

WORD = re.compile(r"\w+")
NUM_WORDS = 3
"""Column of the features: logarithm of 1 + words."""
TAG_KINDS = {
    "p": 0, "h1": 1, "h2": 2, "h3": 3, "h4": 3, "h5": 3, "h6": 3, "li": 4, "td": 5, "th": 5, "pre": 6, "blockquote": 7,
    "div": 8, "section": 8, "figcaption": 9, "caption": 9, "dt": 10, "dd": 10, "article": 11, "main": 11, "body": 12,
}  # fmt: skip
NUM_KINDS = 14
PHRASES = (
    "© (c) copyright rights reserved privacy cookie cookies terms impressum datenschutz agb disclaimer policy",
    "comment comments reply replies kommentar kommentare login log sign subscribe subscription newsletter register"
    " email e-mail donate abonnieren anmelden account password",
    "share tweet facebook twitter whatsapp pinterest instagram linkedin follow print teilen drucken",
    "related more recommended recommend popular trending weiterlesen lesen mehr next previous advertisement anzeige"
    " loading read also latest click here",
    "by von posted published updated author photo image foto bild credit getty source quelle reuters tags tag category"
    " categories filed autor images courtesy",
    "jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august september october"
    " november december januar februar märz mai juni juli oktober dezember am pm est edt gmt utc uhr ago min",
)
"""Words of blocks that are no text, by kind: rights, forms, sharing, other pages, credits, dates."""
MAX_PHRASE_WORDS = 12
ENDS = frozenset(".!?…”\"’'»:;)。！？」")
CHAR_CLASSES = (".!?。！？", ",，", "|»›•/·>", '"“”„«', "\n", " ")
NUM_CHAR_CLASSES = len(CHAR_CLASSES) + 3


@cache
def phrase_kinds() -> dict[str, int]:
    """Kind of phrase by word."""
    return {word: kind for kind, words in enumerate(PHRASES) for word in words.split()}


@cache
def char_classes() -> Any:
    """Class of each character of the first plane: 0 other, 1 digit, 2 capital letter, 3... as in CHAR_CLASSES."""
    table = np.zeros(0x10000, np.uint8)
    for code in range(0x10000):
        char = chr(code)
        table[code] = 1 if char.isdigit() else 2 if char.isupper() else 0
        for i, chars in enumerate(CHAR_CLASSES):
            if char in chars:
                table[code] = 3 + i
    return table


BITS = np.arange(NUM_BITS)
MIXERS = np.array([0x1E3779B97F4A7C15, 0x632BE59BD9B4E019, 0x2C1B3C6D7A0F9E51], np.int64)
"""Odd numbers that make one number of three."""


@dataclass(slots=True)
class Table:
    """Numbers about the blocks of a page, and which blocks belong together."""

    rows: Any
    """float32, blocks x features."""
    begins: Any
    """Levels x blocks: the first block of the element one, two, three levels above a block's own."""
    ends: Any
    groups: Any
    """Blocks whose elements look alike (tag, words of the classes of three levels) have the same number."""
    heads: Any
    """Whether a block is a main heading."""


NUM_SEEN = 11
"""What the second layer sees: the block, six neighbours, means over three levels of containers and over its like."""


@dataclass(slots=True)
class Model:
    """A small network, several times: a layer over each block, then one over what it and its surroundings gave."""

    mean: Any
    scale: Any
    first: Any
    """Features x (nets * hidden)."""
    first_bias: Any
    second: Any
    """Nets x (11 * hidden) x hidden."""
    second_bias: Any
    third: Any
    third_bias: Any
    threshold: float
    side_by_side: Any = field(init=False)
    """`second` of all nets as one matrix."""

    def __post_init__(self) -> None:
        self.side_by_side = _side_by_side(self.second)


@cache
def load_model() -> Model:
    """The weights that come with the package; bench/extraction_weights.py makes them."""
    stored = json.loads((Path(__file__).parent / "model.json").read_text())
    arrays = {
        key: np.frombuffer(base64.b64decode(value["data"]), np.float16).astype(np.float32).reshape(value["shape"])
        for key, value in stored["arrays"].items()
    }
    return Model(**arrays, threshold=stored["threshold"])


def probabilities(table: Table, model: Model) -> Any:
    """How likely each block is main text."""
    rows = table.rows[:, 1:] - model.mean
    rows *= model.scale
    np.clip(rows, -5, 5, out=rows)
    hidden = np.maximum(rows @ model.first + model.first_bias, 0)
    nets, width = len(model.third), model.second.shape[2]
    given = (hidden @ model.side_by_side).reshape(len(rows), NUM_SEEN, nets * width)
    inner = np.maximum(_gathered(given, table) + model.second_bias.reshape(-1), 0)
    logits = inner @ model.third.reshape(-1) / nets + model.third_bias.mean()
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))


def chosen(likely: Any, table: Table, threshold: float) -> list[int]:
    """Positions of the blocks to keep: at least as likely as the threshold, or half as likely as the likeliest one.

    So the limit sinks with the likeliest block where that is less than twice the threshold, and something always stays.
    A main heading (h1) right before a chosen block is chosen too: gold texts often leave it out (F1 on them falls by
    .002), but a text begins with it.
    """
    best = float(likely.max())
    keep = likely >= min(threshold, best / 2)
    keep[:-1] |= table.heads[:-1] & keep[1:]
    return np.flatnonzero(keep).tolist()


def expected_f1(likely: Any, keep: list[int], table: Table) -> float:
    """The F1 of a choice if the probabilities are right, over words."""
    words = np.expm1(table.rows[:, NUM_WORDS])
    right = float((words[keep] * likely[keep]).sum())
    return 2 * right / max(float(words[keep].sum() + (words * likely).sum()), 1e-9)


def votes_of(text: str, blocks: list[str]) -> Any:
    """Of each block, the share of its words that lie in runs of four words of `text`; runs cross blocks."""
    wanted_words = WORD.findall(text.lower())
    size = max(1, min(4, len(wanted_words)))
    wanted = set(zip(*(wanted_words[i:] for i in range(size)), strict=False))
    words = [WORD.findall(block.lower()) for block in blocks]
    flat = [word for found in words for word in found]
    hits = np.zeros(len(flat) + size, bool)
    starts = [i for i, run in enumerate(zip(*(flat[i:] for i in range(size)), strict=False)) if run in wanted]
    for i in range(size):
        hits[np.array(starts, np.int64) + i] = True
    counts = np.array([len(found) for found in words])
    sums = np.concatenate([[0], np.cumsum(hits)])
    ends = np.cumsum(counts)
    return ((sums[ends] - sums[ends - counts]) / np.maximum(counts, 1)).astype(np.float32)


def _side_by_side(second: Any) -> Any:
    """The second layers of all nets as one matrix: values of a block -> what each place gives to each net."""
    nets, wide, width = second.shape
    hidden = wide // NUM_SEEN
    matrix = np.zeros((nets, hidden, NUM_SEEN, nets, width), np.float32)
    for net in range(nets):
        matrix[net, :, :, net] = second[net].reshape(NUM_SEEN, hidden, width).transpose(1, 0, 2)
    return matrix.reshape(nets * hidden, NUM_SEEN * nets * width)


def _gathered(given: Any, table: Table) -> Any:
    """Sums what a block gets: from itself, from three neighbours on each side, means over its containers and its like.

    Means and shifts of a linear map are the map of means and shifts: one product of matrices is enough.
    """
    num = len(given)
    got = given[:, 0].copy()
    for lag in (1, 2, 3):
        if lag < num:
            got[lag:] += given[:-lag, 2 * lag - 1]
            got[:-lag] += given[lag:, 2 * lag]
    for level, (begins, ends) in enumerate(zip(table.begins, table.ends, strict=True)):
        sums = np.zeros((num + 1, got.shape[1]))
        np.cumsum(given[:, 7 + level], axis=0, dtype=np.float64, out=sums[1:])
        got += (sums[ends] - sums[begins]) / np.maximum(ends - begins, 1)[:, None]
    sizes = np.bincount(table.groups)
    by_group = given[np.argsort(table.groups, kind="stable"), 10]
    of_group = np.add.reduceat(by_group, np.cumsum(sizes) - sizes)
    return got + (of_group / sizes[:, None])[table.groups]


def features(page: Blocks) -> Table:
    """What the model sees of a page with at least one block."""
    elements, parents, begins, ends, bits, own_bits = map(
        _numbers, (page.element_of, page.parents, page.begins, page.ends, page.bits, page.own_bits)
    )
    levels = np.empty((3, len(elements)), np.int64)
    for i in range(3):
        levels[i] = parents[levels[i - 1] if i else elements]
    kinds = np.array([TAG_KINDS.get(page.names[i], NUM_KINDS - 1) for i in page.element_of])
    counted = np.stack([_numbers(page.link_chars), _numbers(page.num_links), _numbers(page.bold_chars)])
    own = _own(page.texts, page.title, counted.astype(np.float32))
    bits_here = bits[elements]
    around = own_bits[np.stack([elements, levels[0], levels[1]])]
    place = _place(own, kinds, elements, levels, begins, ends, bits_here & HIDDEN_BIT != 0)
    marks = np.concatenate([bits_here[:, None] >> BITS & 1, (around[0] | around[1])[:, None] >> BITS & 1], axis=1)
    onehot = kinds[:, None] == np.arange(NUM_KINDS)
    rows = np.concatenate([own, place, onehot, marks], axis=1, dtype=np.float32)
    mixed = MIXERS @ around + kinds * 0x2545F4914F6CDD1D
    return Table(rows, begins[levels], ends[levels], np.unique(mixed, return_inverse=True)[1], kinds == 1)


def _numbers(column: "array[int]") -> Any:
    """A column of a page without copying it."""
    return np.frombuffer(column, np.int64)


def _own(texts: list[str], title: str, counted: Any) -> Any:
    """What a block shows by itself; `counted`: characters in links, links, bold characters."""
    title = title.lower()
    times = Counter(texts)
    starts = [text[:80].lower() for text in texts]
    signs = [
        [text[-1] in ENDS for text in texts],
        [text[0].isupper() for text in texts],
        [times[text] > 1 for text in texts],
        [len(start) > 8 and start[:60] in title for start in starts],
    ]
    counts = _count_chars(texts)
    num_chars = np.fromiter(map(len, texts), np.float32, len(texts))[:, None]
    num_words = counts[:, 8:9] + 1
    links = np.minimum(counted[0, :, None] / num_chars, 1)
    bold = np.minimum(counted[2, :, None] / num_chars, 1)
    sums = np.concatenate([num_chars, num_words, counts[:, 3:8], counted[1, :, None]], axis=1)
    shares = [counts[:, 1:3] / num_chars, counts[:, 3:5] / num_chars * 100, num_chars / num_words, links, bold]
    return np.concatenate([num_chars, links, np.log1p(sums), *shares, np.array(signs).T, _phrases(starts)], axis=1)


def _phrases(starts: list[str]) -> Any:
    """Beginnings of texts x kinds of phrases: how many of the first words are of each kind."""
    words = [start.split(None, MAX_PHRASE_WORDS)[:MAX_PHRASE_WORDS] for start in starts]
    sizes = np.fromiter(map(len, words), np.int64, len(words))
    plain = map(str.strip, chain.from_iterable(words), repeat(".,:;!?[]"))
    kinds = np.fromiter(map(phrase_kinds().get, plain, repeat(len(PHRASES))), np.int64, sizes.sum())
    return _counted(kinds, sizes, len(PHRASES) + 1)[:, :-1]


def _count_chars(texts: list[str]) -> Any:
    """Texts x classes of characters."""
    text = "".join(texts)
    data = text.encode("utf-16-le", "surrogatepass")
    if len(data) == 2 * len(text):
        codes = np.frombuffer(data, np.uint16)
    else:
        codes = np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32), 0xFFFF)
    return _counted(char_classes()[codes], np.fromiter(map(len, texts), np.int64, len(texts)), NUM_CHAR_CLASSES)


def _counted(kinds: Any, sizes: Any, num_kinds: int) -> Any:
    """Rows x kinds: how often each kind is among the first `sizes[0]` of `kinds`, among the next `sizes[1]`, ..."""
    begins = np.arange(0, len(sizes) * num_kinds, num_kinds)
    return np.bincount(np.repeat(begins, sizes) + kinds, minlength=len(begins) * num_kinds).reshape(-1, num_kinds)


def _place(own: Any, kinds: Any, elements: Any, levels: Any, begins: Any, ends: Any, hidden: Any) -> Any:
    """What is around a block: sums over its elements, the best container, the place on the page."""
    num = len(own)
    chars, links, num_words, commas = own[:, 0], own[:, 1], np.expm1(own[:, 3]), np.expm1(own[:, 5])
    is_text = (num_words >= 10) & (links < 0.5) & ~hidden
    good = np.where(is_text, chars * (1 - links), 0)
    bad = np.where(is_text, 0, chars)
    in_p = good * (kinds == 0)
    total_good, total = good.sum() + 1, chars.sum() + 1
    sums = np.zeros((num + 1, 6))
    np.cumsum(np.stack([good, bad, chars * links, np.ones(num), commas, in_p], axis=1), axis=0, out=sums[1:])
    of_element = (sums[ends] - sums[begins]).astype(np.float32)
    best = int(np.argmax(of_element[:, 0] + of_element[:, 4] * 10 - 2 * of_element[:, 1]))
    best_p = int(np.argmax(of_element[:, 5] - 4 * of_element[:, 1]))
    index = np.arange(num)
    around = of_element[levels]
    size = around[:, :, 0] + around[:, :, 1] + 1
    heads = np.flatnonzero(kinds == 1)
    head = int(heads[-1]) if 0 < len(heads) < 4 else num
    after = np.where(head < num, index - head, 0)
    same = [elements, *levels[:2]]
    columns = [
        (index >= begins[best]) & (index < ends[best]),
        (index >= begins[best_p]) & (index < ends[best_p]),
        np.full(num, of_element[best, 0] / total_good),
        np.full(num, of_element[best_p, 5] / total_good),
        *(around[:, :, 0] / size),
        *(around[:, :, 2] / size),
        *(around[:, :, 0] / total_good),
        *(around[:, :, 5] / total_good),
        *np.log1p(around[:, :, 0]),
        *np.log1p(around[:, :, 3]),
        index / num,
        np.minimum(index, 100),
        np.minimum(num - index, 100),
        sums[:-1, 0] / total_good,
        np.full(num, np.log1p(total_good)),
        np.full(num, total_good / total),
        np.sign(after),
        np.clip(after, -20, 20),
        *(np.append(level[1:] == level[:-1], False) for level in same),
        *(np.append(False, level[1:] == level[:-1]) for level in same),
    ]
    return np.stack(columns, axis=1)
