"""A sentence encoder of a few kilobytes, made once a session."""

from __future__ import annotations

import atexit
import json
import tempfile
from functools import cache
from pathlib import Path

from tests.tiny import masked_model, tokenizer_of


@cache
def tiny_encoder() -> str:
    """The folder of a tiny BERT with mean pooling, laid out as sentence-transformers does."""
    kept = tempfile.TemporaryDirectory(prefix="encoder")
    atexit.register(kept.cleanup)
    folder = Path(kept.name)
    tokenizer = tokenizer_of("bert")
    network = masked_model("bert", len(tokenizer)).bert
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    files = {
        "modules.json": [
            {
                "idx": place,
                "name": str(place),
                "path": path,
                "type": f"sentence_transformers.models.{name}",
            }
            for place, (path, name) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": network.config.hidden_size,
            "pooling_mode_mean_tokens": True,
        },
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return str(folder)
