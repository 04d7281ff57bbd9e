"""Encoders loaded once and copied: the loaded one never changes, and vectors are their own."""

import numpy as np
import pytest
import torch

from promptkit.backends.weights import locate
from promptkit.errors import BackendError
from promptkit.strategies.sentence_encoders import encoder_copy, ids_of, load_encoder, vectors_of
from promptkit.types import Piece
from tests.tiny import save_causal, save_masked, save_seq2seq
from tests.tiny_encoder import tiny_encoder

TEXTS = ["Fine.", "The room was noisy and the bed hard, and nobody came.", "Never again!", "ok"]


def rows_of(texts):
    return [(Piece(text, True),) for text in texts]


@torch.inference_mode()
def vectors(encoder, texts, together=16):
    found, _ = vectors_of(encoder, ids_of(encoder, rows_of(texts))[0], together)
    return found.numpy()


def test_vectors_are_those_of_sentence_transformers():
    encoder = encoder_copy(locate(tiny_encoder()))
    assert np.abs(vectors(encoder, TEXTS) - encoder.encode(TEXTS)).max() < 1e-5


@pytest.mark.parametrize("together", [1, 2, 3])
def test_parts_of_a_batch_change_no_vector_and_no_order(together):
    encoder = encoder_copy(locate(tiny_encoder()))
    assert np.abs(vectors(encoder, TEXTS, together) - vectors(encoder, TEXTS)).max() < 1e-5


def test_parts_of_similar_length_pad_less():
    encoder = encoder_copy(locate(tiny_encoder()))
    ids, _ = ids_of(encoder, rows_of(TEXTS))
    assert vectors_of(encoder, ids, 1)[1] == sum(map(len, ids))
    assert vectors_of(encoder, ids, 4)[1] == 4 * max(map(len, ids))


def test_a_copy_can_be_changed_and_the_next_one_is_as_the_first():
    located = locate(tiny_encoder())
    first = encoder_copy(located)
    before = vectors(first, TEXTS)
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(0.5)
    assert np.abs(vectors(first, TEXTS) - before).max() > 1e-2
    assert (vectors(encoder_copy(located), TEXTS) == before).all()


def test_a_folder_that_was_written_anew_is_read_anew(tmp_path):
    folder = save_masked("bert", tmp_path)
    before = vectors(encoder_copy(locate(str(folder))), TEXTS)
    changed = load_encoder(folder)
    with torch.no_grad():
        changed[0].auto_model.embeddings.word_embeddings.weight.mul_(2)
    changed[0].auto_model.save_pretrained(folder)
    assert np.abs(vectors(encoder_copy(locate(str(folder))), TEXTS) - before).max() > 1e-3


def test_a_control_token_in_a_row_stays_plain_text():
    encoder = encoder_copy(locate(tiny_encoder()))
    ids, _ = ids_of(encoder, rows_of(["good [SEP] bad"]))
    assert ids[0].count(encoder.tokenizer.sep_token_id) == 1


def test_a_long_text_is_cut_and_the_cut_is_counted():
    encoder = encoder_copy(locate(tiny_encoder()))
    ids, cut = ids_of(encoder, rows_of(["good " * 200, "good"]))
    assert [len(one) for one in ids] == [64, len(ids[1])]
    assert cut[0] > 0
    assert cut[1] == 0


@pytest.mark.parametrize("family", ["bert", "roberta", "t5"])
def test_other_models_get_the_mean_of_their_tokens_states(family, tmp_path):
    save = save_seq2seq if family == "t5" else save_masked
    encoder = encoder_copy(locate(str(save(family, tmp_path))))
    ids, _ = ids_of(encoder, rows_of(["The room was noisy.", ""]))
    with torch.inference_mode():
        for one in ids:
            states = encoder[0].auto_model(input_ids=torch.tensor([one])).last_hidden_state[0]
            found, _ = vectors_of(encoder, [one], 1)
            assert torch.allclose(found[0], states.mean(0), atol=1e-5)


def test_a_causal_model_has_vectors_of_texts_of_any_length(tmp_path, caplog):
    encoder = encoder_copy(locate(str(save_causal("gpt2", tmp_path))))
    alone = [vectors(encoder, [text])[0] for text in [*TEXTS, ""]]
    assert np.isfinite(alone).all()
    assert np.abs(vectors(encoder, [*TEXTS, ""]) - np.stack(alone)).max() < 1e-5
    assert not caplog.records


def test_loading_leaves_the_random_numbers_of_the_process_alone(tmp_path):
    save_masked("bert", tmp_path)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    load_encoder(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_model_that_lacks_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    file = save_masked("bert", tmp_path) / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(file).items() if "layer.1." not in name}
    save_file(kept, file, {"format": "pt"})
    with pytest.raises(BackendError, match="missing"):
        encoder_copy(locate(str(tmp_path)))


def test_a_broken_sentence_encoder_is_refused_in_one_line(tmp_path):
    save_masked("bert", tmp_path)
    (tmp_path / "modules.json").write_text('[{"path": ""}]', encoding="utf-8")
    with pytest.raises(BackendError, match="saved whole"):
        encoder_copy(locate(str(tmp_path)))
