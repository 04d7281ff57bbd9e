"""What a configuration gets right: on rows that choose (inner), and on rows that do not (outer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.prompts import Template
from promptkit.prompts.repeated import RepeatedTemplate
from promptkit.protocols import CanEncode, Selector
from promptkit.runs.compare.draws import cross_validation
from promptkit.runs.parts import takes_encoder
from promptkit.runs.search.metered import Metered
from promptkit.runs.search.nouns import Configuration
from promptkit.runs.search.space import CROSSED, NONE, calibrator_of
from promptkit.selectors import SELECTORS
from promptkit.strategies.calibrated import Calibration
from promptkit.strategies.in_context import InContext
from promptkit.types import Example, label_key
from promptkit.verbalizers import VERBALIZERS

Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """How a configuration did.

    Args:
        right: (n,) whether each row was answered rightly; unscored rows are not.
        tokens: Prompt tokens of all that it had to ask, whoever asked first.
    """

    right: Right
    tokens: float

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return float(self.right.mean())

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.right)


class Bench:
    """Asks with configurations; a row that is asked about never brings its label along.

    Args:
        templates: By the names of the configurations.
        models: The model as each of them asks it.
        encoder: What embeds for selectors.
        seed: Seed of selectors and folds.
    """

    def __init__(
        self,
        templates: Mapping[str, Template],
        models: Mapping[str, Metered],
        encoder: CanEncode,
        seed: int,
    ) -> None:
        self.templates = {name: RepeatedTemplate.of(one) for name, one in templates.items()}
        self.models = models
        self._unlabelled: dict[str, Example] = {}
        self.encoder, self.seed = encoder, seed

    def inner(
        self, one: Configuration, pool: Sequence[Example], rows: Sequence[Example]
    ) -> Measured:
        """On rows of the pool, as if each were a new one.

        The model is frozen and a selector never shows a row to itself, so that one pass over the
        rows leaves each of them out. A calibration that reads labels learns from the other parts
        of the rows; one that reads none learns from all of them.
        """
        if calibrator_of(one.calibration).needs != "labelled rows":
            return self._measured(one, pool, rows, rows)
        right = np.zeros(len(rows), bool)
        tokens: dict[str, float] = {}
        for draw in cross_validation(rows, CROSSED, 1, self.seed):
            rest, held = ([rows[place] for place in own] for own in (draw.train, draw.held))
            part = self._measured(one, pool, rest, held)
            right[list(draw.held)] = part.right
            tokens |= self.models[one.template].touched
        return Measured(right, sum(tokens.values()))

    def outer(
        self,
        one: Configuration,
        pool: Sequence[Example],
        learned: Sequence[Example],
        held: Sequence[Example],
    ) -> Measured:
        """On rows outside the pool.

        Args:
            one: The configuration.
            pool: Rows that demonstrations come from.
            learned: Rows that a calibration learns from.
            held: Rows to predict; their labels are compared with, and given to nothing.
        """
        return self._measured(one, pool, learned, held)

    def _measured(
        self,
        one: Configuration,
        pool: Sequence[Example],
        learned: Sequence[Example],
        rows: Sequence[Example],
    ) -> Measured:
        model = self.models[one.template]
        model.touched = {}
        asking = InContext(
            self.templates[one.template],
            model,
            self._selector(one),
            VERBALIZERS.build(one.verbalizer.name, one.verbalizer.options),
            one.shots,
            self._calibration(one, learned),
        )
        asking.fit(pool)
        found = asking.predict(self._without_labels(rows))
        right = [
            said.label is not None and label_key(said.label) == label_key(row.label)
            for said, row in zip(found, rows, strict=True)
        ]
        return Measured(np.array(right, bool), sum(model.touched.values()))

    def _without_labels(self, rows: Sequence[Example]) -> list[Example]:
        """The rows to ask about; each is made once, so that its prompts are found again."""
        for row in rows:
            if row.id not in self._unlabelled:
                self._unlabelled[row.id] = Example(row.id, row.fields)
        return [self._unlabelled[row.id] for row in rows]

    def _selector(self, one: Configuration) -> Selector:
        if one.selector is None:
            return SELECTORS.build("none", {})
        options = {**one.selector.options, "seed": self.seed}
        if takes_encoder(one.selector.name):
            options["encoder"] = self.encoder
        return SELECTORS.build(one.selector.name, options)

    def _calibration(self, one: Configuration, learned: Sequence[Example]) -> Calibration | None:
        if one.calibration == NONE:
            return None
        calibrator = calibrator_of(one.calibration)
        if calibrator.needs == "nothing":
            return Calibration(one.calibration.name, calibrator, one.calibration.options)
        # rows that were looked at, and not the whole pool, which would have to be asked about
        if calibrator.needs != "labelled rows":
            learned = self._without_labels(learned)
        return Calibration(
            one.calibration.name, calibrator, one.calibration.options, "search", tuple(learned)
        )
