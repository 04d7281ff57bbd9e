"""The keys of a template file, checked by pydantic; `promptkit.prompts.template` uses them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from promptkit.prompts.peer_keys import LmEvalKeys, PromptsourceKeys
from promptkit.types import Kind

#: Names that forms know besides the fields.
RESERVED = frozenset(
    "choice label labels letter letters loop mask namespace range word words".split()
)
#: What forms of kind ``tag`` know of the word that is asked about.
ASKED_WORD = frozenset(("token", "place"))
#: Keys under which another tool's forms stand.
IMPORTED = frozenset(("promptsource", "lm_eval"))
Label = Annotated[str | int | float | bool, Field(union_mode="smart")]
Words = Annotated[list[str], Field(min_length=1)]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _is_imported(info: ValidationInfo) -> bool:
    """Whether the file holds another tool's forms, which have names of their own."""
    return bool(IMPORTED & set(info.context or ()))


class TaskKeys(_Keys):
    """What is predicted from which fields.

    Args:
        kind: ``classify``, ``multilabel``, ``rate``, ``tag``, ``choose`` or ``generate``.
        fields: What a row must bring.
        choices: For ``choose``, the field with the row's choices.
        words: For ``tag``, the field with the row's words; forms know ``token``, the word that is
            asked about, and ``place``, how many stand before it.
        metrics: For ``generate``, how answers are scored: ``exact_match``, ``token_f1``,
            ``rouge_l``, ``number``; the first one is the main one.
        tolerance: For ``number``, how far off an answer may be.
    """

    kind: Kind = "classify"
    fields: list[str]
    choices: str | None = None
    words: str | None = None
    metrics: Annotated[list[str], Field(min_length=1)] | None = None
    tolerance: Annotated[float, Field(ge=0, strict=False)] | None = None

    @field_validator("fields")
    @classmethod
    def _fields_are_names(cls, fields: list[str], info: ValidationInfo) -> list[str]:
        if not fields and not _is_imported(info):  # whose functions may read any column
            raise ValueError("a template needs a field")
        reserved = frozenset() if _is_imported(info) else RESERVED
        for name in fields:
            if not name.isidentifier() or name in reserved:
                raise ValueError(
                    f"the field {name!r} cannot be used in a form; give it another name and say "
                    "which column it is with --field"
                )
        if len(set(fields)) < len(fields):
            raise ValueError("a field stands twice")
        return fields

    @model_validator(mode="after")
    def _choices_are_a_field(self, info: ValidationInfo) -> TaskKeys:
        own = self.choices in self.fields or _is_imported(info)
        if self.kind == "choose" and not own:
            raise ValueError("kind 'choose' needs 'choices': the field that holds a row's choices")
        if self.kind != "choose" and self.choices is not None:
            raise ValueError("'choices' belongs to kind 'choose'")
        if self.kind == "tag" and self.words not in self.fields:
            raise ValueError("kind 'tag' needs 'words': the field that holds a row's words")
        if self.kind != "tag" and self.words is not None:
            raise ValueError("'words' belongs to kind 'tag'")
        if self.kind == "tag" and ASKED_WORD & set(self.fields):
            raise ValueError(f"kind 'tag' keeps these names for itself: {', '.join(ASKED_WORD)}")
        for key in ("metrics", "tolerance"):
            if self.kind != "generate" and getattr(self, key) is not None:
                raise ValueError(f"'{key}' belongs to kind 'generate'")
        return self


class LabelKeys(_Keys):
    """How one label is said.

    Args:
        words: What a language model may answer; the first one is shown in demonstrations.
        statements: What an encoder compares a row with; empty: the words.
    """

    words: Words
    statements: list[str] = []


class EncoderKeys(_Keys):
    """How a sentence encoder reads the task.

    Args:
        text: What it reads of a row.
        temperature: What cosines are divided by before the softmax.
        shot_weight: Weight of a demonstration beside a statement's weight of 1.
    """

    text: str
    temperature: Annotated[float, Field(gt=0, strict=False)] = 0.05
    shot_weight: Annotated[float, Field(ge=0, strict=False)] = 1.0


class PresenceKeys(_Keys):
    """How the answer to a question about one label of kind ``multilabel`` is said.

    Args:
        present: Words for: the row has it.
        absent: Words for: it has not.
    """

    present: Words = ["yes"]
    absent: Words = ["no"]


class GenerationKeys(_Keys):
    """How a model writes its answer, unless the user says otherwise.

    Args:
        max_new_tokens: Tokens that it may write.
        stop: Texts that end the answer.
        parser: What reads the answer out of the reply; see `promptkit.parsers`.
        parser_options: Its options.
    """

    max_new_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: list[Annotated[str, Field(min_length=1)]] | None = None
    parser: str | None = None
    parser_options: dict[str, str | int | float | bool] = {}


