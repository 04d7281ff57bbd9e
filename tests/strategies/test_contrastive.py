"""Contrastive tuning: seeded, exact after a kill, and quiet about what it leaves behind."""

import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from promptkit.backends.weights import locate
from promptkit.errors import BackendError, DataError, SpecError, StoreError
from promptkit.prompts.label_rows import rows_about
from promptkit.protocols import FitContext
from promptkit.strategies import contrastive_training
from promptkit.strategies.contrastive import Contrastive
from promptkit.strategies.reading import Reading
from promptkit.strategies.sentence_encoders import encoder_copy, ids_of
from promptkit.types import Example
from tests.tiny import save_masked
from tests.tiny_encoder import tiny_encoder

LABELS = ("good", "bad", "none")
WORDS = {"good": "lovely friendly great", "bad": "broken noisy never", "none": "the shop opens"}


def rows_of(labels=LABELS, n=24, start=0):
    """Rows that say something of their label among words that say nothing."""
    draw = random.Random(start)
    rows = []
    for place in range(start, start + n):
        label = labels[place % len(labels)]
        words = [
            draw.choice(WORDS[label].split()),
            *draw.choices("it was a day at my".split(), k=5),
        ]
        draw.shuffle(words)
        rows.append(Example(f"r{place:03}", {"text": " ".join(words)}, label))
    return rows


TRAIN, TEST = rows_of(), rows_of(n=30, start=100)


def built(**options):
    chosen = {"model": tiny_encoder(), "epochs": 3, "learning_rate": 1e-3, "batch_size": 12}
    return Contrastive(LABELS, Reading(("text",)), **chosen | options)


def weights_of(strategy):
    return {name: tensor.clone() for name, tensor in strategy.encoder_.state_dict().items()}


def same(one, other):
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def accuracy(strategy):
    return np.mean([p.label == r.label for p, r in zip(strategy.predict(TEST), TEST, strict=True)])


def test_rows_of_one_label_come_nearer_to_each_other_than_to_others():
    frozen = built(model="minilm")
    frozen.encoder_ = encoder_copy(locate("minilm"))
    tuned = built(model="minilm", learning_rate=5e-5, epochs=4).fit(TRAIN)
    assert gap(tuned) > 2 * gap(frozen)
    assert accuracy(tuned) == 1


def test_what_is_said_about_a_label_is_learned_and_may_stand_for_rows_it_does_not_have():
    said = rows_about({label: WORDS[label].split() for label in LABELS}, ["text"])
    two = [row for row in TRAIN if row.label != "none"]
    options = {"model": "minilm", "learning_rate": 5e-5, "epochs": 4}
    alone = built(**options).fit(two)
    told = built(label_rows=said, **options).fit(two)
    assert not any(p.label == "none" for p in alone.predict(TEST))
    assert any(p.label == "none" for p in told.predict(TEST))
    assert accuracy(told) > accuracy(alone)
    with pytest.raises(DataError, match="no labelled row"):
        built(label_rows=said).fit([])


def gap(strategy):
    """How much nearer, in mean cosine, rows of one label are."""
    vectors = strategy._encoded(ids_of_rows(strategy, TEST))
    own = np.array([[a.label == b.label for b in TEST] for a in TEST])
    cosines = vectors @ vectors.T
    return cosines[own].mean() - cosines[~own].mean()


def ids_of_rows(strategy, rows):
    return ids_of(strategy.encoder_, [strategy.reading(row) for row in rows])[0]


def test_each_loss_tunes_in_its_own_way():
    names = ("all_triplets", "hard_triplets", "supervised_contrastive", "cosine_pairs")
    tuned = [weights_of(built(loss=name, epochs=1).fit(TRAIN)) for name in names]
    base = encoder_copy(locate(tiny_encoder())).state_dict()
    for one, other in pairwise([base, *tuned]):
        assert not same(one, other)
        assert all(torch.isfinite(tensor).all() for tensor in other.values())


def test_the_same_seed_and_rows_give_the_same_weights_bit_by_bit():
    first, second = built().fit(TRAIN), built().fit(TRAIN[::-1])
    assert same(weights_of(first), weights_of(second))
    assert (first.head_.weights == second.head_.weights).all()
    assert not same(weights_of(first), weights_of(built(seed=1).fit(TRAIN)))


def test_fitting_again_forgets_what_was_learned():
    strategy = built().fit(TRAIN)
    first = weights_of(strategy)
    strategy.fit(TRAIN[:6])
    assert not same(first, weights_of(strategy))
    assert same(first, weights_of(strategy.fit(TRAIN)))


def test_the_loaded_model_is_not_changed_by_a_fit():
    before = encoder_copy(locate(tiny_encoder())).state_dict()
    tuned = built().fit(TRAIN)
    assert same(before, encoder_copy(locate(tiny_encoder())).state_dict())
    assert not same(before, weights_of(tuned))


