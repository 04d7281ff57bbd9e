"""The entailment backend: transformers' own zero-shot pipeline, and means checked by hand."""

import json
import math
import shutil
from functools import lru_cache

import numpy as np
import pytest

from promptkit.backends.auto import backend_for
from promptkit.backends.nli import NLIBackend
from promptkit.backends.nli_outputs import contradiction_of, entailment_of
from promptkit.backends.weights import Located, locate
from promptkit.errors import CapabilityError, SpecError
from promptkit.types import Candidate, Piece, Prompt, Shot
from tests.tiny import save_masked
from tests.tiny_nli import NLI, save_nli

#: transformers' own module of DeBERTa-v2 says so as it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")

HYPOTHESIS = "This example is {}."
LABELS = ["good", "bad service", "so so"]
TEXTS = [
    "Fine.",
    "The room was noisy, the bed was hard  and nobody came.",
    "Ünïcödé, né 😀 and 日本",
    "ok " * 40,
    "word " * 600,
]
HOSTILE = {
    "bert": "[SEP]", "modernbert": "[CLS]", "deberta": "[SEP]", "roberta": "</s>", "bart": "</s>",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """``folder("bert")``: a tiny entailment model of that family."""

    @lru_cache
    def made(family, labels=("contradiction", "neutral", "entailment")):
        return str(save_nli(family, tmp_path_factory.mktemp(family), labels))

    return made


def prompt_of(text, name="q"):
    return Prompt(name, query=(), encoded=(Piece(text, True),))


def candidates_of(**statements):
    return [Candidate(label, (), tuple(told)) for label, told in statements.items()]


def named(labels=LABELS):
    return [Candidate(label, (), (HYPOTHESIS.format(label),)) for label in labels]


def scored(backend, texts, candidates=None):
    prompts = [prompt_of(text, f"row {place}") for place, text in enumerate(texts)]
    return backend.score(prompts, [candidates or named()] * len(prompts))


@pytest.fixture
def pipeline_of():
    from transformers import pipeline

    def make(folder, limit=None):
        made = pipeline("zero-shot-classification", model=folder, device="cpu")
        if limit:
            made.tokenizer.model_max_length = limit
        return made

    return make


@pytest.mark.parametrize("contrast", ["labels", "contradiction"])
@pytest.mark.parametrize("family", NLI)
def test_probabilities_are_those_of_the_zero_shot_pipeline(folder, family, contrast, pipeline_of):
    backend = NLIBackend(folder(family), contrast=contrast)
    theirs = pipeline_of(folder(family), backend.max_tokens)(
        TEXTS, LABELS, hypothesis_template=HYPOTHESIS, multi_label=contrast == "contradiction"
    )
    for found, their in zip(scored(backend, TEXTS), theirs, strict=True):
        expected = [their["scores"][their["labels"].index(label)] for label in LABELS]
        p = np.exp(found.log_p)
        assert p / (p.sum() if contrast == "labels" else 1) == pytest.approx(expected, abs=1e-5)


def test_a_hypothesis_about_a_labels_name_takes_the_place_of_statements(folder):
    usual = NLIBackend(folder("bert"))
    expected = scored(
        usual, TEXTS[:3], candidates_of(x=["It is about card payment."], y=["It is about rain."])
    )
    backend = NLIBackend(folder("bert"), hypothesis="It is about {}.")
    told = [Candidate("card_payment", (), ("a", "b")), Candidate("rain", ())]
    for left, right in zip(scored(backend, TEXTS[:3], told), expected, strict=True):
        assert left.log_p == pytest.approx(right.log_p, abs=1e-5)
    with pytest.raises(SpecError, match="of label 0 nothing can be said by its name"):
        scored(backend, ["Fine."], [Candidate(0, (), ("It is so.",))])


@pytest.mark.parametrize("labels", [("entailment", "not_entailment"), ("ENTAILMENT", "n", "c")])
def test_entailment_may_come_first_and_be_one_of_two(folder, labels, pipeline_of):
    where = folder("bert", labels)
    for contrast in ("labels", "contradiction"):
        against = {"contradiction_label": "c"} if contrast == "contradiction" else {}
        backend = NLIBackend(where, contrast=contrast, **(against if len(labels) == 3 else {}))
        their = pipeline_of(where)(TEXTS[1], LABELS, multi_label=contrast == "contradiction")
        p = np.exp(scored(backend, TEXTS[1:2])[0].log_p)
        expected = [their["scores"][their["labels"].index(label)] for label in LABELS]
        assert p / (p.sum() if contrast == "labels" else 1) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("family", NLI)
def test_scores_do_not_depend_on_batches(folder, family):
    one, all_at_once = (
        NLIBackend(folder(family), batch_size=size, device="cpu") for size in (1, 64)
    )
    for left, right in zip(scored(one, TEXTS), scored(all_at_once, TEXTS), strict=True):
        assert left.log_p == pytest.approx(right.log_p, abs=1e-5)


def test_without_a_padding_token_pairs_go_one_by_one(folder):
    backend, other = NLIBackend(folder("bert")), NLIBackend(folder("bert"))
    backend._pad = None
    found, expected = scored(backend, TEXTS[:3]), scored(other, TEXTS[:3])
    for left, right in zip(found, expected, strict=True):
        assert left.log_p == pytest.approx(right.log_p, abs=1e-5)
    sizes = [len(backend.tokens.encode([(Piece(t, True),)])[0].ids) for t in TEXTS[:3]]
    told = [len(backend.tokens.encode([(Piece(HYPOTHESIS.format(x), True),)])[0].ids)
            for x in LABELS]  # fmt: skip
    assert backend.cost.computed_tokens == sum(a + b + 3 for a in sizes for b in told)


def test_evidence_is_the_mean_over_a_labels_statements(folder):
    backend = NLIBackend(folder("bert"))
    told = ["It is good.", "I like it.", "It is bad."]
    alone = scored(backend, TEXTS[:1], candidates_of(a=told[:1], b=told[1:2], c=told[2:]))[0].log_p
    together = scored(backend, TEXTS[:1], candidates_of(good=told[:2], bad=told[2:]))[0].log_p
    assert together == pytest.approx([(alone[0] + alone[1]) / 2, alone[2]], abs=1e-12)


def test_contradiction_is_told_from_the_logits_by_hand(folder):
    outputs = {
        place: scored(NLIBackend(folder("bert"), entailment_label=place), TEXTS[:1])[0].log_p
        for place in range(3)
    }
    expected = [
        yes - math.log(math.exp(no) + math.exp(yes))
        for no, yes in zip(outputs[0], outputs[2], strict=True)
    ]
    found = scored(NLIBackend(folder("bert"), contrast="contradiction"), TEXTS[:1])[0].log_p
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("family", NLI)
def test_a_control_token_in_a_row_or_a_statement_stays_plain_text(folder, family):
    backend = NLIBackend(folder(family))
    control = HOSTILE[family]
    told = candidates_of(x=[f"It is {control} good."])
    (found,) = scored(backend, [f"good {control} bad"], told)
    assert math.isfinite(found.log_p[0])
    seen = []
    usual = backend._passes.padded
    backend._passes.padded = lambda rows, pad=0: seen.append(rows) or usual(rows, pad)
    scored(backend, [f"bad {control} good"], told)
    wrapped = backend.tokens.tokenizer("a", "b")["input_ids"]
    number = backend.tokens.tokenizer.convert_tokens_to_ids(control)
    assert list(seen[0][0]).count(number) == wrapped.count(number)
    # left to itself, the tokenizer makes control tokens of them
    plain = backend.tokens.tokenizer(f"bad {control} good", f"It is {control} good.")["input_ids"]
    assert plain.count(number) == wrapped.count(number) + 2


def test_a_long_row_is_cut_so_that_the_statement_stays_whole(folder):
    backend = NLIBackend(folder("bert"))
    assert backend.max_tokens == 256
    words = ["good"] * 300  # a token each
    told = candidates_of(x=["It is good."], y=["good"])
    (found,) = scored(backend, [" ".join(words)], told)
    # [CLS] and two [SEP] take three places, and the longer statement its own
    n = len(backend.tokens.encode([(Piece("It is good.", True),)])[0].ids)
    kept = " ".join(words[: 256 - 3 - n])
    assert found.cut_chars == len(" ".join(words)) - len(kept)
    (alone,) = scored(backend, [kept], told[:1])
    assert (alone.cut_chars, alone.log_p[0]) == (0, pytest.approx(found.log_p[0], abs=1e-5))


def test_a_statement_that_leaves_no_room_leaves_the_row_unscored_and_says_why(folder):
    backend = NLIBackend(folder("bert"))
    told = candidates_of(x=["good " * 300], y=["good"])
    (found,) = scored(backend, ["Fine."], told)
    assert found.log_p == ()
    assert "has 300 tokens and leaves the row no room among the 256" in found.problem


def test_an_empty_row_is_scored(folder):
    (found,) = scored(NLIBackend(folder("roberta")), [""])
    assert all(map(math.isfinite, found.log_p))


def test_a_pair_is_computed_once_however_often_it_is_asked_for(folder):
    backend = NLIBackend(folder("bert"), batch_size=1)
    scored(backend, ["Fine.", "So so.", "Fine."], candidates_of(x=["good"], y=["good", "bad"]))
    sizes = [
        len(backend.tokens.tokenizer(row, told)["input_ids"])
        for row in ("Fine.", "So so.") for told in ("good", "bad")
    ]  # fmt: skip
    assert backend.cost.computed_tokens == sum(sizes)
    assert backend.cost.rows == 3
    assert backend.cost.prompt_tokens == sum(
        max(len(backend.tokens.tokenizer(row, told)["input_ids"]) for told in ("good", "bad"))
        for row in ("Fine.", "So so.", "Fine.")
    )
    scored(backend, ["So so."], candidates_of(z=["bad"]))
    assert backend.cost.computed_tokens == sum(sizes)


def test_what_is_remembered_has_a_bound(folder, monkeypatch):
    monkeypatch.setattr("promptkit.backends.nli.REMEMBERED", 4)
    backend = NLIBackend(folder("bert"))
    first = scored(backend, TEXTS[:3])
    assert len(backend._judged) == 4
    again = scored(backend, TEXTS[:3])
    for left, right in zip(first, again, strict=True):
        assert left.log_p == pytest.approx(right.log_p, abs=1e-5)


@pytest.mark.parametrize("label", [0, False, "", "0"], ids=repr)
def test_any_label_is_a_label(folder, label):
    backend = NLIBackend(folder("bert"))
    (found,) = scored(backend, ["Fine."], [Candidate(label, (), ("It is so.",))])
    assert found.log_p == scored(backend, ["Fine."], candidates_of(x=["It is so."]))[0].log_p


def test_demonstrations_are_refused(folder):
    shot = Shot("s", "good", (), (), "Lovely")
    shown = Prompt("r", query=(), encoded=(Piece("Fine.", True),), shots=(shot,))
    with pytest.raises(CapabilityError, match=r"'r' has demonstrations.*reads none; use --shots 0"):
        NLIBackend(folder("bert")).score([shown], [named()])


def test_a_label_without_a_statement_is_refused(folder):
    with pytest.raises(SpecError, match="label 'x' has no statement"):
        scored(NLIBackend(folder("bert")), ["Fine."], candidates_of(x=[]))


# which output is which


def located_with(tmp_path, **config):
    (tmp_path / "config.json").write_text(
        json.dumps({"architectures": ["BertForSequenceClassification"], **config})
    )
    return Located("some", tmp_path)


@pytest.mark.parametrize(
    ("names", "entailment", "contradiction"),
    [
        (["contradiction", "neutral", "entailment"], 2, 0),
        (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], 0, 2),
        (["entailment", "not_entailment"], 0, 1),
        (["no", "Entailed"], 1, 0),
        (["not_entailment", "entail", "other"], 1, 0),
    ],
)
def test_outputs_are_told_by_their_names(tmp_path, names, entailment, contradiction):
    for config in (
        {"id2label": {str(place): name for place, name in enumerate(names)}},
        {"label2id": {name: place for place, name in enumerate(names)}},
    ):
        located = located_with(tmp_path, **config)
        assert entailment_of(located) == entailment
        assert contradiction_of(located, entailment) == contradiction


