"""Directives that write what the code says: options of a part, commands and their options.

``{part} selector mmr`` writes the options of a registered class with their defaults and meanings,
from its signature and docstring. ``{commands}`` writes the reference of the command line from the
commands themselves. So neither can go out of date.
"""

from __future__ import annotations

import re
from inspect import Parameter, cleandoc, getdoc
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

#: Options of parts that a key of a spec says, and not an option of the part.
SAID_ELSEWHERE = {
    "model": "`--model`",
    "seed": "`--seed`",
    "device": "`--device`",
    "dtype": "`--dtype`",
}
#: Where an option is given on the command line, by kind of part.
GIVEN_AS = {
    "selector": "`--selector {name} --selector-option KEY=VALUE`",
    "order": "`--order {name}`",
    "verbalizer": "`--verbalizer {name} --verbalizer-option KEY=VALUE`",
    "parser": "`--strategy generate --option parser={name} --option KEY=VALUE`",
    "calibration": "`--calibration {name} --calibration-option KEY=VALUE`",
    "backend": "`--backend {name} --backend-option KEY=VALUE`",
    "strategy": "`--strategy {name} --option KEY=VALUE`",
    "tagger": "`--strategy {name} --option KEY=VALUE`, with a template of kind `tag`",
}


class Part(SphinxDirective):
    """The options of a registered part, as a table."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Write them in Markdown, and have that read."""
        from promptkit.runs.plugins import REGISTRIES

        kind, name = self.arguments
        registry = {one.kind: one for one in REGISTRIES}.get(kind)
        if registry is None or name not in registry.built_in:
            raise self.error(f"no {kind} named {name!r}")
        return self.parse_text_to_nodes(part_markdown(kind, name, registry.load(name)))


class ScoreOfFeatures(SphinxDirective):
    """What a score of features is called and measured in."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One line, from the table of scores."""
        from promptkit.transferability import SCORES

        score = SCORES[self.arguments[0]]
        told = f"In tables **{score.title}**, in {score.unit}; the name in exports is "
        return self.parse_text_to_nodes(f"{told}`{self.arguments[0]}`. Source: {score.source}.")


class Commands(SphinxDirective):
    """Every command with its options, as its ``--help`` has them."""

    option_spec = {"level": directives.nonnegative_int}  # noqa: RUF012 (docutils wants it so)

    def run(self) -> list[nodes.Node]:
        """Write them in Markdown, and have that read."""
        from typer.main import get_command

        from promptkit.cli import make_app

        text = "\n\n".join(_commands(get_command(make_app()), "promptkit"))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("part", Part)
    app.add_directive("score", ScoreOfFeatures)
    app.add_directive("commands", Commands)
    app.connect("autodoc-skip-member", _of_scikit_learn)
    return {"version": "1", "parallel_read_safe": True}


def _of_scikit_learn(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool:
    """Leaves out what scikit-learn adds to each estimator to route metadata."""
    return skip or (name.startswith("set_") and name.endswith("_request"))


def part_markdown(kind: str, name: str, cls: type) -> str:
    """How a part is named on the command line, and a table of its options."""
    from promptkit.cli.parts import HANDED
    from promptkit.registry import parameters_of

    meanings = arguments_of(cls)
    rows = []
    for option, one in parameters_of(cls).items():
        named = one.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        if not named or option in HANDED:
            continue
        default = "needed" if one.default is Parameter.empty else f"`{one.default!r}`"
        meaning = meanings.get(option, "")
        if option in SAID_ELSEWHERE:
            meaning = f"Given as {SAID_ELSEWHERE[option]}. {meaning}"
        cells = (f"`{option}`", default, meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    given = GIVEN_AS[kind].format(name=name)
    if not rows:
        return f"Given as {given.partition(' --')[0]}`: it has no options." if "KEY" in given else (
            f"Given as {given}: it has no options."
        )  # fmt: skip
    head = ["| option | default | meaning |", "|---|---|---|"]
    return "\n".join([f"Given as {given}.", "", *head, *rows])


def arguments_of(cls: type) -> dict[str, str]:
    """The ``Args`` of a class's docstring and of those above it, by name, as Markdown."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__[:-1]):
        text = getdoc(one) if "__doc__" in vars(one) else ""
        section = re.search(r"^Args:\n((?:[ ].*\n?|\n)+)", text or "", re.MULTILINE)
        if section is None:
            continue
        for names, told in re.findall(
            r"^([\w, *]+): (.+(?:\n(?: .*|$))*)", cleandoc(section.group(1)), re.MULTILINE
        ):
            for name in names.split(","):
                found[name.strip(" *")] = markdown(" ".join(told.split()))
    return found


def markdown(text: str) -> str:
    """Text of a docstring in Markdown: two kinds of backticks become one."""
    return text.replace("``", "`")


def _commands(command: Any, path: str, depth: int = 0) -> list[str]:
    """A command and those below it."""
    parts = []
    if depth:
        parts += [f"{'#' * (depth + 1)} {path}", _help_of(command), _options_of(command)]
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            parts += _commands(inner, f"{path} {name}", depth + 1)
    return [part for part in parts if part]


def _help_of(command: Any) -> str:
    """Help with its marks made Markdown, and examples made blocks."""
    paragraphs = []
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("  "):
            lines = "\n".join(line.strip() for line in paragraph.splitlines())
            paragraphs.append(f"```bash\n{lines}\n```")
        else:
            bold = re.sub(r"\[/?bold\]", "**", paragraph)
            paragraphs.append(re.sub(r"\[/?\w+\]", "", bold))
    return re.sub(r"\n```\n\n```bash\n", "\n", "\n\n".join(paragraphs))


def _options_of(command: Any) -> str:
    rows = []
    for one in command.params:
        if getattr(one, "hidden", False) or one.name == "help":
            continue
        names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
        if one.param_type_name == "argument":
            names = f"`{one.name.upper()}`"
        told = re.sub(r"\[/?\w+\]", "", getattr(one, "help", None) or "")
        rows.append(f"| {names} | {told.replace('|', chr(92) + '|')} |")
    return "\n".join(["| option | meaning |", "|---|---|", *rows]) if rows else ""
