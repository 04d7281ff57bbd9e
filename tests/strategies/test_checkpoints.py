"""Only whole checkpoints of the same training are taken up."""

import torch

from promptkit.strategies.checkpoints import (
    Best,
    best_of,
    last_whole,
    mark_whole,
    name_of_training,
)


def checkpoint(folder, step, best=None):
    made = folder / f"checkpoint-{step}"
    made.mkdir()
    if best is not None:
        mark_whole(made, best)
    return made


def test_the_latest_whole_one_counts_by_number_not_by_name(tmp_path):
    checkpoint(tmp_path, 9, Best())
    wanted = checkpoint(tmp_path, 10, Best())
    checkpoint(tmp_path, 20)  # the process was killed while it was written
    assert last_whole(tmp_path) == wanted


def test_a_folder_without_checkpoints_has_none(tmp_path):
    assert last_whole(tmp_path) is None
    assert last_whole(tmp_path / "absent") is None


def test_the_best_weights_come_back(tmp_path):
    best = Best(0.5, 0.75, 2, {"head.out.weight": torch.arange(4.0)})
    found = best_of(checkpoint(tmp_path, 3, best))
    assert (found.loss, found.score, found.epoch) == (0.5, 0.75, 2)
    assert torch.equal(found.state["head.out.weight"], torch.arange(4.0))


def test_no_best_yet_comes_back_as_none(tmp_path):
    assert best_of(checkpoint(tmp_path, 3, Best())) == Best()


def test_pickled_settings_do_not_stay(tmp_path):
    (tmp_path / "checkpoint-1").mkdir()
    (tmp_path / "checkpoint-1/training_args.bin").write_bytes(b"")
    mark_whole(tmp_path / "checkpoint-1", Best())
    assert not (tmp_path / "checkpoint-1/training_args.bin").exists()


def test_options_model_rows_and_labels_all_name_a_training():
    names = {
        name_of_training({"lr": 1}, [[1, 2]], [0]),
        name_of_training({"lr": 2}, [[1, 2]], [0]),
        name_of_training({"lr": 1}, [[1, 3]], [0]),
        name_of_training({"lr": 1}, [[1, 2]], [1]),
    }
    assert len(names) == 4
