"""Any language model of transformers, from a folder or a hub id: causal, seq2seq or masked.

This file is the door: it finds the model and loads it. What is asked of a model of each kind, and
how, stands in a file of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
)
from transformers.activations import FastGELUActivation, NewGELUActivation

from promptkit.backends.adapter import SOFT, adapter_folder, kind_of, with_adapter
from promptkit.backends.asking import Asking, Scorer
from promptkit.backends.beginnings import Beginning, beginnings, evidence_for
from promptkit.backends.first_tokens import (
    CandidateTokens,
    check_candidate_tokens,
    refuse_writing,
)
from promptkit.backends.hf_causal import CausalScorer
from promptkit.backends.hf_loading import Loading, load_weights
from promptkit.backends.hf_masked import MaskedScorer
from promptkit.backends.hf_passes import Passes
from promptkit.backends.hf_seq2seq import Seq2SeqScorer, encoder_ids
from promptkit.backends.hf_writing import Asked, Writer
from promptkit.backends.lm_eval_pairs import Encoding, LmEvalPairs, check_encoding
from promptkit.backends.memory import token_bytes
from promptkit.backends.meter import Meter
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype, quieten
from promptkit.backends.weights import Located, locate
from promptkit.backends.word_neighbours import word_neighbours
from promptkit.backends.word_sums import word_sums
from promptkit.errors import BackendError, CapabilityError
from promptkit.protocols import OnEvidence, WordNeighbours, WordSums, unheard
from promptkit.types import Candidate, Cost, Evidence, Prompt, Sampling, flat

#: How many times as many tokens a batch has that is written: a step reads all weights for each.
WRITTEN = 8

#: How a model of each kind is loaded, and who scores with it.
KINDS: dict[str, tuple[Any, Any]] = {
    "causal": (AutoModelForCausalLM, CausalScorer),
    "seq2seq": (AutoModelForSeq2SeqLM, Seq2SeqScorer),
    "masked": (AutoModelForMaskedLM, MaskedScorer),
}


def causal_loader(located: Located) -> Any:
    """What loads a causal language model, of those that read pictures as well too."""
    return AutoModelForImageTextToText if located.reads_pictures() else AutoModelForCausalLM


class HFBackend:
    """Scores label words with a language model.

    Args:
        model: A folder or a hub id.
        batch_size: Sequences of a batch, or ``auto`` for a budget of tokens.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``.
        chat_template_kwargs: Arguments of the model's chat template, such as ``enable_thinking``.
        adapter: Folder of a LoRA adapter that peft saved, whose products are added to the weights;
            or of a soft prompt, which then stands before every prompt.
        device_map: ``auto`` spreads the weights over all devices; None is one device.
        attention: Which attention passes compute with that share nothing.
        quantization: What weights are rounded to as they are loaded: ``4bit``, ``8bit``, ``int8``.
        candidate_tokens: ``all`` scores a label's whole string, ``first`` its first token alone.
        encoding: ``joint``, or ``lm_eval``: see `promptkit.backends.lm_eval_pairs`.

    Raises:
        BackendError: The folder has no usable weights, or the adapter changes nothing.
        CapabilityError: The model is no language model, or cannot be loaded so.
        MissingExtra: The package that quantizes is absent.
    """

    name = "hf"
    reads: Literal["text", "statements"] = "text"

    def __init__(
        self,
        model: str,
        batch_size: int | Literal["auto"] = "auto",
        device: str = "auto",
        dtype: str = "auto",
        chat_template_kwargs: Mapping[str, Any] | None = None,
        adapter: str | None = None,
        device_map: str | None = None,
        attention: str | None = None,
        quantization: str | None = None,
        candidate_tokens: CandidateTokens = "all",
        encoding: Encoding = "joint",
    ) -> None:
        check_candidate_tokens(candidate_tokens)
        self.model, self.batch_size, self.device, self.dtype = model, batch_size, device, dtype
        self.chat_template_kwargs = chat_template_kwargs
        loading = Loading(device_map, attention, quantization)
        located = locate(model)
        kind = located.kind()
        if kind not in KINDS:
            raise CapabilityError(
                f"backend 'hf' scores language models; {model!r} is of kind {kind!r}"
                + _instead(kind)
            )
        if kind == "masked" and candidate_tokens == "first":
            raise CapabilityError(
                f"{model!r} is a masked language model, which fills a gap of as many tokens as a "
                "word has; leave out candidate_tokens=first"
            )
        check_encoding(encoding, kind, candidate_tokens)
        quieten()
        self.tokens = Tokens(load_tokenizer(located.path), chat_template_kwargs)
        loader, scorer = KINDS[kind]
        if kind == "causal":
            loader = causal_loader(located)
        self._device = choose_device(device)
        self._meter = Meter()
        chosen = choose_dtype(dtype, self._device)
        loaded = load_weights(loader, located.path, loading, chosen, self._device)
        if adapter is not None:
            if kind != "causal" and kind_of(adapter_folder(adapter)) == SOFT:
                raise CapabilityError(
                    f"adapter {adapter}: is a soft prompt, which causal language models read; "
                    f"{model!r} is of kind {kind!r}"
                )
            loaded = with_adapter(loaded, adapter, self.tokens)
        self._device = loaded.device
        self._model = with_fused_gelu(with_exact_attention(loaded))
        self.max_tokens = max_tokens_of(self._model, self.tokens.tokenizer)
        passes = Passes(self._device, batch_size, self._meter, token_bytes(self._model))
        self._scorer: Scorer = scorer(self._model, self.tokens, passes)
        self.candidate_tokens, asked = candidate_tokens, self._scorer
        if encoding == "lm_eval":
            asked = LmEvalPairs(self._scorer, self.tokens, self.max_tokens)
        self._asking = Asking(asked, self.max_tokens, self._meter, candidate_tokens)
        self._kind = kind
        writing = Passes(
            self._device, batch_size, self._meter, token_bytes(self._model), scale=WRITTEN
        )
        self._writer = None if kind == "masked" else Writer(self._model, self.tokens, writing)

    @property
    def cost(self) -> Cost:
        """What has been computed so far."""
        return self._meter.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`."""
        return self._asking.score(prompts, candidates)

    def token_ids(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[tuple[Any, ...]]:
        """See `promptkit.protocols.TellsTokens`."""
        return self._asking.token_ids(prompts, candidates)

    def word_sums(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[Sequence[Candidate]],
        groups: Sequence[int],
        n_groups: int,
    ) -> WordSums:
        """See `promptkit.protocols.CanPredictWords`.

        Raises:
            CapabilityError: A sequence-to-sequence model.
        """
        if not isinstance(self._scorer, CausalScorer | MaskedScorer):
            raise CapabilityError(
                f"words are found by causal and by masked language models; {self.model!r} is of "
                f"kind {self._kind!r}"
            )
        with self._meter.timed():
            asked = self._asking.asked(prompts, candidates)
            fit = [(a.request, g) for a, g in zip(asked, groups, strict=True) if a.request]
            requests, own = [request for request, _ in fit], [group for _, group in fit]
            found = word_sums(self._scorer, requests, own, n_groups)
        self._meter.add(rows=len(prompts), prompt_tokens=sum(len(r.context) for r in requests))
        return found

    def word_neighbours(self, prompt: Prompt, candidates: Sequence[Candidate]) -> WordNeighbours:
        """See `promptkit.protocols.CanExpandWords`.

        Raises:
            CapabilityError: A sequence-to-sequence model.
        """
        if not isinstance(self._scorer, CausalScorer | MaskedScorer):
            raise CapabilityError(
                f"words are found by causal and by masked language models; {self.model!r} is of "
                f"kind {self._kind!r}"
            )
        request = self._scorer.requests([self._scorer.seen(prompt)], [candidates])[0]
        return word_neighbours(self._model, self.tokens, request.answers)

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None = None,
        on_evidence: OnEvidence = unheard,
    ) -> list[Evidence]:
        """See `promptkit.protocols.CanGenerate`.

        Raises:
            CapabilityError: A masked language model, which fills gaps and does not write.
            SpecError: It was built to score first tokens.
        """
        if self._writer is None:
            raise CapabilityError(
                f"{self.model!r} is a masked language model, which does not write; use a causal or "
                "a sequence-to-sequence model, or leave out --strategy generate"
            )
        refuse_writing(self.candidate_tokens)
        with self._meter.timed():
            found = self._generated(self._writer, prompts, sampling, choices)
        for place, one in enumerate(found):
            on_evidence(place, one)
        self._meter.add(rows=len(prompts))
        return found

    def _generated(
        self,
        writer: Writer,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None,
    ) -> list[Evidence]:
        rows = self._beginnings(prompts, sampling, choices)
        asked = [
            Asked(one.ids, sampling.seed_of(one.prompt.example_id, n), one.answers, one.choices)
            for one in rows
            for n in range(sampling.samples if not one.problem else 0)
        ]
        self._meter.add(prompt_tokens=sum(len(one.ids) for one in rows))
        written = iter(writer.write(asked, sampling))
        return [
            evidence_for(
                one,
                [next(written) for _ in range(sampling.samples if not one.problem else 0)],
                constrained=choices is not None,
            )
            for one in rows
        ]

    def _beginnings(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None,
    ) -> list[Beginning]:
        """What is gone on from; of constrained answers the very tokens that would be scored."""
        if choices is not None:
            return [
                Beginning(
                    one.prompt,
                    one.request.context if one.request else (),
                    choices=tuple(flat(self._scorer.word(word)) for word in own),
                    answers=one.request.answers if one.request else (),
                    problem=one.problem,
                )
                for one, own in zip(self._asking.asked(prompts, choices), choices, strict=True)
            ]
        encodes = self._kind == "seq2seq"
        return beginnings(
            self.tokens,
            prompts,
            None,
            room=0 if encodes else sampling.max_new_tokens,
            max_tokens=self.max_tokens,
            read=partial(encoder_ids, self.tokens) if encodes else self.tokens.contexts,
        )


