"""P(text | label) and P(label | premise) against a plain computation with the same model."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from promptkit.backends.fake import FakeBackend
from promptkit.backends.hf import HFBackend
from promptkit.calibration import CALIBRATORS
from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts import find_template
from promptkit.prompts.channel import channel_prompts
from promptkit.prompts.premise import premise_prompt
from promptkit.prompts.template import Template
from promptkit.prompts.yamlfile import YamlFile
from promptkit.selectors import SELECTORS
from promptkit.strategies.calibrated import Calibration
from promptkit.strategies.channel import ask_channel
from promptkit.strategies.in_context import InContext
from promptkit.types import Example, flat
from promptkit.verbalizers import VERBALIZERS

LABELS = ("negative", "neutral", "positive")
ROWS = [Example("a", {"text": "The room was clean."}), Example("b", {"text": "Never again!"})]
SHOTS = [Example("s", {"text": "It broke."}, "negative")]


def asking(backend, name, shots=0, **own):
    return InContext(
        find_template("sentiment_zero_shot"),
        backend,
        SELECTORS.build("fixed", {}),
        VERBALIZERS.build("words", {}),
        shots,
        Calibration(name, CALIBRATORS.build(name, own), own),
    )


@torch.inference_mode()
def log_p(folder, prompt, answer):
    """Of the answer's tokens behind the prompt's, each encoded as one string."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    ids = tokenizer(prompt + answer, return_tensors="pt")["input_ids"]
    start = len(tokenizer(prompt)["input_ids"])
    logits = model(ids).logits[0].log_softmax(-1)
    return sum(logits[i - 1, ids[0, i]].item() for i in range(start, ids.shape[1]))


@pytest.mark.parametrize("shots", [0, 1])
def test_the_text_is_scored_behind_every_label(causal_folder, shots):
    folder = causal_folder("llama")
    strategy = asking(HFBackend(str(folder)), "channel", shots).fit(SHOTS)
    evidence = strategy.gather(ROWS)
    shown = "negative: It broke.\n\n" if shots else ""
    for row, found in zip(ROWS, evidence, strict=True):
        text = f" {row.fields['text']}"
        plain = [log_p(folder, f"{shown}{label}:", text) for label in LABELS]
        assert found.log_p == pytest.approx(plain, abs=1e-4)
    expected = [LABELS[int(np.argmax(one.log_p))] for one in evidence]
    predictions = asking(FakeBackend(), "channel").conclude(ROWS, evidence)
    assert [one.label for one in predictions] == expected
    assert predictions[0].kind.endswith("channel calibration")
    assert strategy.cost.rows == len(LABELS) * len(ROWS)


def test_instructions_that_ask_for_a_label_are_left_out_and_row_text_stays_row_text():
    (prompt, candidate), *others = channel_prompts(
        find_template("sentiment_zero_shot"), ROWS[0], SHOTS
    )
    assert len(others) == 2
    assert (flat(prompt.query), flat(prompt.instruction)) == ("negative:", "")
    assert flat(candidate.text) == " The room was clean."
    assert [piece.row for piece in candidate.text] == [False, True]
    assert prompt.shots[0].answer[1].row


def test_one_prompt_without_evidence_leaves_the_row_unscored():
    long, short = asking(FakeBackend(max_words=3), "channel").fit(()).predict(ROWS)
    assert (long.label, long.log_p) == (None, None)
    assert "row 'a'" in long.problem
    assert short.label is not None


def test_each_label_sees_as_many_demonstrations_as_the_others():
    template = find_template("sentiment_zero_shot")
    labels = dict(template.keys.labels)
    labels["negative"] = labels["negative"].model_copy(update={"words": ["very much not so"]})
    wordy = Template(template.keys.model_copy(update={"labels": labels}), template.file)
    shots = [Example("s", {"text": "a b"}, "neutral"), Example("t", {"text": "c d"}, "neutral")]
    # text 4 words, two shots 3 each, the label 1 or 4: of 12 words the long label loses a shot
    (found,) = ask_channel(FakeBackend(max_words=12), wordy, ROWS[:1], [shots])
    assert (found.shots, found.dropped_shots) == (("t",), 1)
    (alone,) = ask_channel(FakeBackend(), wordy, ROWS[:1], [shots[1:]])
    assert found.log_p == alone.log_p


@pytest.mark.parametrize(
    ("template", "said"),
    [("multiple_choice", "its own choices"), ("sentiment_chat", "add --no-chat")],
)
def test_what_cannot_be_scored_by_its_text_says_so(template, said):
    with pytest.raises(CapabilityError, match=said):
        channel_prompts(find_template(template), ROWS[0])


def test_pmi_asks_behind_the_words_that_begin_an_answer(causal_folder):
    folder = causal_folder("llama")
    strategy = asking(HFBackend(str(folder)), "pmi").fit(())
    plain = np.array([log_p(folder, "Sentiment:", f" {label}") for label in LABELS])
    plain -= np.log(np.exp(plain).sum())
    assert strategy.learned_["log_prior"] == pytest.approx(plain, abs=1e-4)
    told = asking(HFBackend(str(folder)), "pmi", premise="All in all it was").fit(())
    other = np.array([log_p(folder, "All in all it was", f" {label}") for label in LABELS])
    assert np.diff(told.learned_["log_prior"]) == pytest.approx(np.diff(other), abs=1e-4)


def test_a_premise_is_what_stands_behind_the_rows_last_text():
    prompt = premise_prompt(find_template("entailment_zero_shot"))
    assert flat(prompt.query)
    assert not any(piece.row for piece in prompt.query)
    assert prompt.instruction == prompt.shots == ()


def test_a_query_that_ends_in_a_text_has_no_premise():
    template = find_template("sentiment_zero_shot")
    keys = template.keys.model_copy(update={"query": "{{ text }}"})
    with pytest.raises(SpecError, match="--calibration-option premise="):
        premise_prompt(Template(keys, YamlFile("mine.yaml", {})))
    assert flat(premise_prompt(Template(keys, YamlFile("m", {})), "It was").query) == "It was"