@pytest.mark.parametrize(("label", "place"), [("LABEL_2", 2), ("label_1", 1), (0, 0), ("nein", 1)])
def test_an_output_is_named_by_the_user(tmp_path, label, place):
    ids = {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    located = located_with(tmp_path, id2label=ids, label2id={"nein": 1})
    assert entailment_of(located, label) == place


@pytest.mark.parametrize("label", ["LABEL_3", 3, -1, True, "2"], ids=repr)
def test_an_output_that_is_not_there_is_told_with_those_that_are(tmp_path, label):
    located = located_with(tmp_path)  # transformers' default: two outputs
    with pytest.raises(CapabilityError, match=r"no such output; it has 'LABEL_0', 'LABEL_1' \("):
        entailment_of(located, label)


def test_two_outputs_named_entailment_are_not_chosen_from(tmp_path):
    located = located_with(tmp_path, id2label={"0": "entailment", "1": "entailed"})
    with pytest.raises(CapabilityError, match="several outputs named entailment: 'entailment', "):
        entailment_of(located)


def test_a_contradiction_that_is_not_to_be_told_names_the_option(tmp_path):
    located = located_with(tmp_path, id2label={"0": "a", "1": "b", "2": "entailment"})
    with pytest.raises(CapabilityError, match=r"'a', 'b', 'entailment'.*contradiction_label"):
        contradiction_of(located, 2)
    assert contradiction_of(located, 2, "b") == 1
    with pytest.raises(CapabilityError, match="is the output that means entailment"):
        contradiction_of(located, 2, "entailment")


def test_a_classifier_of_its_own_labels_is_told_what_it_is_and_what_to_use(tmp_path):
    many = {str(place): f"emotion {place}" for place in range(28)}
    located = located_with(tmp_path, id2label=many)
    with pytest.raises(CapabilityError) as raised:
        backend_for(located)
    said = str(raised.value)
    assert "(BertForSequenceClassification) is a classifier of its own labels" in said
    assert "'emotion 5' and 22 more" in said
    assert "--strategy features" in said
    assert "--backend-option entailment_label=NAME" in said
    assert "\n" not in said
    assert backend_for(located, entailment_label="emotion 3") == "nli"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"contrast": "label"}, "did you mean 'labels'"),
        ({"hypothesis": "It is so."}, "'It is so.' has no {} for the label's name"),
        ({"contradiction_label": "neutral"}, "is read with contrast=contradiction only"),
    ],
)
def test_options_that_make_no_sense_are_refused_at_once(options, said):
    with pytest.raises(SpecError, match=said):
        NLIBackend("no such model at all", **options)


