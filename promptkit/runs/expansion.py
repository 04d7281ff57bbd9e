"""Further words for a template's labels: those that lie nearest to the words that it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts import Template, find_template
from promptkit.prompts.label_words import with_words
from promptkit.prompts.written import labels_text
from promptkit.protocols import CanExpandWords
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.labels import wanted_labels
from promptkit.runs.models import backend_for_spec, load_backend
from promptkit.runs.spec import EvalSpec
from promptkit.types import Example, Scalar, label_key


@dataclass(frozen=True)
class Expanded:
    """What was found.

    Args:
        template: The template with its own words and the further ones.
        added: For each label the further words with their cosine, the nearest first.
    """

    template: Template
    added: tuple[tuple[tuple[str, float], ...], ...]

    @property
    def labels(self) -> tuple[Scalar, ...]:
        """The labels, in the order of ``added``."""
        return self.template.task.labels

    @property
    def block(self) -> str:
        """The ``labels:`` block to be pasted into the template."""
        return labels_text(self.template)


def expand_words(asked: EvalSpec, per_label: int) -> Expanded:
    """Look for words near the labels' own; no row is read.

    Args:
        asked: Its template and model.
        per_label: Further words of each label at most.

    Raises:
        SpecError: No template, or labels that are not declared.
        CapabilityError: A backend without input embeddings, or labels that rows bring.
    """
    if asked.template is None:
        raise SpecError("no template given; say whose labels with --template NAME")
    template = find_template(asked.template)
    if asked.labels:
        template = template.with_labels(wanted_labels(asked.labels, template.declared))
    need_single_labels(template, "--expand")
    if template.choosing or template.writing or not template.task.labels:
        raise CapabilityError(
            f"template {template.name!r} declares no labels, so that there are no words to go on "
            "from; name them with --labels, or write them into the template"
        )
    name, options, _ = backend_for_spec(asked, template)
    backend = load_backend(name, options)
    if not isinstance(backend, CanExpandWords):
        raise CapabilityError(
            f"backend {name!r} has no words of a vocabulary; give a causal or a masked language "
            "model with --model"
        )
    row = Example("none", dict.fromkeys(template.task.fields, ""))
    words = template.words(row)
    found = backend.word_neighbours(template.prompt(row), template.candidates(row, "text"))
    labels = template.task.labels
    keys = [label_key(label) for label in labels]
    owners = np.array([keys.index(label_key(label)) for _, label in words])
    nearest = chosen(found.words, found.cosines, owners, {w.strip().lower() for w, _ in words})
    added = tuple(tuple(own[:per_label]) for own in nearest)
    told = [
        (label, [word for word, own in words if label_key(own) == key] + [word for word, _ in more])
        for label, key, more in zip(labels, keys, added, strict=True)
    ]
    return Expanded(with_words(template, told), added)


def chosen(
    words: tuple[str, ...],
    cosines: NDArray[np.float64],
    owners: NDArray[np.int64],
    known: set[str],
) -> list[list[tuple[str, float]]]:
    """For each label the words that lie nearer to it than to any other label, the nearest first.

    A word counts once whatever its capitals, and those that labels have already do not count.

    Args:
        words: Of the vocabulary.
        cosines: (w, v) of each label word and each of them.
        owners: (w,) place of each label word's label.
        known: Label words in small letters.
    """
    k = int(owners.max()) + 1
    near = np.stack([cosines[owners == label].max(axis=0) for label in range(k)])
    found: list[list[tuple[str, float]]] = [[] for _ in range(k)]
    seen = set(known)
    for place in np.argsort(-near.max(axis=0), kind="stable"):
        word, label = words[place], int(near[:, place].argmax())
        if word.lower() not in seen:
            seen.add(word.lower())
            found[label].append((word, float(near[label, place])))
    return found
