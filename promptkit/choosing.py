"""``promptkit.choose``: rows as scikit-learn has them in, the model and the layer to use out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from promptkit.errors import SpecError
from promptkit.estimators.labels import classes_of, golds_of, plain_label
from promptkit.estimators.rows import examples_of_records, reading_of, records_of
from promptkit.report.chosen import Chosen
from promptkit.runs.choose import Candidates, choose_among


def choose(
    X: Any,
    y: Any,
    models: Sequence[str] | str = ("minilm", "pocket"),
    *,
    layers: Sequence[int] | None = None,
    fields: str | Sequence[str] | None = None,
    template: Any = None,
    reference: str | None = None,
    verify: bool = False,
    limit: int | None = None,
    seed: int = 0,
    batch_size: Any = "auto",
    device: str = "auto",
    dtype: str = "auto",
    cache: bool = True,
) -> Chosen:
    """Rank pre-trained models and their layers for labelled rows, before anything is trained.

    Each model reads the rows once; what ranks is the accuracy of a linear probe that leaves each
    row out of its own fit; a smaller model within half a point of the best is preferred to it.

    Args:
        X: Texts, a data frame or mappings, as for `promptkit.FeatureClassifier`.
        y: (n,) labels.
        models: ``minilm``, ``pocket``, folders or hub ids.
        layers: Which layers, from 0 (the embedding) or from -1 (the last); None for all.
        fields: Names of the fields to read; by default ``text`` or the only column.
        template: Renders each row instead: an in-box name, a path, or a `promptkit.Template`.
        reference: A file of texts that the rows are compared with.
        verify: Whether probes are trained, to see how well the scores foretold them.
        limit: Rows that are read at most, drawn; None is 1,000.
        seed: Which, and which row is held out when.
        batch_size: Texts of a batch, or ``auto``.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: Number format of the models.
        cache: Whether hidden states are kept on disk, below PROMPTKIT_HOME.

    Raises:
        DataError: Rows or labels that cannot be used.
        SpecError: No models, or a layer that one of them does not have.
        BackendError: None of the models can be read.

    Example:
        >>> chosen = choose(texts, labels, ["minilm", "./bge-small"])  # doctest: +SKIP
        >>> FeatureClassifier(chosen.model, layers=chosen.layer)  # doctest: +SKIP
    """
    golds = golds_of(y)
    labels = [plain_label(label) for label in classes_of(golds, "y")]
    reading = reading_of(X, fields, template, labels)
    records = records_of(X, reading.fields)
    if len(golds) != len(records):
        raise SpecError(f"X has {len(records)} rows and y has {len(golds)}; they must be as many")
    rows = [
        replace(row, label=plain_label(gold))
        for row, gold in zip(examples_of_records(records, reading.fields), golds, strict=True)
    ]
    candidates = Candidates(
        (models,) if isinstance(models, str) else tuple(models),
        layers=None if layers is None else tuple(layers),
        reference=reference,
        verified=verify,
        limit=limit,
        seed=seed,
        cache=cache,
        batch_size=batch_size,
        device=device,
        dtype=dtype,
    )
    return Chosen(choose_among(rows, labels, reading, candidates, origin="X"))
