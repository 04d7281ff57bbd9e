"""Which layer of which model tells your rows, before anything is trained.

Each model reads the rows once. The accuracy of a linear probe that leaves each row out of its own
fit ranks layers; LogME and nearest neighbours stand beside it.
"""

from promptkit import FeatureClassifier, choose, load

rows = load("customer_reviews", split="train").examples
texts, labels = [row.fields["text"] for row in rows], [row.label for row in rows]

chosen = choose(texts, labels, ["minilm", "pocket"], cache=False)
print(chosen)

assert chosen.model == "minilm"  # 22 million parameters, trained to compare sentences
assert 0 <= chosen.layer <= 6

# the last layer is rarely the best one for another task than a model was trained for
of_minilm = {view.layer: view.scores["ridge"] for view in chosen.views if view.model == "minilm"}
print("the last layer", round(of_minilm[6], 3), "the chosen one", round(of_minilm[chosen.layer], 3))
assert of_minilm[chosen.layer] >= of_minilm[6]

model = FeatureClassifier(chosen.model, layers=chosen.layer, pooling=chosen.pooling)
assert set(model.fit(texts, labels).predict(["Never again."])) <= set(labels)
