"""Planning without a model: nothing is left out, nothing is computed twice."""

from hypothesis import given
from hypothesis import strategies as st

from promptkit.backends.plan import batches, plan
from promptkit.backends.tokens import Request

# Few different ids, so that one answer is often the beginning of another.
ids = st.integers(0, 2)
answers = st.lists(st.lists(ids, min_size=1, max_size=4).map(tuple), min_size=1, max_size=6)
requests = st.lists(
    st.builds(Request, st.lists(ids, min_size=1, max_size=4).map(tuple), answers.map(tuple)),
    max_size=4,
)


@given(requests)
def test_every_token_of_every_candidate_is_wanted_once_and_read_where_it_is_predicted(asked):
    found: dict[tuple[int, int, int], int] = {}
    for one in plan(asked):
        for wanted in one.wanted:
            request = asked[wanted.request]
            offset = wanted.at - (len(request.context) - 1)
            answer = request.answers[wanted.candidate]
            before = (*request.context, *answer[:offset])
            assert one.ids[: wanted.at + 1] == before
            assert answer[offset] == wanted.token
            key = (wanted.request, wanted.candidate, offset)
            found[key] = found.get(key, 0) + 1
    every = {
        (r, c, o)
        for r, request in enumerate(asked)
        for c, answer in enumerate(request.answers)
        for o in range(len(answer))
    }
    assert found == dict.fromkeys(every, 1)


@given(requests)
def test_there_are_never_more_passes_than_candidates(asked):
    for index, request in enumerate(asked):
        own = [one for one in plan([request])]
        assert 1 <= len(own) <= len(set(request.answers)), index


def test_labels_of_one_token_share_one_pass():
    assert [one.ids for one in plan([Request((7, 8), ((1,), (2,), (3,)))])] == [(7, 8)]


def test_a_label_that_begins_another_rides_along_with_it():
    passes = plan([Request((7,), ((1,), (1, 2), (1, 2, 3), (4, 5)))])
    assert [one.ids for one in passes] == [(7, 1, 2), (7, 4)]


def test_the_last_token_is_never_read_only_predicted():
    (one,) = plan([Request((7,), ((1, 2),))])
    assert one.ids == (7, 1)
    assert [(w.at, w.token) for w in one.wanted] == [(0, 1), (1, 2)]


lengths = st.lists(st.integers(1, 40), max_size=30)


@given(lengths, st.integers(1, 100), st.none() | st.integers(1, 5))
def test_batches_hold_each_index_once_and_keep_to_their_budgets(sizes, tokens, rows):
    made = list(batches(sizes, tokens=tokens, rows=rows))
    assert sorted(index for batch in made for index in batch) == list(range(len(sizes)))
    for batch in made:
        widest = max(sizes[index] for index in batch)
        assert len(batch) == 1 or widest * len(batch) <= tokens
        assert rows is None or len(batch) <= rows


@given(lengths, st.integers(1, 100))
def test_the_longest_come_first_so_that_memory_fails_early_or_never(sizes, tokens):
    order = [sizes[index] for batch in batches(sizes, tokens=tokens) for index in batch]
    assert order == sorted(sizes, reverse=True)


def test_a_batch_is_filled_before_the_next_begins():
    assert list(batches([4, 4, 4, 1], tokens=8)) == [[0, 1], [2, 3]]