def with_exact_attention(model: Any) -> Any:
    """The model, made to compute what its configuration says.

    The fast attention of transformers leaves out soft caps without a word: a small random Gemma 2
    with a cap of 5 was off by two nats.
    """
    config = model.config.get_text_config()
    if getattr(config, "attn_logit_softcapping", None):
        model.set_attn_implementation("eager")
    return model


def with_fused_gelu(model: Any) -> Any:
    """The model, its tanh approximation of GELU in one pass over memory instead of eight.

    It takes a tenth of a GPT-2's time otherwise. What it computes is the same but for rounding.
    """
    for parent in model.modules():
        for name, child in list(parent.named_children()):
            if isinstance(child, NewGELUActivation | FastGELUActivation):
                setattr(parent, name, torch.nn.GELU(approximate="tanh"))
    return model


def load_tokenizer(path: Any) -> Any:
    """The tokenizer of a local folder; no code from the folder is run.

    Raises:
        BackendError: There is none, or it cannot be read.
    """
    try:
        return AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise BackendError(
            f"model {path}: no usable tokenizer ({str(error).splitlines()[0]})",
            hint="copy tokenizer.json and tokenizer_config.json into the folder",
        ) from error


def max_tokens_of(model: Any, tokenizer: Any) -> int:
    """Most tokens that a model reads at once; a huge number where it does not say."""
    names = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
    # of a model that reads pictures too, the part that reads texts has the length
    configs = (model.config, model.config.get_text_config())
    known = [getattr(config, name, None) for config in configs for name in names]
    limits = [int(value) for value in known if isinstance(value, int) and value > 0]
    limits += _after_padding(model)
    if isinstance(tokenizer.model_max_length, int) and tokenizer.model_max_length < 10**7:
        limits.append(tokenizer.model_max_length)
    return min(limits) if limits else 2**31


def _after_padding(model: Any) -> list[int]:
    """RoBERTa's first position stands after the padding index: of 514 positions it reads 512."""
    tables = [m for name, m in model.named_modules() if name.endswith("position_embeddings")]
    return [
        table.num_embeddings - table.padding_idx - 1
        for table in tables
        if isinstance(table, torch.nn.Embedding) and table.padding_idx is not None
    ]


def _instead(kind: str) -> str:
    if kind == "sentence-encoder":
        return "; use --backend embedding"
    if kind == "classifier":
        return "; use --backend nli if it judges entailment, or else --strategy features"
    return (
        "; give a causal (Llama, Qwen, GPT-2, OPT...), sequence-to-sequence (T5, BART...) or "
        "masked language model (BERT, RoBERTa, ModernBERT...), or a sentence encoder"
    )
