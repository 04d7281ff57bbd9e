"""What is known is not asked again, and is exactly what was said; nothing else counts as known."""

import math
from dataclasses import replace

import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.backends.hf import HFBackend
from promptkit.backends.response_cache import CachedBackend
from promptkit.backends.response_store import Responses
from promptkit.errors import BackendError, StoreError
from promptkit.protocols import Backend, CanEncode
from promptkit.types import Candidate, Evidence, Piece, Prompt, Sampling, Shot

WORDS = [Candidate(word, (Piece(f" {word}"),)) for word in ("good", "bad", "so so")]
IDENTITY = {"backend": {"name": "fake", "weights": "w", "dtype": "float32"}, "template": "t"}


class Asked(FakeBackend):
    """Remembers which rows it was asked for."""

    def __init__(self, **options):
        super().__init__(**options)
        self.asked = []

    def score(self, prompts, candidates):
        self.asked += [prompt.example_id for prompt in prompts]
        return super().score(prompts, candidates)


@pytest.fixture
def said():
    return []


@pytest.fixture
def cached(tmp_path, said):
    """Builds a backend over the same file each time."""
    opened = []

    def build(backend=None, identity=IDENTITY, **options):
        opened.append(Responses(tmp_path, said.append))
        return CachedBackend(backend or Asked(), opened[-1], identity, "m", **options)

    yield build
    for one in opened:
        one.close()


def shot(number, text="Lovely", row=True):
    return Shot(f"shot {number}", "good", (Piece(text, row), Piece("\nIt is")), (Piece(" good"),))


def prompt(number, text=None, row=True, shots=(), **options):
    return Prompt(
        f"row {number}",
        instruction=(Piece("Judge it."),),
        query=(Piece(f"Text {number}" if text is None else text, row), Piece("\nIt is")),
        shots=shots,
        **options,
    )


def ask(backend, prompts, words=WORDS):
    return backend.score(prompts, [words] * len(prompts))


def test_known_rows_are_not_asked_again_and_say_the_same_to_the_last_digit(cached):
    rows = [prompt(i, shots=(shot(i), shot(i + 1))) for i in range(6)]
    plain = ask(FakeBackend(), rows)
    assert ask(cached(), rows[:4]) == plain[:4]
    again = cached()
    assert ask(again, rows) == plain
    assert again.backend.asked == ["row 4", "row 5"]
    assert (again.cost.rows, again.cost.cached_rows) == (2, 4)
    assert ask(again, rows) == plain
    assert (again.cost.rows, again.cost.cached_rows) == (2, 10)
    assert again.cost.seconds > again.backend.cost.seconds


def test_with_fresh_nothing_is_read_and_all_is_written(cached, monkeypatch):
    rows = [prompt(i) for i in range(3)]
    ask(cached(Asked()), rows)
    other = Asked(model="another that calls itself the same")
    fresh = cached(other, known=False)
    new = ask(fresh, rows)
    assert other.asked == ["row 0", "row 1", "row 2"]
    assert ask(cached(), rows) == new


def test_a_row_under_another_name_is_the_same_question(cached):
    ask(cached(), [prompt(1, "Fine.", shots=(shot(1), shot(2, "Awful")))])
    again = cached()
    renamed = prompt(2, "Fine.", shots=(shot(8), shot(9, "Awful")))
    (found,) = ask(again, [renamed])
    assert again.backend.asked == []
    assert found == ask(FakeBackend(), [renamed])[0]
    assert found.shots == ("shot 8", "shot 9")


def test_demonstrations_that_were_dropped_are_told_by_their_new_names(cached):
    long = "word " * 12
    ask(cached(Asked(max_words=30)), [prompt(1, shots=(shot(1, long), shot(2, long)))])
    again = cached(Asked(max_words=30))
    (found,) = ask(again, [prompt(1, shots=(shot(8, long), shot(9, long)))])
    assert again.backend.asked == []
    assert (found.dropped_shots, found.shots) == (1, ("shot 9",))