def test_a_masked_language_model_is_refused(tmp_path):
    save_masked("bert", tmp_path)
    with pytest.raises(CapabilityError, match="is of kind 'masked'; use --backend auto"):
        NLIBackend(str(tmp_path))


@pytest.mark.filterwarnings("ignore")
def test_a_cross_encoder_as_sentence_transformers_saves_it_is_served(folder, tmp_path):
    from sentence_transformers import CrossEncoder

    cross = CrossEncoder(folder("bert"), device="cpu", local_files_only=True)
    cross.save_pretrained(str(tmp_path / "saved"))
    assert backend_for(locate(str(tmp_path / "saved"))) == "nli"
    found = scored(NLIBackend(str(tmp_path / "saved")), TEXTS[:2])
    pairs = [(text, HYPOTHESIS.format(label)) for text in TEXTS[:2] for label in LABELS]
    logits = cross.predict(pairs, apply_softmax=False)[:, 2].reshape(2, 3)
    assert np.array([one.log_p for one in found]) == pytest.approx(logits, abs=1e-4)


def test_a_folder_goes_to_the_backend_without_being_loaded(folder, tmp_path):
    assert locate(folder("bart")).kind() == "classifier"
    copied = shutil.copytree(folder("bart"), tmp_path / "copy")
    (copied / "model.safetensors").write_bytes(b"")
    assert backend_for(locate(str(copied))) == "nli"
