"""Reports: runs as tables, JSON, CSV and Markdown."""

from promptkit.report.export import (
    as_csv,
    as_format,
    as_json,
    as_markdown,
    predictions_as,
    predictions_csv,
    predictions_jsonl,
)
from promptkit.report.tables import print_tables, run_table, runs_table, seeds_table

__all__ = [
    "as_csv",
    "as_format",
    "as_json",
    "as_markdown",
    "predictions_as",
    "predictions_csv",
    "predictions_jsonl",
    "print_tables",
    "run_table",
    "runs_table",
    "seeds_table",
]
