"""What each way costs, on one scale: to adapt, to predict, and from how many rows tuning pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from promptkit.runs.compare.nouns import Cell, Entry, Line
from promptkit.runs.compare.work import Work

#: Strategies that prompt a model and train nothing.
PROMPTED = ("in_context", "generate")
#: Ways that know nothing of the text.
BASELINES = ("majority", "random")

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Prices(BaseModel):
    """What things cost where the model will run; 0 is free.

    Args:
        currency: What the amounts are in.
        hour: Of an hour of the machine.
        kwh: Of a kilowatt hour.
        label: Of labelling a row.
        million_tokens: Of a million prompt tokens, where prompts are sent to a service; then no
            hours of a machine are counted for them.
        watts: What the machine draws while it works, for energy where no counter can be read: by
            default that of a desktop processor.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = ""
    hour: Amount = 0.0
    kwh: Amount = 0.0
    label: Amount = 0.0
    million_tokens: Amount = 0.0
    watts: Amount = 65.0

    @property
    def are_known(self) -> bool:
        """Whether anything costs anything."""
        return any((self.hour, self.kwh, self.label, self.million_tokens))


@dataclass(frozen=True)
class Account:
    """What one entry costs with all labelled rows.

    Times, counts and energy of adapting are those of the first draw, with nothing known beforehand;
    those of a prediction are of rows that nothing has read before.

    Args:
        entry: Whose.
        n_train: Rows that it was adapted with.
        fit_seconds: Seconds to adapt.
        fit_work: What that took, counted; None where it was not.
        row_seconds: Seconds of a prediction.
        row_work: What that took.
        fit_joules: Energy to adapt.
        row_joules: Energy of a prediction.
        joules_measured: Whether energy was read from counters; else it is seconds times watts.
        trained_parameters: Parameters that were trained.
        stored_bytes: Bytes to keep, beside the pre-trained model.
        peak_bytes: Highest memory of the process.
        fit_price: Money to adapt, labels included; None without prices.
        price_per_1000: Money for 1,000 predictions; None without prices.
        break_even: Predictions from which on it is cheaper than the best prompted way, by money
            where there are prices and by seconds where there are none; infinite where it never
            is. None where there is nothing to compare with, and where it is less accurate.
    """

    entry: Entry
    n_train: float
    fit_seconds: float
    fit_work: Work | None
    row_seconds: float
    row_work: Work | None
    fit_joules: float
    row_joules: float
    joules_measured: bool
    trained_parameters: int
    stored_bytes: int
    peak_bytes: int
    fit_price: float | None = None
    price_per_1000: float | None = None
    break_even: float | None = None


def accounts_of(lines: Sequence[Line], cells: Sequence[Cell], prices: Prices) -> dict[str, Account]:
    """The account of each entry that has numbers, by its name.

    Args:
        lines: The lines with all rows, one for each entry.
        cells: All cells.
        prices: What things cost.
    """
    found = {}
    for line in lines:
        if line.accuracy is not None:
            own = [x for x in cells if x.entry == line.entry.name and x.size == line.size]
            found[line.entry.name] = _account(line, [x for x in own if not x.problem], prices)
    prompted = _prompted(lines, found)
    if prompted is None:
        return found
    least, against = _value(prompted), found[prompted.entry.name]
    return {
        line.entry.name: _with_break_even(found[line.entry.name], against, prices)
        if _value(line) >= least
        else found[line.entry.name]
        for line in lines
        if line.entry.name in found
    }


def _account(line: Line, cells: Sequence[Cell], prices: Prices) -> Account:
    fresh = [cell for cell in cells if cell.is_fresh]
    first = fresh[0] if fresh else None
    fit, row = (first.fit_work, first.row_work) if first else (None, None)
    seconds = line.seconds_per_1000 / 1000
    of_fit, of_row = (work.joules if work is not None else None for work in (fit, row))
    account = Account(
        entry=line.entry,
        n_train=line.n_train,
        fit_seconds=line.fit_seconds,
        fit_work=fit,
        row_seconds=seconds,
        row_work=row,
        fit_joules=line.fit_seconds * prices.watts if of_fit is None else of_fit,
        row_joules=seconds * prices.watts if of_row is None else of_row,
        joules_measured=of_fit is not None,
        trained_parameters=line.trained_parameters,
        stored_bytes=line.stored_bytes,
        peak_bytes=line.peak_bytes,
    )
    return _priced(account, prices) if prices.are_known else account


def _priced(account: Account, prices: Prices) -> Account:
    served = prices.million_tokens > 0 and account.entry.strategy in PROMPTED

    def cost(seconds: float, joules: float, work: Work | None) -> float:
        if served and work is not None:
            return work.prompt_tokens / 1e6 * prices.million_tokens
        return seconds / 3600 * prices.hour + joules / 3.6e6 * prices.kwh

    adapting = cost(account.fit_seconds, account.fit_joules, account.fit_work)
    labels = account.n_train * prices.label if account.entry.fits else 0.0
    row = cost(account.row_seconds, account.row_joules, account.row_work)
    return replace(account, fit_price=adapting + labels, price_per_1000=1000 * row)


def _prompted(lines: Sequence[Line], accounts: Mapping[str, Account]) -> Line | None:
    """The prompted way with the highest accuracy, the simplest on a tie."""
    ways = [x for x in lines if x.entry.strategy in PROMPTED and x.entry.name in accounts]
    return max(ways, key=lambda line: (_value(line), -line.entry.rank), default=None)


def _value(line: Line) -> float:
    return line.accuracy.value if line.accuracy else 0.0


def _with_break_even(account: Account, prompted: Account, prices: Prices) -> Account:
    own = account.entry
    if own.strategy in (*PROMPTED, *BASELINES) or not own.fits:
        return account
    if prices.are_known:
        first = (account.fit_price or 0.0) - (prompted.fit_price or 0.0)
        saved = ((prompted.price_per_1000 or 0.0) - (account.price_per_1000 or 0.0)) / 1000
    else:
        first = account.fit_seconds - prompted.fit_seconds
        saved = prompted.row_seconds - account.row_seconds
    if first <= 0 and saved >= 0:
        return replace(account, break_even=0.0)
    return replace(account, break_even=first / saved if saved > 0 else inf)
