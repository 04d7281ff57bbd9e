"""What the layers of a frozen model know of parts of speech, beside what a probe learns by heart.

Each probe has a control task of labels that are drawn by word (Hewitt and Liang 2019): what it gets
there it learned by heart, and the difference is what the layer knows.
"""

from promptkit import probe

found = probe("pos", "minilm", limit=60)
profile = found["pos"]
print(found)

best = profile.best
print(f"layer {best} knows most; centre of gravity {profile.gravity:.2f}")

assert 0 <= best <= 6
accuracy = [score.value for score in profile.layers]
assert accuracy[best] == max(accuracy)
assert accuracy[best] > accuracy[6]  # a sentence encoder ends in meanings of sentences
