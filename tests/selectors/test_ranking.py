import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.errors import SpecError
from promptkit.selectors.bm25 import BM25Selector
from promptkit.selectors.nearest import NearestSelector
from promptkit.selectors.ranking import shown, top


@given(
    scores=st.lists(st.integers(-2, 2), max_size=30),
    k=st.integers(0, 35),
    barred=st.sets(st.integers(0, 29), max_size=3),
)
def test_top_is_the_head_of_a_full_sort(scores, k, barred):
    barred = {place for place in barred if place < len(scores)}
    free = [place for place in range(len(scores)) if place not in barred]
    expected = sorted(free, key=lambda place: (-scores[place], place))[:k]
    assert top(np.array(scores, float), k, barred) == expected


def test_the_order_of_the_prompt():
    assert shown(["best", "second"], "nearest_last") == ["second", "best"]
    assert shown(["best", "second"], "nearest_first") == ["best", "second"]


@pytest.mark.parametrize("cls", [NearestSelector, BM25Selector])
def test_an_unknown_order_names_the_nearest(cls):
    with pytest.raises(SpecError, match="did you mean 'nearest_first'"):
        cls(order="nearest_frist")
