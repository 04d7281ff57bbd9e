"""A choice is made on rows that choose, tried on rows that do not, and paid for in tokens."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.errors import DataError, SpecError
from promptkit.runs import EvalSpec, build, run
from promptkit.runs.compare.draws import cross_validation
from promptkit.runs.search import SearchSpec, engine, rows, search
from promptkit.runs.search import bench as bench_module
from promptkit.runs.search.bench import Bench
from promptkit.runs.search.kept import Kept
from promptkit.runs.search.metered import Ledger
from promptkit.runs.search.space import space_of
from promptkit.types import Cost, Evidence, Example, flat

TEMPLATE = """\
name: {name}
description: Mine.
task:
  fields: [text]
instruction: "{name}"
query: "{{{{ text }}}} ="
labels:
  up: {{words: [up]}}
  down: {{words: [down]}}
"""
#: Texts that every template says something about, in the order of the file.
TEXTS = [f"item {i}" for i in range(80)]
LABELS = {text: ("up", "down")[i % 2] for i, text in enumerate(TEXTS)}


class Stub:
    """Is right about the texts that it was told, template by template; ten tokens a prompt."""

    name, reads = "stub", "text"

    def __init__(self):
        self.right, self.asked, self.calls, self.dies_at = {}, [], 0, None
        self.shown = []

    @property
    def cost(self):
        return Cost(rows=len(self.asked), prompt_tokens=10 * len(self.asked))

    def score(self, prompts, candidates):
        self.calls += 1
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        found = []
        for prompt, own in zip(prompts, candidates, strict=True):
            text = flat(prompt.query).removesuffix(" =")
            self.asked.append((prompt.template, text))
            self.shown.append((prompt.example_id, {shot.example_id for shot in prompt.shots}))
            is_right = text in self.right.get(prompt.template, set())
            gold = LABELS.get(text, "up")
            log_p = tuple(-0.1 if (one.label == gold) == is_right else -2.0 for one in own)
            found.append(Evidence(prompt.example_id, log_p, (1, 1), (2, 2), "stub"))
        return found


@pytest.fixture
def backend(monkeypatch):
    made = Stub()
    monkeypatch.setattr(rows, "load_backend", lambda name, options: made)
    return made


@pytest.fixture
def asked(home):
    for name in ("steady", "planted", "third"):
        (home / f"{name}.yaml").write_text(TEMPLATE.format(name=name))
    write(home / "rows.jsonl", TEXTS)

    def make(**options):
        told = {"templates": "steady.yaml,planted.yaml", "shots": "0", "calibrations": "none"}
        return SearchSpec(data="rows.jsonl", backend="fake", **{**told, **options})

    return make


def write(file, texts):
    lines = [{"id": text, "text": text, "label": LABELS[text]} for text in texts]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def held_out(asked, fold=0):
    """Texts of an outer fold, as the search deals them."""
    found = rows.rows_of(asked).examples
    draw = cross_validation(found, asked.folds, 1, asked.seed)[fold]
    return [found[place].fields["text"] for place in draw.held]


def test_a_template_that_is_right_on_a_held_out_fold_alone_is_not_chosen_there(asked, backend):
    held = held_out(asked())
    others = [text for text in TEXTS if text not in held]
    assert len(held) == 20
    backend.right["steady"] = {*others[:36], *held[:12]}  # 48 of 80, 36 of the 60 others
    backend.right["planted"] = {*others[:30], *held}  # 50 of 80, 30 of the 60 others
    found = search(asked())
    first = found.folds[0]
    assert first.chosen.template == "steady.yaml"
    assert (first.inner, first.outer) == (36 / 60, 12 / 20)
    assert found.chosen.configuration.template == "planted.yaml"
    assert found.chosen.inner.value == 50 / 80


@pytest.mark.usefixtures("backend")
def test_inner_outer_and_optimism_are_those_by_hand(asked, backend):
    held = held_out(asked())
    others = [text for text in TEXTS if text not in held]
    backend.right["steady"] = {*others[:36], *held[:12]}
    found = search(asked(templates="steady.yaml"))
    assert found.outer.value == 48 / 80
    assert found.inner == pytest.approx(48 / 80)  # each row chooses in three of four folds
    assert found.optimism.value == pytest.approx(0)
    assert found.gain.value == 0
    assert found.optimism.low == found.optimism.high == found.optimism.value


def test_rows_to_test_on_are_never_asked_about(asked, backend, home):
    (home / "both").mkdir()
    write(home / "both" / "train.jsonl", TEXTS[:60])
    write(home / "both" / "test.jsonl", TEXTS[60:])
    backend.right["steady"] = set(TEXTS[:36])
    backend.right["planted"] = {*TEXTS[:30], *TEXTS[60:]}
    found = search(asked().model_copy(update={"data": "both"}))
    assert found.chosen.configuration.template == "steady.yaml"
    assert found.n == 60
    assert not {text for _, text in backend.asked} & set(TEXTS[60:])


@pytest.mark.parametrize("calibrations", ["none", "none,batch,platt"])
def test_labels_of_held_out_rows_change_nothing_about_the_choice(asked, backend, calibrations):
    spec = asked(templates="steady.yaml,planted.yaml,third.yaml", calibrations=calibrations)
    rng = np.random.default_rng(0)
    for name in ("steady", "planted", "third"):
        backend.right[name] = set(rng.permutation(TEXTS)[:50])
    loaded = rows.rows_of(spec)
    draw = cross_validation(loaded.examples, 4, 1, 0)[0]
    swapped = {"up": "down", "down": "up"}
    flipped = [
        Example(row.id, row.fields, swapped[row.label]) if place in draw.held else row
        for place, row in enumerate(loaded.examples)
    ]
    outcomes = []
    for number, examples in enumerate((loaded.examples, flipped)):
        space, _ = space_of(spec, loaded.names, loaded.templates, "text", 60)
        ledger = Ledger(10**6)
        with Kept(f"of {number}").open() as kept:
            models, encoder = rows.models_for(spec, loaded, kept, ledger, lambda: None)
            templates = dict(zip(loaded.names, loaded.templates, strict=True))
            bench = Bench(templates, models, encoder, 0)
            outcomes.append(engine._Run(spec, examples, space, bench, ledger).fold(draw, 2))
    before, after = outcomes
    assert before.choice.chosen == after.choice.chosen
    for place, measured in before.choice.seen.items():
        assert (measured.right == after.choice.seen[place].right).all()
    assert (before.right == ~after.right).all()


@pytest.mark.parametrize("selector", ["random", "balanced", "nearest", "bm25"])
def test_a_fold_is_shown_rows_of_the_others_alone_and_no_row_itself(asked, backend, selector):
    spec = asked(templates="steady.yaml", shots="3", selectors=selector, calibrations="none,platt")
    loaded = rows.rows_of(spec)
    draw = cross_validation(loaded.examples, 4, 1, 0)[1]
    space, _ = space_of(spec, loaded.names, loaded.templates, "text", 60)
    ledger = Ledger(10**6)
    with Kept("shown").open() as kept:
        models, _ = rows.models_for(spec, loaded, kept, ledger, lambda: None)
        templates = dict(zip(loaded.names, loaded.templates, strict=True))
        bench = Bench(templates, models, FakeBackend(), 0)
        engine._Run(spec, loaded.examples, space, bench, ledger).fold(draw, 2)
    outside = {loaded.examples[place].id for place in draw.train}
    assert {asked_about for asked_about, _ in backend.shown} == set(TEXTS)
    for asked_about, shots in backend.shown:
        assert len(shots) == 3
        assert shots <= outside - {asked_about}


def test_a_calibration_that_reads_labels_never_learns_from_the_rows_it_is_scored_on(
    asked, backend, monkeypatch
):
    backend.right["steady"] = set(TEXTS[:50])
    looks = []

    class Spy(bench_module.InContext):
        def predict(self, examples):
            assert all(row.label is None for row in examples)
            looks.append(({row.id for row in self.calibration.given}, {row.id for row in examples}))
            return super().predict(examples)

    monkeypatch.setattr(bench_module, "InContext", Spy)
    search(asked(templates="steady.yaml", calibrations="platt"))
    assert looks
    assert all(not learned & scored for learned, scored in looks)


def test_each_prompt_without_demonstrations_is_asked_once(asked, backend):
    found = search(
        asked(
            verbalizers="words,words:normalize=tokens",
            calibrations="none,batch,platt",
            templates="steady.yaml,planted.yaml",
        )
    )
    assert len(found.tried) == 12
    assert Counter(backend.asked).most_common(1)[0][1] == 1
    assert len(backend.asked) == 160
    assert found.spent == 1600
    assert found.cost.rows == 160


def test_prompts_with_demonstrations_are_shared_by_calibrations(asked, backend):
    few = {"shots": "2", "selectors": "random", "templates": "steady.yaml"}
    search(asked(**few))
    alone = len(backend.asked)
    backend.asked.clear()
    search(asked(**few, calibrations="none,batch,prior_matching", fresh=True))
    assert len(backend.asked) == alone


def test_random_labels_show_optimism(home):
    rng = np.random.default_rng(7)
    names = [f"t{i}" for i in range(12)]
    for name in names:
        (home / f"{name}.yaml").write_text(TEMPLATE.format(name=name))
    lines = [
        {"id": f"r{i}", "text": f"thing {i}", "label": ("up", "down")[rng.integers(2)]}
        for i in range(60)
    ]
    (home / "noise.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    spec = SearchSpec(
        data="noise.jsonl", backend="fake", templates=[f"{name}.yaml" for name in names], shots=[0]
    )
    found = [search(replace_seed(spec, seed)) for seed in range(5)]
    assert np.mean([one.inner for one in found]) > 0.57
    assert np.mean([one.outer.value for one in found]) == pytest.approx(0.5, abs=0.06)
    assert all(one.optimism.value > 0 for one in found)


def replace_seed(spec, seed):
    return spec.model_copy(update={"seed": seed})


@pytest.mark.parametrize("budget", [600, 1000, 1600, 2500, 4000, 8000])
def test_no_budget_is_exceeded(asked, backend, budget):
    rng = np.random.default_rng(budget)
    for name in ("steady", "planted", "third"):
        backend.right[name] = set(rng.permutation(TEXTS)[:50])
    spec = asked(
        templates="steady.yaml,planted.yaml,third.yaml",
        shots="0,2,4",
        selectors="random,balanced",
        budget_tokens=budget,
    )
    found = search(spec)
    assert found.spent == 10 * len(backend.asked) <= budget
    fates = Counter(one.fate for one in found.tried)
    assert fates["chosen"] == 1
    assert budget > 4000 or fates["not looked at"]


def test_a_budget_that_allows_nothing_says_so(asked, backend):
    with pytest.raises(SpecError, match="--budget-tokens 50 allows no look"):
        search(asked(budget_tokens=50))
    assert not backend.asked


@pytest.mark.parametrize("dies_at", [1, 3, 6])
def test_a_search_that_was_killed_goes_on_and_asks_nothing_twice(asked, backend, dies_at):
    backend.right["steady"] = set(TEXTS[:50])
    backend.right["planted"] = set(TEXTS[20:75])
    spec = asked(shots="0,2", selectors="random", budget_tokens=6000)
    backend.dies_at = dies_at
    with pytest.raises(KeyboardInterrupt):
        search(spec)
    first = len(backend.asked)
    again = search(spec)
    assert again.from_store == 10 * first
    assert Counter(backend.asked).most_common(1)[0][1] <= 6  # once a fold, and not once more
    total = len(backend.asked)
    whole = search(spec.model_copy(update={"fresh": True}))
    assert len(backend.asked) - total == total
    assert strip(whole) == strip(again)


def strip(found):
    return replace(found, cost=Cost(), seconds=0, from_store=0)


def test_a_line_that_was_half_written_is_asked_again(asked, backend, home):
    backend.right["steady"] = set(TEXTS[:50])
    first = search(asked())
    (file,) = (home / ".promptkit" / "searches").glob("*/evidence.jsonl")
    file.write_bytes(file.read_bytes()[:-40])
    assert strip(search(asked())) == strip(first)


def test_the_same_seed_finds_the_same_and_another_deals_other_folds(asked, backend):
    rng = np.random.default_rng(0)
    for name in ("steady", "planted"):
        backend.right[name] = set(rng.permutation(TEXTS)[:50])
    few = {"shots": "0,2", "selectors": "random,balanced"}
    one, same, other = (search(asked(**few, seed=s, fresh=True)) for s in (3, 3, 4))
    assert strip(one) == strip(same)
    assert one.folds != other.folds


@pytest.mark.parametrize(
    "way",
    [
        {"shots": "0"},
        {"shots": "4", "selectors": "nearest"},
        {"shots": "4", "selectors": "balanced", "calibrations": "batch"},
        {"verbalizers": "words:normalize=tokens:pool_by=mean", "calibrations": "contextual"},
        {"calibrations": "prior_matching:prior=[0.25, 0.75]"},
    ],
)
def test_the_eval_spec_of_the_chosen_one_asks_as_the_search_did(asked, way):
    if "[" in way.get("calibrations", ""):  # a comma of its own: as a file would say it
        way = {"calibrations": [{"name": "prior_matching", "prior": [0.25, 0.75]}]}
    found = search(asked(templates="steady.yaml", seed=2, **way))
    options = {**found.options, "data": "rows.jsonl"}
    record = run(build(EvalSpec(**options)))
    assert record.report.find("accuracy").value == found.chosen.inner.value


def test_few_rows_and_rows_of_one_label_are_refused(asked, home):
    write(home / "rows.jsonl", TEXTS[:19])
    with pytest.raises(DataError, match="19 labelled rows are too few"):
        search(asked())
    write(home / "rows.jsonl", TEXTS[::2])
    with pytest.raises(DataError, match="all rows have one label"):
        search(asked())


def test_a_configuration_that_cannot_be_is_told_and_the_others_go_on(asked, backend, home):
    chat = TEMPLATE.format(name="talk") + "chat: true\n"
    (home / "talk.yaml").write_text(chat)
    backend.right["steady"] = set(TEXTS[:50])
    found = search(asked(templates="steady.yaml,talk.yaml", calibrations="none,channel"))
    talk = [one for one in found.tried if one.problem]
    assert [one.configuration.template for one in talk] == ["talk.yaml"]
    assert "is a chat" in talk[0].problem
    assert talk[0].fate == "cannot be"


def test_a_language_model_is_searched_with_every_kind_of_calibration(asked, causal_folder, home):
    write(home / "rows.jsonl", TEXTS[:24])
    spec = asked(
        calibrations="none,batch,contextual,domain,pmi,channel,prior_matching",
        shots="0,2",
        selectors="balanced",
    ).model_copy(update={"model": str(causal_folder("llama")), "backend": "auto"})
    found = search(spec)
    assert len(found.tried) == 28
    assert not [one.problem for one in found.tried if one.problem]
    assert {one.inner.n for one in found.tried} == {24}
    assert found.spent == found.cost.prompt_tokens
    record = run(build(EvalSpec(**{**found.options, "data": "rows.jsonl"})))
    assert record.report.find("accuracy").value == found.chosen.inner.value


def test_a_command_that_shows_more_rows_than_were_searched_on_is_told_of(asked, backend):
    backend.right["steady"] = set(TEXTS[:50])
    (told,) = search(asked(limit=40)).notes
    assert told.startswith("the command below takes demonstrations and calibration from all rows")
    assert not search(asked()).notes
