"""Hidden states of all layers against the plain computation, one text at a time."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from promptkit.backends.hidden import POOLINGS, HiddenStates, hidden_states, layer_places
from promptkit.backends.weights import locate
from promptkit.errors import BackendError, CapabilityError, SpecError
from promptkit.types import Piece
from tests.tiny import CAUSAL, MASKED, save_masked, save_seq2seq

TEXTS = [
    "Fine.",
    "The room was noisy, the bed was hard and nobody came.",
    "I love it",
    "It broke after two days, and they never wrote back to me about it. " * 3,
    "né 😀 and 日本",
]
FAMILIES = [*CAUSAL, *MASKED, "t5"]


def row(text):
    return (Piece(text, True),)


@pytest.fixture(scope="module")
def folder_of(causal_folder, tmp_path_factory):
    made = {}

    def folder(family):
        if family in CAUSAL:
            return causal_folder(family)
        if family not in made:
            save = save_seq2seq if family == "t5" else save_masked
            made[family] = save(family, tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@torch.inference_mode()
def plain(folder, texts):
    """By pooling, (n, l, w): each text by itself, as a user of transformers would."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    model = model.get_encoder() if model.config.is_encoder_decoder else model
    found = {name: [] for name in POOLINGS}
    for text in texts:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        states = torch.stack(model(ids, output_hidden_states=True).hidden_states)[:, 0]
        found["cls"].append(states[:, 0])
        found["last"].append(states[:, -1])
        found["mean"].append(states.mean(dim=1))
        found["max"].append(states.amax(dim=1))
    return {name: torch.stack(rows).numpy() for name, rows in found.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_states_are_those_of_transformers(folder_of, family):
    folder = folder_of(family)
    ours = HiddenStates(str(folder))
    found, expected = ours.pooled([row(text) for text in TEXTS], POOLINGS), plain(folder, TEXTS)
    for name in POOLINGS:
        assert found[name].shape == (5, 3, 32)
        assert found[name].dtype == np.float32
        # float32 rounds by parts of the value, and in another way with another number of threads
        assert np.allclose(found[name], expected[name], rtol=1e-5, atol=1e-5), name
    assert (ours.n_layers, ours.width) == (2, 32)


@pytest.mark.parametrize("family", ["gpt2", "opt", "roberta", "modernbert", "t5"])
@pytest.mark.parametrize("batch_size", [1, 2, "auto"])
def test_batches_change_nothing(folder_of, family, batch_size):
    texts = [row(text) for text in TEXTS]
    found = HiddenStates(str(folder_of(family)), batch_size=batch_size).pooled(texts, ["mean"])
    expected = HiddenStates(str(folder_of(family))).pooled(texts[::-1], ["mean"])
    assert np.abs(found["mean"] - expected["mean"][::-1]).max() < 1e-5


def test_the_mean_of_the_last_layer_is_the_sentence_encoders_own_vector():
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(locate("minilm").path), device="cpu", local_files_only=True)
    long = [*TEXTS, "word " * 600]
    before = theirs.encode(long, output_value="token_embeddings")
    expected = np.stack([own.numpy().mean(axis=0) for own in before])
    ours = HiddenStates().pooled([row(text) for text in long], ["mean"])["mean"]
    assert ours.shape == (6, 7, 384)
    assert np.abs(ours[:, -1] - expected).max() < 1e-5
    unit = ours[:, -1] / np.linalg.norm(ours[:, -1], axis=1, keepdims=True)
    assert np.abs(unit - theirs.encode(long)).max() < 1e-5


def test_the_model_stays_as_it_was(folder_of):
    for model in ("minilm", str(folder_of("llama"))):
        states = HiddenStates(model)
        before = {name: value.clone() for name, value in states.network.state_dict().items()}
        states.pooled([row(text) for text in TEXTS], POOLINGS)
        after = states.network.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())
        assert not any(parameter.requires_grad for parameter in states.network.parameters())
        assert not states.network.training


@pytest.mark.parametrize(
    ("family", "expected"),
    [("llama", ("mean", "last")), ("bert", ("mean", "cls")), ("roberta", ("mean", "cls")),
     ("t5", ("mean", "last")), ("gpt2", ("mean", "last"))],
)  # fmt: skip
def test_which_poolings_suit_a_model(folder_of, family, expected):
    assert HiddenStates(str(folder_of(family))).usual_poolings == expected