class TemplateKeys(_Keys):
    """A template file.

    Args:
        name: Its name; the file's stem by convention.
        description: One line for ``templates list``.
        task: What is predicted from which fields.
        labels: How each label is said, or ``open``: the labels come from the data set's card, from
            ``--labels`` or from the training rows, and `any_label` says them. Kind ``generate``
            has none.
        any_label: How any label of an open template is said: forms over ``label`` (its name in
            plain words), and over ``choice`` for kind ``choose``.
        query: A row's part of the prompt, up to where the answer begins.
        shot: The same for a demonstration; `query` when left out.
        answer: The answer form over ``word``, leading white space included. For kind ``generate``
            the word is the gold text.
        instruction: What to do; the same for every row.
        system: System text of a chat; stands before the instruction in a flat prompt.
        separator: Between instruction, demonstrations and query.
        chat: Whether to use the model's chat template.
        prefill: What the model's turns of a chat begin with, such as ``Sentiment:``; the answer
            form follows it with its leading white space, in demonstrations as well.
        shots: Demonstrations of a prompt, unless the user says otherwise.
        encoder: How a sentence encoder reads the task.
        cloze: What a masked language model reads, such as ``{{ text }} It was {{ mask }}.``: the
            answer without the white space around it stands in place of the mask.
        data: The in-box data set that it is tried on by default.
        generation: How a model writes its answer.
        presence: For kind ``multilabel``, whose forms ask about one ``label`` at a time.
        promptsource: A template of promptsource, in place of `query`; see
            `promptkit.prompts.imported`.
        lm_eval: A task of lm-evaluation-harness, in place of `query` and `answer`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    description: str
    task: TaskKeys
    labels: dict[Label, LabelKeys] | Literal["open"] = "open"
    any_label: LabelKeys | None = None
    query: str = ""
    shot: str | None = None
    answer: str = " {{ word }}"
    instruction: str = ""
    system: str = ""
    separator: str = "\n\n"
    chat: bool = False
    prefill: str = ""
    shots: Annotated[int, Field(ge=0)] = 0
    encoder: EncoderKeys | None = None
    cloze: str | None = None
    data: str | None = None
    generation: GenerationKeys | None = None
    presence: PresenceKeys | None = None
    promptsource: PromptsourceKeys | None = None
    lm_eval: LmEvalKeys | None = None

    @model_validator(mode="after")
    def _forms_are_there(self) -> TemplateKeys:
        if not self.imported and "query" not in self.model_fields_set:
            raise ValueError("'query' is missing: a row's part of the prompt")
        own = {"query", "shot", "instruction", "system", "prefill", "cloze", "chat", "any_label"}
        own |= {"answer"} if self.lm_eval else set()
        taken = sorted(own & self.model_fields_set)
        if self.imported and taken:
            raise ValueError(f"{taken[0]!r} cannot stand beside another tool's forms")
        if self.promptsource and self.lm_eval:
            raise ValueError("'promptsource' and 'lm_eval' are two templates; keep one")
        return self

    @property
    def imported(self) -> bool:
        """Whether another tool wrote its forms."""
        return self.promptsource is not None or self.lm_eval is not None

    @model_validator(mode="after")
    def _labels_are_said(self) -> TemplateKeys:
        if self.task.kind == "generate":
            if {"labels", "any_label", "encoder", "cloze"} & self.model_fields_set:
                raise ValueError(
                    "kind 'generate' has no 'labels', 'any_label', 'encoder' or 'cloze': the "
                    "answer is a text"
                )
            return self
        if "labels" not in self.model_fields_set:
            raise ValueError("'labels' is missing: how each label is said, or 'open'")
        if self.labels == "open" and self.any_label is None and not self.imported:
            raise ValueError("open labels need 'any_label': how a label is said")
        if self.labels != "open" and self.any_label is not None:
            raise ValueError("'any_label' is for 'labels: open'")
        if self.task.kind == "choose" and self.labels != "open":
            raise ValueError("kind 'choose' takes 'labels: open': each row brings its choices")
        if self.labels != "open" and len(self.labels) < 2:
            raise ValueError("at least two labels are needed")
        if self.task.kind == "rate":
            _check_numbers(() if self.labels == "open" else tuple(self.labels))
        if self.task.kind != "multilabel" and self.presence is not None:
            raise ValueError("'presence' belongs to kind 'multilabel'")
        return self

    def content(self) -> str:
        """All that is used, as one text: a template keeps its name when keys are added here."""
        unused: dict[str, Any] = {} if self.prefill else {"prefill": True}
        late = ("generation", "presence", "promptsource", "lm_eval")
        unused |= {key: True for key in late if not getattr(self, key)}
        added = ("metrics", "tolerance", "words")
        absent = {key: True for key in added if getattr(self.task, key) is None}
        return self.model_dump_json(exclude={**unused, "task": absent})


def _check_numbers(labels: tuple[Any, ...]) -> None:
    """A rating's labels are its numbers, from the lowest to the highest."""
    numbers = [one for one in labels if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < 2 or len(numbers) < len(labels) or numbers != sorted(set(numbers)):
        raise ValueError("kind 'rate' has numbers as labels, from the lowest to the highest")