def test_the_random_numbers_of_the_process_go_on_as_if_nothing_had_been():
    built().fit(TRAIN)  # whatever a first fit imports
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    built().fit(TRAIN)
    found = torch.rand(1).item(), np.random.rand(), random.random()
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    assert found == (torch.rand(1).item(), np.random.rand(), random.random())


class Killed(Exception):
    pass


def kill_after(n):
    def on_step(step):
        if step.done == n:
            raise Killed

    return on_step


@pytest.mark.parametrize("done", [1, 3, 5])
def test_a_killed_fit_goes_on_and_ends_as_a_whole_one(done, tmp_path, monkeypatch):
    monkeypatch.setattr(contrastive_training, "BETWEEN_CHECKPOINTS", 0.0)
    whole = built().fit(TRAIN)
    with pytest.raises(Killed):
        built().fit(TRAIN, FitContext(tmp_path, kill_after(done)))
    steps = []
    again = built().fit(TRAIN, FitContext(tmp_path, lambda step: steps.append(step.done)))
    assert steps == list(range(done + 1, whole.steps_ + 1))
    assert same(weights_of(whole), weights_of(again))
    assert (whole.head_.weights == again.head_.weights).all()
    assert whole.card_facts() == again.card_facts()
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_is_safetensors_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(contrastive_training, "BETWEEN_CHECKPOINTS", 0.0)
    with pytest.raises(Killed):
        built().fit(TRAIN, FitContext(tmp_path, kill_after(2)))
    (file,) = tmp_path.iterdir()
    assert file.suffix == ".safetensors"
    assert any(name.startswith("exp_avg ") for name in load_file(file))


@pytest.mark.parametrize(
    "options", [{"seed": 1}, {"learning_rate": 5e-4}, {"loss": "cosine_pairs"}]
)
def test_a_checkpoint_of_other_options_is_not_gone_on_from(options, tmp_path, monkeypatch):
    monkeypatch.setattr(contrastive_training, "BETWEEN_CHECKPOINTS", 0.0)
    with pytest.raises(Killed):
        built().fit(TRAIN, FitContext(tmp_path, kill_after(3)))
    steps = []
    built(**options).fit(TRAIN, FitContext(tmp_path, lambda step: steps.append(step.done)))
    assert steps[0] == 1


def test_a_checkpoint_of_other_rows_is_not_gone_on_from(tmp_path, monkeypatch):
    monkeypatch.setattr(contrastive_training, "BETWEEN_CHECKPOINTS", 0.0)
    with pytest.raises(Killed):
        built().fit(TRAIN, FitContext(tmp_path, kill_after(3)))
    steps = []
    built().fit(TEST, FitContext(tmp_path, lambda step: steps.append(step.done)))
    assert steps[0] == 1


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(contrastive_training, "BETWEEN_CHECKPOINTS", 0.0)
    built().fit(TRAIN)
    assert not list(tmp_path.iterdir())


def test_each_step_is_told_with_its_loss():
    steps = []
    strategy = built().fit(TRAIN, FitContext(on_step=steps.append))
    assert [step.done for step in steps] == list(range(1, strategy.steps_ + 1))
    assert {step.total for step in steps} == {strategy.steps_}
    assert all(step.loss >= 0 for step in steps)


@pytest.mark.parametrize(
    "train",
    [
        [row for row in TRAIN if row.label == "bad"],
        [next(row for row in TRAIN if row.label == label) for label in LABELS],
        TRAIN[:1],
    ],
    ids=["one label", "a row a label", "one row"],
)
def test_rows_with_nothing_to_compare_leave_the_encoder_as_it_is(train):
    strategy = built().fit(train)
    assert (strategy.steps_, strategy.trained_) == (0, 0)
    assert same(weights_of(strategy), encoder_copy(locate(tiny_encoder())).state_dict())
    there = {row.label for row in train}
    for prediction in strategy.predict(TEST):
        assert prediction.label in there
        assert np.exp(prediction.log_p).sum() == pytest.approx(1)


def test_labels_that_no_row_had_are_impossible():
    strategy = built().fit([row for row in TRAIN if row.label != "bad"])
    assert all(p.log_p[LABELS.index("bad")] == -np.inf for p in strategy.predict(TEST))


def test_the_heads_penalty_is_for_each_label_that_rows_have():
    from promptkit.strategies.unit_head import UnitHead

    for labels, c in ((LABELS, 1.5), (LABELS[:2], 1.0)):
        rows = sorted(rows_of(labels), key=lambda row: row.id)
        strategy = built(head_c=0.5).fit(rows)
        vectors = strategy._encoded(ids_of_rows(strategy, rows))
        places = np.array([LABELS.index(row.label) for row in rows])
        assert (strategy.head_.weights == UnitHead.fitted(vectors, places, 3, c).weights).all()


