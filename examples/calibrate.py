"""Calibration: what a model favours is taken off, and how sure it may be is learned.

``batch`` reads no labels: it looks at what the model says on average. ``temperature`` and ``platt``
learn from labelled rows, which then must not be evaluated.
"""

import numpy as np

from promptkit import PromptClassifier, load

train = load("customer_reviews", split="train").examples
test = load("customer_reviews", split="test").examples[:120]
texts = [row.fields["text"] for row in test]
golds = np.array([row.label for row in test])


def measured(calibration: str) -> tuple[float, float]:
    """Accuracy, and log loss in nats, of the in-box encoder under a calibration."""
    model = PromptClassifier("sentiment_zero_shot", calibration=calibration)
    model.fit([row.fields["text"] for row in train], [row.label for row in train])
    shares = model.predict_proba(texts)
    places = np.searchsorted(model.classes_, golds)
    right = model.classes_[shares.argmax(axis=1)] == golds
    return float(right.mean()), float(-np.log(shares[np.arange(len(golds)), places]).mean())


found = {name: measured(name) for name in ("none", "batch", "temperature", "platt")}
print("calibration  accuracy  log loss")
for name, (accuracy, loss) in found.items():
    print(f"{name:11} {accuracy:9.3f} {loss:9.3f}")

# one temperature for all labels changes how sure the model is, and no answer
assert found["temperature"][0] == found["none"][0]
assert all(np.isfinite(loss) for _, loss in found.values())
