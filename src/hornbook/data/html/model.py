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
UNSPACED = len(CHAR_CLASSES) + 3
"""Class of kana and ideographs, which are written without spaces."""
NUM_CHAR_CLASSES = UNSPACED + 1
CHARS_PER_WORD = 1.6
"""Characters for each word of an unspaced text (`language.languages`)."""


@cache
def phrase_kinds() -> dict[str, int]:
    """Kind of phrase by word."""
    return {word: kind for kind, words in enumerate(PHRASES) for word in words.split()}


@cache
def char_classes() -> Any:
    """Class of each character of the first plane: 0 other, 1 digit, 2 capital letter, 3... CHAR_CLASSES, UNSPACED."""
    table = np.zeros(0x10000, np.uint8)
    for code in range(0x10000):
        char = chr(code)
        table[code] = 1 if char.isdigit() else 2 if char.isupper() else 0
        for i, chars in enumerate(CHAR_CLASSES):
            if char in chars:
                table[code] = 3 + i
    for first, last in ((0x3041, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF)):
        table[first : last + 1] = UNSPACED
    return table


BITS = np.arange(NUM_BITS)[:, None]
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
    np.minimum(np.maximum(rows, -5, out=rows), 5, out=rows)
    hidden = np.maximum(rows @ model.first + model.first_bias, 0)
    inner = np.maximum(_seen(hidden, table) @ model.side_by_side + model.second_bias.reshape(-1), 0)
    logits = inner @ model.third.reshape(-1) / len(model.third) + model.third_bias.mean()
    return 1 / (1 + np.exp(-np.minimum(np.maximum(logits, -30), 30)))


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
    """The second layers of all nets as one matrix (what a block sees of all nets) x (nets * width)."""
    nets, wide, width = second.shape
    matrix = np.zeros((NUM_SEEN, nets, wide // NUM_SEEN, nets, width), np.float32)
    for net in range(nets):
        matrix[:, net, :, net] = second[net].reshape(NUM_SEEN, -1, width)
    return matrix.reshape(nets * wide, nets * width)


def _seen(hidden: Any, table: Table) -> Any:
    """What a block sees: itself, three neighbours on each side, means over three containers and over its like."""
    num, width = hidden.shape
    seen = np.zeros((num, NUM_SEEN, width), np.float32)
    seen[:, 0] = hidden
    for lag in (1, 2, 3):
        if lag < num:
            seen[lag:, 2 * lag - 1] = hidden[:-lag]
            seen[:-lag, 2 * lag] = hidden[lag:]
    sums = np.zeros((num + 1, width))
    np.cumsum(hidden, axis=0, dtype=np.float64, out=sums[1:])
    means = sums.take(table.ends.T, axis=0) - sums.take(table.begins.T, axis=0)
    np.divide(means, np.maximum(table.ends - table.begins, 1).T[:, :, None], out=seen[:, 7:10], casting="same_kind")
    order = np.argsort(table.groups, kind="stable")
    sizes = np.bincount(table.groups)
    of_group = np.add.reduceat(hidden.take(order, axis=0), np.cumsum(sizes) - sizes) / sizes[:, None]
    seen[:, 10] = of_group.take(table.groups, axis=0)
    return seen.reshape(num, -1)


def features(page: Blocks) -> Table:
    """What the model sees of a page with at least one block."""
    elements, parents, begins, ends, bits, own_bits = map(
        _numbers, (page.element_of, page.parents, page.begins, page.ends, page.bits, page.own_bits)
    )
    chain_up = np.empty((4, len(elements)), np.int64)
    chain_up[0] = elements
    for i in range(3):
        chain_up[i + 1] = parents[chain_up[i]]
    kinds = np.array([TAG_KINDS.get(page.names[i], NUM_KINDS - 1) for i in page.element_of])
    counted = np.array([_numbers(page.link_chars), _numbers(page.num_links), _numbers(page.bold_chars)], np.float32)
    own = _own(page.texts, page.title, counted)
    bits_here = bits[elements]
    around = own_bits[chain_up[:3]]
    place = _place(own, kinds, chain_up, begins, ends, bits_here & HIDDEN_BIT != 0)
    onehot = kinds == np.arange(NUM_KINDS)[:, None]
    marks = [bits_here >> BITS & 1, (around[0] | around[1]) >> BITS & 1]
    rows = np.concatenate([own, *place, onehot, *marks], dtype=np.float32).T
    mixed = MIXERS @ around + kinds * 0x2545F4914F6CDD1D
    levels = chain_up[1:]
    return Table(rows, begins[levels], ends[levels], np.unique(mixed, return_inverse=True)[1], kinds == 1)


def _numbers(column: "array[int]") -> Any:
    """A column of a page without copying it."""
    return np.frombuffer(column, np.int64)


def _own(texts: list[str], title: str, counted: Any) -> Any:
    """Features x texts: what a block shows by itself; `counted`: characters in links, links, bold characters."""
    title = title.lower()
    times = Counter(texts)
    starts = [text[:80].lower() for text in texts]
    signs = [
        [text[-1] in ENDS for text in texts],
        [text[0].isupper() for text in texts],
        [times[text] > 1 for text in texts],
        [len(start) > 8 and start[:60] in title for start in starts],
    ]
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    counts = _count_chars(texts, sizes)
    num_chars, num_words = sizes.astype(np.float32), counts[8] + 1 + counts[UNSPACED] / CHARS_PER_WORD
    links, bold = np.minimum(counted[::2] / num_chars, 1)
    sums = np.log1p(np.array([num_chars, num_words, *counts[3:8], counted[1]], np.float64))
    shares = [counts[1:3] / num_chars, counts[3:5] / num_chars * 100, np.array([num_chars / num_words, links, bold])]
    return np.concatenate([np.array([num_chars, links]), sums, *shares, np.array(signs), _phrases(starts)])


def _phrases(starts: list[str]) -> Any:
    """Kinds of phrases x beginnings of texts: how many of the first words are of each kind."""
    words = [start.split(None, MAX_PHRASE_WORDS)[:MAX_PHRASE_WORDS] for start in starts]
    sizes = np.fromiter(map(len, words), np.int64, len(words))
    plain = map(str.strip, chain.from_iterable(words), repeat(".,:;!?[]"))
    kinds = np.fromiter(map(phrase_kinds().get, plain, repeat(len(PHRASES))), np.int64, sizes.sum())
    return _counted(kinds, sizes, len(PHRASES) + 1)[:-1]


def _count_chars(texts: list[str], sizes: Any) -> Any:
    """Classes of characters x texts (`sizes`: their characters)."""
    text = "".join(texts)
    data = text.encode("utf-16-le", "surrogatepass")
    if len(data) == 2 * len(text):
        codes = np.frombuffer(data, np.uint16)
    else:
        codes = np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32), 0xFFFF)
    return _counted(char_classes()[codes], sizes, NUM_CHAR_CLASSES)


