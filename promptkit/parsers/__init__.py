"""Ways to read an answer out of what a model wrote. To add one: a file here, a line in PARSERS."""

from promptkit.protocols import Parser
from promptkit.registry import Registry

PARSERS: Registry[Parser] = Registry(
    "parser",
    {
        "exact": "promptkit.parsers.whole:Exact",
        "fuzzy": "promptkit.parsers.whole:Fuzzy",
        "json": "promptkit.parsers.json_field:JsonField",
        "last_line": "promptkit.parsers.last_line:LastLine",
        "prefix": "promptkit.parsers.whole:Prefix",
        "regex": "promptkit.parsers.regex:Regex",
    },
    seam=Parser,
)

__all__ = ["PARSERS"]
