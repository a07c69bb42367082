"""What word rules have to know about a language: its commonest words, how long words are, how they are parted.

Facts about languages, in one place: rules made for English read them here instead of dropping everything else.
"""

from hornbook.core.document import Document
from hornbook.data.language.codes import UNDETERMINED, canonical
from hornbook.data.language.langid import detect

META_LANGUAGE = "language"
META_CONFIDENCE = "language_confidence"

# Sentence ends of the world's scripts: Latin, ideographic and full-width, Arabic, Urdu, Devanagari, Armenian,
# Ethiopic, Khmer, Myanmar, Tibetan. Source: Unicode property Sentence_Terminal (common scripts).
SENTENCE_ENDS = ".!?。！？．｡؟۔।॥։።፧፨៕។။།༎‼⁇⁈⁉"
# What may follow a sentence's end: quotation marks and closing brackets.
CLOSERS = "\"'”’»›」』）)]】"

# Letters for each word where words are written without spaces. Source: Chinese 1.5-1.7 (Chen et al. 2015 count 1.5
# characters a word), Japanese about 2, Thai, Lao, Khmer, Burmese, Tibetan 4-5; round numbers are enough to count words.
CHARS_PER_WORD = {"zh": 1.6, "yue": 1.6, "wuu": 1.6, "ja": 2.0, "th": 4.5, "lo": 4.5, "km": 5.0, "my": 5.0, "dz": 4.0}

# Mean length of words in running text (letters, vowel signs included), from 75 languages of the lingua test sentences.
MEAN_WORD_CHARS = {
    "af": 4.7,
    "ar": 4.8,
    "az": 6.4,
    "be": 5.9,
    "bg": 5.2,
    "bn": 5.1,
    "bs": 5.4,
    "ca": 5.2,
    "cs": 5.5,
    "cy": 4.8,
    "da": 4.9,
    "de": 6.0,
    "el": 5.4,
    "en": 5.0,
    "eo": 5.1,
    "es": 4.9,
    "et": 6.1,
    "eu": 6.9,
    "fa": 4.2,
    "fi": 7.9,
    "fr": 5.2,
    "ga": 4.9,
    "gu": 5.1,
    "he": 4.8,
    "hi": 3.9,
    "hr": 5.6,
    "hu": 6.3,
    "hy": 6.5,
    "id": 6.2,
    "is": 5.0,
    "it": 5.4,
    "ka": 7.2,
    "kk": 6.8,
    "ko": 3.2,
    "la": 6.2,
    "lg": 6.5,
    "lt": 6.5,
    "lv": 6.0,
    "mi": 3.7,
    "mk": 5.3,
    "mn": 5.7,
    "mr": 5.9,
    "ms": 5.9,
    "no": 5.2,
    "nl": 5.3,
    "nn": 5.1,
    "pa": 3.9,
    "pl": 6.0,
    "pt": 4.9,
    "ro": 5.3,
    "ru": 5.4,
    "sk": 5.4,
    "sl": 5.2,
    "sn": 6.8,
    "so": 5.5,
    "sq": 4.9,
    "sr": 5.3,
    "st": 4.3,
    "sv": 5.6,
    "sw": 5.3,
    "ta": 8.2,
    "te": 6.7,
    "tl": 5.2,
    "tn": 4.1,
    "tr": 6.8,
    "ts": 4.7,
    "uk": 6.0,
    "ur": 3.7,
    "vi": 3.5,
    "xh": 7.7,
    "yo": 3.9,
    "zu": 7.9,
}
ENGLISH_WORD_CHARS = 5.0

