"""README.md of a saved model: what it is, how it was made, how it is used, and its limits.

Front matter as the Hugging Face Hub reads it. No text of a row gets into it, and no license: that
is for whoever publishes the model to choose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from promptkit.types import Scalar

#: Labels that are listed; a card with ten thousand helps nobody.
LABELS_SHOWN = 200


def model_card(content: Mapping[str, Any], facts: Mapping[str, Any], name: str) -> str:
    """The card of a saved model.

    Args:
        content: What promptkit.json says.
        facts: What the strategy says about its training.
        name: Name of the folder.
    """
    parts = [
        _front_matter(content),
        f"# {_text(name)}\n",
        _purpose(content),
        _labels(content["labels"]),
        _training(content, facts),
        _use(content, name),
        _limits(content),
    ]
    return "\n".join(parts)


def _front_matter(content: Mapping[str, Any]) -> str:
    lines = ["---", "library_name: promptkit", "pipeline_tag: text-classification", "tags:"]
    lines += [f"- {tag}" for tag in ("promptkit", "text-classification", _strategy(content))]
    hub_id = (content["model"] or {}).get("hub_id")
    if hub_id:
        lines.append(f"base_model: {json.dumps(hub_id)}")
    return "\n".join([*lines, "---", ""])


def _purpose(content: Mapping[str, Any]) -> str:
    fields = content["template"]["fields"]
    what = "a text" if len(fields) == 1 else f"rows with the fields {_codes(fields)}"
    if not content["labels"]:
        return f"Chooses, for {what}, one of the answers that each row brings.\n"
    return (
        f"Puts {what} into one of {len(content['labels'])} labels, with a probability for each. "
        f"Made by promptkit with the strategy `{_strategy(content)}`.\n"
    )


def _labels(labels: list[Scalar]) -> str:
    if not labels:
        return ""
    more = len(labels) - LABELS_SHOWN
    rest = f" and {more} more (see promptkit.json)" if more > 0 else ""
    return f"## Labels\n\n{_codes(labels[:LABELS_SHOWN])}{rest}\n"


def _training(content: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    trained, model = content["trained_on"], content["model"]
    lines = [("training rows", f"{trained['n']:,}"), ("content of the rows", trained["hash"])]
    lines.append(("strategy", _strategy(content)))
    given = content["strategy"]["options"]
    lines += [(f"option {key}", json.dumps(value)) for key, value in given.items()]
    if model is not None:
        lines.append(("base model", f"{model['hub_id'] or model['name']} ({model['weights']})"))
    lines += [(str(key), _figure(value)) for key, value in facts.items() if value is not None]
    lines += [("seed", str(content["seed"])), ("template", content["template"]["name"])]
    lines += [("made on", content["created"][:10]), ("promptkit", content["promptkit"])]
    rows = "".join(f"| {_cell(key)} | {_cell(value)} |\n" for key, value in lines)
    return f"## How it was made\n\n| | |\n| --- | --- |\n{rows}"


def _use(content: Mapping[str, Any], name: str) -> str:
    fields, columns = content["template"]["fields"], content["columns"]
    read = _codes([columns.get(field, field) for field in fields])
    row = '"A text."'
    if len(fields) > 1:
        row = "{" + ", ".join(f'"{field}": "..."' for field in fields) + "}"
    folder = json.dumps(name)
    return (
        "## How to use it\n\n"
        f"```bash\npromptkit predict --model {name} --data rows.csv --output answers.csv\n"
        f"promptkit eval --model {name} --data labelled.csv\n```\n\n"
        f"Rows are read from {read}; `--text-field` names another column.\n\n"
        f"```python\nimport promptkit\n\nmodel = promptkit.load_model({folder})\n"
        f"model.predict([{row}])[0].label\n```\n"
    )


def _limits(content: Mapping[str, Any]) -> str:
    said = [
        f"It has seen {content['trained_on']['n']:,} labelled rows and knows no label but those "
        "above: it gives one of them to any text, however foreign.",
        "How often it is right elsewhere is for `promptkit eval` on labelled rows that it has not "
        "seen to say. Its probabilities are as good as those rows show them to be.",
        "What was learned can hold traces of the training rows, such as words or vectors.",
    ]
    if _strategy(content) in ("in_context", "generate"):
        said[2] = (
            "With demonstrations, `learned/pool.jsonl` holds the training rows as they are: pass "
            "the folder on only to whom you would give the rows."
        )
    if content["model"] is not None:
        said.append("What the base model's license and card say holds for it as well.")
    return "## Limits\n\n" + "".join(f"- {line}\n" for line in said)


def _strategy(content: Mapping[str, Any]) -> str:
    return str(content["strategy"]["name"])


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, str) else json.dumps(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _codes(values: list[Any]) -> str:
    """Each value as code: nothing in it is read as Markdown."""
    return ", ".join(f"`{_plain(value)}`" for value in values)


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) and value.strip() else json.dumps(value)
    return json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("`", "'")


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    r"""Text that Markdown leaves as it is, on one line."""
    line = " ".join(str(text).split())
    for mark in "\\`*_[]<>#":
        line = line.replace(mark, f"\\{mark}")
    return line
