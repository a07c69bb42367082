"""Text of every kind, made from a seed: stories, code, emoji, other scripts, bytes taken as text."""

import random

NAMES = ("Mira", "Tobo", "Ann", "Zoë", "Łukasz", "Old Ben")
THINGS = ("kite", "lantern", "naïve fish", "red-and-white ball", "don't-touch jar", "10,000 beads")
CODE = "def add(a, b=2):\n    # sum\n\treturn a + b  \n\n\nclass A(B): pass\r\nif x != y: print(f'{x:>10}')\n"
SCRIPTS = "日本語のテキスト 한국어 العربية עברית हिन्दी Ελληνικά Кириллица \u0301\u0302 ﬁ ǅ ⅷ ½ 𝒳𝓎 "
EMOJI = "🙂👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇸🇪\u200d\ufe0f"


def stories(count: int, seed: int = 0) -> list[str]:
    """Short stories from a few words."""
    rng = random.Random(seed)
    return [
        f"{rng.choice(NAMES)} had a {rng.choice(THINGS)}. They'll play with it {rng.randrange(2000)} times, "
        f"I'm sure.\n\nThen {rng.choice(NAMES)} said: \"It's MINE!\"  " * rng.randrange(1, 4)
        for _ in range(count)
    ]


def mixed(num_bytes: int, seed: int = 0) -> list[str]:
    """Texts of every kind, together at least `num_bytes` of UTF-8."""
    rng = random.Random(seed)
    texts: list[str] = []
    total = 0
    while total < num_bytes:
        text = _one(rng)
        texts.append(text)
        total += len(text.encode())
    return texts


def _one(rng: random.Random) -> str:
    kind = rng.randrange(6)
    if kind == 0:
        return " ".join(stories(3, rng.randrange(10**6)))
    if kind == 1:
        return CODE * rng.randrange(1, 4)
    if kind == 2:
        return "".join(rng.choice(EMOJI + SCRIPTS) for _ in range(rng.randrange(200)))
    if kind == 3:
        return rng.randbytes(rng.randrange(400)).decode("latin-1")
    if kind == 4:
        return rng.randbytes(rng.randrange(400)).decode("utf-8", errors="replace")
    points = (rng.randrange(0x110000 - 0x800) for _ in range(rng.randrange(100)))
    return "".join(chr(p if p < 0xD800 else p + 0x800) for p in points) + " " * rng.randrange(50) + "\n\r\t" * 3
