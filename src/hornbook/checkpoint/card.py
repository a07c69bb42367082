"""The model card: what a stranger should know before using the weights."""

import json
from typing import Any

from hornbook.core.units import human_count
from hornbook.model.settings import ModelSettings

NON_COMMERCIAL = ("-nc", "non-commercial", "noncommercial")


def model_card(card: dict[str, Any], settings: ModelSettings) -> str:
    """README.md with front matter that the Hugging Face hub reads.

    `card` may hold: name, summary (text), licences, sources, languages (lists), metrics (list of
    {"name", "value", "unit"?, "dataset"?}), training and details (tables), notes (list). Anything else is listed too.
    """
    known = {"name", "summary", "licences", "sources", "languages", "metrics", "training", "notes"}
    rest = {name: value for name, value in card.items() if name not in known}
    title = str(card.get("name") or "A small language model")
    parts = [_front_matter(card), f"# {title}", str(card.get("summary") or _summary(settings))]
    restricted = [name for name in _strings(card, "licences") if any(mark in name.lower() for mark in NON_COMMERCIAL)]
    if restricted:
        parts.append(f"> **Not for commercial use:** some of the data is licensed as {', '.join(restricted)}.")
    parts += [f"> {note}" for note in _strings(card, "notes")]
    parts.append(_list("Data", _strings(card, "sources")))
    parts.append(_list("Licences of the data", _strings(card, "licences")))
    parts.append(_table("Training", dict(card.get("training") or {})))
    parts.append(_metrics(list(card.get("metrics") or [])))
    parts.append(_table("Details", rest))
    parts.append(USE)
    return "\n\n".join(part for part in parts if part) + "\n"


USE = """## Use

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".")
```"""


def _summary(settings: ModelSettings) -> str:
    size = human_count(settings.num_parameters())
    return (
        f"A {settings.architecture} decoder with {size} parameters ({settings.layers} layers of width "
        f"{settings.width}, vocabulary {settings.vocab_size:,}, context {settings.max_tokens:,}), made with Hornbook."
    )


def _front_matter(card: dict[str, Any]) -> str:
    """YAML, each value written as JSON, which YAML reads."""
    fields: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["hornbook"]}
    licences, languages = _strings(card, "licences"), _strings(card, "languages")
    if len(licences) == 1:
        fields["license"] = licences[0].lower()
    elif licences:
        fields |= {"license": "other", "license_name": ", ".join(licences)}
    if languages:
        fields["language"] = languages
    results = [_result(metric) for metric in card.get("metrics") or []]
    if results:
        fields["model-index"] = [{"name": str(card.get("name") or "model"), "results": results}]
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _result(metric: dict[str, Any]) -> dict[str, Any]:
    data = str(metric.get("dataset") or "validation split")
    kind = str(metric["name"]).replace(" ", "_")
    return {
        "task": {"type": "text-generation"},
        "dataset": {"name": data, "type": data.replace(" ", "-")},
        "metrics": [{"type": kind, "name": str(metric["name"]), "value": metric["value"]}],
    }


def _metrics(metrics: list[dict[str, Any]]) -> str:
    if not metrics:
        return ""
    rows = [
        f"| {metric['name']} | {_text(metric['value'])} | {metric.get('unit', '')} | {metric.get('dataset', '')} |"
        for metric in metrics
    ]
    return "\n".join(["## Metrics", "", "| metric | value | unit | on |", "|---|---:|---|---|", *rows])


def _table(title: str, values: dict[str, Any]) -> str:
    if not values:
        return ""
    rows = [f"| {name} | {_text(value)} |" for name, value in values.items()]
    return "\n".join([f"## {title}", "", "| | |", "|---|---|", *rows])


def _list(title: str, items: list[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {item}" for item in items)]) if items else ""


def _strings(card: dict[str, Any], name: str) -> list[str]:
    return [str(item) for item in card.get(name) or []]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
