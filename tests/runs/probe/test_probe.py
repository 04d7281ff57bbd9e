"""Probes read what layers hold, are honest about what they learned by heart, and end as alone."""

import json

import numpy as np
import pytest
import torch

from promptkit.backends.hidden import HiddenStates
from promptkit.errors import DataError, SpecError
from promptkit.report.heat import Heat
from promptkit.report.probed import likeness, probed_csv, probed_html, probed_json, probed_markdown
from promptkit.runs import eval_spec
from promptkit.runs.probe import (
    MinimalPair,
    ProbeOptions,
    ProbingTask,
    Sentence,
    Target,
    clustered,
    expected_layer,
    own_task,
    probe,
    read_task,
)
from promptkit.runs.probe.pairs import preferred, told_by_layers
from promptkit.runs.probe.probes import Mixes, control_labels, fit_probes
from promptkit.runs.probe.spans import readable, span_means, word_states
from promptkit.types import Piece
from tests.strategies.tuned import family

WORDS = [("The", "cat", "unbelievably", "sleeps", "."), ("Dogs", "bark", "!")]


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "t5", "roberta"])
def test_a_words_state_is_the_mean_of_its_tokens_in_every_layer(name):
    model = HiddenStates(family(name))
    found = word_states(model, WORDS)
    for place, words in enumerate(WORDS):
        text = " ".join(words)
        (encoded,) = model.tokens.encode([(Piece(text, row=True),)])
        before, after = model.tokens.wrapping
        ids = torch.tensor([[*before, *encoded.ids, *after]])
        with torch.no_grad():
            states = model.network(input_ids=ids, output_hidden_states=True).hidden_states
        ends = np.cumsum([len(word) + 1 for word in words])
        for at in range(len(words)):
            start = ends[at] - len(words[at]) - 1
            own = [len(before) + i for i, (a, b) in enumerate(encoded.spans)
                   if start - 1 <= (a + len(text[a:b].rstrip()) - 1 if text[a:b].strip() else b)
                   < ends[at] - 1]  # fmt: skip
            assert own, (name, words[at])
            expected = np.stack([one[0, own].mean(0).numpy() for one in states[:-1]])
            got = found.states[found.starts[place] + at][:-1]
            np.testing.assert_allclose(got, expected, atol=2e-3, rtol=2e-3)


def test_a_span_is_the_mean_over_its_tokens_and_what_is_cut_is_left_out():
    model = HiddenStates("minilm")
    found = word_states(model, WORDS)
    mean = span_means(found, [(0, (0, 3))])[0]
    tokens = found.tokens[:3]
    by_hand = np.tensordot(tokens / tokens.sum(), found.states[:3].astype(np.float64), axes=(0, 0))
    np.testing.assert_allclose(mean, by_hand, rtol=1e-3, atol=1e-3)
    long = tuple(f"w{i}" for i in range(400))
    rows = [Sentence(long, (Target((0, 1), None, "a"), Target((399, 400), None, "b")))]
    assert readable(word_states(model, [long]), rows) == [(0, 0)]


def drawn(n=400, seed=0):
    """(n, 3, 6) states of which layer 0 knows nothing and layer 2 all, and (n,) of four labels."""
    draw = np.random.default_rng(seed)
    targets = draw.integers(4, size=n)
    states = draw.normal(size=(n, 3, 6)).astype(np.float32)
    for layer, size in ((1, 0.7), (2, 4.0)):
        states[np.arange(n), layer, targets] += size
    return states, targets


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_probes_find_what_a_layer_holds(kind):
    states, targets = drawn()
    other, wanted = drawn(seed=1)
    groups = np.arange(len(targets)) // 4
    found = fit_probes(states, targets, other, kind=kind, mixes=False, groups=groups, seed=0)
    right = (found.told == wanted[:, None]).mean(axis=0)
    assert right[0] < 0.35
    assert 0.35 < right[1] < 0.8
    assert right[2] > 0.9
    mixed = fit_probes(states, targets, other, kind=kind, mixes=True, groups=groups, seed=0)
    assert np.argmax(mixed.weights) == 2
    assert sum(mixed.weights) == pytest.approx(1)
    means = (mixed.told == wanted[:, None]).mean(axis=0)
    assert means[0] < 0.35
    assert means[2] > 0.9
    again = fit_probes(states, targets, other, kind=kind, mixes=False, groups=groups, seed=0)
    assert (again.told == found.told).all()


