"""A profile as tables and plots: one column for each corpus, so that before and after stand side by side."""

from itertools import zip_longest
from typing import Any

from hornbook.core.units import human_bytes
from hornbook.report.blocks import Block, Series, Spread, Spreads, Table, share

Profiles = dict[str, dict[str, Any]]


def blocks(profiles: Profiles) -> list[Block]:
    """Every table and plot of `profile.json`."""
    found: list[Block] = [_facts(profiles), _lengths(profiles), _ages(profiles), _languages(profiles)]
    kinds = sorted({kind for profile in profiles.values() for kind in profile["names"]})
    found += [_names(profiles, kind) for kind in kinds]
    found += [_ngrams(profiles, size) for size in ("1", "2", "3")]
    lines = {name: [(float(n), float(v)) for n, v in p["sample"]["growth"]] for name, p in profiles.items()}
    found.append(Series("How the vocabulary grows", "words read", "different words", lines))
    return [
        *found,
        _shares(profiles, "classes", "Characters", "characters"),
        _shares(profiles, "signs", "Page furniture", "docs"),
    ]


def _facts(profiles: Profiles) -> Table:
    rows: list[list[object]] = []

    def row(what: str, value: Any) -> None:
        rows.append([what, *(value(profile) for profile in profiles.values())])

    row("documents", lambda p: p["docs"])
    row("text", lambda p: human_bytes(p["sizes"]["bytes"]["sum"]))
    row("words", lambda p: p["words"])
    row("words in a document, mean", lambda p: p["sizes"]["words"]["mean"])
    row("exact copies", lambda p: f"{p['exact_duplicates']:,} ({share(p['exact_duplicates'], p['docs'])})")
    row("near-copies in the sample", lambda p: share(p["sample"]["near_duplicates"], p["sample"]["docs"]))
    row("documents in the sample", lambda p: p["sample"]["docs"])
    row("Flesch-Kincaid grade, median", lambda p: p["sample"]["grade"])
    row("Flesch reading ease, median", lambda p: p["sample"]["ease"])
    if any(p["sample"]["dale_chall"] is not None for p in profiles.values()):
        row("Dale-Chall grade, median", lambda p: p["sample"]["dale_chall"])
    row("Zipf exponent", lambda p: p["zipf"])
    note = (
        "Counts, lengths and exact copies are of all documents. Near-copies, languages, reading levels and growth are "
        "of a random sample, which misses copies that were not drawn: the true share of near-copies is at least this."
    )
    return Table("The corpus", ["what", *profiles], rows, note)


def _lengths(profiles: Profiles) -> Spreads:
    rows: list[Spread] = []
    for measure in ("words", "bytes", "lines"):
        for name, profile in profiles.items():
            sizes = profile["sizes"][measure]
            if not sizes["histogram"]:
                continue
            cells = [round(value) for value in sizes["quantiles"].values()] + [sizes["most"]]
            low, high = 10 ** sizes["low"], 10 ** sizes["high"]
            rows.append(Spread(f"{measure}, {name}", low, high, sizes["histogram"], None, cells))
    columns = ["5 %", "25 %", "median", "75 %", "95 %", "99 %", "most"]
    return Spreads("Lengths of documents", columns, rows, "Quantiles are exact. Bins are equal steps of the logarithm.")


def _ages(profiles: Profiles) -> Table:
    ages = list(next(iter(profiles.values()))["sample"]["ages"])
    rows: list[list[object]] = []
    for age in ages:
        label = f"{age} and younger" if age == ages[0] else f"{age} and older" if age == ages[-1] else age
        cells = [share(p["sample"]["ages"][age], sum(p["sample"]["ages"].values())) for p in profiles.values()]
        rows.append([label, *cells])
    note = "The age is the Flesch-Kincaid grade plus five; English documents of the sample only."
    return Table("Reading ages", ["age", *profiles], rows, note)


def _languages(profiles: Profiles) -> Table:
    names = dict.fromkeys(name for p in profiles.values() for name in p["sample"]["languages"])
    rows: list[list[object]] = [
        [name, *(share(p["sample"]["languages"].get(name, 0), p["sample"]["docs"]) for p in profiles.values())]
        for name in list(names)[:25]
    ]
    return Table(
        "Languages", ["language", *profiles], rows, "As `meta` says, or as detected; `unknown` below 50 % confidence."
    )


def _names(profiles: Profiles, kind: str) -> Table:
    return _listed(profiles, lambda p: p["names"].get(kind, []), kind, "docs", f"Most frequent: {kind}")


def _ngrams(profiles: Profiles, size: str) -> Table:
    title = {"1": "Commonest words", "2": "Commonest pairs of words", "3": "Commonest runs of three words"}[size]
    return _listed(profiles, lambda p: p["ngrams"][size], "words", "words", title)


def _listed(profiles: Profiles, rows_of: Any, first: str, whole: str, title: str) -> Table:
    counts = {name: {run: n for run, n, _ in rows_of(p)} for name, p in profiles.items()}
    errors = [error for p in profiles.values() for _, _, error in rows_of(p)]
    in_turn = zip_longest(*counts.values())  # the first of each corpus, the second of each, ...
    runs = dict.fromkeys(run for rank in in_turn for run in rank if run is not None)
    most = max((len(found) for found in counts.values()), default=0)
    rows: list[list[object]] = []
    for run in list(runs)[:most]:
        cells: list[object] = [run]
        for name, profile in profiles.items():
            n = counts[name].get(run)
            cells += [n, share(n, profile[whole]) if n is not None else "–"]
        rows.append(cells)
    columns = [first]
    for name in profiles:
        columns += [name, "of all"]
    worst = max(errors, default=0)
    note = "Counts are exact." if not worst else f"A count can be too low by {worst:,} at most."
    return Table(title, columns, rows, note)


def _shares(profiles: Profiles, part: str, title: str, whole: str) -> Table:
    names = list(next(iter(profiles.values()))[part])
    total = {name: p["docs"] if whole == "docs" else p["sizes"][whole]["sum"] for name, p in profiles.items()}
    rows: list[list[object]] = [
        [kind, *(share(p[part][kind], total[name]) for name, p in profiles.items())] for kind in names
    ]
    note = "Share of documents that show the sign." if whole == "docs" else "Capitals are letters too."
    return Table(title, ["kind", *profiles], rows, note)
