"""What a user asks of a comparison: the options of ``promptkit compare``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from promptkit.runs.compare.ledger import Prices
from promptkit.runs.compare.nouns import Limits, Size
from promptkit.types import Scalar

Positive = Annotated[int, Field(ge=1)]


class CompareSpec(BaseModel):
    """One comparison.

    Args:
        data: A file, a folder, an in-box name or ``hf:owner/name``; or rows in Python: a data
            frame or a list of mappings.
        split: The held-out part of a data set with several; ``test`` where there is one.
        test_data: Held-out rows from another source.
        text_field: The column of text.
        fields: Template field to column, for tasks that read several.
        label_field: The column of gold labels.
        id_field: The column of row ids.
        label_map: A label in the data to a label of the task.
        labels: The labels in use.
        limit: Only the first so many labelled rows.
        template: How prompts are put; by default one is found by the labels.
        strategies: Names of entries, or ``all``; by default those that earn their place.
        models: ``minilm``, folders or hub ids; ``auto`` is the one of the others, or of those in
            the box, whose layers tell the rows best.
        sizes: Numbers of labelled rows; None is all of them.
        seeds: Repeats of the cross-validation, or draws on a fixed test set.
        folds: Folds of the cross-validation.
        budget: Seconds that the comparison may take.
        max_train_minutes: See `Limits`.
        max_latency_ms: See `Limits`.
        max_memory: Bytes; see `Limits`.
        gpu: See `Limits`.
        max_stored: Bytes; see `Limits`.
        max_price: Of 1,000 predictions; see `Limits`. Needs prices.
        prices: What things cost.
        prior: Whether the verdict counts what other data sets showed of the same ways.
        seed: Seed of every random choice.
        device: Where models run.
        dtype: Number format of models.
        fresh: Compute anew what is stored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    data: Any
    split: str | None = None
    test_data: Any = None
    text_field: str | None = None
    fields: dict[str, str] = {}
    label_field: str = "label"
    id_field: str = "id"
    label_map: dict[str, Scalar] = {}
    labels: list[Scalar] | None = None
    limit: Positive | None = None
    template: str | None = None
    strategies: list[str] | None = None
    models: list[str] = ["minilm"]
    sizes: list[Size] = [0, 8, 32, None]
    seeds: Positive = 3
    folds: Annotated[int, Field(ge=2)] = 5
    budget: Annotated[float, Field(gt=0)] | None = None
    max_train_minutes: Annotated[float, Field(gt=0)] | None = None
    max_latency_ms: Annotated[float, Field(gt=0)] | None = None
    max_memory: Positive | None = None
    gpu: bool = True
    max_stored: Positive | None = None
    max_price: Annotated[float, Field(gt=0)] | None = None
    prices: Prices = Prices()
    prior: bool = True
    seed: Annotated[int, Field(ge=0)] = 0
    device: str = "auto"
    dtype: str = "auto"
    fresh: bool = False

    @property
    def limits(self) -> Limits:
        """What the user can afford."""
        return Limits(
            self.max_train_minutes, self.max_latency_ms, self.max_memory, self.gpu,
            self.max_stored, self.max_price,
        )  # fmt: skip
