import base64
import random
import sys
import types

import pytest

from hornbook.core.errors import SettingsError
from hornbook.data.language import langid
from hornbook.data.language.byte_model import byte_model
from hornbook.data.language.codes import UNDETERMINED, canonical
from hornbook.data.language.langid import RIVALS, TELLING, detect, is_language

ENGLISH = "The old lighthouse keeper counted the boats every evening before he climbed the stairs to light the lamp."
GERMAN = "Der alte Wärter zählte jeden Abend die Boote, bevor er die Treppe hinaufstieg und die Lampe anzündete."
SENTENCES = {
    "fr": "Le vieux gardien du phare comptait les bateaux chaque soir avant de monter allumer la lampe.",
    "es": "El viejo farero contaba los barcos cada tarde antes de subir la escalera para encender la lámpara.",
    "fi": "Vanha majakanvartija laski veneet joka ilta ennen kuin hän kiipesi portaat sytyttämään lampun.",
    "ru": "Старый смотритель маяка каждый вечер считал лодки, прежде чем подняться по лестнице и зажечь лампу.",
    "el": "Ο γέρος φαροφύλακας μετρούσε τις βάρκες κάθε βράδυ πριν ανέβει τη σκάλα για να ανάψει τη λάμπα.",
    "zh": "古老的灯塔看守人每天晚上都要数一数船只，然后才爬上楼梯去点亮那盏灯。",
    "ja": "古い灯台の番人は、毎晩ボートの数を数えてから階段を上ってランプに火をともしました。",
    "th": "คนเฝ้าประภาคารชรานับเรือทุกเย็นก่อนที่เขาจะปีนบันไดขึ้นไปจุดตะเกียง",
    "ko": "늙은 등대지기는 매일 저녁 배를 세고 나서 계단을 올라가 등불을 켰습니다.",
    "ar": "كان حارس المنارة العجوز يعد القوارب كل مساء قبل أن يصعد الدرج ليضيء المصباح.",
    "hi": "बूढ़ा प्रकाशस्तंभ रक्षक हर शाम सीढ़ियाँ चढ़कर दीपक जलाने से पहले नावों को गिनता था।",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_languages_and_scripts(language: str) -> None:
    guess = detect(SENTENCES[language])
    assert guess.language == language and guess.confidence > 0.5


def test_only_the_beginning_is_read_and_cut_inside_a_character() -> None:
    assert detect(ENGLISH * 30 + GERMAN * 100, head_bytes=1000).language == "en"
    language, confidence = detect("ж" * 5000, head_bytes=101)
    assert language in ("ru", "bg", "sr", "mk", "uk", "mn", "kk", "ky", "be") and 0 <= confidence <= 1


def test_numbers_code_and_encoded_data_are_no_language() -> None:
    noise = base64.b64encode(random.Random(7).randbytes(900)).decode()
    code = "for (int i = 0; i < n; i++) {\n  total += weights[i] * values[i];\n}\nreturn total;\n"
    table = "2019\t33.1\t1,204\n2020\t35.8\t1,377\n"
    for text in ("", " \n ", noise, code * 5, table * 9, '{"a": [1, 2], "b": {"c": null}}\n' * 9):
        assert detect(text) == (UNDETERMINED, 0.0), text[:40]
    for text in (ENGLISH, GERMAN, *SENTENCES.values(), f"He read aloud: (1) {ENGLISH} (2) {GERMAN}"):
        assert is_language(text), text


def test_letters_are_needed_for_half_of_the_characters() -> None:
    assert is_language("ab 12") and not is_language("ab 123")
    assert is_language("a" * 39) and not is_language("a" * 40)


def test_neighbours_are_told_apart_by_words() -> None:
    assert detect("Syarikat itu berkata bahawa perkhidmatan baharu ialah untuk kanak-kanak sahaja.").language == "ms"
    assert detect("Perusahaan itu mengatakan bahwa layanan baru hanya untuk anak-anak saja.").language == "id"
    assert (
        detect("Monna yo o ne a bua gore botlhe ba tshwanetse go tla kwa motseng gompieno fela jaaka maloba.")[0]
        == "tn"
    )
    assert (
        detect("Vanhu hinkwavo va fanele ku tiva leswaku swilo leswi swi endliwile hikuva a ku ri na nkarhi.")[0]
        == "ts"
    )
    assert detect("Ka haere rātou ki te whare o te tangata, ā, i reira ngā tamariki katoa e noho ana.").language == "mi"


def test_rivals_have_words_that_the_other_has_not() -> None:
    for guess, rivals in RIVALS.items():
        for rival in rivals:
            assert not TELLING[rival] & TELLING.get(guess, frozenset()), (guess, rival)
    assert all(word == word.lower() for words in TELLING.values() for word in words)


def test_the_model_speaks_of_languages_by_the_codes_used_here() -> None:
    assert all(canonical(label) for label in byte_model().languages)
    assert all(canonical(code) == code for code in (*RIVALS, *TELLING))


def test_lingua_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    langid._lingua.cache_clear()
    monkeypatch.setitem(sys.modules, "lingua", None)
    with pytest.raises(SettingsError, match="not installed"):
        detect(ENGLISH, library="lingua")

    class Detector:
        def compute_language_confidence_values(self, text: str) -> list[object]:
            code = types.SimpleNamespace(name="NB")
            return [types.SimpleNamespace(language=types.SimpleNamespace(iso_code_639_1=code), value=0.75)]

    class Builder:
        @staticmethod
        def from_all_languages() -> "Builder":
            return Builder()

        def build(self) -> Detector:
            return Detector()

    monkeypatch.setitem(sys.modules, "lingua", types.SimpleNamespace(LanguageDetectorBuilder=Builder))
    assert detect(ENGLISH, library="lingua") == ("no", 0.75)
    langid._lingua.cache_clear()
