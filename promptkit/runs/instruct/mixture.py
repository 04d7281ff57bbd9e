"""Many tasks, each put in many ways, drawn into one list of inputs and answers.

How much of each: rates in proportion to the number of rows, of which at most ``cap`` count (Raffel
et al. 2020), to the power of ``1 / temperature``: 1 keeps the proportions, more evens them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from promptkit.chance import ranker
from promptkit.data import apply_labels, load
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.prompts.task_file import VariedTask, read_task
from promptkit.prompts.yamlfile import read_yaml, validate
from promptkit.runs.columns import train_split
from promptkit.runs.kinds import need_single_labels
from promptkit.selectors.random import RandomSelector
from promptkit.strategies.answers import Answered
from promptkit.types import Example


class MixtureKeys(BaseModel):
    """The keys of a mixture file.

    Args:
        name: Its name.
        description: One line.
        tasks: Task files, or patterns such as ``tasks/*/task.yaml``, beside the mixture file.
        cap: Rows of a task that count at most.
        temperature: 1 mixes in proportion to the rows, more evens that out.
        ways: How many of each task's ways are used, the first ones; None for all. A small model
            learns few ways well, and many not at all.
        passes: How often each row is drawn in the mean.
        demonstrations: Numbers of demonstrations, and the share of the inputs that show as many.
        chat: Share of the inputs that go through the model's chat template.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    description: str = ""
    tasks: Annotated[list[str], Field(min_length=1)]
    cap: Annotated[int, Field(ge=1)] = 3000
    temperature: Annotated[float, Field(ge=1, strict=False)] = 1.0
    ways: Annotated[int, Field(ge=1)] | None = None
    passes: Annotated[int, Field(ge=1)] = 1
    demonstrations: dict[int, Annotated[float, Field(ge=0, strict=False)]] = {0: 1.0}
    chat: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0


@dataclass(frozen=True)
class MixedTask:
    """A task and its rows."""

    task: VariedTask
    rows: tuple[Example, ...]


@dataclass(frozen=True)
class Drawn:
    """One input of the mixture.

    Args:
        task: Name of the task.
        template: The way in which it is put.
        row: The row.
        shots: Demonstrations, other rows of the task.
        chat: Whether it goes through the chat template.
    """

    task: str
    template: Template
    row: Example
    shots: tuple[Example, ...]
    chat: bool

    def answered(
        self, make: Callable[[Template, Example, Sequence[Example]], Answered]
    ) -> Answered:
        """The prompt and its answer, as ``make`` puts them."""
        found = make(self.template, self.row, self.shots)
        return replace(found, prompt=replace(found.prompt, chat=True)) if self.chat else found


@dataclass(frozen=True)
class Mixture:
    """Tasks with their rows, and how they are mixed."""

    keys: MixtureKeys
    tasks: tuple[MixedTask, ...]

    def sizes(self) -> dict[str, int]:
        """How many inputs each task gives; as many in all as passes over the capped rows."""
        counted = [min(len(one.rows), self.keys.cap) for one in self.tasks]
        rates = [count ** (1 / self.keys.temperature) for count in counted]
        total = self.keys.passes * sum(counted)
        exact = [total * rate / sum(rates) for rate in rates]
        found = [int(one) for one in exact]
        # the largest remainders first, so that nothing is lost
        order = sorted(range(len(exact)), key=lambda place: found[place] - exact[place])
        for place in order[: total - sum(found)]:
            found[place] += 1
        return {one.task.name: n for one, n in zip(self.tasks, found, strict=True)}

    def draw(self, seed: int = 0) -> list[Drawn]:
        """All inputs, task after task; each draw hangs on the seed and the row's id alone."""
        sizes = self.sizes()
        return [one for task in self.tasks for one in self._of(task, sizes[task.task.name], seed)]

    def _of(self, mixed: MixedTask, n: int, seed: int) -> Iterator[Drawn]:
        name, templates = mixed.task.name, mixed.task.templates
        rank = ranker(seed, f"{name} rows")
        rows = sorted(mixed.rows, key=lambda row: rank(row.id))[: self.keys.cap]
        for turn in range(-(-n // len(rows))):
            selector = RandomSelector(seed + turn).fit(mixed.rows)
            for row in rows[: n - turn * len(rows)]:
                chance = _chances(ranker(seed, f"{name} turn {turn} row {row.id}"))
                # each turn another way, from one that the row's id chooses
                first = int(_chances(ranker(seed, f"{name} way"))(row.id) * len(templates))
                template = templates[(first + turn) % len(templates)]
                k = self._shots(chance("shots"))
                shots = tuple(selector.select(row, k)) if k else ()
                yield Drawn(name, template, row, shots, chance("chat") < self.keys.chat)

    def _shots(self, chance: float) -> int:
        shares = self.keys.demonstrations
        total, passed = sum(shares.values()), 0.0
        for k, share in sorted(shares.items()):
            passed += share / total
            if chance < passed:
                return k
        return max(shares)


def read_mixture(path: str | Path, without: Sequence[str] = ()) -> Mixture:
    """Read a mixture file, its tasks and all their rows.

    Args:
        path: The file.
        without: Tasks that are left out, so that a model can be tried on them.

    Raises:
        SpecError: A broken file, no such task, or one name twice.
        DataError: Rows that cannot be read.
    """
    file = read_yaml(Path(path).expanduser())
    keys = validate(MixtureKeys, file)
    if any(k < 0 for k in keys.demonstrations) or not sum(keys.demonstrations.values()) > 0:
        raise SpecError(f"{file.at('demonstrations')}: numbers from 0 on, and shares above 0")
    found: dict[str, VariedTask] = {}
    for place, pattern in enumerate(keys.tasks):
        files = sorted(Path(file.path).parent.glob(pattern))
        if not files:
            raise SpecError(f"{file.at('tasks', place)}: no file {pattern!r} beside the mixture")
        for one in files:
            task = read_task(one)
            task = replace(task, templates=task.templates[: keys.ways])
            if task.name in found:
                raise SpecError(f"{one}: there is a task {task.name!r} already")
            found[task.name] = task
    for name in without:
        if name not in found:
            raise SpecError(f"--without {name}: the mixture has no such task; "
                            f"{nearest(name, found)}")  # fmt: skip
    kept = [task for name, task in found.items() if name not in without]
    if not kept:
        raise SpecError("--without leaves no task in the mixture")
    return Mixture(keys, tuple(MixedTask(task, _rows(task)) for task in kept))


def _rows(task: VariedTask) -> tuple[Example, ...]:
    template = task.templates[0]
    need_single_labels(template, f"a mixture, and task {task.name!r} in it,")
    loaded = load(task.data, split=train_split(task.data), fields=template.task.fields)
    if template.task.labels:
        loaded = apply_labels(loaded, template.declared, {})[0]
    if not len(loaded):
        raise DataError(f"{task.data}: task {task.name!r} has no row")
    for one in task.templates:
        one.prompt(loaded.examples[0], loaded.examples[:1])  # what a way cannot render is said now
    return tuple(loaded.examples)


def _chances(rank: Callable[[str], bytes]) -> Callable[[str], float]:
    """Numbers from 0 to below 1 by name."""
    return lambda name: int.from_bytes(rank(name)[:6], "big") / 2**48


def facts_of(mixture: Mixture) -> Mapping[str, Any]:
    """What of a mixture enters a card."""
    return {"name": mixture.keys.name, "tasks": mixture.sizes()}
