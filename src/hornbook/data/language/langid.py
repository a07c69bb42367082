"""Which language a text is in, how sure that is, and what is no language at all.

py3langid (Lui & Baldwin 2012, naive Bayes over byte n-grams) answers for 140 languages. Two things are added: text that
is code, numbers or encoded data is `und` (undetermined, ISO 639-2) instead of some language, and a second look at a few
neighbours that it confuses or does not know, by the words that tell them apart.
"""

from functools import cache
from typing import Any, Literal, NamedTuple

from hornbook.data.language.byte_model import byte_model
from hornbook.data.language.codes import UNDETERMINED, canonical
from hornbook.data.language.kinds import SPACES, is_code

Library = Literal["py3langid", "lingua"]

ASCII_NOT_LETTERS = bytes(b for b in range(128) if not chr(b).isalpha())
MIN_LETTER_FRAC = 0.5
LONG_TOKEN_BYTES = 40

# Guesses that deserve a second look, with the languages they may be instead.
RIVALS: dict[str, tuple[str, ...]] = {
    "id": ("ms",),
    "ms": ("id",),
    "hr": ("bs",),
    "bs": ("hr",),
    "nso": ("tn",),
    "st": ("tn",),
    "xh": ("ts",),
    "sn": ("ts",),
    "zu": ("ts",),
    "ki": ("mi",),
    "fuv": ("mi",),
    "ltg": ("mi",),
}
# Frequent words that one of the rivals writes and the other does not (spelling, months, function words).
TELLING: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "id": "karena bisa uang perusahaan bahwa setelah yaitu saja kualitas aktivitas komunitas informasi layanan "
        "juli juni agustus desember polisi universitas coba mau sedangkan kantor mobil pemerintah dia cuma udah "
        "gak nggak aja kalau gimana seperti",
        "ms": "kerana boleh wang syarikat bahawa ialah kerajaan pejabat kereta berbeza mahu cuba sahaja iaitu "
        "universiti kualiti aktiviti komuniti perkhidmatan maklumat selepas manakala ogos disember jun julai "
        "awak agensi menerusi hendaklah kepada adalah",
        "hr": "što tko netko nitko svatko tisuća tjedan tjedna povijest povijesti europske europski europa tvrtka "
        "tvrtke siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga "
        "prosinca sustav sustava obitelj obitelji točno točka kazalište glazba glazbe uvjeti uvjet znanost "
        "kemija hrvatske hrvatska hrvatski hrvatskoj zagreb zagrebu",
        "bs": "šta ko neko niko svako hiljada hiljade sedmica sedmice historija historije historiji evropske "
        "evropski evropa evrope finansijski januara februara marta aprila maja juna jula augusta septembra "
        "oktobra novembra decembra sistem sistema porodica porodice tačno tačka štampa uslovi uslov hemija "
        "bosne bosna hercegovine bih sarajevo sarajevu bosanski desilo ponovo takođe islam allah",
        "tn": "gonne mme jaaka kwa fa foo tlhaloganya tlhalosa mongwe bangwe sengwe tsotlhe botlhe gotlhe otlhe yotlhe "
        "jwa jo jaanong ntlha ditiro dikgang gompieno rraagwe mmaagwe tshwanetse dirisa dintlha kgotsa setswana "
        "botswana batswana",
        "nso": "gomme bjalo bja bjona kua ge goba moo yeo wo tše tšeo tšohle bohle gohle ohle yohle mohlala swanetše "
        "šoma mošomo tšhelete seo tšwa lego bego ego bago gona motho",
        "st": "hore hobane ho tseo tsohle bohle hae haholo empa joalo jwalo haeba ntho feela",
        "ts": "leswaku hikuva kumbe swi xi eka loko kambe hambi vanhu munhu swilo leswi lexi leri lowu naswona ndzi "
        "tani rona yena vona swona hinkwaswo hinkwavo xikwembu ntsena ngopfu endla nkarhi lawa leyi laha ku ka",
        "xh": "kwaye kodwa ukuba ngoko okanye njengoko into abantu umntu xa ngokuba bonke kakhulu kuba",
        "sn": "kuti uye asi zvino kana iye pa mu nokuti vose zvose saka chete uyu ichi izvi",
        "zu": "ukuthi futhi kodwa uma noma abantu umuntu ngoba kanye kakhulu bonke lapho konke khona",
        "mi": "te ngā nga ki ko he i o e ka kua tēnei taua rātou hoki mō tana tona tōna koe tangata kei hei tētahi "
        "ētahi mahi whare rawa katoa nei",
    }.items()
}
MIN_TELLING_FRAC = 0.02
MIN_TELLING_FRAC_UNRELATED = 0.15


class Guess(NamedTuple):
    """A language (ISO 639 code, `und` when it is none) and its probability."""

    language: str
    confidence: float


def detect(text: str, head_bytes: int = 1024, library: Library = "py3langid") -> Guess:
    """The most likely language of a text's beginning and its probability.

    Only the first `head_bytes` of UTF-8 are read: long documents cost several times less, and accuracy on paragraphs
    is the same (docs/decisions/data-language.md). The probability after a second look is that of the first guess.
    """
    data = text[:head_bytes].encode("utf-8", "replace")[:head_bytes]
    head = data.decode("utf-8", "ignore")
    if not is_language(head):
        return Guess(UNDETERMINED, 0.0)
    if library == "lingua":
        return _lingua_guess(head)
    language, confidence = byte_model().classify(head)
    language = canonical(language)
    return Guess(_second_look(head, language) if language in RIVALS else language, confidence)


def is_language(head: str) -> bool:
    """Whether text can be a human language: mostly letters, not built like code, not one long string.

    Numbers, program code, and base64 or hexadecimal data are none.
    """
    data = head.encode("utf-8", "replace")
    dense = data.translate(None, SPACES)
    num_letters = len(dense.translate(None, ASCII_NOT_LETTERS))  # bytes above 127 count as letters
    if not dense or num_letters < MIN_LETTER_FRAC * len(dense) or is_code(head):
        return False
    if not data.isascii():
        return True
    return sum(filter(LONG_TOKEN_BYTES.__le__, map(len, data.split()))) <= 0.5 * len(dense)


def _second_look(head: str, guess: str) -> str:
    """The rival whose telling words are more than the guess's own, or the guess."""
    words = head.lower().split()
    own = _count(words, guess)
    related = guess in TELLING
    for rival in RIVALS[guess]:
        found = _count(words, rival)
        if found > own and found >= (MIN_TELLING_FRAC if related else MIN_TELLING_FRAC_UNRELATED) * len(words):
            return rival
    return guess


def _count(words: list[str], language: str) -> int:
    telling = TELLING.get(language, frozenset())
    return sum(1 for word in words if word in telling)


def _lingua_guess(text: str) -> Guess:
    found = _lingua().compute_language_confidence_values(text)
    if not found:
        return Guess(UNDETERMINED, 0.0)
    return Guess(canonical(found[0].language.iso_code_639_1.name.lower()), float(found[0].value))


@cache
def _lingua() -> Any:
    """lingua's models for its 75 languages (1.1 GB of memory when all are loaded)."""
    from hornbook.core.errors import SettingsError

    try:
        import lingua  # type: ignore[import-not-found]  # an extra
    except ImportError:
        raise SettingsError(
            'the library "lingua" is not installed', do="pip install 'hornbook[langid]', or library = \"py3langid\""
        ) from None
    made: Any = lingua
    return made.LanguageDetectorBuilder.from_all_languages().build()
