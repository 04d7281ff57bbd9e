"""An entailment model as a user meets it: eval, preview and compare."""

import pytest

from tests.tiny_nli import save_nli

TEMPLATE = ("-t", "sentiment_zero_shot")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(save_nli("bert", tmp_path_factory.mktemp("nli") / "judge"))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nli") / "sentiment"
    return str(save_nli("roberta", folder, ("negative", "neutral", "positive")))


def test_a_folder_is_served_without_naming_the_backend(promptkit, model):
    status, out, _ = promptkit("eval", *TEMPLATE, "--model", model, "--limit", 12)
    assert status == 0
    assert "model     judge (nli)" in out
    assert "evidence  entailment logit" in out
    assert "unscored rows                                0" in out


def test_options_of_the_backend_and_a_calibration_change_the_run(promptkit, model):
    options = ["--backend-option", "contrast=contradiction", "--calibration", "batch"]
    status, out, _ = promptkit(
        "eval", *TEMPLATE, "--model", model, "--backend", "nli", "--limit", 12, *options
    )
    assert status == 0
    assert "evidence  log P(entailment) against contradiction, batch calibration" in out


@pytest.mark.parametrize("template", [("-t", "sentiment_few_shot"), (*TEMPLATE, "--shots", "4")])
def test_demonstrations_are_refused_in_one_line_before_the_model_is_loaded(
    promptkit, model, template, monkeypatch
):
    monkeypatch.setattr("promptkit.runs.parts.load_backend", lambda *_: pytest.fail("loaded"))
    given = [*template, "--shots", "4", "--train-data", "customer_reviews"]
    status, out, err = promptkit("eval", *given, "--model", model, "--limit", 12)
    assert (status, out) == (2, "")
    assert err == (
        "promptkit: 4 demonstrations for backend 'nli', whose model reads a row and statements "
        "about labels and no demonstrations: use --shots 0\n"
    )


@pytest.mark.parametrize("backend", ["auto", "nli", "hf"])
def test_a_classifier_of_its_own_labels_is_refused_with_what_to_do(promptkit, classifier, backend):
    status, out, err = promptkit("eval", *TEMPLATE, "--model", classifier, "--backend", backend)
    assert (status, out) == (2, "")
    assert "('negative', 'neutral', 'positive'), none of which is named entailment" in err
    assert "--strategy features" in err
    assert len(err.splitlines()) == 1


def test_what_the_refusal_proposes_works(promptkit, classifier):
    common = [*TEMPLATE, "--model", classifier, "--limit", 12]
    learned = ["--strategy", "features", "--train-data", "customer_reviews"]
    assert promptkit("eval", *common, *learned)[0] == 0
    named = ["--backend-option", "entailment_label=positive"]
    assert promptkit("eval", *common, *named)[0] == 0


def test_another_backend_for_the_model_is_refused_with_the_right_one(promptkit, model):
    status, _, err = promptkit("eval", *TEMPLATE, "--model", model, "--backend", "hf")
    assert status == 2
    assert "backend 'hf' cannot serve" in err
    assert "use --backend nli or auto" in err
    status, _, err = promptkit("eval", *TEMPLATE, "--model", "minilm", "--backend", "nli")
    assert (status, "use --backend embedding or auto" in err) == (2, True)


def test_preview_shows_the_premise_and_each_hypothesis(promptkit, model):
    status, out, _ = promptkit("preview", *TEMPLATE, "--model", model)
    assert status == 0
    assert "pairs: [CLS] premise [SEP] hypothesis [SEP]" in out
    assert "It never crashes." in out
    assert "Sentiment:" not in out  # the query is for language models


def test_compare_says_in_its_line_that_such_a_model_reads_no_demonstrations(promptkit, model):
    given = ["--data", "customer_reviews", *TEMPLATE, "--models", model, "--limit", "24"]
    wanted = ["--strategies", "zero-shot,few-shot,majority", "--sizes", "all", "--seeds", "1"]
    status, out, _ = promptkit("compare", *given, *wanted, "--folds", "2")
    assert status == 0
    assert "few-shot has no result (8 demonstrations for backend 'nli'" in " ".join(out.split())
    assert "zero-shot has no result" not in " ".join(out.split())
