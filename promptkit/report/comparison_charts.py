"""The charts of a comparison: score against cost, learning curves, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, pairwise
from math import isfinite

import numpy as np

from promptkit.report.chart import LEFT, LIGHT, RIGHT, TOP, WIDTH, Chart, Scale, frame
from promptkit.report.figures import decimal, short_time
from promptkit.report.ledger import money
from promptkit.report.standing import Standing, curves, entry_names, standings
from promptkit.runs.compare.breakdown import Bin
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Entry

#: Seconds below which a cost is drawn as that: nothing takes no time, and a logarithm has no 0.
LEAST = 1e-4
#: Height of a reliability diagram.
LOW = 300


def colours(comparison: Comparison) -> dict[str, str]:
    """The class of each entry's colour, the same in all charts; baselines are grey."""
    wheel = cycle(range(len(LIGHT)))
    return {
        entry.name: "cx" if entry.strategy in ("majority", "random") else f"c{next(wheel)}"
        for entry in comparison.plan.entries
    }


def pareto(comparison: Comparison, what: str = "predict") -> Chart | None:
    """Accuracy against a cost, and the ways that none beats in both; None without numbers.

    Args:
        comparison: What was compared.
        what: ``predict``: 1,000 predictions, in money where there are prices; ``adapt``: seconds
            to adapt.
    """
    shown = [one for one in standings(comparison) if one.line.accuracy is not None]
    if not shown:
        return None
    priced = what == "predict" and comparison.prices.are_known
    points = [(_cost(comparison, one, what, priced), one) for one in shown]
    ys = [end for _, one in points for end in _ends(one)]
    x, y = frame([cost for cost, _ in points], ys)
    name, hues = entry_names(comparison.plan.entries), colours(comparison)
    unit = comparison.prices.currency or "money"
    words = {
        "predict": f"{unit} for 1,000 predictions" if priced else "time of 1,000 predictions",
        "adapt": "time to adapt",
    }[what]
    chart = Chart(f"accuracy against {words}", x, y)
    tell = money if priced else short_time
    chart.axes(f"{words} (logarithmic)", "accuracy", [(v, tell(v)) for v in x.ticks()])
    best = -1.0
    front = []
    for cost, one in sorted(points, key=lambda p: (p[0], -_value(p[1]))):
        if _value(one) > best:
            front.append((cost, _value(one)))
            best = _value(one)
    steps = [front[0]]
    for (_, before), after in pairwise(front):
        steps += [(after[0], before), after]
    chart.line("cx", [*steps, (x.high, best)], "dash")
    for cost, one in points:
        entry, (low, high) = one.line.entry.name, _ends(one)
        if high > low:
            chart.line(hues[entry], [(cost, low), (cost, high)])
        told = f"{name(entry)}: accuracy {decimal(_value(one))}, {tell(cost)}"
        chart.dot(hues[entry], cost, _value(one), told, 7 if one.is_recommended else 5)
    chart.names(
        (
            cost,
            _value(one),
            name(one.line.entry.name),
            hues[one.line.entry.name],
            one.is_recommended,
        )
        for cost, one in points
    )
    return chart


def learning(comparison: Comparison) -> Chart | None:
    """Accuracy over labelled rows: points, laws through them, and the recommended one's band."""
    lines = {
        entry: [one for one in by_size.values() if one.accuracy is not None]
        for entry, by_size in curves(comparison).items()
    }
    shown = [one for one in standings(comparison) if lines[one.line.entry.name]]
    learned = [x for one in shown if one.line.entry.fits for x in lines[one.line.entry.name]]
    if not learned:
        return None
    n = comparison.plan.n_rows
    low = min(line.n_train for line in learned)
    ys = [line.accuracy.value for own in lines.values() for line in own if line.accuracy]
    ys += [growth.curve.at(2 * n).mean for growth in comparison.growths.values()]
    chosen = comparison.recommendation.entry
    if chosen is not None and chosen.name in comparison.growths:
        band = [comparison.growths[chosen.name].curve.at(at) for at in (low, 2.0 * n)]
        ys += [end for one in band for end in (one.low, one.high)]
    x, y = frame([low, 2.0 * n], ys)
    chart = Chart("accuracy over numbers of labelled rows", x, y)
    sizes = sorted({round(line.n_train) for line in learned} | {2 * n})
    chart.axes("labelled rows (logarithmic)", "accuracy", [(v, f"{v:,}") for v in sizes])
    name, hues = entry_names(comparison.plan.entries), colours(comparison)
    ends: list[tuple[float, float, str, str, bool]] = []
    for one in shown:
        entry = one.line.entry
        end = _curve(chart, comparison, one, hues[entry.name])
        ends.append((*end, name(entry.name), hues[entry.name], one.is_recommended))
    chart.names(ends)
    return chart


