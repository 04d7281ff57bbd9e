"""Tuning a masked language model to fill the gap of a cloze with the right label's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, Trainer, TrainingArguments

from promptkit.backends.asking import fitted
from promptkit.backends.hf import load_tokenizer, max_tokens_of
from promptkit.backends.hf_loading import Loading, load_weights
from promptkit.backends.hf_masked import Cloze, MaskedScorer
from promptkit.backends.hf_passes import Passes
from promptkit.backends.meter import Meter
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, quieten
from promptkit.backends.weights import Located
from promptkit.errors import CapabilityError, DataError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.answer_training import arguments, facts_of, run
from promptkit.strategies.checkpoints import name_of_training
from promptkit.strategies.language_tuning import LanguageOptions, TunedLanguage
from promptkit.strategies.randomness import own_randomness
from promptkit.strategies.whole_weights import save_tokenizer
from promptkit.types import Candidate, Prompt


class ClozeTuning:
    """A masked language model that is about to be tuned.

    The loss is a cross-entropy over labels, of the scores that `MaskedScorer` gives their words
    (Schick and Schütze 2021; Gao et al. 2021): what is learned is what is asked later.

    Args:
        located: The model.
        options: How; the way is ``full``.
        meter: Counts.

    Raises:
        CapabilityError: Another kind of model, or another way.
    """

    def __init__(self, located: Located, options: LanguageOptions, meter: Meter) -> None:
        kind = located.kind()
        if kind != "masked":
            raise CapabilityError(
                f"{located.name!r} is of kind {kind!r}, and clozes are filled by masked language "
                "models (BERT, RoBERTa, ModernBERT...); use --strategy instruct for a causal one"
            )
        if options.way != "full":
            raise CapabilityError("option 'way': a masked language model is tuned as a whole")
        self.located, self.options, self.meter = located, options, meter
        quieten()
        self.device = choose_device(options.device)
        self.tokens = Tokens(load_tokenizer(located.path))
        # in float32 whatever the weights' own format: small steps vanish in bfloat16's eight bits
        self.model = load_weights(
            AutoModelForMaskedLM, located.path, Loading(), torch.float32, self.device
        )
        most = max_tokens_of(self.model, self.tokens.tokenizer)
        self.max_tokens = min(most, options.max_tokens or most)
        self._scorer = MaskedScorer(self.model, self.tokens, Passes(self.device, "auto", meter))

    def labels(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[Sequence[Candidate]],
        places: Sequence[int],
        context: FitContext = NO_CONTEXT,
    ) -> TunedLanguage:
        """Learn which candidate is right.

        Args:
            prompts: What is asked.
            candidates: A word for each label.
            places: The place of each row's right one.
            context: Where checkpoints are kept, and who looks on.

        Raises:
            DataError: Nothing is left to learn from.
            CapabilityError: The template has no cloze.
            BackendError: Training diverged, or memory did not suffice.
        """
        scorer, rows, problems = self._scorer, [], []
        seen = [scorer.seen(prompt) for prompt in prompts]
        for prompt, own, place in zip(seen, candidates, places, strict=True):
            whole = scorer.requests([prompt], [own])[0]
            try:
                _, request = fitted(
                    prompt, own, whole, scorer.requests, scorer.length, self.max_tokens
                )
            except DataError as error:
                problems.append(str(error))
                continue
            rows.append({"request": request, "place": place})
        if not rows:
            raise DataError(f"no row to learn from{': ' + problems[0] if problems else ''}")
        folder = self._checkpoints(rows, context)
        recipe, pad = self.options.recipe(self.device), int(self.tokens.tokenizer.pad_token_id or 0)

        def build(nowhere: Path) -> Any:
            told = arguments(recipe, self.device, folder or nowhere, saves=folder is not None)
            # lengths of clozes are their own
            told |= {"train_sampling_strategy": "random", "label_names": ["places"]}
            return _Clozes(
                model=self.model,
                args=TrainingArguments(**told),
                train_dataset=rows,
                data_collator=lambda batch: collated(batch, pad),
            )

        with own_randomness(self.options.seed):
            self.model.requires_grad_(True).train()
            run(build, folder=folder, on_step=context.on_step)
        ids = [one for row in rows for one in row["request"].masked]
        self.meter.add(computed_tokens=recipe.epochs * sum(map(len, ids)))
        n_tokens = sum(len(row["request"].answers[row["place"]]) for row in rows)
        trained = sum(one.numel() for one in self.model.parameters())
        return TunedLanguage(trained, len(rows), tuple(problems), n_tokens)

    def save(self, folder: Path) -> None:
        """Write the model and its tokenizer as transformers does."""
        config = self.located.config()
        dtype = getattr(torch, str(config.get("dtype") or config.get("torch_dtype") or "float32"))
        self.model.to(dtype).save_pretrained(folder)
        save_tokenizer(self.tokens.tokenizer, folder)

    def _checkpoints(self, rows: Sequence[Mapping[str, Any]], context: FitContext) -> Path | None:
        if context.folder is None:
            return None
        facts = {
            **self.options.described(),
            **facts_of(self.options.recipe(self.device)),
            "model": self.located.hash(),
        }
        ids = [one for row in rows for one in row["request"].masked]
        return context.folder / name_of_training(facts, ids, [row["place"] for row in rows])


def collated(batch: Sequence[Mapping[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """Sentences with masks, and which tokens at which of them make up the score of which label.

    Returns:
        ``input_ids`` and ``attention_mask`` (s, t) of all sentences; ``places`` (n,) of the right
        labels; ``wanted`` (m, 4) of row and label in one number, sentence, position and token.
    """
    requests: list[Cloze] = [one["request"] for one in batch]
    k = len(requests[0].answers)
    sentences: dict[tuple[int, tuple[int, ...]], int] = {}
    wanted = []
    for row, request in enumerate(requests):
        for label, (ids, start, answer) in enumerate(
            zip(request.masked, request.starts, request.answers, strict=True)
        ):
            at = sentences.setdefault((row, ids), len(sentences))
            wanted += [[row * k + label, at, start + i, token] for i, token in enumerate(answer)]
    rows = [ids for _, ids in sentences]
    width = max(map(len, rows))
    padded = torch.full((len(rows), width), pad)
    mask = torch.zeros_like(padded)
    for at, own in enumerate(rows):
        padded[at, : len(own)], mask[at, : len(own)] = torch.tensor(own), 1
    return {
        "input_ids": padded,
        "attention_mask": mask,
        "places": torch.tensor([one["place"] for one in batch]),
        "wanted": torch.tensor(wanted),
    }


class _Clozes(Trainer):  # type: ignore[misc]
    """A Trainer whose loss is over the words of labels."""

    def compute_loss(
        self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, **_: Any
    ) -> Any:
        places, wanted = inputs["places"], inputs["wanted"]
        logits = model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
        ).logits
        of, sentence, position, token = wanted.T
        log_p = logits[sentence, position].float().log_softmax(-1)
        values = log_p.gather(1, token[:, None])[:, 0]
        k = len(torch.unique(of)) // len(places)  # every row has all labels
        scores = values.new_zeros(len(places) * k).index_add(0, of, values).view(-1, k)
        loss = torch.nn.functional.cross_entropy(scores, places)
        return (loss, {"scores": scores}) if return_outputs else loss
