"""Learned embeddings of the labels' own tokens: nothing else moves, and an adapter holds them."""

import peft
import pytest
import torch

from promptkit.backends.hf import HFBackend
from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts import find_template
from promptkit.protocols import FitContext
from promptkit.runs import EvalSpec
from promptkit.runs.models import adapter_option
from promptkit.strategies.instruct import Instruct, answered
from promptkit.strategies.preference import Preference
from promptkit.types import Example
from tests.strategies.tuned import family

TEMPLATE = find_template("sentiment_zero_shot")
ROWS = [
    Example(str(i), {"text": f"word{i} is so"}, ("neutral", "positive", "negative")[i % 3])
    for i in range(12)
]


@pytest.mark.filterwarnings("ignore:Model has .tie_word")  # of peft's own loading below
@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma"])
def test_rows_of_the_output_move_and_nothing_else_does(name, home, tmp_path):
    strategy = Instruct(
        TEMPLATE, model=family(name), way="label_words", epochs=6, learning_rate=1e-2,
        precision="float32",
    )  # fmt: skip
    losses = []
    strategy.fit(ROWS, FitContext(on_step=lambda step: losses.append(step.loss)))
    seen = [one for one in losses if one is not None]
    assert seen[-1] < seen[0]
    plain = HFBackend(family(name))
    requests = [plain.tokens.request(one.prompt, one.answers) for one in
                (answered(TEMPLATE, row) for row in ROWS)]  # fmt: skip
    own = sorted({token for request in requests for token in request.answers[0]})
    before, after = (
        backend._model.get_output_embeddings().weight for backend in (plain, strategy._backend)
    )
    moved = (before != after).any(dim=1).nonzero().flatten().tolist()
    assert moved == own
    assert strategy.tuned_.trained_parameters == len(own) * before.shape[1]
    differ = [
        key
        for key, value in strategy._backend._model.state_dict().items()
        if not torch.equal(value, plain._model.state_dict()[key])
    ]
    tied = before is plain._model.get_input_embeddings().weight
    assert len(differ) == (2 if tied else 1), differ
    # kept, taken up again, and what peft itself makes of it
    strategy.save(tmp_path)
    again = Instruct(TEMPLATE, model=family(name), way="label_words", learning_rate=1e-2)
    assert again.restore(tmp_path).predict(ROWS) == strategy.predict(ROWS)
    wrapped = peft.PeftModel.from_pretrained(plain._model, str(tmp_path / "adapter")).eval()
    request = requests[0]
    ids = torch.tensor([(*request.context, *request.answers[0])])
    with torch.inference_mode():
        log_p = wrapped(input_ids=ids).logits[0].log_softmax(-1)
    start = len(request.context) - 1
    expected = sum(float(log_p[start + i, t]) for i, t in enumerate(request.answers[0]))
    (found,) = again.gather(ROWS[:1])
    assert found.log_p[TEMPLATE.task.labels.index(ROWS[0].label)] == pytest.approx(
        expected, abs=5e-5
    )


def test_what_cannot_be_is_refused(home, tmp_path):
    with pytest.raises(SpecError, match="preferences are learned by 'full' or 'lora'"):
        Preference(TEMPLATE, model=family("llama"), way="label_words")
    strategy = Instruct(TEMPLATE, model=family("llama"), way="label_words", epochs=1)
    strategy.fit(ROWS).save(tmp_path)
    asked = EvalSpec(template="sentiment_zero_shot", adapter=str(tmp_path / "adapter"))
    with pytest.raises(CapabilityError, match=r"learned tokens.*'vllm' does not"):
        adapter_option(asked, "vllm")
