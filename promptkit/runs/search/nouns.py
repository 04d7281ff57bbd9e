"""What a search is made of: configurations, how far each got, folds, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promptkit.types import Cost, Score


@dataclass(frozen=True)
class Part:
    """A part of a prompt's way, by its name and options.

    Args:
        name: As in its registry.
        options: Its options.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = (f"{key}={value}" for key, value in self.options.items())
        return " ".join((self.name, *told))


@dataclass(frozen=True)
class Configuration:
    """A way of prompting.

    Args:
        place: Its place in the space, the simplest first: fewest shots, then without calibration,
            then with the first verbalizer, then the order of the templates.
        template: Name or path of the template, as it was given.
        shots: Demonstrations of a prompt.
        selector: Who chooses them; None where there are none.
        verbalizer: Who makes evidence about labels out of evidence about words.
        calibration: What mends the labels' probabilities.
    """

    place: int
    template: str
    shots: int
    selector: Part | None
    verbalizer: Part
    calibration: Part


@dataclass(frozen=True)
class Tried:
    """A configuration, and what the last choice, that on all rows, saw of it.

    Args:
        configuration: It.
        inner: Accuracy on the rows that it was asked about there; None where it was not.
        tokens: Prompt tokens a row.
        folds: In how many outer folds it was chosen.
        fate: What became of it, in a word or two.
        problem: Why it cannot be, in one line; empty where it can.
    """

    configuration: Configuration
    inner: Score | None
    tokens: float
    folds: int
    fate: str
    problem: str = ""


@dataclass(frozen=True)
class Fold:
    """One outer fold: what was chosen without it, and how that did on it.

    Args:
        index: Number of the fold.
        chosen: The configuration that was chosen on the other rows; None where the budget did not
            suffice for a look at one.
        inner: Its accuracy on the rows that it was chosen on.
        n_inner: How many these were.
        outer: Its accuracy on the held-out rows; None where the budget did not suffice.
        n_outer: How many these are.
        looked: Configurations that were looked at.
    """

    index: int
    chosen: Configuration | None
    inner: float | None
    n_inner: int
    outer: float | None
    n_outer: int
    looked: int


@dataclass(frozen=True)
class Search:
    """What was found.

    Args:
        data: Where the rows came from.
        model: What was asked.
        n: Rows.
        tried: All configurations, in the order of the space.
        chosen: The one that was chosen on all rows.
        folds: The outer folds.
        inner: Mean over folds of the inner accuracy of what was chosen there.
        outer: Accuracy on all held-out rows: what to expect of such a search on new rows. None
            where the budget did not suffice.
        optimism: Mean over folds of inner minus outer accuracy, with an interval over rows.
        gain: Outer accuracy minus that of the simplest configuration on the same rows, which was
            not chosen by anything; None where that was not asked about all of them.
        rule: ``best`` or ``simplest``.
        budget: Prompt tokens allowed.
        spent: Prompt tokens that the search took.
        from_store: How many of them had been taken by an earlier search.
        cost: What the model did now.
        seconds: Wall-clock seconds of the whole search.
        options: The eval spec of the chosen configuration.
        command: The same as a command.
        notes: Facts that a reader must know.
    """

    data: str
    model: str
    n: int
    tried: tuple[Tried, ...]
    chosen: Tried
    folds: tuple[Fold, ...]
    inner: float | None
    outer: Score | None
    optimism: Score | None
    gain: Score | None
    rule: str
    budget: int
    spent: int
    from_store: int
    cost: Cost
    seconds: float
    options: Mapping[str, Any]
    command: str
    notes: tuple[str, ...] = ()
