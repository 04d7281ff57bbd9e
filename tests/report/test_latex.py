"""Tables for papers."""

from promptkit.report.latex import comparison_latex, latex
from tests.runs.compare.made import comparison


def test_what_latex_would_act_upon_is_written_out():
    assert latex("a_b & 5% {x} \\y <z>") == (
        r"a\_b \& 5\% \{x\} \textbackslash{}y \textless{}z\textgreater{}"
    )


def test_a_table_has_a_line_for_each_way_and_the_recommended_one_in_bold():
    text = comparison_latex(comparison())
    assert text.count(r" \\") == 4
    assert r"\textbf{full}" in text
    assert text.index(r"\toprule") < text.index(r"\midrule") < text.index(r"\bottomrule")
    widths = {line.count("&") for line in text.splitlines() if line.endswith(r"\\")}
    assert len(widths) == 1
