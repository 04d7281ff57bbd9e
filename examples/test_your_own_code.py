"""A backend without a model, for tests of code that uses promptkit.

`FakeBackend` answers the same every time, by a hash of all that a model would read. So a test sees
at once when a prompt changes, a demonstration is lost or two labels are swapped, and it takes
milliseconds and no download.
"""

from promptkit import Example, FakeBackend, PromptClassifier, find_template


def route(messages: list[str], model: PromptClassifier) -> dict[str, list[str]]:
    """Code of yours: messages by what they are about."""
    found: dict[str, list[str]] = {}
    for message, label in zip(messages, model.predict(messages), strict=True):
        found.setdefault(label, []).append(message)
    return found


def test_every_message_is_routed_once() -> None:
    """No model is loaded, and nothing is said about how good it would be."""
    messages = ["Never again.", "Lovely.", "It is blue.", "Where is it?"]
    model = PromptClassifier("sentiment_zero_shot", backend="fake").fit()
    routed = route(messages, model)
    assert sorted(text for texts in routed.values() for text in texts) == sorted(messages)
    assert routed == route(messages, model)  # the same every time


def test_the_prompt_holds_what_it_should() -> None:
    """What a model would read, without one."""
    template = find_template("sentiment_zero_shot")
    row = Example("r1", {"text": "It is blue."})
    prompt, candidates = template.prompt(row), template.candidates(row, "text")
    (evidence,) = FakeBackend().score([prompt], [candidates])
    assert len(evidence.log_p) == 3
    (other,) = FakeBackend().score([template.prompt(Example("r1", {"text": "Red."}))], [candidates])
    assert other.log_p != evidence.log_p


if __name__ == "__main__":
    test_every_message_is_routed_once()
    test_the_prompt_holds_what_it_should()
    print("both hold")
