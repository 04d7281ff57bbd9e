"""Prompts, frozen features and a bag of words in scikit-learn: a search, then a vote.

Runs on in-box reviews with the in-box encoder:

    python examples/sklearn_grid_and_vote.py
"""

import pickle

import pandas as pd
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from promptkit import FeatureClassifier, PromptClassifier, load

SEED = 0


def reviews(split: str) -> tuple[pd.Series, pd.Series]:
    """Texts and labels of the in-box reviews."""
    rows = load("customer_reviews", split=split, fields=("text",)).examples
    return pd.Series([row.fields["text"] for row in rows]), pd.Series([row.label for row in rows])


def searched(texts: pd.Series, labels: pd.Series) -> GridSearchCV:
    """How many demonstrations, and which calibration, suit these rows."""
    grid = {"shots": [0, 6], "calibration": ["none", "batch"]}
    folds = StratifiedKFold(3, shuffle=True, random_state=SEED)
    prompt = PromptClassifier("sentiment_zero_shot", selector="nearest", seed=SEED)
    return GridSearchCV(prompt, grid, cv=folds, scoring="neg_log_loss").fit(texts, labels)


def ensemble(labels: pd.Series, **found: object) -> VotingClassifier:
    """A prompt, frozen features and a bag of words, whose probabilities are averaged.

    An ensemble numbers the labels before it fits. A prompt needs their names, to ask about them.
    """
    prompt = PromptClassifier(
        "sentiment_zero_shot",
        selector="nearest",
        seed=SEED,
        label_names=sorted(labels.unique()),
        **found,
    )
    words = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10))
    parts = [("prompt", prompt), ("features", FeatureClassifier(seed=SEED)), ("words", words)]
    return VotingClassifier(parts, voting="soft")


def main() -> None:
    """Search, vote, and measure both on rows that neither has seen."""
    texts, labels = reviews("train")
    new, gold = reviews("test")

    search = searched(texts, labels)
    columns = ["param_shots", "param_calibration", "mean_test_score"]
    print(pd.DataFrame(search.cv_results_)[columns].to_string(index=False))
    print(f"best: {search.best_params_}\n")

    vote = ensemble(labels, **search.best_params_).fit(texts, labels)
    numbers = vote.le_.transform(gold)
    accuracy = {
        name: accuracy_score(numbers, part.predict(new))
        for name, part in vote.named_estimators_.items()
    }
    accuracy["vote"] = accuracy_score(gold, vote.predict(new))
    print(pd.Series(accuracy).round(3).to_string())
    print(f"log loss of the vote: {log_loss(gold, vote.predict_proba(new)):.3f} nats")
    assert accuracy["vote"] > accuracy["words"], "the vote should beat a bag of words"

    packed = pickle.dumps(vote)
    print(f"the whole ensemble as a pickle: {len(packed) / 1024:.0f} KiB, without the encoder")
    again = pickle.loads(packed)
    assert (again.predict(new[:20]) == vote.predict(new[:20])).all()


if __name__ == "__main__":
    main()
