"""A search: nested cross-validation within a budget of tokens.

What was chosen on rows looks better on them than it is. So the whole choice is made again without
each outer fold, and what is chosen there is tried on that fold: its rows have chosen nothing.
The mean of that is what to expect of such a search on new rows, and how much lower it is than
what the choosing rows showed is its optimism. (Varma and Simon 2006, for nested cross-validation.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.errors import DataError, SpecError
from promptkit.runs.compare.draws import cross_validation
from promptkit.runs.compare.nouns import Draw
from promptkit.runs.search.bench import Bench
from promptkit.runs.search.chosen import eval_command, eval_options
from promptkit.runs.search.halving import Choice, choose, first_rows
from promptkit.runs.search.kept import Kept
from promptkit.runs.search.metered import Exceeded, Ledger
from promptkit.runs.search.nouns import Configuration, Search
from promptkit.runs.search.outcome import Outer, folds_of, scores_of, tried_of
from promptkit.runs.search.rows import Rows, models_for, rows_of
from promptkit.runs.search.space import space_of
from promptkit.runs.search.spec import SearchSpec
from promptkit.types import Cost, Example

#: Told the tokens that were spent, and the budget.
OnTokens = Callable[[int, int], None]


def search(asked: SearchSpec, *, on_tokens: OnTokens = lambda spent, budget: None) -> Search:
    """Choose a way of prompting, and measure what such a choice is worth.

    Args:
        asked: What is chosen among, on which rows, with which model.
        on_tokens: Told how much of the budget is spent.

    Raises:
        PromptkitError: What cannot be, or a budget that allows no look at anything.
    """
    begun = time.perf_counter()
    rows = rows_of(asked)
    draws = cross_validation(rows.examples, asked.folds, 1, asked.seed)
    fewest = min(len(draw.train) for draw in draws)
    space, left_out = space_of(asked, rows.names, rows.templates, rows.reads, fewest)
    _check_first(asked, space, rows, fewest)
    kept, ledger = Kept(rows.hash), Ledger(asked.budget_tokens)
    with kept.open(fresh=asked.fresh):
        told = lambda: on_tokens(round(ledger.spent), asked.budget_tokens)  # noqa: E731
        models, encoder = models_for(asked, rows, kept, ledger, told)
        before = _cost(models.values())
        bench = Bench(
            dict(zip(rows.names, rows.templates, strict=True)), models, encoder, asked.seed
        )
        run = _Run(asked, rows.examples, space, bench, ledger)
        outer = [run.fold(draw, len(draws) + 1 - draw.index) for draw in draws]
        final = run.last()
    return _told(asked, rows, run, outer, final, left_out, before, begun)


@dataclass
class _Run:
    """One search at work."""

    asked: SearchSpec
    examples: Sequence[Example]
    space: Sequence[Configuration]
    bench: Bench
    ledger: Ledger

    def fold(self, draw: Draw, choices_left: int) -> Outer:
        """Choose without a fold, and try what was chosen on it."""
        pool = [self.examples[place] for place in draw.train]
        held = [self.examples[place] for place in draw.held]
        choice = self._choose(pool, choices_left, len(held))
        if choice.chosen is None:
            return Outer(draw, choice, None)
        self.ledger.limit = self.ledger.budget
        looked_at = pool[: choice.seen[choice.chosen.place].n]
        try:
            measured = self.bench.outer(choice.chosen, pool, looked_at, held)
        except Exceeded:
            return Outer(draw, choice, None)
        return Outer(draw, choice, measured.right)

    def last(self) -> Choice:
        """The choice on all rows."""
        choice = self._choose(self.examples, 1, 0)
        if choice.chosen is not None:
            return choice
        if len(choice.problems) == len(self.space):
            raise DataError(next(iter(choice.problems.values())))
        raise SpecError(
            f"--budget-tokens {self.asked.budget_tokens:,} allows no look at any of "
            f"{len(self.space)} configurations; give more, or fewer rows with --limit"
        )

    def _choose(self, pool: Sequence[Example], choices_left: int, n_held: int) -> Choice:
        ledger = self.ledger
        share = (ledger.budget - ledger.spent) / choices_left
        return choose(
            self.bench,
            self.space,
            pool,
            ledger,
            ledger.spent + share,
            n_held=n_held,
            rule=self.asked.rule,
        )


def _told(
    asked: SearchSpec,
    rows: Rows,
    run: _Run,
    outer: Sequence[Outer],
    final: Choice,
    left_out: Sequence[str],
    before: Cost,
    begun: float,
) -> Search:
    assert final.chosen is not None
    tried = tried_of(run.space, final, outer, len(rows.examples))
    inner, score, optimism, gain = scores_of(run.space, rows.examples, outer, final)
    template = rows.templates[rows.names.index(final.chosen.template)]
    options = eval_options(asked, final.chosen, template)
    return Search(
        data=rows.origin,
        model=asked.model,
        n=len(rows.examples),
        tried=tried,
        chosen=tried[final.chosen.place],
        folds=folds_of(outer),
        inner=inner,
        outer=score,
        optimism=optimism,
        gain=gain,
        rule=asked.rule,
        budget=asked.budget_tokens,
        spent=round(run.ledger.spent),
        from_store=round(run.ledger.from_store),
        cost=_cost(run.bench.models.values()) - before,
        seconds=time.perf_counter() - begun,
        options=options,
        command=eval_command(options),
        notes=(*rows.notes, *left_out),
    )


def _check_first(
    asked: SearchSpec, space: Sequence[Configuration], rows: Rows, fewest: int
) -> None:
    """Calibrations of the space must be able to learn from the rows of the first look."""
    n = first_rows(len(space), fewest)
    space_of(asked, rows.names, rows.templates, rows.reads, n)


def _cost(models: Any) -> Cost:
    """What the models did, each of them once: templates share a model."""
    meters: dict[int, Cost] = {}
    for model in models:
        meters[id(getattr(model.backend, "_meter", model.backend))] = model.cost
    total = Cost()
    for cost in meters.values():
        total += cost
    return total
