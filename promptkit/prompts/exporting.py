"""Templates as other tools read them: promptsource and lm-evaluation-harness."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from promptkit.errors import CapabilityError, SpecError, nearest
from promptkit.prompts.importing import content_text
from promptkit.prompts.label_names import letter
from promptkit.prompts.template import Template
from promptkit.types import Example, Scalar, flat

TOOLS = ("promptsource", "lm-eval")
#: Stands for a word while an answer form is taken apart.
_WORD = "\x02"
#: Letters that choices can have.
_LETTERS = 26
#: What Jinja does differently in other tools.
_OURS_ALONE = ("tojson",)
#: Names that are no part of a template, for the identity of an exported one.
_NAMESPACE = uuid.UUID("6f0f3c0e-7c3e-5d0b-9a53-0d6a3d7f4c11")


def export_text(template: Template, to: str) -> tuple[str, list[str]]:
    """A template file of another tool, and what it cannot say there.

    Raises:
        SpecError: No such tool, or a template that it could not read alike.
        CapabilityError: A kind of task that it does not have.
    """
    if to not in TOOLS:
        raise SpecError(f"--to {to}: {nearest(to, TOOLS)}")
    keys = template.keys
    if keys.imported:
        own = "promptsource" if keys.promptsource else "lm-eval"
        if to != own:
            raise SpecError(
                f"template {template.name!r} was imported from {own}, whose forms {to} reads "
                f"otherwise; export it with --to {own}"
            )
        return (_back_to_promptsource if keys.promptsource else _back_to_lm_eval)(template), []
    if template.task.kind not in ("classify", "choose"):
        raise CapabilityError(
            f"template {template.name!r} is of kind {template.task.kind!r}; templates of kind "
            "'classify' and 'choose' can be exported"
        )
    if template.open and not template.choosing:
        raise SpecError(f"template {template.name!r} leaves its labels open; declare them first")
    for name in _OURS_ALONE:
        if name in keys.query or name in (keys.shot or ""):
            raise SpecError(f"template {template.name!r}: filter {name!r} is another one elsewhere")
    write: Callable[[Template], str] = _promptsource if to == "promptsource" else _lm_eval
    return write(template), _left_out(template, to)


def _left_out(template: Template, to: str) -> list[str]:
    keys = template.keys
    said = () if keys.labels == "open" else tuple(keys.labels.values())
    told = {
        "the chat: whether there is one is said when it is run": keys.chat,
        "what encoders read": keys.encoder is not None,
        "the cloze": keys.cloze is not None,
        "further words of labels: each is said by its first": any(len(x.words) > 1 for x in said),
        "demonstrations: promptsource has none": to == "promptsource" and keys.shots > 0,
    }
    return [f"left out: {what}" for what, there in told.items() if there]


def _lm_eval(template: Template) -> str:
    keys = template.keys
    content: dict[str, Any] = {
        "task": template.name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"train": "train.jsonl", "test": "test.jsonl"}},
        "training_split": "train",
        "test_split": "test",
        "output_type": "multiple_choice",
        "description": _literal(_lead(template)),
        "doc_to_text": _set_before(template, keys.query) + keys.query,
        "doc_to_choice": _choices(template),
        "doc_to_target": _target(template),
        "target_delimiter": _before_word(template),
        "fewshot_delimiter": keys.separator,
    }
    if keys.shot is not None:
        shot = _set_before(template, keys.shot) + keys.shot
        content["fewshot_config"] = {"doc_to_text": shot}
    if keys.shots:
        content["num_fewshot"] = keys.shots
    metrics = [{"metric": name, "aggregation": "mean", "higher_is_better": True}
               for name in ("acc", "acc_norm")]  # fmt: skip
    content |= {"metric_list": metrics, "metadata": {"version": 1.0}}
    return (
        f"# {keys.description}\n# Written by promptkit; put your own rows where train.jsonl and "
        f"test.jsonl stand.\n{content_text({k: v for k, v in content.items() if v != ''})}"
    )


def _promptsource(template: Template) -> str:
    keys, choosing = template.keys, template.choosing
    _before_word(template)
    words = [] if choosing else [said.words[0] for said in _labels(template).values()]
    if any("|||" in word for word in words):
        raise SpecError(
            f"template {template.name!r}: a word holds '|||', which parts choices there"
        )
    said = f"{{{{ {template.task.choices} | join('|||') }}}}" if choosing else " ||| ".join(words)
    if choosing and _word_form(template) != "{{ choice }}":
        said = f"{_letters_set()}{{{{ letters[:{template.task.choices} | length] | join('|||') }}}}"
    asked = _literal(_lead(template)) + _set_before(template, keys.query) + keys.query
    index = _target(template).removeprefix("{{").removesuffix("}}").strip()
    name = str(uuid.uuid5(_NAMESPACE, template.hash()))
    one = _Tagged(
        "!Template",
        {
            "answer_choices": said,
            "id": name,
            "jinja": f"{asked} ||| {{{{ answer_choices[{index}] }}}}",
            "metadata": _Tagged("!TemplateMetadata", {
                "choices_in_prompt": template.lists, "languages": ["en"],
                "metrics": ["Accuracy"], "original_task": True,
            }),
            "name": template.name,
            "reference": keys.description,
        },
    )  # fmt: skip
    return _tagged_text({"dataset": keys.data or template.name, "templates": {name: one}})


def _back_to_promptsource(template: Template) -> str:
    own = template.keys.promptsource
    assert own is not None
    dataset, _, subset = own.dataset.partition("/")
    about = {
        "choices_in_prompt": own.choices_in_prompt, "languages": own.languages,
        "metrics": own.metrics, "original_task": own.original_task,
    }  # fmt: skip
    one = {
        "answer_choices": own.answer_choices, "id": own.id, "jinja": own.jinja,
        "metadata": _Tagged("!TemplateMetadata", about), "name": template.name,
        "reference": own.reference,
    }  # fmt: skip
    head = {"dataset": dataset} | ({"subset": subset} if subset else {})
    return _tagged_text(head | {"templates": {own.id: _Tagged("!Template", one)}})


def _back_to_lm_eval(template: Template) -> str:
    own = template.keys.lm_eval
    assert own is not None
    if own.functions:
        raise SpecError(
            f"template {template.name!r} runs Python functions; take the task's own file instead"
        )
    content = own.model_dump(exclude_unset=True, exclude={"label", "version", "functions"})
    content = {"task": own.task, "output_type": "multiple_choice"} | content
    if own.version:
        content["metadata"] = {"version": own.version}
    return content_text(content)


def _lead(template: Template) -> str:
    """What stands before the first demonstration, separators included."""
    fields: dict[str, Any] = dict.fromkeys(template.task.fields, "x")
    if template.choosing:
        fields[str(template.task.choices)] = ["x", "y"]
    prompt = template.prompt(Example("export", fields))
    parts = [flat(part) for part in (prompt.system, prompt.instruction) if flat(part).strip()]
    return "".join(part + prompt.separator for part in parts)


def _before_word(template: Template) -> str:
    """What stands before an answer's word; nothing may stand behind it."""
    whole = template.keys.answer.replace("{{ word }}", _WORD).replace("{{word}}", _WORD)
    before, found, behind = whole.partition(_WORD)
    if not found or behind or "{" in before:
        raise SpecError(
            f"template {template.name!r}: its answer form {template.keys.answer!r} is more than a "
            "word with something before it, which no other tool can say"
        )
    return before