def _counted(kinds: Any, sizes: Any, num_kinds: int) -> Any:
    """Kinds x rows: how often each kind is among the first `sizes[0]` of `kinds`, among the next `sizes[1]`, ..."""
    begins = np.arange(0, len(sizes) * num_kinds, num_kinds)
    return np.bincount(np.repeat(begins, sizes) + kinds, minlength=len(begins) * num_kinds).reshape(-1, num_kinds).T


def _place(own: Any, kinds: Any, chain_up: Any, begins: Any, ends: Any, hidden: Any) -> list[Any]:
    """Features x texts: what is around a block: sums over its elements, the best container, the place on the page."""
    num = own.shape[1]
    levels = chain_up[1:]
    chars, links, num_words, commas = own[0], own[1], np.expm1(own[3]), np.expm1(own[5])
    is_text = (num_words >= 10) & (links < 0.5) & ~hidden
    good = np.where(is_text, chars * (1 - links), 0)
    bad = np.where(is_text, 0, chars)
    in_p = good * (kinds == 0)
    total_good, total = good.sum() + 1, chars.sum() + 1
    sums = np.zeros((6, num + 1))
    np.cumsum(np.array([good, bad, chars * links, np.ones(num), commas, in_p]), axis=1, out=sums[:, 1:])
    of_element = (sums[:, ends] - sums[:, begins]).astype(np.float32)
    best = int(np.argmax(of_element[0] + of_element[4] * 10 - 2 * of_element[1]))
    best_p = int(np.argmax(of_element[5] - 4 * of_element[1]))
    index = np.arange(num)
    around = of_element[:, levels]
    size = around[0] + around[1] + 1
    heads = np.flatnonzero(kinds == 1)
    after = index - int(heads[-1]) if 0 < len(heads) < 4 else np.zeros(num)
    same = np.zeros((6, num))
    same[:3, :-1] = same[3:, 1:] = chain_up[:3, 1:] == chain_up[:3, :-1]
    whole = [
        of_element[0, best] / total_good,
        of_element[5, best_p] / total_good,
        np.log1p(total_good),
        total_good / total,
    ]
    wide = np.repeat(np.array(whole)[:, None], num, axis=1)
    inside = np.array([(index >= begins[i]) & (index < ends[i]) for i in (best, best_p)])
    places = [index / num, np.minimum(index, 100), np.minimum(num - index, 100), sums[0, :-1] / total_good]
    head = [np.sign(after), np.minimum(np.maximum(after, -20), 20)]
    return [
        inside, wide[:2], around[0] / size, around[2] / size, around[0] / total_good, around[5] / total_good,
        np.log1p(around[0]), np.log1p(around[3]), np.array(places), wide[2:], np.array(head), same,
    ]  # fmt: skip
