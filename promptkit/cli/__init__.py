"""The command line: one file per command, nothing heavy loaded before a command runs."""

from __future__ import annotations

import shlex
import sys

import typer

from promptkit.errors import Interrupted, PromptkitError

app = typer.Typer(
    name="promptkit",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Adapt a pre-trained language model to a task with a few labels, and see honestly which "
        "way works.\n\nStart with: [bold]promptkit eval --template sentiment_zero_shot[/bold]"
    ),
)


def main() -> None:
    """Run the command line; an error made on purpose is one line and exit status 2."""
    from promptkit.cli import doctor, eval, preview, runs, templates

    eval.add_to(app)
    preview.add_to(app)
    templates.add_to(app)
    runs.add_to(app)
    doctor.add_to(app)
    try:
        app()
    except Interrupted as error:
        stop(f"{error}; go on with: {resume_command(sys.argv)}")
    except PromptkitError as error:
        stop(str(error))


def stop(message: str) -> None:
    """Print one line to standard error and exit with 2."""
    line = " ".join(str(message).split())
    sys.stdout.flush()
    print(f"promptkit: {line}", file=sys.stderr)  # noqa: T201
    sys.exit(2)


def resume_command(argv: list[str]) -> str:
    """The command that goes on where a run stopped: the same one, without ``--fresh``."""
    return shlex.join(["promptkit", *(part for part in argv[1:] if part != "--fresh")])
