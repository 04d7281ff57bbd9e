"""Which output of a sequence classifier means entailment, told from its configuration alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.backends.weights import Located
from promptkit.errors import CapabilityError

#: How the names of outputs begin; letters may be large or small.
ENTAILMENT = ("entail",)
CONTRADICTION = ("contra", "not_entail", "not-entail", "not entail", "non_entail", "non-entail")
#: Labels of a classifier that a message shows at most.
SHOWN = 6


def entailment_of(located: Located, label: str | int | None = None) -> int:
    """The place of the output that says how surely a premise entails a hypothesis.

    Args:
        located: A sequence classifier.
        label: Its name or place, where the user gives it; otherwise it is the one whose name
            begins with "entail", as in the zero-shot pipeline of transformers.

    Raises:
        CapabilityError: None is named so, or several are; says which labels there are.
    """
    names = _names_of(located.config())
    if label is not None:
        return _given(located, names, "entailment_label", label)
    found = _beginning(names, ENTAILMENT)
    if len(found) == 1:
        return found[0]
    what = ", ".join(located.config().get("architectures") or ["no architecture in config.json"])
    if found:
        raise CapabilityError(
            f"model {located.name!r} ({what}) has several outputs named entailment: "
            f"{_shown(names)}; say which one with --backend-option entailment_label=NAME"
        )
    raise CapabilityError(
        f"model {located.name!r} ({what}) is a classifier of its own labels ({_shown(names)}), "
        "none of which is named entailment: it cannot judge statements about other labels; learn "
        "from its features with --strategy features, or, if one of its outputs means entailment, "
        "say which with --backend-option entailment_label=NAME"
    )


def contradiction_of(located: Located, entailment: int, label: str | int | None = None) -> int:
    """The place of the output that speaks against entailment; of two outputs it is the other one.

    Args:
        located: A sequence classifier.
        entailment: The place of its entailment.
        label: The name or place of its contradiction, where the user gives it.

    Raises:
        CapabilityError: None is named so, or it is the entailment itself.
    """
    names = _names_of(located.config())
    if label is not None:
        given = _given(located, names, "contradiction_label", label)
        if given == entailment:
            raise CapabilityError(
                f"option contradiction_label={label!r} is the output that means entailment; "
                f"model {located.name!r} has {_shown(names)}"
            )
        return given
    found = [place for place in names if place != entailment]
    if len(found) > 1:
        found = _beginning({place: names[place] for place in found}, CONTRADICTION)
    if len(found) == 1:
        return found[0]
    raise CapabilityError(
        f"model {located.name!r} has the labels {_shown(names)}: which one means contradiction is "
        "not to be told from that; say which with --backend-option contradiction_label=NAME, or "
        "use contrast=labels"
    )


def _names_of(config: Mapping[str, Any]) -> dict[int, set[str]]:
    """Place to names of the outputs: ``id2label`` and ``label2id`` should agree, and may not."""
    names: dict[int, set[str]] = {}
    for place, name in (config.get("id2label") or {}).items():
        names.setdefault(int(place), set()).add(str(name))
    for name, place in (config.get("label2id") or {}).items():
        names.setdefault(int(place), set()).add(str(name))
    if names:
        return dict(sorted(names.items()))
    # a configuration leaves out what transformers takes by default: two outputs of these names
    return {place: {f"LABEL_{place}"} for place in range(int(config.get("num_labels") or 2))}


def _beginning(names: Mapping[int, set[str]], how: Sequence[str]) -> list[int]:
    begins = tuple(how)
    return [p for p, own in names.items() if any(n.lower().startswith(begins) for n in own)]


def _given(located: Located, names: Mapping[int, set[str]], option: str, label: str | int) -> int:
    if isinstance(label, int) and not isinstance(label, bool) and label in names:
        return label
    wanted = str(label).lower()
    found = [place for place, own in names.items() if wanted in {name.lower() for name in own}]
    if len(found) == 1:
        return found[0]
    raise CapabilityError(
        f"option {option}={label!r}: model {located.name!r} has no such output; it has "
        f"{_shown(names)} (give a name, or its number from 0)"
    )


def _shown(names: Mapping[int, set[str]]) -> str:
    said = [" or ".join(repr(name) for name in sorted(own)) for own in names.values()]
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return ", ".join(said[:SHOWN]) + more
