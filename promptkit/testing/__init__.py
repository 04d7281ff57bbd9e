"""What each seam promises, as checks that the author of a part can run over it.

They need no model, no network and no test framework; a part that breaks its promise raises
`Broken`, an AssertionError that says which. In a test::

    from promptkit.testing import check_selector
    from my_package import LongestSelector

    def test_it_keeps_the_contract_of_selectors():
        check_selector(LongestSelector)

Every part in the box passes the same checks (``tests/contracts``). What they cannot know is whether
a part is any good: that is what ``promptkit compare`` measures.
"""

from promptkit.testing.asked import check_backend
from promptkit.testing.kept import Broken
from promptkit.testing.learned import check_strategy
from promptkit.testing.mended import check_calibrator, check_parser, check_verbalizer
from promptkit.testing.shown import check_order, check_selector

__all__ = [
    "Broken",
    "check_backend",
    "check_calibrator",
    "check_order",
    "check_parser",
    "check_selector",
    "check_strategy",
    "check_verbalizer",
]
