"""`hornbook why`: what became of one page, stage by stage, and which rule dropped it."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.core.artifact import Artifact
from hornbook.core.errors import ArtifactError, HornbookError

if TYPE_CHECKING:
    from hornbook.data.limits import Rule
    from hornbook.data.trace import Fate

BEGINNING_CHARS = 400
MOST_COPIES = 5


def why(
    run: Annotated[str, typer.Argument(help="A run by name or folder, or the folder of a documents artifact.")],
    what: Annotated[list[str], typer.Argument(help="An id, an address, or words of the text.")],
    samples: Annotated[int, typer.Option(min=1, help="How many documents to follow when several fit.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> int:
    """Say why a page was dropped, or where it is now: every data stage's verdict in order.

    A dropped page comes with the rule, the value that was measured, the limit and the setting behind it. A copy comes
    with the document that was kept in its place.
    """
    from hornbook.cli.find import documents_of, find_place
    from hornbook.data.trace import find, follow

    artifacts = documents_of(find_place(run))
    words = " ".join(what)
    how, ids = find(artifacts, words)
    if not ids:
        names = ", ".join(artifact.path.name for artifact in artifacts)
        raise ArtifactError(
            f'no document has the id, the address or the text "{words[:80]}"',
            where=f"looked at kept and dropped documents of {names}",
            do="Give an address as it was crawled, or a few words that stand together in the text",
        )
    fates = follow(artifacts, ids[:samples])
    if as_json:
        print(
            json.dumps({"found_by": how, "documents": [_record(item) for item in fates.values()]}, ensure_ascii=False)
        )
        return 0
    if len(ids) > 1:
        shown = f", the first {len(fates)} follow" if len(fates) < len(ids) else ""
        print(f"{len(ids)} documents were found by {how}{shown}.\n")
    for item in fates.values():
        tell(item, artifacts)
    return 0


def tell(fates: "Sequence[Fate]", artifacts: Sequence[Artifact], copies: int = MOST_COPIES) -> None:
    """Print the way of one document, and that of the copy that was kept instead of it."""
    from hornbook.report.blocks import clean

    document = fates[-1].document
    print(clean(" ".join(part for part in (document.id, document.url, document.source) if part)))
    for fate in fates:
        if fate.rule:
            print(clean(f"  {fate.artifact.path.name}: dropped by {fate.rule}, value {fate.value}"))
            for line in reasons(fate):
                print(clean(f"    {line}"))
        else:
            print(f"  {fate.artifact.path.name}: kept ({len(fate.document.text):,} characters)")
    if not fates[-1].rule:
        print(f"  It was kept to the end: {fates[-1].artifact.path / 'kept'}")
    beginning = " ".join(document.text[:BEGINNING_CHARS].split())
    print(clean(f'  Text: "{beginning}{" …" if len(document.text) > BEGINNING_CHARS else ""}"\n'))
    copy = document.meta.get("duplicate_of")
    if fates[-1].rule and isinstance(copy, str) and copies:
        from hornbook.data.trace import follow

        kept = follow(artifacts, [copy])[copy]
        print(f"  The copy that was kept instead{':' if kept else f' is {clean(copy)}, which is not in this run.'}")
        if kept:
            tell(kept, artifacts, copies - 1)


def reasons(fate: "Fate") -> list[str]:
    """What the rule means, its limit, and what to change to keep such documents."""
    from hornbook.data.limits import as_number

    rule = rules_of(fate).get(fate.rule)
    if rule is None:
        return []
    lines = [rule.about]
    stage = fate.artifact.name
    if not rule.setting:
        return lines
    lines.append(f"setting {stage}.{rule.setting} = {_toml(rule.whole if rule.index is not None else rule.limit)}")
    value = as_number(fate.value)
    if value is not None and rule.sign:
        wider = rule.moved_to(rule.past(value))
        lines.append(f"to keep it: --set '{stage}.{rule.setting}={_toml(wider)}' (a later rule may still drop it)")
    return lines


def rules_of(fate: "Fate") -> "Mapping[str, Rule]":
    """The rules of the stage that decided about a document, each with the setting behind it; none for a stage that is
    gone, or a filter of the user's own."""
    from hornbook.data.limits import with_limits
    from hornbook.pipeline.stage import load_stage

    artifact = fate.artifact
    try:
        module = load_stage(artifact.manifest.stage, artifact.path.parent).module
        own = getattr(module, "rules_of", None)
        if own is not None:
            return own(artifact, fate.document)
        return with_limits(getattr(module, "RULES", {}), artifact.manifest.settings)
    except HornbookError:
        return {}


def _toml(value: Any) -> str:
    """A setting's value as one types it after `--set`."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _record(fates: "Sequence[Fate]") -> dict[str, Any]:
    document = fates[-1].document
    steps: list[dict[str, Any]] = []
    for fate in fates:
        step: dict[str, Any] = {"stage": fate.artifact.path.name, "kept": not fate.rule}
        if fate.rule:
            rule = rules_of(fate).get(fate.rule)
            step |= {"rule": fate.rule, "value": fate.value}
            step |= {"about": rule.about, "setting": rule.setting, "limit": rule.limit} if rule else {}
        steps.append(step)
    return {"id": document.id, "url": document.url, "source": document.source, "meta": document.meta, "stages": steps}
