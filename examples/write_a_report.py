"""The whole answer of a comparison as one page that needs nothing else, and as a paper's table."""

from pathlib import Path
from tempfile import TemporaryDirectory

from promptkit import compare, load

rows = [
    {"text": row.fields["text"], "label": row.label}
    for row in load("customer_reviews", split="train").examples[:48]
]

with TemporaryDirectory() as name:
    folder = Path(name)
    found = compare(
        rows, strategies=["majority", "random", "tfidf"], sizes=[24, None], seeds=1, folds=3,
        prices={"currency": "EUR", "hour": 0.4, "label": 0.1}, root=folder / "kept",
    )  # fmt: skip
    page = folder / "report.html"
    found.report(page)
    html = page.read_text(encoding="utf-8")

print(found)
print(found.to("latex"))

assert html.startswith("<!DOCTYPE html>") or html.startswith("<!doctype html>")
assert "http://" not in html.replace("http://www.w3.org", "")  # the page fetches nothing
assert "tfidf" in html
frame = found.to_frame()
assert set(frame["strategy"]) == {"majority", "random", "tfidf"}
