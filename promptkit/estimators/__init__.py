"""scikit-learn estimators over promptkit's strategies."""

from promptkit.estimators.prompt import PromptClassifier

__all__ = ["PromptClassifier"]