def _labels(template: Template) -> Mapping[Scalar, Any]:
    assert template.keys.labels != "open"
    return template.keys.labels


def _word_form(template: Template) -> str:
    """How a choice is said, of a template whose rows bring their own."""
    assert template.keys.any_label is not None
    form = template.keys.any_label.words[0]
    spaced = form.replace("{{choice}}", "{{ choice }}").replace("{{letter}}", "{{ letter }}")
    if spaced not in ("{{ choice }}", "{{ letter }}"):
        raise SpecError(
            f"template {template.name!r}: a choice is said as {form!r}, and other tools know the "
            "choice itself or its letter"
        )
    return spaced


def _choices(template: Template) -> Any:
    if not template.choosing:
        return [said.words[0] for said in _labels(template).values()]
    if _word_form(template) == "{{ choice }}":
        return str(template.task.choices)
    return f"{_letters_set()}{{{{ letters[:{template.task.choices} | length] }}}}"


def _target(template: Template) -> str:
    """The place of the gold label among the choices, as a form."""
    if template.choosing:
        choices = template.task.choices
        return f"{{{{ label if label is number else {choices}.index(label) }}}}"
    places = ", ".join(f"{_said(label)}: {n}" for n, label in enumerate(_labels(template)))
    return f"{{{{ {{{places}}}[label] }}}}"


def _said(label: Scalar) -> str:
    """A label as Jinja writes it."""
    return json.dumps(label, ensure_ascii=False)


def _set_before(template: Template, form: str) -> str:
    """What sets the variables that promptkit's forms know and other tools' do not."""
    lists = {} if template.choosing else {
        "words": [said.words[0] for said in _labels(template).values()],
        "labels": list(_labels(template)),
    }  # fmt: skip
    found = "".join(
        f"{{% set {name} = {json.dumps(values, ensure_ascii=False)} %}}"
        for name, values in lists.items()
        if name in form
    )
    return found + (_letters_set() if template.choosing and "letters" in form else "")


def _letters_set() -> str:
    return f"{{% set letters = {json.dumps([letter(n) for n in range(_LETTERS)])} %}}"


def _literal(text: str) -> str:
    """A text that Jinja prints as it stands."""
    special = any(mark in text for mark in ("{{", "{%", "{#"))
    return f"{{% raw %}}{text}{{% endraw %}}" if special else text


class _Tagged:
    """A mapping under a tag of promptsource."""

    def __init__(self, tag: str, content: Mapping[str, Any]) -> None:
        self.tag, self.content = tag, content


class _Dumper(yaml.SafeDumper):
    """Knows promptsource's tags, and quotes what is not plain."""


def _represent(dumper: yaml.SafeDumper, one: _Tagged) -> yaml.MappingNode:
    return dumper.represent_mapping(one.tag, dict(one.content))


_Dumper.add_representer(_Tagged, _represent)


def _tagged_text(content: Mapping[str, Any]) -> str:
    return yaml.dump(
        dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31
    )
