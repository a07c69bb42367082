"""Names: single capitalised words made from syllables, never twice; a tokenizer can make one token of each."""

import random
from collections.abc import Iterator

STARTS = tuple("B D F G J K L M N P R S T V Br Dr Gr Kl Tr St Fl".split())
VOWELS = tuple("a e i o u ai ea oo".split())
MIDDLES = tuple("b d l m n r s t v nd rm lt st rk ll".split())
ENDS = {"person": tuple("a o y in el an is us ek".split()), "place": tuple("burg ford mere wick dale".split())}
ROOMY = 12_000
"""From this many names on one more syllable is added, so that drawing stays quick. Far above the names of a small world:
real and invented names must look alike, or refusing by length would do."""
TAKEN = frozenset(
    "Baby Basin Belly Berry Billy Body Bonus Brain Buddy Bully Dairy Dana David Devil Dora Fairy Field Focus Genus Jelly "
    "Kevin Lady Lemon Linda Lily Many Mary Melon Merry Minus Money Nasty Pasta Peter Rally Rita Robin Ruby Sally Santa "
    "Silly Solo Sorry Story Study Tasty Tidy Tiny Today Venus Verdi Virus Visa Vista Testis Penis Anus Retard".split()
)
"""What the syllables may spell but no name should be: words of English, common names, rude words."""


def names(generator: random.Random, kind: str, avoid: set[str]) -> Iterator[str]:
    """Endless different names of a `person` or a `place`; each is added to `avoid`."""
    while True:
        name = generator.choice(STARTS) + generator.choice(VOWELS) + generator.choice(MIDDLES)
        if len(avoid) > ROOMY:
            name += generator.choice(VOWELS) + generator.choice(MIDDLES)
        name += generator.choice(ENDS[kind])
        if name not in avoid and name not in TAKEN:
            avoid.add(name)
            yield name
