"""Data frames of pandas and polars, and a template over two columns.

Columns are found by the template's fields; labels of any type keep their type.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import polars as pl

from promptkit import PromptClassifier, load

TEMPLATE = """
name: follows
description: Whether a note agrees with an order.
task: {fields: [ordered, note]}
instruction: Does the note speak of what was ordered? Answer yes or no.
query: "Ordered: {{ ordered }}\\nNote: {{ note }}\\nAnswer:"
labels:
  true: {words: ["yes"], statements: ["The note is about what was ordered."]}
  false: {words: ["no"], statements: ["The note is about something else."]}
"""
COLUMNS = {
    "ordered": ["a blue lamp", "two chairs", "a rug", "a desk"],
    "note": ["The lamp is lovely.", "My parcel of tea is here.", "Soft rug, thanks.", "Nice mugs."],
    "agrees": [True, False, True, False],
}
pandas_rows, polars_rows = pd.DataFrame(COLUMNS), pl.DataFrame(COLUMNS)

with TemporaryDirectory() as folder:
    path = Path(folder) / "follows.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    # the fake backend answers the same every time and knows nothing: this is about columns
    model = PromptClassifier(template=str(path), backend="fake", shots=2)
    model.fit(pandas_rows[["ordered", "note"]], pandas_rows["agrees"])
    of_pandas = model.predict(pandas_rows[["note", "ordered"]])  # in any order
    of_polars = model.predict(polars_rows.select("ordered", "note"))

print(pandas_rows.assign(predicted=of_pandas))
assert list(of_pandas) == list(of_polars)
assert of_pandas.dtype == bool  # labels that are true and false stay true and false

# rows of a file, as data frames have them
reviews = load("customer_reviews", split="test")
frame = pd.DataFrame([{**row.fields, "label": row.label} for row in reviews])
assert list(frame.columns) == ["text", "label"]
assert len(frame) == len(reviews)
