"""Neighbours in an encoder's space; votes checked by hand."""

import numpy as np
import pytest

from promptkit.errors import CapabilityError, SpecError, StoreError
from promptkit.strategies.nearest_neighbour import NearestNeighbour, nearest_of
from promptkit.strategies.reading import Reading
from promptkit.types import Example
from tests.tiny_encoder import tiny_encoder

LABELS = ("a", "b", "c")


class Plane:
    """Stands in for an encoder: a text is an angle in degrees."""

    def __init__(self):
        from promptkit.types import Cost

        self.cost = Cost()

    def vectors(self, texts):
        angles = np.deg2rad([float(text[0].text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), [0] * len(
            texts
        )


def rows(*pairs):
    return [Example(f"t{i}", {"text": str(at)}, label) for i, (at, label) in enumerate(pairs)]


def built(**options):
    strategy = NearestNeighbour(LABELS, Reading(("text",)), **options)
    strategy._encoder = Plane()
    return strategy


def test_votes_are_weighted_by_nearness_and_one_more_is_spread_over_the_labels_that_occur():
    train = rows((0, "a"), (60, "b"), (90, "b"), (180, "a"))
    (found,) = built(k=3).fit(train).predict(rows((0, None)))
    near, middle, far = 1.0, (1 + 0.5) / 2, 0.5
    votes = np.array([near + 0.5, middle + far + 0.5, 0.0])
    assert np.exp(found.log_p) == pytest.approx(votes / votes.sum(), abs=1e-6)
    assert found.label == "b"


def test_one_neighbour_decides_alone():
    train = rows((0, "a"), (60, "b"), (90, "b"))
    assert built(k=1).fit(train).predict(rows((20, None)))[0].label == "a"


def test_more_neighbours_than_rows_are_all_rows():
    strategy = built(k=50).fit(rows((0, "a"), (60, "b"), (70, "b")))
    assert strategy.predict(rows((0, None)))[0].label == "b"


def test_the_number_is_chosen_by_leaving_each_row_out():
    pairs = rows((0, "a"), (1, "a"), (20, "b"), (21, "b"), (40, "c"), (41, "c"))
    assert built().fit(pairs).k_ == 1
    # the row at 0 misleads its neighbours when it votes alone, and no one when it is one of three
    assert built().fit(rows((0, "a"), (3, "b"), (-3, "b"), (7, "b"), (-7, "b"))).k_ == 3


def test_a_copy_does_not_vote_for_the_row_that_is_left_out():
    # with its copy beside it, one neighbour would get the two rows at 0 right, and be chosen
    crowd = [(at, "b") for at in (2, 4.5, 7.5, -2, -4.5, -7.5)]
    assert built().fit(rows((0, "a"), (0, "a"), *crowd)).k_ == 5


def test_a_label_without_training_rows_gets_nothing_and_one_label_alone_all():
    (found,) = built().fit(rows((0, "b"))).predict(rows((120, None)))
    assert (found.label, found.log_p) == ("b", (-np.inf, 0.0, -np.inf))


def test_the_earlier_row_is_nearer_on_a_tie_and_a_row_left_out_has_no_weight():
    near, weights = nearest_of(np.array([[0.5, 0.5, -np.inf]], np.float32), 3)
    assert near.tolist() == [[0, 1, 2]]
    assert weights.tolist() == [[0.75, 0.75, 0.0]]


@pytest.mark.parametrize("k", ["chose", 0, 1.5, True])
def test_a_number_that_is_none_is_an_error(k):
    with pytest.raises(SpecError, match="option 'k'"):
        built(k=k)


def test_a_language_model_is_refused_with_a_way_out(causal_folder):
    strategy = NearestNeighbour(LABELS, Reading(("text",)), model=str(causal_folder("gpt2")))
    with pytest.raises(CapabilityError, match=r"of kind 'causal'.*--model minilm"):
        strategy.fit(rows((0, "a"), (1, "b")))


def test_a_real_encoder_reads_rows_and_what_they_lose_is_told(tmp_path):
    train = [Example("1", {"text": "hello there"}, "a"), Example("2", {"text": "goodbye"}, "b")]
    strategy = NearestNeighbour(LABELS, Reading(("text",)), model=tiny_encoder()).fit(train)
    found = strategy.predict([*train, Example("3", {"text": "word " * 200})])
    assert [p.label for p in found[:2]] == ["a", "b"]
    assert found[2].cut_chars > 0
    assert strategy.cost.prompt_tokens > 60
    assert strategy.cost.rows == 3
    strategy.save(tmp_path)
    again = NearestNeighbour(LABELS, Reading(("text",)), model=tiny_encoder()).restore(tmp_path)
    assert again.predict(train) == strategy.predict(train)
    (tmp_path / "neighbours.safetensors").write_bytes(b"")
    with pytest.raises(StoreError, match="save the model again"):
        strategy.restore(tmp_path)
