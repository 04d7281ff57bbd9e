"""Features, saved, taken up again, and put to work on a file.

A saved model is a folder of safetensors and JSON; nothing in it is pickled, and changed files are
refused.
"""

import csv
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from promptkit import load_model

ROWS = ["Never again.", "Exactly what I hoped for.", "The shop opens at nine."]


def promptkit(*arguments: str) -> None:
    """The command line, as in a terminal."""
    subprocess.run([sys.executable, "-m", "promptkit", *arguments], check=True)


with TemporaryDirectory() as name:
    folder = Path(name)
    kept, new, answered = folder / "model", folder / "new.csv", folder / "answered.csv"
    promptkit(
        "tune", "--strategy", "features", "--data", "customer_reviews", "--limit", "60",
        "--output", str(kept),
    )  # fmt: skip

    # in Python
    model = load_model(kept)
    predictions = model.predict(ROWS)
    for prediction, text in zip(predictions, ROWS, strict=True):
        print(f"{prediction.label:10} {text}")

    # and a file of any size, in constant memory
    new.write_text("text\n" + "\n".join(ROWS) + "\n", encoding="utf-8")
    promptkit("predict", "--model", str(kept), "--data", str(new), "--output", str(answered))
    with answered.open(newline="", encoding="utf-8") as file:
        answers = [row["predicted"] for row in csv.DictReader(file)]

assert answers == [prediction.label for prediction in predictions]
assert model.labels == ("negative", "neutral", "positive")
