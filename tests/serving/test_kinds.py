"""Every kind of task by HTTP: what an answer and a prompt look like."""

import json

import pytest

from promptkit.box import box
from promptkit.serving.served import load
from tests.serving.site import asked, running, site

FAKE = {"backend": "fake", "model": "x"}


@running
async def test_classify():
    async with site(asked(template="sentiment_zero_shot", **FAKE)) as served:
        answer = await told(served, "Arrived broken.")
        assert answer["label"] in ("negative", "neutral", "positive")
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert max(answer["probabilities"], key=answer["probabilities"].get) == answer["label"]
        assert "Arrived broken." in answer["prompt"]["text"]
        assert answer["prompt"]["question"] == ""


@running
async def test_labels_may_be_chosen_and_are_all_that_is_answered():
    options = {"template": "sentiment_zero_shot", "labels": ["negative", "positive"], **FAKE}
    async with site(asked(**options)) as served:
        assert set((await told(served, "a"))["probabilities"]) == {"negative", "positive"}


@running
async def test_multilabel():
    async with site(asked(template="feedback_topics", **FAKE)) as served:
        answer = await told(served, "Late, and dear.")
        labels = served.service.served.card["task"]["labels"]
        assert isinstance(answer["label"], list)
        assert set(answer["label"]) <= set(labels)
        assert set(answer["probabilities"]) == set(labels)  # each label's own: no sum of 1
        assert answer["prompt"]["question"].startswith(f"label 1 of {len(labels)}")
        assert "Late, and dear." in answer["prompt"]["text"]


@running
async def test_rate():
    async with site(asked(template="star_rating", **FAKE)) as served:
        answer = await told(served, "So so.")
        shares = {float(name): share for name, share in answer["probabilities"].items()}
        mean = sum(name * share for name, share in shares.items())
        assert answer["label"] == pytest.approx(mean)
        assert "So so." in answer["prompt"]["text"]


@running
async def test_tag():
    async with site(asked(template="part_of_speech", **FAKE)) as served:
        (name,) = served.service.served.card["task"]["fields"]
        answer = await told(served, {name: ["A", "dog", "barks"]})
        assert len(answer["label"]) == 3
        assert set(answer["label"]) <= set(served.service.served.card["task"]["labels"])
        assert answer["probabilities"] is None
        assert answer["prompt"]["question"] == "word 1 of 3"


@running
async def test_choose():
    async with site(asked(template="multiple_choice", **FAKE)) as served:
        task = served.service.served.card["task"]
        row = {name: "Which one?" for name in task["fields"]}
        found = []
        for choices in (["red", "blue"], ["blue", 3, "red"]):
            answer = await told(served, {**row, task["choices"]: choices})
            assert list(answer["probabilities"]) == [str(one) for one in choices]
            assert answer["label"] in answer["probabilities"]
            assert sum(answer["probabilities"].values()) == pytest.approx(1)
            found.append(answer)
        both = [
            {**row, task["choices"]: one} for one in (["red", "blue"], ["red"], ["blue", 3, "red"])
        ]
        together = (await served.predict({"rows": both})).json()["answers"]
        assert together[1]["problem"]
        assert [one["probabilities"] for one in (together[0], together[2])] == [
            one["probabilities"] for one in found
        ]


@running
async def test_generate():
    async with site(asked(template="word_problems", **FAKE)) as served:
        (name, *_) = served.service.served.card["task"]["fields"]
        answer = await told(served, {name: "What is 2 and 2?"})
        assert answer["probabilities"] is None
        assert answer["reply"] == " fake"
        assert (answer["label"] is None) == bool(answer["problem"])
        assert "What is 2 and 2?" in json.dumps(answer["prompt"])


@running
async def test_a_chat_is_shown_as_messages_where_its_form_is_not_known():
    async with site(asked(template="sentiment_chat", **FAKE)) as served:
        messages = (await told(served, "Arrived broken."))["prompt"]["messages"]
        assert messages[-1]["role"] == "user"
        assert "Arrived broken." in messages[-1]["content"]


@running
async def test_an_encoder_shows_the_text_that_it_compares():
    async with site(asked(template="sentiment_zero_shot")) as served:
        answer = await told(served, "Arrived broken.")
        assert answer["prompt"]["text"].strip() == "Arrived broken."
        assert answer["label"] in answer["probabilities"]


@running
async def test_the_real_model_answers_alike_whatever_it_is_asked_with():
    file = box("evals") / "data" / "customer_reviews" / "test.jsonl"
    texts = [json.loads(line)["text"] for line in file.read_text().splitlines()][:24]
    model = asked(template="sentiment_zero_shot", model="pocket")
    async with site(model, batch_rows=16) as served:
        together = (await served.predict({"rows": texts})).json()["answers"]
        for text, beside in zip(texts[:8], together, strict=False):
            alone = (await served.predict({"row": text})).json()["answer"]
            assert alone["label"] == beside["label"]
            assert alone["probabilities"] == pytest.approx(beside["probabilities"], abs=1e-5)


def test_the_sample_row_can_be_read_whatever_the_task():
    alone = ("sentiment_zero_shot", "feedback_topics", "star_rating", "part_of_speech")
    for template in (*alone, "entailment_zero_shot", "multiple_choice", "word_problems"):
        served = load(asked(template=template, **FAKE))
        assert served.reader.read(served.sample).example is not None, template


async def told(served, row):
    answer = await served.predict({"row": row, "prompt": True})
    assert answer.status_code == 200
    return answer.json()["answer"]
