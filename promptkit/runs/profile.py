"""``--profile lm-eval``: a run as lm-evaluation-harness would do it, number for number.

What the harness decides (demonstrations, prompts, tokens, ties, metrics) is decided here as there;
what would change that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from promptkit.data import Dataset
from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.metrics.lm_eval import Judged, lm_eval_scores
from promptkit.prompts.imported import ImportedTemplate
from promptkit.prompts.lm_eval import LmEvalTask
from promptkit.prompts.peer_code import function_of
from promptkit.protocols import Strategy
from promptkit.runs.method import NONE, Method
from promptkit.runs.models import backend_for_spec, described_backend, load_backend, versions
from promptkit.runs.rows import rows_for
from promptkit.runs.spec import EvalSpec, flag
from promptkit.runs.trial import Trial, trial_of
from promptkit.strategies.lm_eval import FEWSHOT_SEED, VERSION, LmEvalScoring, drawn_shots
from promptkit.types import Evidence, Example, Score, Value

#: What the harness decides.
DECIDED = (
    "labels",
    "strategy",
    "selector",
    "selector_options",
    "order",
    "verbalizer",
    "verbalizer_options",
    "calibration",
    "calibration_options",
    "calibration_rows",
    "permutation",
    "permutations",
    "templates",
    "draws",
    "robustness",
    "chat",
    "abstain",
    "conformal",
    "out_of_scope",
    "seeds",
)


def profiled(asked: EvalSpec) -> Trial:
    """A run of an imported task by the harness's rules.

    Raises:
        SpecError: Something is asked for that the harness decides, or a template of another kind.
        CapabilityError: A model that is no causal one.
    """
    _check(asked)
    seed = _seed(asked)
    # the harness draws demonstrations from all rows of a split, evaluated or not
    template, whole, train, notes = rows_for(asked.model_copy(update={"limit": None}))
    data = whole.limited(asked.limit)
    if not isinstance(template, ImportedTemplate) or template.keys.lm_eval is None:
        raise SpecError(
            f"--profile lm-eval is for tasks of lm-evaluation-harness, and template "
            f"{template.name!r} is none; import one: promptkit templates import TASK.yaml"
        )
    task = template.task_of_harness
    keys = task.keys
    shots = (keys.num_fewshot or 0) if asked.shots is None else asked.shots
    pool, told = _pool(task, whole, train, shots)
    shown = cache(partial(_shown, template, task, data, pool, shots, seed))
    drawn_from = replace(whole, examples=tuple(pool)).content_hash() if shots else None
    method = _method(asked, template, task, shots, shown, seed, drawn_from)
    shown_from = train if shots else None
    golds = _golds(template, task, data)
    trial = trial_of(asked, method, template, data, shown_from, [*notes, *told], golds)
    return replace(trial, extra_scores=partial(_scores, template, task))


def _check(asked: EvalSpec) -> None:
    usual = EvalSpec()
    for name in DECIDED:
        if getattr(asked, name) != getattr(usual, name):
            raise SpecError(
                f"--{flag(name)}: lm-evaluation-harness decides that itself; leave it out, or "
                "leave out --profile"
            )
    if asked.backend not in ("auto", "hf"):
        raise CapabilityError(
            f"--profile lm-eval scores with backend 'hf'; leave out --backend {asked.backend}"
        )


def _seed(asked: EvalSpec) -> int:
    """The seed that demonstrations are drawn with: ``--option fewshot_seed=1234``."""
    options = dict(asked.strategy_options)
    seed = options.pop("fewshot_seed", FEWSHOT_SEED)
    if options or not isinstance(seed, int):
        told = next(iter(options), "fewshot_seed")
        raise SpecError(
            f"--option {told}: --profile lm-eval takes fewshot_seed=N alone (1234 by default)"
        )
    return seed


def _pool(
    task: LmEvalTask, data: Dataset, train: Dataset | None, shots: int
) -> tuple[Sequence[Example], list[str]]:
    """The rows that demonstrations are drawn from, and what to note of them."""
    samples, split = task.keys.fewshot_config.samples, _fewshot_split(task)
    if not shots:
        return (), []
    if samples is not None and split is None:
        made = [Example(f"sample {n}", dict(one)) for n, one in enumerate(samples, start=1)]
        return made, [f"demonstrations are the task's own {len(made)} samples"]
    from_evaluated = split is not None and split == task.keys.test_split
    if train is not None and not from_evaluated:
        return train.examples, []
    wanted = split or task.keys.training_split
    if wanted and not from_evaluated:
        raise DataError(
            f"task {task.keys.task!r} draws demonstrations from its split {wanted!r}, and "
            f"{data.origin} has no rows beside those to evaluate; give some with --train-data FILE"
        )
    return data.examples, ["demonstrations are drawn from the evaluated rows, as the task has it"]


def _fewshot_split(task: LmEvalTask) -> str | None:
    return task.keys.fewshot_config.split or task.keys.fewshot_split


def _shown(
    template: ImportedTemplate,
    task: LmEvalTask,
    data: Dataset,
    pool: Sequence[Example],
    shots: int,
    seed: int,
) -> dict[str, list[Example]]:
    if not shots:
        return {}
    return drawn_shots(
        data.examples,
        pool,
        shots,
        sampler=task.keys.fewshot_config.sampler,
        # where a task names neither split, None equals None and the row is left out all the same
        exclude=_fewshot_split(task) == task.keys.test_split,
        seed=seed,
        document=template.document,
    )


def _method(
    asked: EvalSpec,
    template: ImportedTemplate,
    task: LmEvalTask,
    shots: int,
    shown: Callable[[], Mapping[str, Sequence[Example]]],
    seed: int,
    drawn_from: str | None,
) -> Method:
    wanted = asked
    if not asked.dry_run:
        options = {**asked.backend_options, "encoding": "lm_eval"}
        wanted = asked.model_copy(update={"backend_options": options})
    backend, options, located = backend_for_spec(wanted, template)
    if backend not in ("hf", "fake"):
        raise CapabilityError(
            f"--profile lm-eval scores with a causal language model, and {asked.model!r} is served "
            f"by backend {backend!r}; give one with --model"
        )
    metrics = [one.metric for one in task.keys.metric_list]
    drawn = f"lm-eval's {task.keys.fewshot_config.sampler}" if shots else NONE

    def make(with_model: bool) -> Strategy:
        served: Any = load_backend(backend, options) if with_model else load_backend("fake", {})
        unconditional = "acc_mutual_info" in metrics
        return LmEvalScoring(template, task, served, shots, shown, unconditional, seed)

    return Method(
        template={"name": template.name, "hash": template.hash()},
        backend=described_backend(wanted, backend, options, located),
        strategy={
            **make(False).describe(),
            "selector": {"name": drawn},
            "pool": drawn_from,
            "metrics": metrics,
        },
        seed=seed if shots else 0,
        make=make,
        packages=versions(backend, options),
        located=located,
        notes=(
            f"as lm-evaluation-harness {VERSION} does it, in one process and without a chat "
            "template; the softmax is taken in float32",
        ),
    )


def _golds(template: ImportedTemplate, task: LmEvalTask, data: Dataset) -> tuple[Value | None, ...]:
    """The label of the one right choice; None where there is none, or are several."""
    found: list[Value | None] = []
    for row in data:
        gold = task.gold(template.document(row), row.id)
        labels = template.labels_of(row)
        one = len(gold) == 1 and 0 <= gold[0] < len(labels)
        found.append(labels[gold[0]] if one else None)
    return tuple(found)


def _scores(
    template: ImportedTemplate,
    task: LmEvalTask,
    rows: Sequence[Example],
    evidence: Sequence[Evidence],
) -> tuple[Score, ...]:
    """The task's own metrics."""
    judged = []
    for row, one in zip(rows, evidence, strict=True):
        doc = template.document(row)
        choices, gold = task.choices(doc, row.id), task.gold(doc, row.id)
        behind = one.members[0].log_p if one.members else ()
        judged.append(Judged(one.log_p, tuple(choices), tuple(gold), behind))
    named = [one for one in task.keys.metric_list if one.aggregation]
    own = {
        one.metric: function_of(one.aggregation or "", task.folder, f"metric {one.metric!r}")
        for one in named
    }
    metrics = [one.metric for one in task.keys.metric_list]
    return lm_eval_scores(judged, metrics, own)