def test_a_probe_among_others_ends_near_to_one_alone():
    states, targets = drawn()
    other, _ = drawn(seed=1)
    groups = np.arange(len(targets))
    together = fit_probes(states, targets, other, kind="linear", mixes=False, groups=groups, seed=0)
    alone = fit_probes(states[:, 2:], targets, other[:, 2:], kind="linear", mixes=False,
                       groups=groups, seed=0)  # fmt: skip
    # another start, the same rows in the same order
    assert (together.told[:, 2] == alone.told[:, 0]).mean() > 0.97


def test_means_are_of_the_layers_so_far():
    mixing = Mixes(3)
    assert mixing.weights().detach().numpy() == pytest.approx(
        np.array([[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]])
    )
    states = torch.randn(5, 3, 4)
    assert torch.allclose(mixing(states)[:, 1], states[:, :2].mean(1), atol=1e-6)


def test_control_labels_hang_on_the_word_alone_and_have_the_real_shares():
    words = [f"w{i}" for i in range(4000)]
    found = control_labels(words, np.array([0.7, 0.2, 0.1]), 0)
    assert np.bincount(found) / 4000 == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    assert (control_labels(words[::-1], np.array([0.7, 0.2, 0.1]), 0) == found[::-1]).all()
    assert (control_labels(words, np.array([0.7, 0.2, 0.1]), 1) != found).any()


def test_statistics():
    assert expected_layer(np.array([0.2, 0.6, 0.8, 0.8])) == pytest.approx((0.4 + 0.4) / 0.6)
    assert expected_layer(np.array([0.5, 0.4])) is None
    assert expected_layer(np.array([0.5, 0.6, 0.6, 0.51])) is None  # losses in later layers
    right = np.array([True] * 30 + [False] * 30)
    apart, together = clustered(right, np.arange(60)), clustered(right, np.repeat([0, 1, 2, 3], 15))
    assert apart.value == together.value == 0.5
    assert together.high - together.low > 2 * (apart.high - apart.low)


@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_pairs_are_asked_of_the_model_itself(name):
    from promptkit.backends.likelihood import TextLikelihood

    pairs = [
        MinimalPair("Dogs bark.", "Dogs barks.", "a"),
        MinimalPair("A cat sleeps", "A cat sleep", "b"),
    ]
    model = TextLikelihood(family(name))
    found = preferred(model, pairs)
    nats = [[model.of([(Piece(t),)])[0].nats for t in (one.good, one.bad)] for one in pairs]
    assert found.tolist() == [good > bad for good, bad in nats]


def test_layers_are_tried_on_paradigms_that_they_did_not_learn_from():
    draw = np.random.default_rng(0)
    bad = draw.normal(size=(120, 2, 8)).astype(np.float32)
    good = bad + draw.normal(size=bad.shape).astype(np.float32)
    good[:, 1, 0] += 3  # layer 1 knows what is right, and layer 0 nothing
    paradigms = [f"p{i % 6}" for i in range(120)]
    told = told_by_layers(good, bad, paradigms).mean(axis=0)
    assert told[0] < 0.65
    assert told[1] > 0.9
    # what is right of one paradigm alone is of no use for the others
    only = bad + 0.1 * draw.normal(size=bad.shape).astype(np.float32)
    for i in range(6):
        only[i::6, :, i] += 3
    assert told_by_layers(only, bad, paradigms).mean() < 0.75
    assert told_by_layers(only, bad, ["one"] * 120).mean() > 0.9


