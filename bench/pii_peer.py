"""The peers' side of bench/pii.py, in an environment of their own.

    .peers/bin/python bench/pii_peer.py presidio | datatrove | numbers

`presidio` and `datatrove` print "ready"; then each line of input, a JSON list of texts, is answered with a line of
JSON: the seconds taken and, for each text, the spans found as [begin, end, kind]. `numbers` prints example telephone
numbers of every country as libphonenumber knows them: [country, international form, national form].
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

PRESIDIO_KINDS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
}
Finder = Callable[[str], list[tuple[int, int, str]]]


def presidio() -> Finder:
    """Presidio's pattern recognizers for English over a blank spaCy pipeline (no model is downloaded)."""
    import spacy  # pyright: ignore[reportMissingImports]  # the peers have these
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # pyright: ignore[reportMissingImports]
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # pyright: ignore[reportMissingImports]

    class Blank(SpacyNlpEngine):  # pyright: ignore[reportUntypedBaseClass]
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}
            self.nlp["en"].max_length = 10**8

        def load(self) -> None:
            """Nothing to load."""

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])

    def find(text: str) -> list[tuple[int, int, str]]:
        results = engine.analyze(text=text, language="en", entities=list(PRESIDIO_KINDS))
        return [(result.start, result.end, PRESIDIO_KINDS[result.entity_type]) for result in results]

    return find


def datatrove() -> Finder:
    """The patterns of datatrove's PII formatter; private addresses count too, as they do on our side."""
    from datatrove.pipeline.formatters.pii import PIIFormatter  # pyright: ignore[reportMissingImports]

    formatter = PIIFormatter(only_remove_public_ips=False)
    sides: list[tuple[str, Any]] = [("email", formatter.emails_replacer), ("ip", formatter.ip_replacer)]

    def find(text: str) -> list[tuple[int, int, str]]:
        return [
            (match.start(), match.end(), kind)
            for kind, side in sides
            for match in side.regex.finditer(text)
            if side.validator is None or side.validator(match.group())
        ]

    return find


def numbers() -> list[list[str]]:
    """Example numbers of every country: [country, international form, national form]."""
    import phonenumbers  # pyright: ignore[reportMissingImports]

    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    forms = (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL)
    return [
        [country, *(phonenumbers.format_number(number, form) for form in forms)]
        for country in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in kinds
        if (number := phonenumbers.example_number_for_type(country, kind)) is not None
    ]


def answer(find: Finder) -> None:
    """Answer lines until there are no more."""
    print("ready", flush=True)
    for line in sys.stdin:
        texts = json.loads(line)
        start = time.perf_counter()
        found = [find(text) for text in texts]
        print(json.dumps({"seconds": time.perf_counter() - start, "found": found}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "numbers":
        print(json.dumps(numbers()))
    else:
        answer({"presidio": presidio, "datatrove": datatrove}[sys.argv[1]]())
