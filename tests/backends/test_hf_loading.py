"""A model is loaded over devices, with an attention; or it is said what is wrong."""

import pytest

from promptkit.backends.hf import HFBackend
from promptkit.backends.hf_loading import Loading
from promptkit.errors import CapabilityError, SpecError
from promptkit.types import Candidate, Piece, Prompt

PROMPTS = [Prompt("1", query=(Piece("The room was noisy.", True), Piece("\nIt is")))]
WORDS = [[Candidate(a, (Piece(a),)) for a in (" good", " bad", " not good at all")]]


@pytest.mark.parametrize("options", [{"device_map": "auto"}, {"attention": "eager"},
                                     {"device_map": "auto", "attention": "sdpa"}])  # fmt: skip
def test_where_and_with_which_attention_does_not_change_scores(options, causal_folder):
    folder = str(causal_folder("qwen3"))
    plain = HFBackend(folder, device="cpu").score(PROMPTS, WORDS)[0]
    found = HFBackend(folder, device="cpu", **options)
    if "attention" in options:
        assert found._model.config._attn_implementation == options["attention"]
    assert found.score(PROMPTS, WORDS)[0].log_p == pytest.approx(plain.log_p, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "nearest"),
    [({"device_map": "atuo"}, "auto"), ({"device_map": "squential"}, "sequential")],
)
def test_a_wrong_name_says_the_right_one(options, nearest):
    with pytest.raises(SpecError, match=f"did you mean '{nearest}'"):
        Loading(**options)


def test_an_attention_that_is_not_there_is_told_in_one_line(causal_folder):
    with pytest.raises(CapabilityError, match="attention 'flash_attention_9'") as caught:
        HFBackend(str(causal_folder("llama")), attention="flash_attention_9")
    assert "\n" not in str(caught.value)
