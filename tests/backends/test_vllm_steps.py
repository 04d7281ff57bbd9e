"""One-step generations cover every token of every label once."""

from hypothesis import given
from hypothesis import strategies as st

from promptkit.backends.tokens import Request
from promptkit.backends.vllm_steps import nodes, steps

ids = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple)
requests = st.builds(Request, ids, st.lists(ids, min_size=1, max_size=6, unique=True).map(tuple))


@given(st.lists(requests, max_size=4), st.integers(1, 3))
def test_each_token_of_each_answer_is_asked_for_once_behind_what_comes_before_it(asked, most):
    found = []
    for step in steps(asked, most):
        assert len(step.answers) <= most
        for token, answers in step.answers.items():
            found += [(step.request, answer, step.prompt, token) for answer in answers]
    expected = [
        (index, which, request.context + answer[:at], token)
        for index, request in enumerate(asked)
        for which, answer in enumerate(request.answers)
        for at, token in enumerate(answer)
    ]
    assert sorted(found) == sorted(expected)


@given(requests)
def test_no_prompt_is_asked_twice_where_one_step_takes_all_tokens(request_):
    prompts = [step.prompt for step in steps([request_], 100)]
    assert len(prompts) == len(set(prompts)) == len(nodes(request_.answers))


def test_labels_of_one_token_take_one_step():
    found = list(steps([Request((1, 2), ((5,), (6,), (7,)))], 128))
    assert [(step.prompt, step.answers) for step in found] == [
        ((1, 2), {5: (0,), 6: (1,), 7: (2,)})
    ]
