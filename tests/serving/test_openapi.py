"""The OpenAPI document: made of the model's own fields and labels, and true."""

import jsonschema_rs
import pytest

from promptkit.serving.refusals import KINDS
from tests.serving.site import asked, running, site

FAKE = {"backend": "fake", "model": "x"}
TEMPLATES = (
    "sentiment_zero_shot",
    "entailment_zero_shot",
    "feedback_topics",
    "star_rating",
    "part_of_speech",
    "multiple_choice",
    "word_problems",
)


def valid(document, name, content):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(content)


@pytest.mark.parametrize("template", TEMPLATES)
@running
async def test_examples_are_what_is_asked_and_answered(template):
    async with site(asked(template=template, **FAKE)) as served:
        document = (await served.get("/openapi.json")).json()
        predict = document["paths"]["/predict"]["post"]
        asks = predict["requestBody"]["content"]["application/json"]["examples"]
        says = predict["responses"]["200"]["content"]["application/json"]["examples"]
        for name, example in asks.items():
            valid(document, "Request", example["value"])
            answer = await served.predict(example["value"])
            assert answer.status_code == 200
            valid(document, "Response", answer.json())
            if name in says:
                assert answer.json() == says[name]["value"]
        for example in says.values():
            valid(document, "Response", example["value"])
        task = served.service.served.card["task"]
        properties = document["components"]["schemas"]["Row"]["properties"]
        assert set(properties) == set(task["fields"])


@running
async def test_rows_without_an_answer_keep_to_the_document_too():
    async with site(asked(template="sentiment_zero_shot", **FAKE)) as served:
        document = (await served.get("/openapi.json")).json()
        rows = [{"text": "", "id": "x"}, None, {"text": "a", "id": 3}]
        for content in ({"rows": rows, "prompt": True}, {"row": None}, {"rows": []}):
            valid(document, "Response", (await served.predict(content)).json())
        refused = (await served.predict({})).json()
        valid(document, "Error", refused)
        with pytest.raises(jsonschema_rs.ValidationError):
            valid(document, "Request", {"row": "a", "rows": []})


@running
async def test_a_key_is_asked_for_where_there_is_one():
    key = "a-key-that-is-long-enough"
    async with site(asked(template="sentiment_zero_shot", **FAKE), keys=(key,)) as served:
        named = {"authorization": f"Bearer {key}"}
        document = (await served.get("/openapi.json", headers=named)).json()
        assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
        for path, guarded in (("/predict", True), ("/", True), ("/healthz", False)):
            (told,) = document["paths"][path].values()
            assert ("security" in told) == guarded
            assert ("401" in told["responses"]) == guarded


@running
async def test_every_refusal_of_a_prediction_is_in_it():
    async with site(asked(template="sentiment_zero_shot", **FAKE)) as served:
        document = (await served.get("/openapi.json")).json()
        responses = document["paths"]["/predict"]["post"]["responses"]
        apart = {"unauthorized", "not_found", "method_not_allowed", "internal"}
        for kind, (status, told) in KINDS.items():
            if kind not in apart:
                assert f"{kind}: {told}" in responses[str(status)]["description"]
