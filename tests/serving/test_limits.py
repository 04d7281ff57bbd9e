"""Limits that mean nothing are refused by the name of their option."""

import pytest

from promptkit.errors import SpecError
from promptkit.serving.limits import FLAGS, Limits


def test_every_limit_has_an_option():
    assert set(FLAGS) == set(vars(Limits()))


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({"batch_rows": 0}, "--batch-rows 0"),
        ({"batch_wait": -0.001}, "--batch-wait-ms -0.001"),
        ({"timeout": 0.0}, "--timeout 0"),
        ({"timeout": float("inf")}, "--timeout inf"),
        ({"drain_timeout": float("nan")}, "--drain-timeout nan"),
        ({"chars": 0}, "--max-chars 0"),
        ({"rows": 0}, "--max-rows 0"),
        ({"body_bytes": 0}, "--max-body 0"),
        (
            {"rows": 10, "queue_rows": 9},
            "--max-rows 10: a request of so many rows could never wait",
        ),
    ],
)
def test_what_is_refused(given, flag):
    with pytest.raises(SpecError) as caught:
        Limits(**given)
    assert flag in str(caught.value)
