"""Which entry to use. The rules stand here, each named, in the order in which they speak.

A rule takes the case so far and gives it back with fewer contenders, and with a reason where it
decided something. What remains after the last one is the verdict.

The verdict is about all labelled rows. It weighs two errors: taking something complicated for
nothing, and losing accuracy for the sake of simplicity. So the simplest contender wins among those
that (1) no test tells apart from the best and (2) are not expected to lose more than `BEARABLE` to
it. The second is needed where rows are few: no test tells anything apart on 50 rows, and the
simplest of all ways, always saying the most frequent label, would win by default.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from promptkit.metrics.choice import Choice, Prior, choice_over_draws, choice_over_folds
from promptkit.metrics.holm import holm
from promptkit.metrics.rows import Floats
from promptkit.runs.compare.experience import WORTH, experience
from promptkit.runs.compare.grid import Grid
from promptkit.runs.compare.lines import difference_between, final_line
from promptkit.runs.compare.nouns import Cell, Draw, Entry, Limits, Line, Plan, Verdict
from promptkit.runs.compare.spec import CompareSpec

#: Accuracy that a simpler way may be expected to lose to the best one.
BEARABLE = 0.01
#: Level of the tests.
ALPHA = 0.05


@dataclass(frozen=True)
class Case:
    """What is known about the entries, and what has been decided.

    Args:
        lines: Each contender's line with all rows, in the order of simplicity.
        loss: Expected loss of accuracy to the best, by name.
        expected: Expected accuracy, by name.
        p_value: Holm-adjusted p-value of the difference to the best, by name.
        limits: What the user can afford.
        measured_alone: Whether the expectations come from these rows and from nothing else.
        best: Name of the contender with the highest expected accuracy.
        top: Name of the contender with the highest accuracy on these rows.
        reasons: Sentences.
        would_change: Sentences.
        rules: Rules that decided something.
    """

    lines: tuple[Line, ...]
    limits: Limits
    loss: Mapping[str, float]
    expected: Mapping[str, float]
    p_value: Mapping[str, float]
    measured_alone: bool = True
    best: str = ""
    top: str = ""
    reasons: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def without(self, names: Sequence[str]) -> Case:
        """The case without some contenders."""
        return replace(self, lines=tuple(x for x in self.lines if x.entry.name not in names))

    def saying(self, rule: str, *reasons: str) -> Case:
        """The case with a rule that decided, and why."""
        return replace(self, reasons=(*self.reasons, *reasons), rules=(*self.rules, rule))

    def line(self, name: str) -> Line:
        """The line of a contender."""
        return next(line for line in self.lines if line.entry.name == name)


Rule = Callable[[Case], Case]


def finished(case: Case) -> Case:
    """Only entries with results can win."""
    out = [line for line in case.lines if line.accuracy is None]
    if not out:
        return case
    told = [f"{line.entry.name} has no result ({line.problem})" for line in out]
    return case.without([line.entry.name for line in out]).saying("finished", *told)


def within_limits(case: Case) -> Case:
    """Entries that cost more than the user can afford are out."""
    told: dict[str, str] = {}
    for line in case.lines:
        broken = broken_limits(line, case.limits)
        if broken:
            told[line.entry.name] = f"{line.entry.name} is out: {' and '.join(broken)}"
    if not told:
        return case
    best = max(case.lines, key=lambda line: case.expected[line.entry.name]).entry.name
    case = case.without(list(told)).saying("within_limits", *told.values())
    if best in told:
        case = replace(
            case,
            would_change=(
                *case.would_change,
                f"without that limit, {best} would stand first with {_points(case, best)}",
            ),
        )
    return case


def guessing_is_no_way(case: Case) -> Case:
    """Random labels are a yardstick; nobody should use them."""
    names = [line.entry.name for line in case.lines if line.entry.strategy == "random"]
    return case.without(names)


def names_the_best(case: Case) -> Case:
    """The best is the contender with the highest expected accuracy, simpler ones first."""
    if not case.lines:
        return case
    best = max(
        case.lines, key=lambda line: (case.expected[line.entry.name], -line.entry.rank)
    ).entry.name
    top = max(case.lines, key=lambda line: (_value(line), -line.entry.rank))
    case = replace(case, best=best, top=top.entry.name)
    if top.entry.name == best or case.measured_alone:
        return case
    return replace(
        case.saying(
            "names_the_best",
            f"{top.entry.name} has {_value(top):.3f} on these rows and {best} "
            f"{_value(case.line(best)):.3f}; other data sets, which count as {WORTH:g} rows here, "
            f"speak for {best}",
        ),
        would_change=(
            *case.would_change,
            f"by these rows alone (--no-prior), {top.entry.name} stands first",
        ),
    )


def told_apart(case: Case) -> Case:
    """What a test tells apart from the best, and finds worse, is out."""
    out = [
        line.entry.name
        for line in case.lines
        if line.entry.name != case.best and case.p_value.get(line.entry.name, 1.0) < ALPHA
    ]
    left = len(case.lines) - len(out) - 1
    if out:
        case = case.saying("told_apart", f"clearly worse than {case.best}: {', '.join(out)}")
    elif left:
        case = case.saying("told_apart", f"these rows tell nothing apart from {case.best}")
    return case.without(out)


def loses_little(case: Case) -> Case:
    """What is expected to lose more than is bearable is out, told apart or not."""
    most = max(BEARABLE, case.loss.get(case.best, 0.0))
    out = [line.entry.name for line in case.lines if case.loss[line.entry.name] > most]
    if not out:
        return case
    told = ", ".join(f"{name} ({100 * case.loss[name]:.1f})" for name in out)
    by = "" if case.measured_alone else f", with other data sets counted as {WORTH:g} rows"
    return case.without(out).saying(
        "loses_little", f"expected to lose more than {100 * most:.1f} points{by}: {told}"
    )


def simplest(case: Case) -> Case:
    """Of what remains, the simplest."""
    if len(case.lines) < 2:
        return case
    chosen = min(case.lines, key=lambda line: line.entry.rank).entry
    others = [line.entry.name for line in case.lines if line.entry.name != chosen.name]
    case = case.without(others)
    return case.saying(
        "simplest", f"{chosen.name} is simpler than {', '.join(others)}, and loses little to them"
    )


RULES: tuple[Rule, ...] = (
    finished,
    within_limits,
    guessing_is_no_way,
    names_the_best,
    told_apart,
    loses_little,
    simplest,
)


def verdict_of(
    plan: Plan,
    lines: Sequence[Line],
    cells: Sequence[Cell],
    golds: Sequence[int],
    draws: Sequence[Draw],
    asked: CompareSpec,
) -> Verdict:
    """Let the rules speak over a comparison's lines."""
    case = case_of(plan, lines, Grid(cells, golds, draws), asked)
    return decided(case, plan, asked)


