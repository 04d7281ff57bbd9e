"""What a classifier says of texts in terms of the classes that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.backends.encoding import fitted_ids, padded
from promptkit.backends.hf import load_tokenizer, max_tokens_of
from promptkit.backends.hf_loading import Loading, load_weights
from promptkit.backends.plan import batches
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype, quieten
from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError
from promptkit.types import Text

BATCH_TOKENS = 4096


@torch.inference_mode()
def own_classes(
    model: str, texts: Sequence[Text], device: str = "auto", dtype: str = "auto"
) -> NDArray[np.float64]:
    """(n, z) probabilities of a classifier's own classes; independent ones are brought to 1.

    Args:
        model: A folder or a hub id of a classifier of texts.
        texts: Pieces that know which of them came out of a row.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``.

    Raises:
        CapabilityError: A model without classes of its own.
        BackendError: No such model, or no weights in it.
    """
    from transformers import AutoModelForSequenceClassification

    located = locate(model)
    if located.kind() != "classifier":
        raise CapabilityError(f"{model!r} is of kind {located.kind()!r}, which has no classes")
    quieten()
    where = choose_device(device)
    tokens = Tokens(load_tokenizer(located.path))
    network = load_weights(
        AutoModelForSequenceClassification, located.path, Loading(), choose_dtype(dtype, where),
        where,
    )  # fmt: skip
    if network.config.num_labels < 2:
        raise CapabilityError(f"{model!r} gives one number a text, and no classes")
    ids, _ = fitted_ids(tokens, texts, max_tokens_of(network, tokens.tokenizer))
    apart = network.config.problem_type == "multi_label_classification"
    found = np.empty((len(texts), network.config.num_labels))
    for batch in batches([len(one) for one in ids], tokens=BATCH_TOKENS):
        features = padded(tokens, [ids[place] for place in batch], where)
        if not getattr(network.config, "type_vocab_size", 0):
            features.pop("token_type_ids", None)
        logits = network(**features).logits.double()
        share = logits.sigmoid() if apart else logits.softmax(-1)
        found[batch] = (share / share.sum(-1, keepdim=True)).cpu().numpy()
    return found
