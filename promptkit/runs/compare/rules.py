"""The rules of the verdict, each named, in the order in which they speak.

A rule takes the case so far and gives it back with fewer contenders, and with a reason where it
decided something. What remains after the last one is the verdict.

The verdict is about all labelled rows. It weighs two errors: taking something complicated for
nothing, and losing accuracy for the sake of simplicity. So the simplest contender wins among those
that (1) no test tells apart from the best and (2) are not expected to lose more than `BEARABLE` to
it. The second is needed where rows are few: no test tells anything apart on 50 rows, and the
simplest of all ways, always saying the most frequent label, would win by default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promptkit.runs.compare.experience import WORTH
from promptkit.runs.compare.ledger import Account
from promptkit.runs.compare.nouns import Limits, Line, Trace

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
        accounts: What each entry costs, by name.
        measured_alone: Whether the expectations come from these rows and from nothing else.
        best: Name of the contender with the highest expected accuracy.
        top: Name of the contender with the highest accuracy on these rows.
        told: What the rules said.
        rules: Rules that decided something.
    """

    lines: tuple[Line, ...]
    limits: Limits
    loss: Mapping[str, float]
    expected: Mapping[str, float]
    p_value: Mapping[str, float]
    accounts: Mapping[str, Account] = field(default_factory=dict)
    measured_alone: bool = True
    best: str = ""
    top: str = ""
    told: tuple[Trace, ...] = ()
    rules: tuple[str, ...] = ()

    def without(self, names: Sequence[str]) -> Case:
        """The case without some contenders."""
        return replace(self, lines=tuple(x for x in self.lines if x.entry.name not in names))

    def saying(self, rule: str, reason: str, entries: Sequence[str]) -> Case:
        """The case with a rule that decided, why, and whose cells show it."""
        said = Trace(reason, "reason", rule, tuple(entries))
        rules = self.rules if rule in self.rules else (*self.rules, rule)
        return replace(self, told=(*self.told, said), rules=rules)

    def but(self, rule: str, change: str, entries: Sequence[str]) -> Case:
        """The case with something that would change the verdict."""
        return replace(self, told=(*self.told, Trace(change, "change", rule, tuple(entries))))

    def line(self, name: str) -> Line:
        """The line of a contender."""
        return next(line for line in self.lines if line.entry.name == name)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is as it is, so far."""
        return tuple(one.sentence for one in self.told if one.kind == "reason")

    @property
    def would_change(self) -> tuple[str, ...]:
        """What would change it."""
        return tuple(one.sentence for one in self.told if one.kind == "change")


Rule = Callable[[Case], Case]


def finished(case: Case) -> Case:
    """Only entries with results can win."""
    out = [line for line in case.lines if line.accuracy is None]
    if not out:
        return case
    for line in out:
        name = line.entry.name
        case = case.saying("finished", f"{name} has no result ({line.problem})", [name])
    return case.without([line.entry.name for line in out])


def within_limits(case: Case) -> Case:
    """Entries that cost more than the user can afford are out."""
    broken = {
        line.entry.name: broken_limits(line, case.limits, case.accounts) for line in case.lines
    }
    out = [name for name, limits in broken.items() if limits]
    if not out:
        return case
    best = max(case.lines, key=lambda line: case.expected[line.entry.name]).entry.name
    for name in out:
        case = case.saying(
            "within_limits", f"{name} is out: {' and '.join(broken[name].values())}", [name]
        )
    if best in out:
        which = _limits_named(broken[best], case.limits)
        case = case.but(
            "within_limits",
            f"without {which}, {best} would stand first with {points(case, best)}",
            [best],
        )
    return case.without(out)


def _limits_named(broken: Mapping[str, str], limits: Limits) -> str:
    """The limits that an entry breaks, by name where there are others beside."""
    asked = sum(
        limit is not None
        for limit in (
            limits.train_minutes, limits.latency_ms, limits.memory_bytes, limits.stored_bytes,
            limits.price_per_1000,
        )
    )  # fmt: skip
    if asked == 1:
        return "that limit"
    return f"the {'limit' if len(broken) == 1 else 'limits'} on {' and '.join(broken)}"


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
    top = max(case.lines, key=lambda line: (value(line), -line.entry.rank))
    case = replace(case, best=best, top=top.entry.name)
    if top.entry.name == best or case.measured_alone:
        return case
    both = [top.entry.name, best]
    case = case.saying(
        "names_the_best",
        f"{top.entry.name} has {value(top):.3f} on these rows and {best} "
        f"{value(case.line(best)):.3f}; other data sets, which count as {WORTH:g} rows here, "
        f"speak for {best}",
        both,
    )
    change = f"by these rows alone (--no-prior), {top.entry.name} stands first"
    return case.but("names_the_best", change, both)


def told_apart(case: Case) -> Case:
    """What a test tells apart from the best, and finds worse, is out."""
    out = [
        line.entry.name
        for line in case.lines
        if line.entry.name != case.best and case.p_value.get(line.entry.name, 1.0) < ALPHA
    ]
    left = len(case.lines) - len(out) - 1
    if out:
        said = f"clearly worse than {case.best}: {', '.join(out)}"
        case = case.saying("told_apart", said, [case.best, *out])
    elif left:
        names = [line.entry.name for line in case.lines]
        case = case.saying("told_apart", f"these rows tell nothing apart from {case.best}", names)
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
        "loses_little",
        f"expected to lose more than {100 * most:.1f} points{by}: {told}",
        [case.best, *out],
    )


def simplest(case: Case) -> Case:
    """Of what remains, the simplest."""
    if len(case.lines) < 2:
        return case
    chosen = min(case.lines, key=lambda line: line.entry.rank).entry
    others = [line.entry.name for line in case.lines if line.entry.name != chosen.name]
    case = case.without(others)
    return case.saying(
        "simplest",
        f"{chosen.name} is simpler than {', '.join(others)}, and loses little to "
        f"{'them' if len(others) > 1 else 'it'}",
        [chosen.name, *others],
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


def chosen_by_rules(case: Case) -> str:
    """The name of what the rules leave; empty where they leave nothing."""
    for rule in RULES:
        case = rule(case)
    return case.lines[0].entry.name if case.lines else ""


def broken_limits(line: Line, limits: Limits, accounts: Mapping[str, Account]) -> dict[str, str]:
    """Which limits an entry breaks: what is limited, and by how much it is broken."""
    broken = {}
    if limits.train_minutes is not None and line.fit_seconds > 60 * limits.train_minutes:
        broken["adapting"] = (
            f"adapting takes {line.fit_seconds / 60:.1f} minutes, {limits.train_minutes:g} allowed"
        )
    if limits.latency_ms is not None and line.seconds_per_1000 > limits.latency_ms:
        broken["the time of a prediction"] = (
            f"a prediction takes {line.seconds_per_1000:.1f} ms, {limits.latency_ms:g} allowed"
        )
    if limits.memory_bytes is not None and line.peak_bytes > limits.memory_bytes:
        broken["memory"] = f"it takes {_gib(line.peak_bytes, limits.memory_bytes)} allowed"
    if limits.stored_bytes is not None and line.stored_bytes > limits.stored_bytes:
        broken["what is stored"] = (
            f"{_size(line.stored_bytes)} have to be kept, {_size(limits.stored_bytes)} allowed"
        )
    account = accounts.get(line.entry.name)
    if limits.price_per_1000 is not None and account and account.price_per_1000 is not None:
        price = account.price_per_1000
        if price > limits.price_per_1000:
            broken["price"] = (
                f"1,000 predictions cost {price:.4g}, {limits.price_per_1000:g} allowed"
            )
    return broken


def _size(n_bytes: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.4g} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.2f} GiB"


def _gib(taken: int, allowed: int) -> str:
    return f"{taken / 2**30:.2f} GiB of memory, {allowed / 2**30:.2f}"


def value(line: Line) -> float:
    """A line's accuracy; 0 without one."""
    return line.accuracy.value if line.accuracy else 0.0


def points(case: Case, name: str) -> str:
    """An entry's expected accuracy in words."""
    return f"an expected accuracy of {case.expected[name]:.3f}"
