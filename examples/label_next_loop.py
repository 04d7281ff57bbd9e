"""Labelling in rounds: the model says which rows are worth a label, and why.

Here the labels are known and play the part of the person who labels. The first rows are drawn:
with nothing labelled, nothing was better on average than a draw (docs/log.md).
"""

from promptkit import FeatureClassifier, label_next, load

pool = load("customer_reviews", split="train").examples
test = load("customer_reviews", split="test").examples[:80]
texts = [row.fields["text"] for row in pool]
answers = {row.fields["text"]: row.label for row in pool}  # the person
labelled: list[str] = []

for round_ in range(3):
    left = [text for text in texts if text not in labelled]
    known = [answers[text] for text in labelled]
    found = label_next(left, labelled or None, known or None, n=12, template="sentiment_zero_shot")
    labelled += [left[place] for place in found.indices]
    model = FeatureClassifier().fit(labelled, [answers[text] for text in labelled])
    right = model.predict([row.fields["text"] for row in test]) == [row.label for row in test]
    first = found.found.rows[0]
    print(f"round {round_ + 1}: {len(labelled)} labels, {right.mean():.3f} of test rows right")
    print(f"  first of the round: {first.why}")

assert len(set(labelled)) == 36
assert {answers[text] for text in labelled} == {"negative", "neutral", "positive"}