STOP_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the be to of and that have with",
        "af": "die en van het in is nie wat dat vir met om op sy",
        "ar": "في من على أن إلى التي الذي عن مع هذا هذه كان لا ما أو",
        "az": "və bu bir ki ilə də üçün olan daha",
        "be": "і ў на не што з да як гэта у",
        "bg": "на и да се за от че не са по като това",
        "bn": "এবং এই ও করে না থেকে জন্য হয় একটি কিন্তু তার আমি সে",
        "bs": "i je u na se da su za od s kao ne to",
        "ca": "de la i el que a en les els del per amb un una",
        "cs": "a na v se je že to do s pro jako by ale",
        "cy": "y yn a i o ar yr ac mae am wedi",
        "da": "og i at det er en til af på for der med ikke som",
        "de": "der die das und in zu den ist von mit nicht ein eine auf dem sich",
        "el": "και το του να με της η την που για τα ο από των δεν",
        "eo": "la kaj de en estas al por ne kun ke",
        "es": "de la que el en y a los se del las un por con una",
        "et": "ja on ei et see ka oli mis kui aga ta",
        "eu": "eta da ez du bat ere dira zen baina hau",
        "fa": "و در به از که این را با است آن برای یک",
        "fi": "ja on ei että se oli hän mutta kun ovat myös niin",
        "fr": "de la le et les des en un une que est pour dans du il",
        "ga": "agus an na ar le go bhí sé is i",
        "gu": "અને છે આ તે માં પણ એક માટે કે હતી હતો",
        "he": "של את על לא הוא היא זה עם כי גם אם",
        "hi": "के है में की और से का को यह कि पर ने एक",
        "hr": "i je u na se da su za od s kao ne to",
        "hu": "a az és hogy nem is egy volt meg de ez csak",
        "hy": "և է որ են մի այս իր",
        "id": "yang dan di itu dengan untuk tidak dari dalam ini pada adalah",
        "is": "og að í á er til um við sem það ekki",
        "it": "di e il la che in un a per è del non una con",
        "ja": "の に は を た が で て と し も",
        "ka": "და არის რომ ეს არ იყო მაგრამ მისი რომელიც თუ ამ ის",
        "kk": "және мен бұл бір үшін деп да де",
        "ko": "이 그 수 있다 있는 것은 것이 것으로 한 및 등 또 더 할 고 함께 최근",
        "la": "et in est non ad cum ut sed quod qui",
        "lt": "ir yra kad į su ne tai iš bet buvo kaip",
        "lv": "un ir ka no ar uz par bet nav bija",
        "mk": "на и да се во од за е со не",
        "mr": "आणि आहे या हे तो की ते होते",
        "ms": "yang dan di itu dengan untuk tidak dari dalam ini pada adalah",
        "nl": "de het een en van in is dat op te zijn met niet voor",
        "nn": "og i det er som på til at med ikkje for ein",
        "no": "og i det er som på til at med ikke for en av",
        "pa": "ਦੇ ਵਿੱਚ ਹੈ ਦਾ ਦੀ ਅਤੇ ਨੂੰ ਤੋਂ ਇਹ",
        "pl": "i w na z do się nie że to jest jak o",
        "pt": "de a o que e do da em um para com não uma os",
        "ro": "de și în a la cu nu care pe o că este să din",
        "ru": "и в не на что я с он как это по но",
        "sk": "a v na sa je že to s do ale ako",
        "sl": "in je na se da za v so ki pa ne",
        "so": "oo iyo ka in ku waa ah u la",
        "sq": "të e në dhe i për një me që është nga",
        "sr": "и је у на се да су за од као не i je u na se da su za",
        "sv": "och i att det är en som på av för med inte till",
        "sw": "ya na wa kwa katika ni za la kuwa hii kama",
        "ta": "ஒரு இந்த என்று அந்த மற்றும் என அவர் நான் இது இருந்து ஆனால் உள்ள வேண்டும் பல தான் போது",
        "te": "ఈ ఒక మరియు ఆ అని కూడా కానీ అయితే ఉన్న తన నుంచి ఉంది",
        "th": "ที่ และ การ ใน ของ เป็น ได้ ให้ มี ไม่",
        "tl": "ang ng sa na mga at ay ni si hindi",
        "tr": "ve bir bu da de için ile çok ne ama gibi daha",
        "uk": "і в на не що з та у до як це",
        "ur": "کے میں کی ہے اور سے کا کو نے پر یہ",
        "vi": "và của có là không cho các được một trong người",
        "yo": "ni ti àwọn ní tí kan fún sí",
        "zh": "的 是 在 了 不 有 和 我 这 人 這 一",
        "zu": "ukuthi futhi kodwa uma ngoba kanye yini noma nje lapho abantu ukuba kakhulu",
    }.items()
}


def language_of(document: Document) -> str:
    """The language noted in a document's meta (`en-US` and `eng` are `en`), else the one detected; `und` if unsure."""
    noted = document.meta.get(META_LANGUAGE)
    code = canonical(noted) if isinstance(noted, str) else ""
    if code:
        return code
    guess = detect(document.text)
    return guess.language if guess.confidence >= 0.5 else UNDETERMINED


def num_words(words: list[str], language: str) -> int:
    """How many words a text has; where words are written without spaces, estimated from its letters."""
    per_word = CHARS_PER_WORD.get(language)
    return len(words) if per_word is None else round(sum(map(len, words)) / per_word)


def has_spaces(language: str) -> bool:
    """Whether words of this language are parted by spaces."""
    return language not in CHARS_PER_WORD


def word_chars_scale(language: str) -> float:
    """How long words of this language are, with English as 1: limits for English words are multiplied by this."""
    return MEAN_WORD_CHARS.get(language, ENGLISH_WORD_CHARS) / ENGLISH_WORD_CHARS
