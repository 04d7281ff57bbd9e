"""Short generations cover every token of every label once."""

from hypothesis import given
from hypothesis import strategies as st

from promptkit.backends.tokens import Request
from promptkit.backends.vllm_steps import chains, generations, nodes

ids = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple)
requests = st.builds(Request, ids, st.lists(ids, min_size=1, max_size=8, unique=True).map(tuple))


@given(st.lists(requests, max_size=4), st.integers(1, 6), st.integers(1, 5))
def test_each_token_of_each_answer_is_asked_for_once_behind_what_comes_before_it(
    asked, most, longest
):
    found = []
    for one in generations(asked, most, longest):
        assert len(one.tokens) <= most
        assert len(one.asked) == len(one.forced) + 1 <= longest
        for step, children in enumerate(one.asked):
            before = one.prompt + one.forced[:step]
            for token, answers in children.items():
                found += [(one.request, answer, before, token) for answer in answers]
    expected = [
        (index, which, request.context + answer[:at], token)
        for index, request in enumerate(asked)
        for which, answer in enumerate(request.answers)
        for at, token in enumerate(answer)
    ]
    assert sorted(found) == sorted(expected)


@given(st.lists(ids, min_size=1, max_size=8, unique=True))
def test_as_many_nodes_as_can_be_take_a_child_along(answers):
    known = nodes(answers)
    assert len(known) - len(chains(known, 100, 2)) == most_pairs(known, ())


@given(st.lists(ids, min_size=1, max_size=8, unique=True))
def test_chains_of_any_length_are_as_many_as_there_are_ends(answers):
    known = nodes(answers)
    ends = [one for one in known if not any((*one, token) in known for token in known[one])]
    assert len(chains(known, 100, 100)) == len(ends)


def most_pairs(known, path):
    """By trying: the root alone, or with each of its children."""

    def inner(one):
        return [(*one, token) for token in known.get(one, ()) if (*one, token) in known]

    alone = sum(most_pairs(known, child) for child in inner(path))
    joined = [
        1
        + sum(most_pairs(known, other) for other in inner(path) if other != child)
        + sum(most_pairs(known, grandchild) for grandchild in inner(child))
        for child in inner(path)
    ]
    return max([alone, *joined])


def test_labels_of_one_token_take_one_step():
    found = list(generations([Request((1, 2), ((5,), (6,), (7,)))], 128))
    assert [(one.prompt, one.asked, one.forced) for one in found] == [
        ((1, 2), ({5: (0,), 6: (1,), 7: (2,)},), ())
    ]


def test_a_label_of_two_tokens_takes_one_generation_of_two():
    (found,) = generations([Request((1,), ((5, 6),))], 128)
    assert (found.prompt, found.forced, found.tokens) == ((1,), (5,), [5, 6])