def decided(case: Case, plan: Plan, asked: CompareSpec) -> Verdict:
    """The verdict that the rules come to."""
    everybody = {line.entry.name: line for line in case.lines}
    for rule in RULES:
        case = rule(case)
    if not case.lines:
        return Verdict(
            None, None, "Nothing can be recommended.", case.reasons, case.would_change,
            rules=case.rules,
        )  # fmt: skip
    chosen, best = case.lines[0], everybody[case.best]
    return Verdict(
        entry=chosen.entry,
        best=best.entry,
        headline=_headline(case, chosen, best, plan),
        reasons=case.reasons,
        would_change=(*case.would_change, *_would_change(case, chosen, best, plan)),
        command=tune_command(chosen.entry, asked),
        expected_loss=case.loss[chosen.entry.name],
        rules=case.rules,
    )


def case_of(plan: Plan, lines: Sequence[Line], grid: Grid, asked: CompareSpec) -> Case:
    """What is known about every entry with all rows."""
    final = [final_line(lines, entry) for entry in plan.entries]
    scored = [line for line in final if line.accuracy is not None]
    names = [line.entry.name for line in scored]
    choice, alone = _weighed(plan, scored, grid, asked.prior)
    expected = dict(zip(names, map(float, choice.means), strict=True)) if choice else {}
    loss = dict(zip(names, map(float, choice.regret), strict=True)) if choice else {}
    return Case(
        lines=tuple(final),
        limits=asked.limits,
        loss=loss,
        expected=expected,
        p_value=_p_values(plan, scored, grid, expected),
        measured_alone=alone,
    )


def _weighed(
    plan: Plan, scored: Sequence[Line], grid: Grid, with_prior: bool
) -> tuple[Choice | None, bool]:
    """Expected accuracies and losses, on the draws that all have; whether all of it is measured."""
    if not scored:
        return None, True
    found = [grid.of(line.entry.name, line.size) for line in scored]
    common = sorted(set.intersection(*(set(own) for own in found)))
    if not common:
        return None, True
    entries = [line.entry for line in scored]

    def prior(measured: Floats) -> Prior | None:
        return experience(entries, measured) if with_prior else None

    if plan.design == "test":
        cells = np.stack([[own[draw].right for draw in common] for own in found])
        before = prior(cells.mean(axis=(1, 2)))
        return choice_over_draws(cells, prior=before), before is None
    # Held-out rows, each the mean over the repeats: five folds would leave four degrees of
    # freedom to a covariance of a dozen entries.
    rows = sorted({int(place) for draw in common for place in found[0][draw].places})
    at = {place: index for index, place in enumerate(rows)}
    right = np.zeros((len(rows), len(found)))
    times = np.zeros(len(rows))
    for draw in common:
        where = [at[int(place)] for place in found[0][draw].places]
        times[where] += 1
        for column, own in enumerate(found):
            right[where, column] += own[draw].right
    right /= times[:, None]
    before = prior(right.mean(axis=0))
    return choice_over_folds(right, n_train=np.inf, n_test=1, prior=before), before is None


