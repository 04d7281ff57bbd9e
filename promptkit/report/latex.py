"""A comparison's main table for a paper: LaTeX, with the lines of the package booktabs."""

from __future__ import annotations

from promptkit.report.comparison import PRICE, QUALITY, title
from promptkit.report.plain import plain
from promptkit.report.standing import ALPHA, entry_names, standings
from promptkit.runs.compare.comparison import Comparison

_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "–": "--",
}  # fmt: skip


def comparison_latex(comparison: Comparison) -> str:
    """A floating table; what cannot be told apart from the best has a dagger."""
    columns, name = {**QUALITY, **PRICE}, entry_names(comparison.plan.entries)
    heads = ["strategy", *(head.replace("\n", " ") for head in columns)]
    lines = []
    for one in standings(comparison):
        text = latex(name(one.line.entry.name)) + (r"$^\dagger$" if one.is_alike else "")
        shown = rf"\textbf{{{text}}}" if one.is_recommended else text
        lines.append([shown, *(latex(text_of(one)) for text_of in columns.values())])
    plan = comparison.plan
    caption = f"Ways of adapting a model to {plan.data}, {title(comparison)}. Bold: recommended. "
    alike = rf"$^\dagger$: not told apart from the best (Holm-adjusted $p \geq {ALPHA}$)."
    body = "\n".join(f"    {' & '.join(line)} \\\\" for line in lines)
    return (
        "% needs \\usepackage{booktabs}\n"
        "\\begin{table}\n  \\centering\n"
        f"  \\caption{{{latex(caption)}{alike}}}\n"
        f"  \\begin{{tabular}}{{l{'r' * len(columns)}}}\n    \\toprule\n"
        f"    {' & '.join(map(latex, heads))} \\\\\n    \\midrule\n{body}\n    \\bottomrule\n"
        "  \\end{tabular}\n\\end{table}\n"
    )


def latex(text: str) -> str:
    """Text with the characters that LaTeX would act upon written out."""
    return "".join(_ESCAPES.get(letter, letter) for letter in plain(text))
