"""Which entry to use, in words: what `promptkit.runs.compare.rules` come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from promptkit.runs.compare.commands import tune_command
from promptkit.runs.compare.grid import Grid
from promptkit.runs.compare.growth import Advice
from promptkit.runs.compare.ledger import Account
from promptkit.runs.compare.nouns import (
    Entry,
    Line,
    Plan,
    Trace,
    Verdict,
    Weighed,
)
from promptkit.runs.compare.rules import RULES, Case, points, value
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.weighing import case_of


def verdict_of(
    plan: Plan,
    lines: Sequence[Line],
    grid: Grid,
    asked: CompareSpec,
    accounts: Mapping[str, Account] | None = None,
) -> Verdict:
    """Let the rules speak over a comparison's lines."""
    return decided(case_of(plan, lines, grid, asked, accounts), plan, asked)


def decided(case: Case, plan: Plan, asked: CompareSpec) -> Verdict:
    """The verdict that the rules come to."""
    everybody = {line.entry.name: line for line in case.lines}
    known = {name: _weighed(case, line) for name, line in everybody.items()}
    for rule in RULES:
        case = rule(case)
    if not case.lines:
        headline = Trace("Nothing can be recommended.", "headline", "", tuple(everybody))
        return _verdict(None, None, (headline, *case.told), case, known)
    chosen, best = case.lines[0], everybody[case.best]
    headline = _headline(case, chosen, best, plan)
    told = (headline, *case.told, *_would_change(case, chosen, best, plan))
    return replace(
        _verdict(chosen.entry, best.entry, told, case, known),
        command=tune_command(chosen.entry, asked),
        expected_loss=case.loss[chosen.entry.name],
    )


def with_more(verdict: Verdict, advice: Advice | None, firm: Sequence[str]) -> Verdict:
    """The verdict with what is known about labelling more, and about how firm it is."""
    if verdict.entry is None:
        return verdict
    name, traces = verdict.entry.name, list(verdict.traces)
    if advice is not None:
        others = [advice.other.name] if advice.other else []
        traces.append(Trace(advice.sentence, "change", "growth", (name, *others)))
    everybody = tuple(verdict.weighed)
    traces += [Trace(sentence, "firm", "firmness", everybody) for sentence in firm]
    return replace(
        verdict,
        traces=tuple(traces),
        would_change=_said(traces, "change"),
        firm=_said(traces, "firm"),
    )


def _verdict(
    entry: Entry | None,
    best: Entry | None,
    traces: Sequence[Trace],
    case: Case,
    known: Mapping[str, Weighed],
) -> Verdict:
    return Verdict(
        entry=entry,
        best=best,
        headline=traces[0].sentence,
        reasons=_said(traces, "reason"),
        would_change=_said(traces, "change"),
        rules=case.rules,
        traces=tuple(traces),
        weighed=known,
    )


def _said(traces: Sequence[Trace], kind: str) -> tuple[str, ...]:
    return tuple(trace.sentence for trace in traces if trace.kind == kind)


def _weighed(case: Case, line: Line) -> Weighed:
    name = line.entry.name
    return Weighed(
        accuracy=line.accuracy.value if line.accuracy else None,
        expected=case.expected.get(name),
        loss=case.loss.get(name),
        p_value=case.p_value.get(name),
    )


def _headline(case: Case, chosen: Line, best: Line, plan: Plan) -> Trace:
    name, said = chosen.entry.name, f"accuracy {value(chosen):.3f}"
    others = tuple(entry.name for entry in plan.entries)
    if name == best.entry.name:
        within = " within the limits" if "within_limits" in case.rules else ""
        ways = f"the best of {len(plan.entries)} ways{within}"
        if name == case.top:
            sentence = f"Use {name}: {ways} on these rows, {said}."
        else:
            sentence = f"Use {name}: {said}, and expected to be {ways}."
        return Trace(sentence, "headline", "names_the_best", others)
    sentence = (
        f"Use {name}: {said}; the best, {best.entry.name}, cannot be told apart from it, and "
        f"it is expected to lose {100 * case.loss[name]:.1f} points at most to the best."
    )
    return Trace(sentence, "headline", "simplest", (name, best.entry.name))


def _would_change(case: Case, chosen: Line, best: Line, plan: Plan) -> list[Trace]:
    told = []
    name, top = chosen.entry.name, best.entry.name
    if name != top:
        said = f"if accuracy is all that counts, take {top} ({points(case, top)})"
        told.append(Trace(said, "change", "names_the_best", (name, top)))
    if plan.detectable:
        said = (
            f"more labelled rows: these show differences of {100 * plan.detectable:.0f} points and "
            "more; four times as many rows show half of that"
        )
        told.append(Trace(said, "change", "detectable", (name,)))
    return told