def _p_values(
    plan: Plan, scored: Sequence[Line], grid: Grid, expected: Mapping[str, float]
) -> dict[str, float]:
    """Holm-adjusted p-values against the entry with the highest expected accuracy.

    Only what is worse than the best counts as told apart from it.
    """
    if not expected:
        return {}
    best = max(scored, key=lambda line: (expected[line.entry.name], -line.entry.rank))
    top = grid.of(best.entry.name, best.size)
    found = {}
    for line in scored:
        if line is best:
            continue
        gap = difference_between(plan, grid.of(line.entry.name, line.size), top)
        if gap is not None and gap.error is not None:
            found[line.entry.name] = gap.p_value if gap.mean < 0 else 1.0
    return dict(zip(found, map(float, holm(list(found.values()))), strict=True))


def broken_limits(line: Line, limits: Limits) -> list[str]:
    """Which limits an entry breaks, in words."""
    broken = []
    if limits.train_minutes is not None and line.fit_seconds > 60 * limits.train_minutes:
        broken.append(
            f"adapting takes {line.fit_seconds / 60:.1f} minutes, {limits.train_minutes:g} allowed"
        )
    if limits.latency_ms is not None and line.seconds_per_1000 > limits.latency_ms:
        broken.append(
            f"a prediction takes {line.seconds_per_1000:.1f} ms, {limits.latency_ms:g} allowed"
        )
    if limits.memory_bytes is not None and line.peak_bytes > limits.memory_bytes:
        broken.append(
            f"it takes {line.peak_bytes / 2**30:.2f} GiB of memory, "
            f"{limits.memory_bytes / 2**30:.2f} allowed"
        )
    return broken


def tune_command(entry: Entry, asked: CompareSpec) -> str:
    """The command that adapts with all labelled rows and saves."""
    source = asked.data if isinstance(asked.data, str) else "YOUR_ROWS.csv"
    parts = ["promptkit", "tune", "--strategy", entry.strategy, "--data", source]
    if asked.template:
        parts += ["--template", asked.template]
    if asked.text_field:
        parts += ["--text-field", asked.text_field]
    for name, column in asked.fields.items():
        parts += ["--field", f"{name}={column}"]
    if asked.label_field != "label":
        parts += ["--label-field", asked.label_field]
    for said, label in asked.label_map.items():
        parts += ["--label-map", f"{said}={label}"]
    if entry.model and entry.model != "minilm":
        parts += ["--model", entry.model]
    for key, value in entry.options.items():
        parts += ["--option", f"{key}={value}"]
    return shlex.join([*parts, "--output", "my_model"])


def _headline(case: Case, chosen: Line, best: Line, plan: Plan) -> str:
    name, value = chosen.entry.name, f"accuracy {_value(chosen):.3f}"
    if name == best.entry.name:
        within = " within the limits" if "within_limits" in case.rules else ""
        ways = f"the best of {len(plan.entries)} ways{within}"
        if name == case.top:
            return f"Use {name}: {ways} on these rows, {value}."
        return f"Use {name}: {value}, and expected to be {ways}."
    return (
        f"Use {name}: {value}; the best, {best.entry.name}, cannot be told apart from it, and "
        f"it is expected to lose {100 * case.loss[name]:.1f} points at most to the best."
    )


def _would_change(case: Case, chosen: Line, best: Line, plan: Plan) -> list[str]:
    told = []
    if chosen.entry.name != best.entry.name:
        points = _points(case, best.entry.name)
        told.append(f"if accuracy is all that counts, take {best.entry.name} ({points})")
    if plan.detectable:
        told.append(
            f"more labelled rows: these show differences of {100 * plan.detectable:.0f} points and "
            "more; four times as many rows show half of that"
        )
    return told


def _value(line: Line) -> float:
    return line.accuracy.value if line.accuracy else 0.0


def _points(case: Case, name: str) -> str:
    return f"an expected accuracy of {case.expected[name]:.3f}"
