"""Tuning a causal language model on answers, into an ordinary folder that every backend serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.hf import causal_loader, load_tokenizer, max_tokens_of
from promptkit.backends.hf_loading import Loading, load_weights
from promptkit.backends.meter import Meter
from promptkit.backends.soft_prompt import attach, write_soft
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, quieten
from promptkit.backends.weights import Located
from promptkit.errors import CapabilityError, DataError, SpecError, nearest
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.answer_training import AnswerRecipe, facts_of, need_trl, train_answers
from promptkit.strategies.answers import Answered, AnswerIds, encoded
from promptkit.strategies.checkpoints import name_of_training
from promptkit.strategies.label_words import LabelWords
from promptkit.strategies.lora import targets_of
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.precision import training_dtype
from promptkit.strategies.preference_training import train_preferences
from promptkit.strategies.processes import own_device
from promptkit.strategies.randomness import own_randomness
from promptkit.strategies.whole_weights import save_tokenizer

WAYS = ("full", "lora", "prompt", "label_words")
#: Learning rates by way, where none is given.
RATES = {"full": 5e-5, "lora": 5e-4, "prompt": 0.3, "label_words": 1e-3}


@dataclass(frozen=True)
class LanguageOptions:
    """How a language model is tuned.

    Args:
        way: ``full`` trains all weights, ``lora`` adapters beside all linear layers, ``prompt``
            vectors that stand before every prompt (Lester et al. 2021), ``label_words`` what the
            model knows of the answers' own tokens (the verbalizer of Hambardzumyan et al. 2021).
        rank: Width of an adapter.
        alpha: Its output is multiplied by ``alpha / rank``.
        learning_rate: At its highest; None is 5e-5 for all weights, 5e-4 for adapters, 1e-3 for
            label words, and 0.3 of an embedding's size for vectors.
        epochs: Times that every row is seen.
        batch_size: Rows of a pass.
        accumulation: Passes of a step.
        weight_decay: Of AdamW.
        warmup: Share of the steps in which the rate rises.
        checkpointing: Whether activations are computed twice, to save memory.
        max_tokens: Rows are cut to this many tokens; None is what the model reads.
        precision: What a training step computes in: ``auto``, ``float32``, ``bfloat16``.
        seed: Of batches, adapters and dropout.
        device: Where to train.
        virtual_tokens: Vectors of ``prompt``.

    Raises:
        SpecError: An option that cannot be.
    """

    way: str = "full"
    rank: int = 16
    alpha: int = 32
    learning_rate: float | None = None
    epochs: int = 3
    batch_size: int = 8
    accumulation: int = 1
    weight_decay: float = 0.01
    warmup: float = 0.1
    checkpointing: bool = False
    max_tokens: int | None = None
    precision: str = "auto"
    seed: int = 0
    device: str = "auto"
    virtual_tokens: int = 20

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise SpecError(f"option 'way': no such value {self.way!r}; {nearest(self.way, WAYS)}")
        whole = {"rank": self.rank, "alpha": self.alpha, "epochs": self.epochs}
        whole |= {"virtual_tokens": self.virtual_tokens}
        whole |= {"batch_size": self.batch_size, "accumulation": self.accumulation}
        if self.max_tokens is not None:
            whole["max_tokens"] = self.max_tokens
        check_numbers(
            whole=whole,
            above_0={"learning_rate": self.rate},
            shares={"weight_decay": self.weight_decay, "warmup": self.warmup},
        )
        training_dtype(self.precision, choose_device(self.device))

    @property
    def rate(self) -> float:
        """The learning rate at its highest."""
        if self.learning_rate is not None:
            return self.learning_rate
        return RATES[self.way]

    def recipe(self, device: Any) -> AnswerRecipe:
        """How to train on a device."""
        return AnswerRecipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            accumulation=self.accumulation,
            learning_rate=self.rate,
            # decay would move the words that are not learned
            weight_decay=0.0 if self.way == "label_words" else self.weight_decay,
            warmup=self.warmup,
            checkpointing=self.checkpointing,
            seed=self.seed,
            dtype=training_dtype(self.precision, device),
        )

    def described(self) -> dict[str, Any]:
        """What of this can change a result."""
        # what does not matter leaves runs the names that they always had
        unsaid = {"device"} if self.way == "prompt" else {"device", "virtual_tokens"}
        found = {name: value for name, value in vars(self).items() if name not in unsaid}
        return {**found, "learning_rate": self.rate}


@dataclass(frozen=True)
class TunedLanguage:
    """What came of it.

    Args:
        trained_parameters: How many numbers were trained.
        rows: Rows that were learned from.
        left_out: Why others were not, a sentence each.
        tokens: Tokens of the answers, each of them learned in every epoch.
    """

    trained_parameters: int
    rows: int
    left_out: tuple[str, ...]
    tokens: int


class LanguageTuning:
    """A causal model that is about to be tuned.

    Args:
        located: The model.
        options: How.
        meter: Counts.

    Raises:
        CapabilityError: Another kind of model.
        MissingExtra: trl is absent.
    """

    def __init__(self, located: Located, options: LanguageOptions, meter: Meter) -> None:
        need_trl()
        kind = located.kind()
        if kind != "causal":
            raise CapabilityError(
                f"{located.name!r} is of kind {kind!r}, and answers are learned by causal language "
                "models (Llama, Qwen, GPT-2...); use --strategy full, lora or features"
            )
        self.located, self.options, self.meter = located, options, meter
        quieten()
        self.device = choose_device(own_device(options.device))
        self.tokens = Tokens(load_tokenizer(located.path))
        # in float32 whatever the weights' own format: small steps vanish in bfloat16's eight bits
        self.model = load_weights(
            causal_loader(located), located.path, Loading(), torch.float32, self.device
        )
        self._use_cache = getattr(self.model.config, "use_cache", None)
        most = max_tokens_of(self.model, self.tokens.tokenizer)
        self.max_tokens = min(most, options.max_tokens or most)

    def answers(
        self, answered: Sequence[Answered], context: FitContext = NO_CONTEXT
    ) -> TunedLanguage:
        """Learn answers.

        Args:
            answered: Prompts and what is right.
            context: Where checkpoints are kept, and who looks on.

        Raises:
            DataError: Nothing is left to learn from.
            BackendError: Training diverged, or memory did not suffice.
        """
        return self._learn(answered, context, train_answers, "answers")

    def preferences(
        self, answered: Sequence[Answered], beta: float, context: FitContext = NO_CONTEXT
    ) -> TunedLanguage:
        """Learn to prefer right answers to wrong ones; see `promptkit.strategies.preference`.

        Args:
            answered: Prompts, what is right and what is wrong.
            beta: How dear it is to move away from the model as it was.
            context: Where checkpoints are kept, and who looks on.

        Raises:
            DataError: Nothing is left to learn from.
            BackendError: Training diverged, or memory did not suffice.
        """
        learn = partial(train_preferences, beta=beta)
        return self._learn(answered, context, learn, f"preferences {beta}")

    def _learn(
        self,
        answered: Sequence[Answered],
        context: FitContext,
        learn: Callable[..., None],
        what: str,
    ) -> TunedLanguage:
        with own_randomness(self.options.seed):
            self.open(answered)
            rows, problems = encoded(self.tokens, answered, self.max_tokens)
            if not rows:
                raise DataError(f"no row to learn from{': ' + problems[0] if problems else ''}")
            learn(
                self.model,
                self.tokens.tokenizer,
                rows,
                self.options.recipe(self.device),
                meter=self.meter,
                device=self.device,
                folder=self._checkpoints(rows, context, what),
                on_step=context.on_step,
            )
        n_tokens = sum(len(row.answer) for row in rows)
        return TunedLanguage(self.trained_parameters, len(rows), tuple(problems), n_tokens)

    def open(self, answered: Sequence[Answered] = ()) -> None:
        """Let what is to be trained require gradients.

        Args:
            answered: What will be learned; a soft prompt begins as the tokens of its first
                prompts, and label words are those of all answers.
        """
        if self.options.way == "full":
            self.model.requires_grad_(True)
            return
        if self.options.way == "prompt":
            self.model.requires_grad_(False)
            start = self._spoken(answered)
            with torch.no_grad():
                vectors = self.model.get_input_embeddings()(start)
            self.soft = attach(self.model, self.tokens, vectors)
            return
        if self.options.way == "label_words":
            self.words = LabelWords(self.model, self._of_answers(answered))
            return
        from peft import LoraConfig, get_peft_model

        targets = targets_of(self.model.base_model, ())
        prefix = self.model.base_model_prefix
        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=self.options.rank,
            lora_alpha=self.options.alpha,
            target_modules=[f"{prefix}.{name}" for name in targets],
            fan_in_fan_out=_transposed(self.model),
            bias="none",
        )
        self.model = get_peft_model(self.model, config)

    def _spoken(self, answered: Sequence[Answered]) -> torch.Tensor:
        """(v,) ids of the first prompts, answers first, as many as the soft prompt has vectors."""
        found: list[int] = []
        for one in answered:
            request = self.tokens.request(one.prompt, one.answers)
            found += dict.fromkeys((*request.answers[0], *request.context))
            if len(found) >= self.options.virtual_tokens:
                break
        control = set(self.tokens.control)
        kept = [token for token in dict.fromkeys(found) if token not in control] or found or [0]
        n = self.options.virtual_tokens
        return torch.tensor((kept * -(-n // len(kept)))[:n], device=self.device)

    def _of_answers(self, answered: Sequence[Answered]) -> list[int]:
        """Tokens of the right answers, each once."""
        requests = (self.tokens.request(one.prompt, one.answers) for one in answered)
        return sorted({token for request in requests for token in request.answers[0]})

    def _checkpoints(
        self, rows: Sequence[AnswerIds], context: FitContext, what: str
    ) -> Path | None:
        """The folder of this training's checkpoints; None where none are kept."""
        # of vectors alone none are kept: they are learned within minutes, and transformers would
        # write the whole model each time
        if context.folder is None or self.options.way in ("prompt", "label_words"):
            return None
        facts: Mapping[str, Any] = {
            **self.options.described(),
            **facts_of(self.options.recipe(self.device)),
            "model": self.located.hash(),
            "learns": what,
        }
        ids = [(*row.ids, *row.wrong) for row in rows]
        name = name_of_training(facts, ids, [len(row.context) for row in rows])
        return context.folder / name

    @property
    def trained_parameters(self) -> int:
        """How many numbers are trained."""
        if self.options.way == "label_words":
            return self.words.n_numbers
        return sum(one.numel() for one in self.model.parameters() if one.requires_grad)

    def save(self, folder: Path) -> None:
        """Write the model and its tokenizer, or the adapter alone, as transformers and peft do.

        Whole weights are written in the number format of those that were trained upon.
        """
        if self.options.way == "prompt":
            write_soft(folder, self.soft.vectors(), self.model, self.located.shown)
            return
        if self.options.way == "label_words":
            self.words.save(folder, self.located.shown)
            return
        if self.options.way == "lora":
            self.model.peft_config["default"].base_model_name_or_path = self.located.shown
            self.model.save_pretrained(
                folder,
                safe_serialization=True,
                save_embedding_layers=False,
                selected_adapters=["default"],  # not the one that preferences are measured against
            )
            # peft's README is a form with nothing filled in
            (folder / "README.md").unlink(missing_ok=True)
            return
        config = self.located.config()
        dtype = getattr(torch, str(config.get("dtype") or config.get("torch_dtype") or "float32"))
        self.model.config.use_cache = self._use_cache  # trainers switch it off
        self.model.to(dtype).save_pretrained(folder)
        save_tokenizer(self.tokens.tokenizer, folder)


def _transposed(model: Any) -> bool:
    """GPT-2's linear layers have their weights the other way round; peft wants to be told."""
    return any(type(module).__name__ == "Conv1D" for module in model.modules())
