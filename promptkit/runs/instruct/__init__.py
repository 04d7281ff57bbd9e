"""Instruction tuning on a mixture of tasks: a mixture file and a model in, a model out."""

from promptkit.runs.instruct.mixture import Mixture, read_mixture
from promptkit.runs.instruct.tune import Instructed, instruct

__all__ = ["Instructed", "Mixture", "instruct", "read_mixture"]
