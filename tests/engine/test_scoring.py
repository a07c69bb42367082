import numpy
import pytest
import torch

from hornbook.engine import scoring
from hornbook.engine.interface import ContextTooLong
from hornbook.model.decoder import Decoder


def test_scores_are_those_of_each_text_alone(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "BATCH_TOKENS", 60)
    monkeypatch.setattr(scoring, "CHUNK_ROWS", 7)
    generator = torch.Generator().manual_seed(0)
    texts = [torch.randint(0, 261, (length,), generator=generator).tolist() for length in (9, 1, 30, 2, 17, 0, 5, 9)]
    for text, found in zip(texts, scoring.log_probabilities(decoder, texts), strict=True):
        assert found.dtype == numpy.float32 and len(found) == max(0, len(text) - 1)
        if len(text) > 1:
            logp_TV = torch.log_softmax(decoder(torch.tensor([text]))[0, :-1], dim=-1)
            wanted = logp_TV.gather(-1, torch.tensor(text[1:])[:, None])[:, 0].detach().numpy()
            assert numpy.allclose(found, wanted, atol=1e-5)


def test_the_likeliest_beside_the_scores(decoder: Decoder) -> None:
    found = scoring.score(decoder, [[5, 6, 7]], num_top=3)[0]
    logp_TV = torch.log_softmax(decoder(torch.tensor([[5, 6, 7]]))[0], dim=-1)
    for place, (logp, top) in enumerate(found):
        assert logp == pytest.approx(logp_TV[place, (6, 7)[place]].item(), abs=1e-5)
        assert list(top) == logp_TV[place].topk(3).indices.tolist()


def test_texts_longer_than_the_context_are_refused(decoder: Decoder) -> None:
    with pytest.raises(ContextTooLong, match="201 tokens"):
        scoring.log_probabilities(decoder, [[5] * 201])
