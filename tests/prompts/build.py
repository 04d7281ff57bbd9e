"""Templates out of a few lines, for the tests of this folder."""

from promptkit.prompts.form import TemplateKeys
from promptkit.prompts.template import Template
from promptkit.prompts.yamlfile import parse_yaml, validate
from promptkit.types import Example

CLASSIFY = """\
name: t
description: d
task:
  fields: [text]
instruction: "Say {{ words | join(' or ') }}."
query: "Text: {{ text }}\\nIt is"
labels:
  neg: {words: [bad, poor], statements: ["It is bad."]}
  pos: {words: [good], statements: ["It is good.", "I like it."]}
encoder: {text: "{{ text }}"}
"""
CHOOSE = """\
name: t
description: d
task:
  kind: choose
  choices: choices
  fields: [question, choices]
query: "{{ question }}{% for c in choices %} {{ letters[loop.index0] }}. {{ c }}{% endfor %}"
labels: open
any_label: {words: ["{{ letter }}", "{{ choice }}"], statements: ["It is {{ choice }}."]}
"""
OPEN_LABELS = """\
name: t
description: d
task: {fields: [text]}
query: "{{ text }}"
labels: open
any_label: {words: ["{{ label }}"], statements: ["about {{ label }}", "{{ label }}: {{ text }}"]}
"""


def template_of(text=CLASSIFY, *changes, path="t.yaml"):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = parse_yaml(text, path)
    return Template(validate(TemplateKeys, file), file)


def row(label=None, id="1", **fields):
    return Example(id, fields or {"text": "fine"}, label)
