"""Which backend a folder and a template lead to, and what is said where there is none."""

import pytest

from promptkit.backends.auto import backend_for
from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError
from promptkit.runs.build import build
from promptkit.runs.runner import run
from promptkit.runs.spec import EvalSpec
from tests.tiny import save_masked, save_seq2seq


@pytest.fixture(scope="module")
def t5(tmp_path_factory):
    return str(save_seq2seq("t5", tmp_path_factory.mktemp("t5")))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return str(save_masked("bert", tmp_path_factory.mktemp("bert")))


def test_an_encoder_decoder_model_goes_to_hf(t5):
    assert backend_for(locate(t5)) == "hf"
    assert backend_for(locate(t5), has_cloze=True) == "hf"


def test_a_masked_model_goes_to_hf_where_the_template_has_a_cloze(bert):
    assert backend_for(locate(bert), has_cloze=True) == "hf"


def test_a_masked_model_without_a_cloze_is_refused_with_what_to_do(bert):
    with pytest.raises(CapabilityError, match=r"no cloze.*--template sentiment_cloze.*cloze: "):
        backend_for(locate(bert))


@pytest.mark.parametrize("backend", ["auto", "hf"])
def test_a_trial_of_a_masked_model_needs_a_cloze_before_weights_are_loaded(bert, backend):
    with pytest.raises(CapabilityError, match="no cloze"):
        build(EvalSpec(template="sentiment_zero_shot", model=bert, backend=backend))
    trial = build(EvalSpec(template="sentiment_cloze", model=bert, backend=backend))
    assert trial.spec.backend["name"] == "hf"


@pytest.mark.parametrize("kind", ["t5", "bert"])
def test_a_run_scores_every_row(kind, request):
    model = request.getfixturevalue(kind)
    trial = build(EvalSpec(template="sentiment_cloze", model=model, limit=3, shots=2))
    record = run(trial)
    assert [p.label in trial.template.task.labels for p in record.predictions] == [True] * 3
    expected = {"t5": "log-probability", "bert": "pseudo-log-probability"}[kind]
    assert {p.kind for p in record.predictions} == {expected}


def test_the_older_name_of_t5_is_an_encoder_decoder_too(tmp_path):
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "config.json").write_text(
        '{"architectures": ["T5WithLMHeadModel"], "is_encoder_decoder": true}'
    )
    assert locate(str(tmp_path)).kind() == "seq2seq"