ONE = prompt(1, "Fine.", shots=(shot(1), shot(2, "Awful")))
OTHERS = {
    "text": prompt(1, "Fine!", shots=ONE.shots),
    "who wrote it": prompt(1, "Fine.", row=False, shots=ONE.shots),
    "system": replace(ONE, system=(Piece("You judge."),)),
    "instruction": replace(ONE, instruction=(Piece("Judge it!"),)),
    "chat": replace(ONE, chat=True),
    "separator": replace(ONE, separator="\n"),
    "encoded": replace(ONE, encoded=(Piece("Fine.", True),)),
    "cloze": replace(ONE, cloze=(Piece("Fine.", True),)),
    "dropped before": replace(ONE, dropped_shots=1),
    "order of demonstrations": replace(ONE, shots=ONE.shots[::-1]),
    "answer of a demonstration": replace(
        ONE, shots=(replace(ONE.shots[0], answer=(Piece(" bad"),)), ONE.shots[1])
    ),
    "a demonstration less": replace(ONE, shots=ONE.shots[:1]),
    "pieces joined": replace(ONE, query=(Piece("Fine.\nIt is", True),)),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_prompt_is_another_question(cached, other):
    ask(cached(), [ONE])
    again = cached()
    ask(again, [other])
    assert again.backend.asked == ["row 1"]


@pytest.mark.parametrize(
    "words",
    [
        WORDS[:2],
        WORDS[::-1],
        [replace(WORDS[0], text=(Piece(" good", True),)), *WORDS[1:]],
        [replace(WORDS[0], label=0), *WORDS[1:]],
        [replace(WORDS[0], statements=("It is good.",)), *WORDS[1:]],
    ],
    ids=["fewer", "order", "who wrote it", "label", "statements"],
)
def test_other_candidates_are_another_question(cached, words):
    ask(cached(), [ONE])
    again = cached()
    ask(again, [ONE], words)
    assert again.backend.asked == ["row 1"]


def test_labels_that_python_takes_for_equal_are_different_questions(cached):
    asked = []
    for label in (1, True, 1.0, "1"):
        backend = cached()
        ask(backend, [ONE], [replace(WORDS[0], label=label), *WORDS[1:]])
        asked += backend.backend.asked
    assert asked == ["row 1"] * 4


@pytest.mark.parametrize(
    "identity",
    [
        {**IDENTITY, "template": "another"},
        {**IDENTITY, "backend": {**IDENTITY["backend"], "weights": "other"}},
        {**IDENTITY, "backend": {**IDENTITY["backend"], "dtype": "bfloat16"}},
        {**IDENTITY, "backend": {**IDENTITY["backend"], "options": {"adapter": "a"}}},
        {**IDENTITY, "backend": {**IDENTITY["backend"], "packages": {"torch": "3"}}},
    ],
)
def test_another_model_template_or_version_knows_nothing(cached, identity):
    ask(cached(), [ONE])
    again = cached(identity=identity)
    ask(again, [ONE])
    assert again.backend.asked == ["row 1"]


def test_what_a_backend_tells_of_its_model_and_tokens_is_part_of_the_question(cached):
    class Telling(Asked):
        def __init__(self, server="model-0415", vocabulary=1):
            super().__init__()
            self.identity, self.vocabulary = {"server": server}, vocabulary

        def token_ids(self, prompts, candidates):
            return [((self.vocabulary, len(one.query)), ((3,), (4, 5))) for one in prompts]

    ask(cached(Telling()), [ONE])
    others = Telling(), Telling(server="model-0811"), Telling(vocabulary=2)
    for backend in others:
        ask(cached(backend), [ONE])
    assert [len(one.asked) for one in others] == [0, 1, 1]


class Failing(Asked):
    """Has no evidence for some rows."""

    def score(self, prompts, candidates):
        found = super().score(prompts, candidates)
        broken = {"row 0": {"problem": "the server answered 500", "log_p": ()},
                  "row 1": {"log_p": (-1.0, math.nan, -2.0)}, "row 2": {"log_p": ()},
                  "row 3": {"log_p": (-1.0, -math.inf, -2.0)}}  # fmt: skip
        return [replace(one, **broken[one.example_id]) for one in found]


def test_a_row_without_evidence_is_asked_again_and_one_without_hope_for_a_label_is_not(cached):
    rows = [prompt(i) for i in range(4)]
    ask(cached(Failing()), rows)
    again = cached(Failing())
    found = ask(again, rows)
    assert again.backend.asked == ["row 0", "row 1", "row 2"]
    assert found[0].problem == "the server answered 500"
    assert found[3].log_p == (-1.0, -math.inf, -2.0)


def test_a_row_that_is_too_long_keeps_its_own_name_in_the_reason(cached):
    for number in (1, 2):
        (found,) = ask(cached(Asked(max_words=3)), [prompt(number, "Fine.")])
        assert f"row {number}" in found.problem


class OneByOne(Asked):
    """Answers row by row, and breaks down after some."""

    def __init__(self, breaks_after=99):
        super().__init__()
        self.breaks_after = breaks_after

    def score_telling(self, prompts, candidates, on_evidence):
        found = []
        for place, (one, own) in enumerate(zip(prompts, candidates, strict=True)):
            if place == self.breaks_after:
                raise BackendError("the server is gone")
            found += self.score([one], [own])
            on_evidence(place, found[-1])
        return found


def test_rows_that_were_answered_before_a_server_broke_down_are_known(cached):
    rows = [prompt(i) for i in range(8)]
    ask(cached(OneByOne()), rows[1:2])
    with pytest.raises(BackendError, match="is gone"):
        ask(cached(OneByOne(breaks_after=3)), rows)
    again = cached(OneByOne())
    assert ask(again, rows) == ask(FakeBackend(), rows)
    assert again.backend.asked == ["row 4", "row 5", "row 6", "row 7"]


def test_a_disk_that_takes_no_more_is_one_warning_and_the_run_goes_on(cached, said, monkeypatch):
    backend = cached()
    ask(backend, [prompt(0)])

    def full(*args):
        raise StoreError("no space left on the disk")

    monkeypatch.setattr(backend.responses, "put", full)
    rows = [prompt(i) for i in range(5)]
    for row in rows:
        ask(backend, [row])
    assert backend.backend.asked == [f"row {i}" for i in range(5)]
    assert said == ["the run goes on, its answers are not kept for others: no space left on the "
                    "disk"]  # fmt: skip
    assert ask(cached(), rows[:1]) == ask(FakeBackend(), rows[:1])


def test_a_disk_that_cannot_be_read_is_one_warning_and_the_run_goes_on(cached, said, monkeypatch):
    backend = cached()
    ask(backend, [prompt(0)])

    def broken(*args):
        raise StoreError("disk I/O error")

    monkeypatch.setattr(backend.responses, "get", broken)
    assert ask(backend, [prompt(0)]) == ask(backend, [prompt(0)])
    assert backend.backend.asked == ["row 0"] * 3
    assert said == ["the run goes on without the answers that are kept: disk I/O error"]


def test_it_is_a_backend_and_can_do_what_the_other_can(cached):
    backend = cached()
    assert isinstance(backend, Backend)
    assert isinstance(backend, CanEncode)
    assert (backend.name, backend.reads) == ("fake", "text")
    assert (backend.encode(["a text"]) == FakeBackend().encode(["a text"])).all()
    assert not hasattr(backend, "hidden")
    assert backend.score([], []) == []
    with pytest.raises(ValueError, match="zip"):
        backend.score([ONE], [])


def test_evidence_holds_nothing_that_json_would_change(cached):
    row = Evidence("row 1", (-1 / 3, -1e-300), (1, 2), (3, 4), "kind", (), 0, 5)

    class Fixed(Asked):
        def score(self, prompts, candidates):
            self.asked += ["asked"]
            return [row]

    assert ask(cached(Fixed()), [prompt(1)]) == [row]
    again = cached(Fixed())
    assert ask(again, [prompt(1)]) == [row]
    assert again.backend.asked == []


def test_prompts_of_a_model_are_encoded_once(cached, causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    scorer, encoded = backend._scorer, []
    requests = scorer.requests

    def counted(prompts, candidates):
        encoded.extend(one.example_id for one in prompts)
        return requests(prompts, candidates)

    scorer.requests = counted
    rows = [prompt(i, shots=(shot(i),)) for i in range(4)]
    plain = ask(backend, rows)
    del encoded[:]
    asked = ask(cached(backend), rows)
    assert encoded == ["row 0", "row 1", "row 2", "row 3"]
    assert [one.log_p for one in asked] == [one.log_p for one in plain]
    assert ask(cached(backend), rows) == asked
    assert len(encoded) == 8  # to know what they are called, and no more


def test_prompts_that_were_encoded_are_never_taken_for_others(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    rows = [prompt(i) for i in range(3)]
    plain = ask(backend, rows)
    fewer = [WORDS[:2]] * 3
    backend.token_ids(rows, [WORDS] * 3)
    assert [len(one.log_p) for one in backend.score(rows, fewer)] == [2, 2, 2]
    backend.token_ids(rows, [WORDS] * 3)
    assert ask(backend, rows[::-1]) == backend.score(rows[::-1], [WORDS] * 3)
    backend.token_ids(rows[1:], [WORDS] * 2)
    assert [one.log_p for one in ask(backend, rows)] == [one.log_p for one in plain]


class Writes(Asked):
    """Remembers which rows it wrote for."""

    def generate(self, prompts, sampling, choices=None, on_evidence=None):
        self.asked += [prompt.example_id for prompt in prompts]
        return super().generate(prompts, sampling, choices, on_evidence)


def test_what_was_written_is_known_too(cached):
    rows = [prompt(i, shots=(shot(i),)) for i in range(4)]
    first = cached(Writes()).generate(rows, Sampling())
    backend = cached(Writes())
    again = backend.generate([replace(one, example_id=f"other {i}") for i, one in enumerate(rows)],
                             Sampling())  # fmt: skip
    assert [one.generations for one in again] == [one.generations for one in first]
    assert [one.example_id for one in again] == [f"other {i}" for i in range(4)]
    assert backend.backend.asked == []
    assert backend.cost.cached_rows == 4


@pytest.mark.parametrize(
    ("sampling", "choices"),
    [
        (Sampling(max_new_tokens=5), None),
        (Sampling(stop=("\n",)), None),
        (Sampling(temperature=1.0), None),
        (Sampling(), [WORDS]),
    ],
)
def test_another_way_to_write_is_another_question(cached, sampling, choices):
    cached(Writes()).generate([prompt(0)], Sampling())
    backend = cached(Writes())
    backend.generate([prompt(0)], sampling, choices)
    assert backend.backend.asked == ["row 0"]
    assert ask(backend, [prompt(0)])[0].log_p  # and scores are no texts


def test_what_is_drawn_belongs_to_its_row(cached):
    drawn = Sampling(temperature=1.0, samples=2)
    cached(Writes()).generate([prompt(0)], drawn)
    backend = cached(Writes())
    backend.generate([prompt(0), replace(prompt(0), example_id="twin")], drawn)
    assert backend.backend.asked == ["twin"]


def test_each_row_that_is_told_of_is_kept_at_once(cached):
    class Stops(Writes):
        def generate(self, prompts, sampling, choices=None, on_evidence=None):
            found = super().generate(prompts[:2], sampling, choices, on_evidence)
            raise KeyboardInterrupt(len(found))

    with pytest.raises(KeyboardInterrupt):
        cached(Stops()).generate([prompt(i) for i in range(4)], Sampling())
    backend = cached(Writes())
    backend.generate([prompt(i) for i in range(4)], Sampling())
    assert backend.backend.asked == ["row 2", "row 3"]
