"""The card, read back by the hub's own reader."""

from huggingface_hub import ModelCard

from hornbook.checkpoint.card import model_card
from hornbook.model.decoder import Decoder


def test_front_matter_is_what_the_hub_reads(model: Decoder) -> None:
    metric = {"name": "bits per byte", "value": 0.7512341, "unit": "bits", "dataset": "held-out stories"}
    card = {"name": "story: small", "licences": ["cc-by-4.0"], "languages": ["en"], "metrics": [metric]}
    text = model_card(card, model.settings)
    data = ModelCard(text).data
    assert data.license == "cc-by-4.0" and data.language == ["en"] and data.library_name == "transformers"
    result = data.eval_results[0]
    assert (result.metric_value, result.dataset_name) == (0.7512341, "held-out stories")
    assert "| bits per byte | 0.751234 | bits | held-out stories |" in text


def test_non_commercial_data_is_said_on_top(model: Decoder) -> None:
    text = model_card({"licences": ["CC-BY-NC-4.0", "mit"], "sources": ["stories of a school"]}, model.settings)
    assert ModelCard(text).data.license == "other"
    assert text.index("Not for commercial use") < text.index("## Data")
    assert "- stories of a school" in text
    assert "Not for commercial" not in model_card({"licences": ["mit"]}, model.settings)


def test_unknown_entries_are_shown_not_lost(model: Decoder) -> None:
    text = model_card({"training": {"tokens": 1_000_000}, "energy_wh": 3.25}, model.settings)
    assert "| tokens | 1000000 |" in text and "| energy_wh | 3.25 |" in text
