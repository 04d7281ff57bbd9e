"""What a comparison is made of: entries, draws, cells, lines, a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from promptkit.runs.compare.work import Work
from promptkit.types import Scalar, Score

#: A number of labelled rows; None stands for all of them.
Size = int | None

Design = Literal["test", "cv"]


def size_name(size: Size) -> str:
    """``all`` or the number."""
    return "all" if size is None else str(size)


@dataclass(frozen=True)
class Entry:
    """A way of adapting a model, as it stands in a comparison.

    Args:
        name: What tables call it, such as ``features`` or ``few-shot 8``; unique.
        strategy: Its name in the registry of strategies.
        options: The strategy's options beside model and seed.
        model: The model, empty where it uses none.
        rank: Place in the order of simplicity, 0 for the simplest.
        fits: Whether labelled rows change it; if not, it stands at size 0 alone.
        always: Whether it survives every budget.
    """

    name: str
    strategy: str
    options: Mapping[str, Any]
    model: str
    rank: int
    fits: bool = True
    always: bool = False


@dataclass(frozen=True)
class Draw:
    """Training rows and held-out rows of one cell, by their places in the data.

    Args:
        index: Number of the draw.
        repeat: Repeat of the cross-validation; the draw itself on a fixed test set.
        fold: Fold of the repeat; 0 on a fixed test set.
        train: Places of the training rows in the order in which they are added: the first n are
            the draw of size n.
        held: Places of the held-out rows.
    """

    index: int
    repeat: int
    fold: int
    train: tuple[int, ...]
    held: tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """One entry, fitted on one draw of one size, and what it predicted there.

    Args:
        entry: Name of the entry.
        size: Labelled rows asked for; None is all.
        draw: Index of the draw.
        n_train: Labelled rows that it was fitted on.
        predicted: For each held-out row, the place of the predicted label; -1 is unscored.
        fit_seconds: Seconds to adapt.
        predict_seconds: Seconds for the held-out rows; less than a user would wait where another
            cell has read the same texts before.
        row_seconds: Seconds for a row that nothing has read before; 0 where it was not measured.
        trained_parameters: Parameters that were trained.
        peak_bytes: Highest memory of the process when the cell ended.
        problem: Why it failed, in one line; empty when it did not.
        facts: What the strategy chose inside its training rows, for people.
        seconds: Seconds of all of it, from building the strategy to the last measurement.
        confidence: For each held-out row, the probability of the predicted label in thousandths;
            -1 where there is none. Empty in cells that were kept before this was.
        fit_work: What adapting took, nothing known beforehand; None where it was not measured so.
        row_work: The same of a row that nothing has read before.
        stored_bytes: Bytes that have to be kept to predict again, beside the model in the box.
    """

    entry: str
    size: Size
    draw: int
    n_train: int
    predicted: tuple[int, ...]
    fit_seconds: float
    predict_seconds: float
    trained_parameters: int = 0
    peak_bytes: int = 0
    problem: str = ""
    facts: str = ""
    row_seconds: float = 0.0
    seconds: float = 0.0
    confidence: tuple[int, ...] = ()
    fit_work: Work | None = None
    row_work: Work | None = None
    stored_bytes: int = 0

    @property
    def is_fresh(self) -> bool:
        """Whether it was adapted with nothing known beforehand, as a user would."""
        return self.fit_work is not None


@dataclass(frozen=True)
class Planned:
    """A cell that is yet to be computed, and what it is thought to take.

    Args:
        entry: Whose cell.
        size: Labelled rows; None is all.
        draw: Index of the draw.
        n_train: Labelled rows.
        n_held: Held-out rows.
        seconds: Predicted seconds.
        dropped: Whether the budget leaves it out.
        new: Whether its entry has not read the held-out rows before.
    """

    entry: Entry
    size: Size
    draw: int
    n_train: int
    n_held: int
    seconds: float
    dropped: bool = False
    new: bool = True

    @property
    def is_fresh(self) -> bool:
        """Whether it is adapted with nothing known beforehand: on the first draw."""
        return self.draw <= 0


@dataclass(frozen=True)
class Plan:
    """What a comparison will do.

    Args:
        data: Name of the data.
        design: ``test``: a fixed test set; ``cv``: repeated stratified cross-validation.
        n_rows: Labelled rows to adapt with.
        n_held: Rows of the test set; under cross-validation, the labelled rows themselves.
        labels: The labels in order.
        folds: Folds of a repeat, 1 on a fixed test set.
        repeats: Repeats, or draws on a fixed test set.
        entries: In the order of simplicity.
        sizes: Sizes in rising order, None (all) last.
        cells: All cells in the order in which they are computed, dropped ones included.
        budget_seconds: The time allowed; None is no limit.
        detectable: The smallest difference of accuracy that these rows can show; None where they
            can show none.
        notes: What a reader must know before the run.
    """

    data: str
    design: Design
    n_rows: int
    n_held: int
    labels: tuple[Scalar, ...]
    folds: int
    repeats: int
    entries: tuple[Entry, ...]
    sizes: tuple[Size, ...]
    cells: tuple[Planned, ...]
    budget_seconds: float | None
    detectable: float | None
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Predicted seconds of the cells that are not dropped."""
        return sum(cell.seconds for cell in self.cells if not cell.dropped)


