"""The OpenAPI document as a page to read: no scripts, and nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{background:#f4f4f4;padding:.8rem;overflow:auto}code{font-size:.9em}"
    "h2{margin-top:2.2rem}table{border-collapse:collapse}td{padding:.1rem 1rem .1rem 0}"
)


def page(document: Mapping[str, Any]) -> str:
    """HTML of every path, its examples and its errors; all names are data and are escaped."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>",
    ]
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>")
            parts.append(f"<p>{escape(told['summary'])} {escape(told.get('description', ''))}</p>")
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            parts += _examples("asks", body.get("examples", {}))
            for status, answer in told["responses"].items():
                content = answer.get("content", {}).get("application/json", {})
                parts.append(f"<p><b>{escape(status)}</b> {escape(answer['description'])}</p>")
                parts += _examples("says", content.get("examples", {}))
    return "".join(parts)


def _examples(what: str, examples: Mapping[str, Any]) -> list[str]:
    return [
        f"<p>{what}, {escape(name)}:</p>"
        f"<pre>{escape(json.dumps(one['value'], indent=2, ensure_ascii=False))}</pre>"
        for name, one in examples.items()
    ]
