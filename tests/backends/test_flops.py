"""Operations are counted as torch's own counter counts them, in the ways that models work."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from promptkit.backends.flops import Flops


def both(work):
    """What is counted here, and what torch's counter says of attention spelled out."""
    with Flops() as own:
        work()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as theirs:
        work()
    return own.total, theirs.get_total_flops()


def test_a_product_by_hand():
    with Flops() as flops:
        torch.ones(3, 4) @ torch.ones(4, 5)
    assert flops.total == 2 * 3 * 4 * 5


def test_a_layer_that_is_trained_costs_three_times_as_much_unless_nothing_comes_before_it():
    layer = torch.nn.Linear(4, 5)
    with Flops() as flops:
        layer(torch.ones(3, 4)).sum().backward()
    assert flops.total == 2 * (2 * 3 * 4 * 5)  # forwards, and for the weights
    with Flops() as flops, torch.inference_mode():
        layer(torch.ones(3, 4))
    assert flops.total == 2 * 3 * 4 * 5


def test_outside_nothing_is_counted():
    with Flops() as flops:
        pass
    torch.ones(3, 4) @ torch.ones(4, 5)
    assert flops.total == 0


@pytest.mark.parametrize("equation", ["ij,jk->ik", "bij,bjk->bik"])
def test_sums_by_indices(equation):
    shapes = [(2, 3, 4), (2, 4, 5)] if "b" in equation else [(3, 4), (4, 5)]
    first, second = (torch.ones(shape) for shape in shapes)
    own, theirs = both(lambda: torch.einsum(equation, first, second))
    assert own == theirs > 0


@pytest.mark.parametrize("family", ["llama", "gpt2", "bert"])
@pytest.mark.parametrize("trained", [False, True])
def test_whole_models(family, trained):
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = AutoConfig.for_model(family, vocab_size=50, **sizes)
    if family != "gpt2":
        config.intermediate_size = 64
    model = AutoModel.from_config(config).train(trained)
    ids = torch.randint(1, 50, (3, 7))

    def work():
        if trained:
            model.zero_grad()
            model(ids).last_hidden_state.sum().backward()
            return
        with torch.inference_mode():
            model(ids)

    own, theirs = both(work)
    assert own == pytest.approx(theirs, rel=0.01)
    assert own > 0
