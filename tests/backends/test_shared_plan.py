"""Sharing without a model: every token of every answer is covered once, and none is read twice."""

from hypothesis import given
from hypothesis import strategies as st

from promptkit.backends.plan import plan
from promptkit.backends.shared_plan import packs, reads_of, shared_plan, tree_of
from promptkit.backends.tokens import Request

# Few different ids, so that one answer is often the beginning of another, and prompts share much.
ids = st.integers(0, 2)
answers = st.lists(st.lists(ids, min_size=1, max_size=4).map(tuple), min_size=1, max_size=6)
contexts = st.builds(
    lambda shared, own: (7,) * shared + own,
    st.integers(0, 3),
    st.lists(ids, min_size=1, max_size=4).map(tuple),
)
requests = st.lists(st.builds(Request, contexts, answers.map(tuple)), max_size=5)
known = st.integers(0, 3).map(lambda size: (7,) * size)


def path(segment, place):
    """The tokens that a place of a segment stands behind and is, from the segment's first on."""
    found = []
    start = len(segment.trunk)
    while place >= start:
        found.append(segment.ids[place])
        parent = segment.tree.parents[place - start]
        place = start + parent if parent >= 0 else start - 1
    return (*segment.trunk[: place + 1], *reversed(found))


@given(requests, known)
def test_every_token_of_every_answer_is_wanted_once_where_all_before_it_has_been_read(asked, prior):
    made = shared_plan(asked, prior)
    for segment, request in zip(made.segments, asked, strict=True):
        found = []
        for at, token, candidate in segment.tree.wanted:
            place = len(segment.trunk) + at
            before = made.prefix + path(segment, place)
            answer = request.answers[candidate]
            offset = len(before) - len(request.context)
            assert before == request.context + answer[:offset]
            assert token == answer[offset]
            assert segment.depths[place] == len(before) - len(made.prefix) - 1
            found.append((candidate, offset))
        every = [(c, o) for c, answer in enumerate(request.answers) for o in range(len(answer))]
        assert sorted(found) == every


@given(requests.filter(bool))
def test_what_is_read_from_a_pass_is_what_its_answers_want(asked):
    segments = shared_plan(asked).segments
    reads = reads_of(segments)
    places, rows = reads.places.tolist(), reads.rows.tolist()
    assert places == sorted(set(places))
    assert rows == sorted(rows)
    assert set(rows) == set(range(len(places)))
    starts = [sum(map(len, segments[:index])) for index in range(len(segments))]
    wanted = [
        (start + len(segment.trunk) + at, token)
        for start, segment in zip(starts, segments, strict=True)
        for at, token, _ in segment.tree.wanted
    ]
    read = zip((places[row] for row in rows), reads.tokens.tolist(), strict=True)
    assert list(read) == wanted
    ones = [[float(len(answer)) for answer in request.answers] for request in asked]
    assert reads.totals([1.0] * len(rows)) == ones


@given(answers)
def test_ancestors_are_what_a_node_stands_behind(answers):
    tree = tree_of(tuple(answers))
    segment = shared_plan([Request((7,), tuple(answers))]).segments[0]
    for node in range(len(tree.ids)):
        behind = {n for n in range(len(tree.ids)) if tree.ancestry[node, n]}
        assert len(path(segment, 1 + node)) == 1 + len(behind)
        assert node in behind


@given(requests, known)
def test_no_node_is_computed_twice_and_each_parent_stands_before(asked, prior):
    for segment in shared_plan(asked, prior).segments:
        assert len(segment.trunk) >= 1
        paths = [path(segment, place) for place in range(len(segment))]
        assert len(set(paths)) == len(paths)
        assert all(parent < place for place, parent in enumerate(segment.tree.parents))


@given(requests)
def test_it_never_costs_more_than_the_plain_plan(asked):
    assert shared_plan(asked).tokens <= sum(len(one.ids) for one in plan(asked))


def test_the_common_beginning_is_read_once_and_every_prompt_keeps_a_token():
    made = shared_plan([Request((5, 6, 1), ((9,),)), Request((5, 6), ((9,),))])
    assert (made.prefix, [s.trunk for s in made.segments]) == ((5,), [(6, 1), (6,)])
    alike = shared_plan([Request((5, 6), ((9,),))] * 3)
    assert (alike.prefix, [s.trunk for s in alike.segments]) == ((5,), [(6,)] * 3)


def test_one_prompt_alone_shares_nothing_unless_its_beginning_is_known():
    assert shared_plan([Request((5, 6, 1), ((9,),))]).prefix == ()
    assert shared_plan([Request((5, 6, 1), ((9,),))], (5, 6)).prefix == (5, 6)
    assert shared_plan([Request((5, 6, 1), ((9,),))], (5, 7)).prefix == ()


def test_a_known_beginning_is_left_for_a_longer_one_that_saves_more_than_it_costs():
    many = [Request((5, 6, 7, 8, n), ((9,),)) for n in range(10)]
    assert shared_plan(many, (5,)).prefix == (5, 6, 7, 8)
    assert shared_plan(many[:2], (5,)).prefix == (5,)


def test_an_answer_that_another_begins_with_is_a_node_of_its_tree():
    tree = tree_of([(1,), (1, 2), (1, 2, 3), (4, 5)])
    assert tree.ids == (1, 2, 4)
    assert tree.parents == (-1, 0, -1)
    assert tree.depths == (1, 2, 1)


sizes = st.lists(st.integers(1, 40), max_size=20)


@given(sizes, st.integers(1, 100), st.none() | st.integers(1, 4), st.integers(1, 30))
def test_packs_hold_each_segment_once_and_keep_to_their_budgets(lengths, tokens, rows, reads):
    answers = ((1, 2), (3, 4))
    asked = [Request((n, *[0] * size), answers) for n, size in enumerate(lengths)]
    segments = shared_plan(asked).segments
    made = list(packs(segments, tokens=tokens, rows=rows, reads=reads))
    assert sorted(index for pack in made for index in pack) == list(range(len(lengths)))
    order = [len(segments[index]) for pack in made for index in pack]
    assert order == sorted(order, reverse=True)
    for pack in made:
        if len(pack) > 1:
            assert sum(len(segments[index]) for index in pack) <= tokens
            assert 3 * len(pack) <= reads
        assert rows is None or len(pack) <= rows
