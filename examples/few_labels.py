"""A few labels: compare ways of adapting on the same rows, and take the advice.

The rows are some of the in-box reviews. Three ways keep this to seconds; leave ``strategies`` out
for all the usual ones.
"""

from tempfile import TemporaryDirectory

from promptkit import FeatureClassifier, compare, load

train = load("customer_reviews", split="train").examples[:60]
test = load("customer_reviews", split="test").examples[:60]


def records(rows):
    """Rows as mappings, as a data frame or a CSV would have them."""
    return [{"text": row.fields["text"], "label": row.label} for row in rows]


with TemporaryDirectory() as folder:  # what was computed is kept here, for the same call again
    found = compare(
        records(train),
        test_data=records(test),
        template="sentiment_zero_shot",
        strategies=["majority", "zero-shot", "features"],
        sizes=[0, None],
        seeds=1,
        root=folder,
    )

for line in found.lines:
    score = line.accuracy
    print(f"{line.entry.name:10} {score.value:.3f}  {score.low:.3f} to {score.high:.3f}")
print(found.recommendation.headline)

advised = found.recommendation.entry
assert advised is not None
assert advised.name in ("zero-shot", "features")  # the most frequent label is never the advice

# the advice as a scikit-learn classifier, here for frozen features
model = FeatureClassifier(template=None).fit(
    [row.fields["text"] for row in train], [row.label for row in train]
)
right = model.predict([row.fields["text"] for row in test]) == [row.label for row in test]
print(f"frozen features, learned from {len(train)} rows: {right.mean():.3f}")
assert right.mean() > 1 / 3
