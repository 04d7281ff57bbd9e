"""The rows of a search, the templates that fit them, and the model as each template asks it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.backends.weights import MINILM
from promptkit.data import sample
from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.prompts import Template, find_template
from promptkit.protocols import Backend, CanEncode
from promptkit.runs.models import (
    backend_for_spec,
    described_backend,
    has_encoder,
    load_backend,
)
from promptkit.runs.rows import rows_to_learn
from promptkit.runs.search.kept import Kept
from promptkit.runs.search.metered import Ledger, Metered, Remembered
from promptkit.runs.search.space import (
    LEAST_ROWS,
    check_template,
    saying_the_same,
    serves_with,
    templates_for,
)
from promptkit.runs.search.spec import ALL, SearchSpec
from promptkit.types import Example, label_key

#: Rows that are used at most: a choice among prompts learns little from more, and they cost.
MOST_ROWS = 500
#: What an encoder's template says of how it is asked; the model is one and the same.
_OF_TEMPLATE = ("temperature", "shot_weight")


@dataclass(frozen=True)
class Rows:
    """Checked rows, and the templates for them.

    Args:
        examples: Labelled rows, in an order that is balanced over labels at every length.
        names: The templates as they were given.
        templates: They, over the labels of the rows.
        reads: What the model reads.
        origin: Where the rows came from.
        hash: Names their content and labels.
        notes: Facts that a reader must know.
    """

    examples: tuple[Example, ...]
    names: tuple[str, ...]
    templates: tuple[Template, ...]
    reads: str
    origin: str
    hash: str
    notes: tuple[str, ...] = ()


def rows_of(asked: SearchSpec) -> Rows:
    """Load and check, without a model.

    Raises:
        DataError: Rows that cannot be used, or too few.
        SpecError: Templates that do not go together, or none that fits.
    """
    names, usual = list(dict.fromkeys(asked.templates or [ALL])), False
    if names == [ALL]:
        usual, names = True, _fitting(asked)
    first, rows, _, notes = rows_to_learn(asked.as_eval(template=names[0]))
    if first.task.kind != "classify":
        raise CapabilityError(
            f"template {first.name!r} is of kind {first.task.kind!r}, and a search needs labels "
            "that all rows share"
        )
    templates = [first]
    templates += [check_template(find_template(n), n, first.task) for n in names[1:]]
    reads = _reads(asked, templates[0])
    if usual:
        doubles = saying_the_same(templates, reads)
        names = [name for place, name in enumerate(names) if place not in doubles]
        templates = [one for place, one in enumerate(templates) if place not in doubles]
    examples = _labelled(rows.examples, rows.origin)
    if len(examples) > MOST_ROWS:
        notes.append(
            f"{MOST_ROWS} of the {len(examples):,} rows are used, drawn evenly over the labels"
        )
    if asked.limit is not None or len(examples) > MOST_ROWS:
        notes.append(
            "the command below takes demonstrations and calibration from all rows of --data, and "
            "the search from those that it used; give it a file of these to have the same prompts"
        )
    drawn = sample(examples, min(len(examples), MOST_ROWS), asked.seed)
    content = json.dumps([rows.content_hash(), [label_key(x) for x in first.task.labels]])
    return Rows(
        tuple(drawn),
        tuple(names),
        tuple(templates),
        reads,
        rows.origin,
        hashlib.sha256(content.encode()).hexdigest()[:16],
        tuple(notes),
    )


def models_for(
    asked: SearchSpec, rows: Rows, kept: Kept, ledger: Ledger, on_tokens: Callable[[], None]
) -> tuple[dict[str, Metered], CanEncode]:
    """The model as each template asks it, loaded once, and what embeds for selectors."""
    metered = {}
    encoder: CanEncode | None = None
    for name, template in zip(rows.names, rows.templates, strict=True):
        one = asked.as_eval(template=name)
        backend, options, located = backend_for_spec(one, template)
        described = described_backend(one, backend, options, located)
        identity = json.dumps([described, template.hash()], sort_keys=True, default=str)
        loaded: Any = _loaded(backend, options)
        metered[name] = Metered(loaded, identity, kept, ledger, on_tokens)
        encoder = encoder or (loaded if has_encoder(backend) else None)
    return metered, Remembered(encoder or _Later())


def _loaded(backend: str, options: dict[str, Any]) -> Backend:
    if backend != "embedding":
        return load_backend(backend, options)
    plain = {key: value for key, value in options.items() if key not in _OF_TEMPLATE}
    loaded: Any = load_backend(backend, plain)
    return loaded.reading(  # type: ignore[no-any-return]
        options.get("temperature", loaded.temperature),
        options.get("shot_weight", loaded.shot_weight),
    )


class _Later:
    """The in-box encoder, loaded when a selector first needs it."""

    def encode(self, texts: Sequence[str]) -> Any:
        """See `promptkit.protocols.CanEncode.encode`."""
        loaded: Any = load_backend("embedding", {"model": MINILM})
        return loaded.encode(texts)


def _fitting(asked: SearchSpec) -> list[str]:
    plain, rows, _, _ = rows_to_learn(asked.as_eval())
    found = templates_for(plain.task.fields, plain.task.labels, serves_with(asked))
    if not found:
        raise SpecError(
            f"no in-box template fits the labels of {rows.origin}; give yours with --templates "
            "FILE.yaml ('promptkit init' writes a first one)"
        )
    return found


def _reads(asked: SearchSpec, template: Template) -> str:
    backend, _, _ = backend_for_spec(asked.as_eval(template=template.name), template)
    served: Any = BACKENDS.load(backend)
    return str(getattr(served, "reads", "text"))


def _labelled(examples: Sequence[Example], origin: str) -> list[Example]:
    for row in examples:
        if row.label is None or isinstance(row.label, tuple):
            raise DataError(
                f"{origin}: row {row.id!r} has {'no' if row.label is None else 'several'} "
                "label(s); a search needs exactly one a row"
            )
    if len(examples) < LEAST_ROWS:
        raise DataError(
            f"{origin}: {len(examples)} labelled rows are too few to choose anything by; give at "
            f"least {LEAST_ROWS}"
        )
    if len({label_key(row.label) for row in examples}) < 2:
        raise DataError(f"{origin}: all rows have one label; there is nothing to tell apart")
    return list(examples)
