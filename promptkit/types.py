"""The nouns: frozen dataclasses that every floor shares.

Shape letters: n examples, c candidates, k labels, t tokens, l layers, w width. A log-probability
is called ``log_p`` and is in nats.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...]
Kind = Literal["classify", "multilabel", "rate", "tag", "choose", "generate"]


def label_key(label: Value | None) -> tuple[str, object]:
    """What two labels share when they are the same one.

    Python holds that ``1 == True == 1.0``; as labels they are three.
    """
    if isinstance(label, tuple):
        return "tuple", tuple(label_key(item) for item in label)
    return type(label).__name__, label


@dataclass(frozen=True)
class Task:
    """What is to be predicted, from which fields.

    Args:
        name: The task's name.
        kind: ``classify`` (one label of a set), ``multilabel`` (any number), ``rate`` (a number),
            ``tag`` (a label a word), ``choose`` (one of the row's own choices), ``generate``.
        fields: The names that a row must bring.
        labels: The label set in canonical order; empty while open, for ``choose``, ``generate``.
        choices, words: For ``choose`` and ``tag``, the field with the row's list of these.
    """

    name: str
    kind: Kind
    fields: tuple[str, ...]
    labels: tuple[Scalar, ...] = ()
    choices: str | None = None
    words: str | None = None


@dataclass(frozen=True)
class Example:
    """One row.

    Args:
        id: Stable name of the row; runs are joined on it and randomness is seeded by it.
        fields: JSON values by field name; mostly text.
        label: The gold label, None where it is unknown. 0, False and "" are labels.
    """

    id: str
    fields: Mapping[str, Any]
    label: Value | None = None


@dataclass(frozen=True)
class Piece:
    """A stretch of prompt text that remembers who wrote it.

    Args:
        text: The characters.
        row: Whether they came out of a row, or of what was computed from one: such text never
            becomes a control token.
    """

    text: str
    row: bool = False


Text = tuple[Piece, ...]


def flat(text: Text) -> str:
    """The characters of a text, its origins forgotten."""
    return "".join(piece.text for piece in text)


@dataclass(frozen=True)
class Candidate:
    """One thing the model may answer.

    Args:
        label: The label that it stands for; several candidates may share one.
        text: What a language model is asked to continue with, leading space included.
        statements: What an encoder compares the row with.
    """

    label: Scalar
    text: Text
    statements: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shot:
    """One demonstration, rendered: the example's query and its answer.

    ``encoded`` is what an encoder reads of it; ``cloze`` its cloze, the answer in the slot.
    """

    example_id: str
    label: Scalar
    query: Text
    answer: Text
    encoded: str = ""
    cloze: Text = ()


@dataclass(frozen=True)
class Prompt:
    """What is asked about one row; kept structured until a backend turns it into token ids.

    Args:
        example_id: The row.
        system: System text of a chat; stands before the instruction elsewhere.
        instruction: What to do, the same for every row.
        shots: Demonstrations, in the order in which they are shown.
        query: The row's own part.
        separator: Stands between instruction, shots and query in a flat prompt.
        joint: Stands behind the instruction in its place; None is the separator.
        encoded: What an encoder reads of the row.
        cloze: What a masked language model reads: a sentence with one piece that is `SLOT`, or ().
        chat: Whether to render through the model's chat template.
        prefill: What the model's turn of a chat begins with; empty elsewhere.
        template: Name of the template.
        dropped_shots: Demonstrations left out so that the prompt fits.
        cut_chars: Characters of the row's text left out so that the prompt fits.
    """

    example_id: str
    query: Text
    system: Text = ()
    instruction: Text = ()
    shots: tuple[Shot, ...] = ()
    separator: str = "\n\n"
    joint: str | None = None
    encoded: Text = ()
    cloze: Text = ()
    chat: bool = False
    prefill: Text = ()
    template: str = ""
    dropped_shots: int = 0
    cut_chars: int = 0


@dataclass(frozen=True)
class Sampling:
    """How a model writes.

    Args:
        max_new_tokens: Tokens that it may write.
        temperature: What logits are divided by; 0 takes the most probable token.
        top_p: The least share of the probability that is drawn from, the most probable first.
        top_k: The most tokens that are drawn from; 0 is all.
        samples: How often each prompt is answered.
        stop: Texts that end an answer, and are no part of it.
        seed: Seed of all draws; each row and sample has its own, see `seed_of`.
    """

    max_new_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    samples: int = 1
    stop: tuple[str, ...] = ()
    seed: int = 0

    def seed_of(self, example_id: str, sample: int) -> int:
        """A seed of 31 bits that depends on the row and the sample, and on no other row."""
        text = f"{self.seed}\0{sample}\0{example_id}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


@dataclass(frozen=True)
class Generation:
    """What a model wrote once.

    Args:
        text: As it was written, thoughts included (a think block that the prompt opened is opened
            here too); what ended it is left out.
        finish: ``stop`` where it came to an end by itself or at a stop text, ``length`` where it
            ran out of tokens.
        n_tokens: Tokens that were written.
    """

    text: str
    finish: Literal["stop", "length"] = "stop"
    n_tokens: int = 0


@dataclass(frozen=True)
class Evidence:
    """What a backend found out about one prompt; raw, and stored as it is.

    Args:
        example_id: The row.
        log_p: (c,) evidence per candidate in nats, not normalised; empty when unscored.
        n_tokens: (c,) tokens of each candidate that were scored.
        n_bytes: (c,) UTF-8 bytes of each candidate's text.
        kind: What the numbers are, such as ``log-probability`` or ``cosine``.
        shots: Ids of the demonstrations that the model saw.
        dropped_shots: Demonstrations left out so that the prompt fits.
        cut_chars: Characters of the row left out so that the prompt fits.
        problem: Why there is no evidence, in words; empty when there is.
        calibrated: (k,) log-probabilities of the labels as a calibrator mended them, where it had
            learned beforehand; see `promptkit.calibration`. ``log_p`` is raw all the same.
        decided: Whether ``log_p`` is a bare decision, 0 for the words of one label and -inf for
            all others: then there are no probabilities.
        generations: What the model wrote, a text for each sample; empty where it was not asked to.
        members: What each part of an ensemble found out.
    """

    example_id: str
    log_p: tuple[float, ...]
    n_tokens: tuple[int, ...] = ()
    n_bytes: tuple[int, ...] = ()
    kind: str = ""
    shots: tuple[str, ...] = ()
    dropped_shots: int = 0
    cut_chars: int = 0
    problem: str = ""
    calibrated: tuple[float, ...] = ()
    decided: bool = False
    generations: tuple[Generation, ...] = ()
    members: tuple[Evidence, ...] = ()

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Evidence:
        """What `dataclasses.asdict` was called on, back from JSON."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in content.items()
            if key != "log_prior"  # of runs that were stored before `calibrated` took its place
        }
        written = tuple(Generation(**one) for one in values.pop("generations", ()))
        members = tuple(cls.from_json(one) for one in values.pop("members", ()))
        return cls(**values, generations=written, members=members)


