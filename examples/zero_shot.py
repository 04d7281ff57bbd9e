"""Own texts, own labels, and no row to learn from: say what the labels mean, and ask.

An encoder compares a text with statements about each label. Statements written for the task are
worth more than the labels' bare names, so say two or three things that such a text would say.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from promptkit import PromptClassifier

TEMPLATE = """
name: kitchen
description: What a message to a kitchen fitter is about.
task: {fields: [text]}
instruction: Say what the customer wants.
query: "Message: {{ text }}\\nTopic:"
labels:
  appointment:
    words: [appointment]
    statements: ["When can you come?", "I would like to change the date."]
  complaint:
    words: [complaint]
    statements: ["Something is broken.", "I am not happy with the work."]
  price:
    words: [price]
    statements: ["How much does it cost?", "I would like an offer."]
"""
TEXTS = [
    "How much would a worktop of oak cost?",
    "The drawer fell out on the second day.",
    "Could you come on Thursday instead of Friday?",
]

with TemporaryDirectory() as folder:
    path = Path(folder) / "kitchen.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    # no rows are given to fit: there is nothing to learn
    model = PromptClassifier(template=str(path)).fit()
    found = model.predict_proba(TEXTS)

for text, label, shares in zip(TEXTS, model.classes_[found.argmax(axis=1)], found, strict=True):
    print(f"{label:12} {shares.max():.2f}  {text}")

assert list(model.classes_[found.argmax(axis=1)]) == ["price", "complaint", "appointment"]
assert abs(found.sum(axis=1) - 1).max() < 1e-6
