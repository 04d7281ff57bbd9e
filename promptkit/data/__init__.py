"""Rows in: files, folders, the box, the Hub and data frames become a checked `Dataset`.

pandas, pyarrow and datasets are imported only when a source needs them.
"""

from __future__ import annotations

from promptkit.data.dataset import Dataset
from promptkit.data.labels import match_label
from promptkit.data.load import columns_of, from_records, load, train_split_of
from promptkit.data.mapping import apply_labels, renamed
from promptkit.data.sources import in_box_names
from promptkit.data.splits import sample, split

__all__ = [
    "Dataset",
    "apply_labels",
    "columns_of",
    "from_records",
    "in_box_names",
    "load",
    "match_label",
    "renamed",
    "sample",
    "split",
    "train_split_of",
]