@dataclass(frozen=True)
class Line:
    """An entry at one size: a line of the table.

    Args:
        entry: Whose.
        size: Labelled rows; None is all.
        n_train: Labelled rows, the mean over draws.
        accuracy: With its interval over rows and draws.
        macro_f1: With its interval over rows.
        fit_seconds: Seconds to adapt with nothing known beforehand; the mean over draws in cells
            that were kept before this was measured.
        seconds_per_1000: Seconds per 1,000 predictions of rows that nothing has read before.
        trained_parameters: Parameters that were trained.
        peak_bytes: Highest memory of the process.
        cells_done: Cells that stand behind it.
        cells_planned: Cells that were planned for it; fewer are done after a budget or a failure.
        difference: Accuracy minus that of the best entry at this size; None for the best.
        p_value: Holm-adjusted p-value of that difference; None for the best, or where no test can
            be made.
        problem: Why there are no numbers; empty when there are.
        facts: What was chosen inside the training rows, most often.
        is_best: Whether it has the highest accuracy at its size.
        stored_bytes: Bytes that have to be kept to predict again.
    """

    entry: Entry
    size: Size
    n_train: float
    accuracy: Score | None
    macro_f1: Score | None
    fit_seconds: float = 0.0
    seconds_per_1000: float = 0.0
    trained_parameters: int = 0
    peak_bytes: int = 0
    cells_done: int = 0
    cells_planned: int = 0
    difference: float | None = None
    p_value: float | None = None
    problem: str = ""
    facts: str = ""
    is_best: bool = False
    stored_bytes: int = 0


@dataclass(frozen=True)
class Limits:
    """What the user can afford; None is no limit.

    Args:
        train_minutes: Minutes to adapt with all rows.
        latency_ms: Milliseconds a prediction, measured over batches.
        memory_bytes: Highest memory of the process.
        gpu: Whether a GPU may be used.
        stored_bytes: Bytes that may be kept for it.
        price_per_1000: What 1,000 predictions may cost, in the currency of the prices.
    """

    train_minutes: float | None = None
    latency_ms: float | None = None
    memory_bytes: int | None = None
    gpu: bool = True
    stored_bytes: int | None = None
    price_per_1000: float | None = None


@dataclass(frozen=True)
class Trace:
    """A sentence of the verdict, and where it comes from.

    Args:
        sentence: As the verdict says it.
        kind: What it is: the headline, a reason, what would change the verdict, how firm it is.
        rule: The rule that spoke, or what else was computed.
        entries: Names of the entries whose cells it rests on.
    """

    sentence: str
    kind: Literal["headline", "reason", "change", "firm"]
    rule: str
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Weighed:
    """What the rules knew of an entry.

    Args:
        accuracy: On these rows; None without a result.
        expected: Expected accuracy, with what other data sets showed.
        loss: Accuracy that it is expected to lose to the best.
        p_value: Holm-adjusted p-value against the best; None where no test was made.
    """

    accuracy: float | None
    expected: float | None
    loss: float | None
    p_value: float | None


@dataclass(frozen=True)
class Verdict:
    """Which entry to use, and why.

    Args:
        entry: The recommended entry; None where none can be recommended.
        best: The entry with the highest accuracy within the limits, if any.
        headline: The verdict in one sentence.
        reasons: Why, a sentence each, in the order in which the rules spoke.
        would_change: What would change it, a sentence each.
        command: The command that adapts with all rows and saves; empty without an entry.
        expected_loss: Accuracy that the choice is expected to lose to the best one, in [0, 1].
        rules: Names of the rules that decided.
        traces: Where each sentence comes from, in the order in which they are said.
        weighed: What was known of each entry, by name.
        firm: How firm it is, a sentence each.
    """

    entry: Entry | None
    best: Entry | None
    headline: str
    reasons: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    command: str = ""
    expected_loss: float = 0.0
    rules: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()
    weighed: Mapping[str, Weighed] = field(default_factory=dict)
    firm: tuple[str, ...] = ()