@dataclass(frozen=True)
class Prediction:
    """What was concluded about one row.

    Args:
        example_id: The row.
        label: The predicted label, or None when unscored: never a guess. A tuple of labels for
            ``multilabel`` and for ``tag``, a number for ``rate``.
        log_p: (k,) normalised log-probabilities over labels (or the row's choices); each label's
            own for ``multilabel``; None where there are none, as behind a bare decision.
        kind: The kind of evidence that it rests on.
        tied: Whether another label had exactly the same evidence as the winner.
        dropped_shots: See `Evidence`.
        cut_chars: See `Evidence`.
        problem: Why it is unscored.
        text: What the model wrote, kept where no label could be read from it too; else empty. Of
            several samples it is the first that says the label.
        agreement: Share of samples, or of an ensemble's prompts, that say the label; None of one.
    """

    example_id: str
    label: Value | None
    log_p: tuple[float, ...] | None
    kind: str = ""
    tied: bool = False
    dropped_shots: int = 0
    cut_chars: int = 0
    problem: str = ""
    text: str = ""
    agreement: float | None = None


@dataclass(frozen=True)
class Score:
    """A metric with its uncertainty: never a bare float.

    Args:
        metric: Name of the metric.
        value: Its value on all n rows, unscored ones counted as wrong.
        low, high: Ends of the 95% interval, None where none is given.
        n: Rows that it was taken over.
        n_unscored: How many of them have no prediction.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    n_unscored: int = 0


@dataclass(frozen=True)
class Cost:
    """What something took. Differences of two readings of one meter are costs too.

    Args:
        seconds: Wall-clock seconds inside the backend.
        rows: Rows scored.
        cached_rows: Rows whose answer was known from an earlier run.
        prompt_tokens: Tokens of the prompts as a user would count them, once per row.
        computed_tokens: Token positions that went through the model, padding included.
        new_tokens: Tokens generated.
        requests: Requests sent to a server, retries among them.
        price: What they cost, by the price table that the user gave and in its currency.
        trained_parameters: Parameters that were trained.
        stored_bytes: Bytes of what has to be kept to predict again.
        peak_bytes: Highest resident (CPU) or allocated (GPU) memory seen.
    """

    seconds: float = 0.0
    rows: int = 0
    prompt_tokens: int = 0
    computed_tokens: int = 0
    new_tokens: int = 0
    trained_parameters: int = 0
    stored_bytes: int = 0
    peak_bytes: int = 0
    cached_rows: int = 0
    requests: int = 0
    price: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        mine, theirs = asdict(self), asdict(other)
        total = {name: mine[name] + theirs[name] for name in mine}
        return Cost(**(total | {"peak_bytes": max(self.peak_bytes, other.peak_bytes)}))

    def __sub__(self, earlier: Cost) -> Cost:
        mine, theirs = asdict(self), asdict(earlier)
        rest = {name: mine[name] - theirs[name] for name in mine}
        return Cost(**(rest | {"peak_bytes": self.peak_bytes}))


@dataclass(frozen=True)
class RunSpec:
    """All that can change a run's result, as JSON values, and nothing else.

    Paths, devices and batch sizes are left out; contents are in, as hashes.

    Args:
        data: Name, split, limit, labels and content hashes of the rows and the training rows.
        template: Name and hash of the template.
        backend: Backend, model, weight hash, dtype, options, package versions.
        strategy: Name and options of the strategy.
        metrics: Options of the metrics.
        seed: Seed of every random choice.
    """

    data: Mapping[str, Any]
    template: Mapping[str, Any]
    backend: Mapping[str, Any]
    strategy: Mapping[str, Any]
    metrics: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that name this spec and no other."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RunRecord:
    """A finished run.

    Args:
        spec: What was run.
        labels: The labels in the order of every (k,) array; empty for ``choose``.
        golds: Gold labels, in the order of the rows; None where unknown.
        texts: The rows' text, for tables of errors.
        predictions: One per row, in the order of the rows.
        report: Scores, per-class figures, baselines (see `promptkit.metrics`).
        cost: What the evidence took, summed over resumed parts.
        packages: Versions that it ran with.
        notes: Facts a reader of the table must know.
        origin: Where rows and model came from; not in the fingerprint.
        from_store: Whether it was answered without computing.
        fit_cost: What it took to learn, before the first row was answered.
    """

    spec: RunSpec
    labels: tuple[Scalar, ...]
    golds: tuple[Value | None, ...]
    texts: tuple[str, ...]
    predictions: tuple[Prediction, ...]
    report: Any
    cost: Cost
    packages: Mapping[str, str]
    notes: tuple[str, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)
    from_store: bool = False
    fit_cost: Cost = Cost()