def reliability(comparison: Comparison, entry: Entry, bins: Sequence[Bin]) -> Chart:
    """How often predictions of a confidence are right; on the diagonal confidence is honest."""
    x, y = Scale(0, 1, LEFT, WIDTH - RIGHT), Scale(0, 1, LOW - 52, TOP)
    chart = Chart(f"reliability of {entry.name}", x, y, LOW)
    chart.axes("confidence", "share that is right", [(v / 5, f"{v / 5:.1f}") for v in range(6)])
    hue = colours(comparison)[entry.name]
    for one in bins:
        first = min(int(one.confidence * 10), 9) / 10
        told = f"{one.n:,} predictions of confidence {one.confidence:.2f}: {one.accuracy:.2f} right"
        chart.bar(hue, (first, first + 0.1), one.accuracy, told)
        chart.dot("cx", one.confidence, one.accuracy, told, 3)
    chart.line("cx", [(0, 0), (1, 1)], "dash")
    return chart


def _curve(chart: Chart, comparison: Comparison, one: Standing, hue: str) -> tuple[float, float]:
    """One entry's points and law; where its name belongs."""
    entry, heavy = one.line.entry, "heavy" if one.is_recommended else ""
    own = [x for x in curves(comparison)[entry.name].values() if x.accuracy is not None]
    name = entry_names(comparison.plan.entries)(entry.name)
    if not entry.fits:
        value = own[0].accuracy.value if own[0].accuracy else 0.0
        chart.line(hue, [(chart.x.low, value), (chart.x.high, value)], f"dash {heavy}")
        return chart.x.high, value
    own.sort(key=lambda line: line.n_train)
    growth = comparison.growths.get(entry.name)
    points = [(line.n_train, line.accuracy.value) for line in own if line.accuracy]
    if growth is None:
        chart.line(hue, points, heavy)
        end = points[-1]
    else:
        grid = np.geomspace(points[0][0], 2.0 * comparison.plan.n_rows, 40)
        told = [(float(at), growth.curve.at(float(at))) for at in grid]
        if one.is_recommended:
            chart.band(hue, [(at, f.high) for at, f in told], [(at, f.low) for at, f in told])
        last = points[-1][0]
        chart.line(hue, [(at, f.mean) for at, f in told if at <= last * 1.001], heavy)
        chart.line(hue, [(at, f.mean) for at, f in told if at >= last * 0.95], f"dash {heavy}")
        end = (told[-1][0], told[-1][1].mean)
    for line in own:
        if line.accuracy is not None:
            said = f"{name}, {line.n_train:,.0f} rows: accuracy {decimal(line.accuracy.value)}"
            chart.dot(hue, line.n_train, line.accuracy.value, said, 4)
    return end


def _cost(comparison: Comparison, one: Standing, what: str, priced: bool) -> float:
    account = comparison.accounts.get(one.line.entry.name)
    if priced and account is not None and account.price_per_1000 is not None:
        return max(account.price_per_1000, 1e-6)
    seconds = one.line.fit_seconds if what == "adapt" else one.line.seconds_per_1000
    return max(seconds, LEAST) if isfinite(seconds) else LEAST


def _value(one: Standing) -> float:
    return one.line.accuracy.value if one.line.accuracy else 0.0


def _ends(one: Standing) -> tuple[float, float]:
    score = one.line.accuracy
    if score is None or score.low is None or score.high is None:
        return _value(one), _value(one)
    return score.low, score.high