def test_profiles_of_a_model(home, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(
        json.dumps({"text": f"The {thing} was {word} {i}.", "label": label}) + "\n"
        for i in range(8) for thing in ("soup", "bus")
        for word, label in (("lovely", "good"), ("awful", "bad"))
    ))  # fmt: skip
    own = own_task(eval_spec(None, {"data": str(rows), "strategy": "features"}))
    pairs = ProbingTask("pairs", pairs=tuple(
        MinimalPair(f"The {w}s are here.", f"The {w}s is here.", w) for w in
        ("cat", "dog", "cow", "hen", "pig", "ant", "bee", "fox")
    ), origin="made up")  # fmt: skip
    done = []
    found = probe("minilm", [read_task("pos"), read_task("dep"), own, pairs],
                  ProbeOptions(limit=40), lambda *one: done.append(one))  # fmt: skip
    pos, dep, mine, made_up = found.profiles
    assert len(pos.layers) == len(pos.control) == len(pos.weights) == 7
    assert pos.layers[pos.best].value > pos.majority + 0.3
    assert pos.selectivity[pos.best] > 0.2
    assert 0 <= pos.gravity <= 6
    assert pos.layers[0].low < pos.layers[0].value < pos.layers[0].high
    assert dep.n_labels > 10
    assert mine.layers[mine.best].value > 0.8
    assert sum(n for _, n, _ in mine.by_label) == mine.n_test == 8
    assert made_up.likelihood is None  # a sentence encoder says nothing of words
    assert made_up.mix is None
    assert {what for what, _, _ in done} >= {"pos: reading", "dep: control task", "pairs: layers"}
    assert any("40 on each side" in note for note in found.notes)
    assert json.loads(probed_json(found))["profiles"][0]["best"] == pos.best
    assert len(probed_csv(found).splitlines()) == 1 + 4 * 7
    assert "| pos |" in probed_markdown(found)
    assert "http" not in probed_html(found)
    assert len(likeness(found)) == 4
    again = probe("minilm", [read_task("pos")], ProbeOptions(limit=40))
    assert again.profiles[0] == pos
    causal = probe(family("llama"), [pairs], ProbeOptions())
    assert causal.profiles[0].likelihood.n == 8


def test_what_cannot_be_is_refused(home, tmp_path):
    with pytest.raises(SpecError, match="--probe 'tree'"):
        ProbeOptions(kind="tree")
    with pytest.raises(SpecError, match="four sentences at least"):
        ProbeOptions(limit=2)
    with pytest.raises(SpecError, match="nothing to probe for"):
        probe("minilm", [])
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a", "label": "x"}\n' * 8)
    with pytest.raises((DataError, SpecError), match="label"):
        own_task(eval_spec(None, {"data": str(rows), "strategy": "features"}))


def test_a_heat_map_says_its_numbers_without_its_colours(capsys):
    from rich.console import Console

    heat = Heat("task", tuple(map(str, range(9))), ("a", "b" * 40),
                (tuple(range(9)), (None, *range(8))), digits=0)  # fmt: skip
    console = Console(width=40, record=True)
    console.print(heat)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 40
    assert text.count("task") == 5  # in pieces, as the terminal is narrow
    assert "–" in text
    assert heat.colour(0, 0)[0] != heat.colour(0, 8)[0]
    assert heat.html().count("<td") == 18


def test_python_gives_profiles_by_name(home, tmp_path):
    import promptkit

    found = promptkit.probe("pos", limit=30, control=False)
    assert len(found["pos"].layers) == 7
    assert "pos" in str(found)
    assert "<pre" in found._repr_html_()
    assert json.loads(found.to("json"))["model"] == "minilm"
    found.plot(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").is_file()
    with pytest.raises(KeyError):
        found["dep"]
    with pytest.raises(SpecError, match="format 'yml'"):
        found.to("yml")
