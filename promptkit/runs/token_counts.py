"""How many tokens a model makes of texts, and how many it reads; no weights are loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from promptkit.errors import SpecError
from promptkit.runs.manifest import is_saved, read_manifest

Counter = Callable[[Sequence[str]], list[int]]


def token_counter(model: str) -> tuple[str, Counter, int | None]:
    """What a model is called, a counter of tokens, and the most it reads.

    The counter counts what the model puts around a text too (``[CLS]``, BOS); the limit is None
    where the model's files state none.

    Args:
        model: ``minilm``, ``pocket``, a folder, a hub id, or what ``promptkit tune`` saved, which
            reads as the model that it stands on does.

    Raises:
        BackendError: No such model, or one without a tokenizer.
        SpecError: A saved model that stands on none, as one of word counts does.
        StoreError: A saved model that cannot be read.
    """
    from promptkit.backends.transformer import load_tokens, transformer_folder
    from promptkit.backends.weights import locate

    if is_saved(model):
        model = _under(Path(model).expanduser())
    located = locate(model)
    folder = transformer_folder(located)
    tokenizer = load_tokens(folder).tokenizer
    own = tokenizer.backend_tokenizer
    own.no_truncation()
    own.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        return [len(found.ids) for found in own.encode_batch(list(texts))]

    said = [folder.max_tokens, tokenizer.model_max_length, *_positions(located.config())]
    limits = [n for n in said if isinstance(n, int) and 0 < n < 10**7]
    return located.shown, count, min(limits) if limits else None


def _under(folder: Path) -> str:
    """The model that a saved one stands on."""
    base = read_manifest(folder, files=False)["model"]
    if base is None:
        raise SpecError(f"--model {folder}: stands on no model and counts no tokens; name another")
    return str(folder / base["path"]) if base["path"] else str(base["name"])


def _positions(config: dict[str, Any]) -> list[Any]:
    found = config.get("max_position_embeddings") or config.get("n_positions")
    if not isinstance(found, int):
        return []
    # RoBERTa's first position stands after that of padding: of 514 it reads 512
    behind = config.get("model_type") in ("roberta", "xlm-roberta", "camembert")
    return [found - 2 if behind else found]
