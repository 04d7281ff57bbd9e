"""A way of prompting chosen on training rows, and what it is worth on rows that did not choose."""

from promptkit.runs.search.engine import search
from promptkit.runs.search.nouns import Search
from promptkit.runs.search.spec import SearchSpec, search_spec

__all__ = ["Search", "SearchSpec", "search", "search_spec"]
