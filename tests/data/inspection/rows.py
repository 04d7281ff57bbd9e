"""Rows for tests, as short as they can be."""

from promptkit.data.inspection import Row


def rows_of(*said, split="all"):
    """``("text", "label")`` or ``("text", "label", "split")`` each, a line of one file."""
    made = []
    for number, one in enumerate(said, start=1):
        text, label, own = (*one, None, None)[:3] if isinstance(one, tuple) else (one, None, None)
        made.append(Row(own or split, "rows.jsonl", "line", number, None, (text,), label))
    return made


def spots(findings):
    """By kind, the rows found and what they are like."""
    return {one.kind: [(spot.row, spot.other) for spot in one.spots] for one in findings}


def notes(findings):
    """By kind, what is said of each row."""
    return {one.kind: [spot.note for spot in one.spots] for one in findings}
