"""Names: single capitalised words made from syllables, never twice; a tokenizer can make one token of each."""

import random
from collections.abc import Iterator

STARTS = tuple("B D F G J K L M N P R S T V Br Dr Gr Kl Tr St Fl".split())
VOWELS = tuple("a e i o u ai ea oo".split())
MIDDLES = tuple("b d l m n r s t v nd rm lt st rk ll".split())
ENDS = {"person": tuple("a o y in el an is us ek".split()), "place": tuple("burg ford mere wick dale".split())}
ROOMY = 12_000
"""From this many names on one more syllable is added, so that drawing stays quick. Far above a small world's number of
names: real and invented ones must look alike, or refusing by length would do."""
TAKEN = frozenset(
    "baby belly body bully bury busy daily daisy dolly dusty fairy jelly jolly label lady lara lava lily lora "
    "mama manda many mily model nasty navy nosy novel panda parky pasta pastel penis pony rainy ready really rely "
    "robin ruby rusty sabel salty santa silly soda solo sorry steady stormy story study tasty tella testis tidy "
    "tiny travel truly tuna very".split()
)
"""What the syllables may spell but no name should be: words of English (all that occur in 60 MB of children's stories
and novels were looked up), and rude ones."""


def names(generator: random.Random, kind: str, avoid: set[str]) -> Iterator[str]:
    """Endless different names of a `person` or a `place`; each is added to `avoid`."""
    while True:
        name = generator.choice(STARTS) + generator.choice(VOWELS) + generator.choice(MIDDLES)
        if len(avoid) > ROOMY:
            name += generator.choice(VOWELS) + generator.choice(MIDDLES)
        name += generator.choice(ENDS[kind])
        if name not in avoid and name.lower() not in TAKEN:
            avoid.add(name)
            yield name
