"""The same on a GPU where there is one: its attention kernel, padded batches, half precision."""

import pytest
import torch

from promptkit.backends.hf import with_exact_attention
from promptkit.backends.hf_passes import Passes
from promptkit.backends.meter import Meter
from promptkit.backends.shared_passes import shared_passes
from promptkit.backends.tokens import Request
from tests.backends.test_shared_passes import FAMILIES, asked, built, gap, plainly

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("shared", [0, 1, 30, 200])
@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_the_plain_computation(family, shared, dtype):
    model = with_exact_attention(built(family)).to("cuda")
    requests = asked(9, shared)
    requests += [Request((*request.context, 3), ((5,), (7,))) for request in asked(5, shared, 1)]
    expected = plainly_there(model, requests)
    model = model.to(getattr(torch, dtype))
    rounding = gap(plainly_there(model, requests), expected)
    made, why = shared_passes(model, Passes(torch.device("cuda"), "auto", Meter()))
    assert made, why
    assert gap(made.run(requests), expected) < max(5e-5, 2 * rounding)


def plainly_there(model, requests):
    torch.set_default_device("cuda")
    try:
        return plainly(model, requests)
    finally:
        torch.set_default_device("cpu")
