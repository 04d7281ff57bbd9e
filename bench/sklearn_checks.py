"""Runs scikit-learn's own suite over every estimator, and writes the table of docs/sklearn.md.

python bench/sklearn_checks.py            # minutes, on a CPU
python bench/sklearn_checks.py --print    # to the screen alone
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path

os.environ["SCIPY_ARRAY_API"] = "1"  # before scipy is imported; a check is skipped otherwise
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "sklearn.md"
BEGIN, END = "<!-- checks: begin -->", "<!-- checks: end -->"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--print", action="store_true", help="leave the page as it is")
    only_printed = options.parse_args().print
    table = "\n".join(lines())
    if only_printed:
        print(table)
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def lines() -> list[str]:
    import sklearn

    from tests.estimators.numbers_as_words import CHECKED, EXPECTED, EXPECTED_FURTHER

    warnings.simplefilter("ignore")
    found = [
        f"With scikit-learn {sklearn.__version__}:",
        "",
        "| estimator | checks | passed | cannot pass | failed | skipped |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in CHECKED:
        counts = counted(name)
        kinds = [str(counts[kind]) for kind in ("passed", "xfail", "failed", "skipped")]
        found.append(f"| {name} | {sum(counts.values())} | {' | '.join(kinds)} |")
        print(found[-1], file=sys.stderr, flush=True)
    reasons = EXPECTED | EXPECTED_FURTHER
    found += ["", "What cannot pass, and why:", ""]
    return found + [f"- `{check}`: {why}." for check, why in reasons.items()]


def counted(name: str) -> dict[str, int]:
    """How many checks of the suite, and of those beside it, ended in which way."""
    from functools import partial
    from unittest import SkipTest

    from sklearn.utils import estimator_checks

    from tests.estimators.numbers_as_words import (
        EXPECTED,
        EXPECTED_FURTHER,
        further,
        suite,
        worded,
    )

    counts = dict.fromkeys(("passed", "xfail", "failed", "skipped"), 0)
    checks = suite(name)
    checks += [(one, partial(getattr(estimator_checks, one), name)) for one in further(name)]
    for called, check in checks:
        expected = called in EXPECTED | EXPECTED_FURTHER
        try:
            check(worded(name, called))
            counts["failed" if expected else "passed"] += 1
        except SkipTest:
            counts["skipped"] += 1
        except Exception as error:  # of any kind: each is a row of the table
            foreseen = expected and isinstance(error, AssertionError)
            counts["xfail" if foreseen else "failed"] += 1
    return counts


if __name__ == "__main__":
    main()