def test_labels_that_python_holds_equal_are_told_apart():
    labels = (0, False, "")
    rows = [
        Example(row.id, row.fields, labels[LABELS.index(row.label)]) for row in TRAIN if row.label
    ]
    options = {"model": tiny_encoder(), "epochs": 1, "head_c": 1e6}
    strategy = Contrastive(labels, Reading(("text",)), **options).fit(rows)
    found = [p.label for p in strategy.predict(rows)]
    assert [(type(one), one) for one in found] == [(type(row.label), row.label) for row in rows]


def test_the_saved_encoder_is_a_sentence_transformers_folder(tmp_path):
    from sentence_transformers import SentenceTransformer

    strategy = built().fit(TRAIN)
    strategy.save(tmp_path)
    theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu", local_files_only=True)
    texts = [row.fields["text"] for row in TEST]
    expected = theirs.encode(texts, normalize_embeddings=True)
    assert np.abs(strategy._encoded(ids_of_rows(strategy, TEST)) - expected).max() < 1e-5


def test_what_was_saved_predicts_the_same_without_the_model_that_was_tuned(tmp_path):
    folder = save_masked("bert", tmp_path / "base")
    strategy = built(model=str(folder)).fit(TRAIN)
    (tmp_path / "saved").mkdir()
    strategy.save(tmp_path / "saved")
    folder.rename(tmp_path / "gone")
    again = built(model=str(folder)).restore(tmp_path / "saved")
    for one, other in zip(strategy.predict(TEST), again.predict(TEST), strict=True):
        assert one.label == other.label
        assert one.log_p == pytest.approx(other.log_p, abs=1e-5)
    assert again.card_facts() == strategy.card_facts()
    (tmp_path / "copy").mkdir()
    again.save(tmp_path / "copy")
    files = sorted(file.name for file in (tmp_path / "saved").rglob("*"))
    assert sorted(file.name for file in (tmp_path / "copy").rglob("*")) == files


def test_a_folder_that_was_not_saved_whole_is_said_so(tmp_path):
    with pytest.raises(StoreError, match="save the model again"):
        built().restore(tmp_path)
    built().fit(TRAIN).save(tmp_path)
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(BackendError):
        built().restore(tmp_path)


def test_the_card_says_what_was_trained():
    strategy = built().fit(TRAIN)
    facts = strategy.card_facts()
    assert facts["steps"] == strategy.steps_ == 6
    assert (facts["loss"], facts["learning rate"], facts["epochs"]) == ("all_triplets", 1e-3, 3)
    trained = sum(
        p.numel() for name, p in strategy.encoder_.named_parameters() if "pooler" not in name
    )
    assert facts["trained parameters"] == trained


def test_cost_counts_the_fit_and_then_the_rows():
    strategy = built().fit(TRAIN)
    fit = strategy.cost
    assert fit.computed_tokens > 3 * sum(map(len, ids_of_rows(strategy, TRAIN)))
    assert fit.trained_parameters == strategy.trained_ + strategy.head_.size
    assert (fit.rows, fit.prompt_tokens) == (0, 0)
    strategy.predict(TEST)
    assert strategy.cost.rows == len(TEST)
    assert strategy.cost.prompt_tokens == sum(map(len, ids_of_rows(strategy, TEST)))


def test_a_text_too_long_is_cut_and_counted():
    long = Example("long", {"text": "lovely " * 300}, None)
    (found,) = built().fit(TRAIN).predict([long])
    assert found.cut_chars > 0


def test_training_in_bfloat16_predicts_in_float32():
    strategy = built(precision="bfloat16").fit(TRAIN)
    assert {p.dtype for p in strategy.encoder_.parameters()} == {torch.float32}
    whole = built(precision="float32").fit(TRAIN)
    assert not same(weights_of(strategy), weights_of(whole))
    vectors = strategy._encoded(ids_of_rows(strategy, TEST))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.abs(vectors - whole._encoded(ids_of_rows(whole, TEST))).max() < 0.2


def test_no_rows_are_no_predictions_and_no_training_row_is_an_error():
    assert built().fit(TRAIN).predict([]) == []
    with pytest.raises(DataError, match="no labelled row"):
        built().fit([])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 0}, "'epochs' is 0"),
        ({"batch_size": 0}, "'batch_size' is 0"),
        ({"learning_rate": 0.0}, "'learning_rate' is 0.0; it must be above 0"),
        ({"head_c": -1.0}, "'head_c' is -1.0"),
        ({"loss": "triplet"}, "no contrastive loss named 'triplet'"),
        ({"precision": "float16"}, "'precision' is 'float16'"),
        ({"dtype": "bfloat16"}, "option precision"),
        ({"device": "gpu"}, "device 'gpu'"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_a_model_is_loaded(options, said):
    with pytest.raises(SpecError, match=said):
        built(model="./nowhere", **options).fit(TRAIN)