def test_layers_are_chosen_and_counted_from_either_end(folder_of):
    states = HiddenStates(str(folder_of("bert")))
    texts = [row(text) for text in TEXTS]
    whole = states.pooled(texts, ["mean"])["mean"]
    assert np.array_equal(states.pooled(texts, ["mean"], [-1, 0])["mean"], whole[:, [2, 0]])
    with pytest.raises(SpecError, match=r"layer 3: the model has the layers 0 .* to 2"):
        states.pooled(texts, ["mean"], [3])
    assert layer_places([-3, 2], 3) == [0, 2]


def test_a_control_token_in_a_row_stays_plain_text(folder_of):
    states = HiddenStates(str(folder_of("bert")))
    theirs = [(Piece("good [SEP] bad"),)]
    ours = [row("good [SEP] bad")]
    assert states.read(ours, ["mean"]).tokens[0] > states.read(theirs, ["mean"]).tokens[0]


def test_a_long_text_is_cut_and_the_cut_is_counted():
    states = HiddenStates()
    found = states.read([row("word " * 300), row("short")], ["mean"])
    assert states.max_tokens == 256
    assert found.tokens == [256, 3]
    assert found.cut[0] > 100
    assert found.cut[1] == 0


def test_an_empty_text_is_read_as_the_models_first_token(folder_of):
    states = HiddenStates(str(folder_of("qwen3"))).pooled([row("")], ["mean", "last"])
    assert np.array_equal(states["mean"], states["last"])
    assert np.isfinite(states["mean"]).all()


def test_no_texts_give_no_states():
    assert HiddenStates().pooled([], ["mean"])["mean"].shape[0] == 0


def test_a_text_is_computed_once(folder_of):
    states = HiddenStates(str(folder_of("bert")))
    texts = [row(text) for text in TEXTS]
    first = states.pooled([*texts, *texts], ["mean"])["mean"]
    computed = states.cost.computed_tokens
    assert np.array_equal(first[:5], first[5:])
    assert np.array_equal(states.pooled(texts[::-1], ["mean"])["mean"], first[4::-1])
    cost = states.cost
    assert cost.computed_tokens == computed
    assert (cost.rows, cost.prompt_tokens % 3) == (15, 0)
    states.pooled(texts, ["mean", "cls"])
    assert states.cost.computed_tokens > computed


def test_one_model_is_shared_until_its_weights_change(tmp_path):
    folder = save_masked("bert", tmp_path / "model")
    first = hidden_states(str(folder))
    assert hidden_states(str(folder)) is first
    before = first.pooled([row("a")], ["mean"])["mean"]
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.add_(1.0)
    model.save_pretrained(folder)
    other = hidden_states(str(folder))
    assert other.weights != first.weights
    assert not np.allclose(other.pooled([row("a")], ["mean"])["mean"], before)


def test_rows_on_disk_need_no_model(folder_of, tmp_path):
    folder = str(folder_of("gpt2"))
    texts = [row(text) for text in TEXTS]
    expected = HiddenStates(folder, cache=tmp_path).read(texts, ["mean", "last"])
    again = HiddenStates(folder, cache=tmp_path)
    found = again.read(texts, ["last", "mean"])
    assert np.array_equal(found.states["mean"], expected.states["mean"])
    assert (found.cut, found.tokens) == (expected.cut, expected.tokens)
    assert again.cost.computed_tokens == 0
    assert "network" not in vars(again)


def test_unknown_poolings_and_models_are_refused(tmp_path):
    with pytest.raises(SpecError, match="did you mean 'mean'"):
        HiddenStates().pooled([row("a")], ["maen"])
    with pytest.raises(BackendError, match="no such folder"):
        HiddenStates(str(tmp_path / "none"))
    with pytest.raises(SpecError, match="float31"):
        HiddenStates(dtype="float31")


def test_a_sentence_encoder_without_layers_is_refused(tmp_path):
    (tmp_path / "modules.json").write_text('[{"path": "", "type": "x.StaticEmbedding"}]')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(CapabilityError, match="has no layers"):
        HiddenStates(str(tmp_path))


def test_a_model_with_missing_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = save_masked("bert", tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    gone = next(name for name in tensors if "layer.1" in name)
    del tensors[gone]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackendError, match="1 tensors are missing"):
        HiddenStates(str(folder)).pooled([row("a")], ["mean"])


def test_a_sentence_encoder_that_lower_cases_reads_lower_case(tmp_path):
    import json
    import shutil

    folder = tmp_path / "encoder"
    shutil.copytree(locate("minilm").path, folder)
    says = {"max_seq_length": 12, "do_lower_case": True}
    (folder / "sentence_bert_config.json").write_text(json.dumps(says))
    states = HiddenStates(str(folder))
    assert states.max_tokens == 12
    assert states.tokens.encode([row("LOUD")])[0].ids == states.tokens.encode([row("loud")])[0].ids
