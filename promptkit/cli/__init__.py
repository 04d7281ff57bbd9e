"""The command line: one file per command, nothing heavy loaded before a command runs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from promptkit.backends.torch_device import quieten_quantizers
from promptkit.errors import Interrupted, PromptkitError

HELP = """Adapt a pre-trained language model to a task with a few labels, and see honestly which way
works.

Start with: [bold]promptkit eval --template sentiment_zero_shot[/bold]
"""


#: The commands in the order of the help. Each has a module of its name, with ``add_to(app)``.
COMMANDS = (
    "init",
    "eval",
    "compare",
    "tune",
    "predict",
    "serve",
    "preview",
    "choose",
    "label-next",
    "label-errors",
    "probe",
    "features",
    "data",
    "templates",
    "words",
    "search",
    "runs",
    "cache",
    "parts",
    "doctor",
)


def make_app(commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands: to read the options of all takes a moment."""
    app = typer.Typer(
        name="promptkit",
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_commands_follow)
    for name in commands:
        import_module(f"promptkit.cli.{name.replace('-', '_')}").add_to(app)
    return app


def _commands_follow() -> None:
    """Says that there are commands, where only one of them is known."""


def main() -> None:
    """Run the command line; an error made on purpose is one line and exit status 2."""
    quieten_quantizers()
    try:
        asked = [name for name in sys.argv[1:2] if name in COMMANDS]
        status = make_app(asked or COMMANDS)(prog_name="promptkit", standalone_mode=False)
    except Interrupted as error:
        stop(f"{error}; go on with: {resume_command(sys.argv)}")
    except PromptkitError as error:
        stop(str(error))
    except Exception as error:
        if not hasattr(error, "format_message"):  # not one of the parser's: a bug, with traceback
            raise
        _stop_parsing(error)
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _stop_parsing(error: Any) -> None:
    """A group without a command shows its help; a wrong option is one line like any error."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        sys.exit(0)
    where = f" (see '{context.command_path} --help')" if context else ""
    stop(f"{error.format_message().rstrip('.')}{where}")


def stop(message: str) -> None:
    """Print one line to standard error and exit with 2."""
    line = " ".join(str(message).split())
    sys.stdout.flush()
    sys.stderr.write(f"promptkit: {line}\n")
    sys.exit(2)


def resume_command(argv: list[str]) -> str:
    """The command that goes on where a run stopped: the same one, without ``--fresh``."""
    return shlex.join(["promptkit", *(part for part in argv[1:] if part != "--fresh")])
