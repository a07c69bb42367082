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
    "baba baby bado bailly ballin bandy baran basin basis beady beatin bela bella belly belo bendy beta bevel "
    "bevy bila billy boba body bola bolo boma bona bondel bono bonus bony booty brady brainy brandy bravo "
    "brendan brevis bully bundy bury busy dada dado daily dairy daisy dana data dava davis deba dela della "
    "dello delta demo denis deny derek desta destin didis dina dino dito diva divel dodo dolla dolly dolo doly "
    "dona donda dono dooby doorman dosa drama dreamy dreary drivel duly dura dustin dusty duty fada fairy "
    "fallin fava fealty festa feta fetus flora folly footy fora forma fulford fully fundo fundus fury fusty "
    "gado gaily gala gallo galo gary gato gavel genus german germy gesin givin goody gory gosford gosto gota "
    "grainy gratis gravel gravy greasy grimy gura gurus gusta gusto jalan jama java jello jelly jerkin jerky "
    "jesus jina joda jolly judo july jury kaba kama kando karma kelly keto kevin kila killa killin kilo kima "
    "kina kinda kita klima koda kota koto kula kulo label lado lady lara latin lava leavin lelo leva level "
    "levy libel lilo lily lima liman limo lina linda lindo lira lisa lito livin lola lolly lona lora lotus "
    "lovin lusty maisy mama maman mana manda many mara mary mata matin mato meara meatus medo mela memo meno "
    "menus mesa meta mida milan mily mina minus mira misty mito model modus molly molto moody mora motel moto "
    "muda mundo muris murky musty naby nada naira nalin nally nalo nano nany nary nasa nasty nato navel navy "
    "nesta neva nilly nimo nina niro nolan noma nomo nono nora norman nosy nova novel novo numa palin panda "
    "panel para paris parky paro pasa pasta pastel pedis pela pelo pena pendo penis pero pesa peso pestis "
    "pesto pido pisa pita pity polis pollo polo poly pony pooris pullin puma punda putin rainford rainy raisin "
    "rally randy rata ravel ready really rebel redo rely reno resin resta revel ridin rita robin robo rollin "
    "roly roman rosa rosto rosy rotis ruby rusty saba sabel sally salty sana sandy santa sara saran saris sasa "
    "satan satin seaman sedan sellin semis senis sera sido silly silo simus sina sinus sita soda solo sona "
    "sono sorry stanford stasis status steady steamy stela stoma stony stormy story study sultan sumo sura "
    "susan tally tara taro tasty teary tella tellin tellus telly tena tendus testis testy tidy tilly tina tiny "
    "tira titan titus toda todo tony toro travel travis treaty trellis trendy truly trusty tuba tudo tully "
    "tuna vary vena vera vermin very veto vida vila villa virus visa vista vita viva vivo vola volta vora".split()
)
"""What the syllables may spell but no name should be: of the 35,280 names they can spell, those that stand in lower
case in 86 million characters of stories, books, questions and instructions (so July is a month and nobody's name)."""


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
