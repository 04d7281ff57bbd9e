"""Which backend suits a model, told from its folder without loading it."""

from __future__ import annotations

from promptkit.backends import BACKENDS
from promptkit.backends.nli_outputs import entailment_of
from promptkit.backends.weights import Located
from promptkit.errors import CapabilityError

BY_KIND = {
    "sentence-encoder": "embedding",
    "causal": "hf",
    "seq2seq": "hf",
    "masked": "hf",
    "classifier": "nli",
}


def backend_for(
    located: Located, has_cloze: bool = False, entailment_label: str | int | None = None
) -> str:
    """The backend that serves a model of this kind.

    Args:
        located: The model.
        has_cloze: Whether the template has a cloze, which masked language models need.
        entailment_label: What the user says of a classifier: which output means entailment.

    Raises:
        CapabilityError: None does; names the backends and what each takes.
    """
    kind = located.kind()
    if kind == "masked" and not has_cloze:
        raise CapabilityError(
            f"model {located.name!r} is a masked language model, and the template has no cloze for "
            "it; use --template sentiment_cloze, or add a key such as "
            'cloze: "{{ text }} It was {{ mask }}."'
        )
    if kind == "classifier":
        entailment_of(located, entailment_label)  # one of other labels is told what it is
    if kind in BY_KIND:
        return BY_KIND[kind]
    what = ", ".join(located.config().get("architectures") or ["no architecture in config.json"])
    raise CapabilityError(
        f"model {located.name!r} ({what}) suits none of the backends {', '.join(BACKENDS)}: "
        "'hf' takes a causal, sequence-to-sequence or masked language model, 'embedding' a "
        "sentence-transformers folder, 'nli' a sequence classifier with an entailment label; "
        "choose one with --backend"
    )
