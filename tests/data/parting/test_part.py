"""Rows into parts: labels in proportion, seeded by ids, whatever the kind of label."""

import random
from collections import Counter

import pytest

from promptkit.data.inspection import Row
from promptkit.data.parting import PartOptions, part
from promptkit.data.parting.sizes import target_sizes
from promptkit.data.parting.strata import strata
from promptkit.errors import DataError, SpecError


def parted(raw, **options):
    ids = options.pop("id_field", "id")
    rows = [
        Row("all", "rows.csv", "line", n + 2, None, (str(one.get("text", f"text {n}")),),
            one.get("label"))
        for n, one in enumerate(raw)
    ]  # fmt: skip
    return part(rows, raw, PartOptions(**options), id_field=ids, label_field="label")


def labelled(n, labels="aaab"):
    return [{"id": str(k), "text": f"text {k}", "label": labels[k % len(labels)]} for k in range(n)]


def test_every_part_has_the_labels_in_their_proportions():
    made = parted(labelled(400))
    assert made.counts() == {
        "train": {"a": 240, "b": 80}, "validation": {"a": 30, "b": 10}, "test": {"a": 30, "b": 10},
    }  # fmt: skip
    assert made.leaks == ()


def test_a_rows_part_hangs_on_its_id_and_the_seed_alone():
    raw = labelled(200)
    first = dict(zip([row["id"] for row in raw], parted(raw).parts, strict=True))
    random.Random(0).shuffle(raw)
    assert first == dict(zip([row["id"] for row in raw], parted(raw).parts, strict=True))
    other = dict(zip([row["id"] for row in raw], parted(raw, seed=1).parts, strict=True))
    assert first != other


def test_rows_without_ids_are_named_by_what_they_say():
    raw = [{"text": f"t{n}", "label": "a"} for n in range(60)]
    here = dict(zip([row["text"] for row in raw], parted(raw).parts, strict=True))
    again = [{**row, "label": "b"} for row in raw[::-1]]  # a mended label moves no row
    assert here == dict(zip([row["text"] for row in again], parted(again).parts, strict=True))


def test_sizes_by_rows_leave_others_out_or_give_train_the_rest():
    assert Counter(parted(labelled(100), sizes={"test": 20, "train": 40}).parts) == {
        "train": 40, "test": 20, "": 40,
    }  # fmt: skip
    assert Counter(parted(labelled(100), sizes={"test": 20}).parts) == {"train": 80, "test": 20}


def test_a_smaller_test_lies_within_a_larger_one():
    small = parted(labelled(100), sizes={"test": 10})
    large = parted(labelled(100), sizes={"test": 30})
    test = [{n for n, p in enumerate(made.parts) if p == "test"} for made in (small, large)]
    assert test[0] < test[1]


def test_groups_stay_whole_and_are_counted():
    raw = [{**row, "user": f"u{n % 25}"} for n, row in enumerate(labelled(200))]
    made = parted(raw, group_field="user")
    homes = {row["user"]: set() for row in raw}
    for row, name in zip(raw, made.parts, strict=True):
        homes[row["user"]].add(name)
    assert all(len(home) == 1 for home in homes.values())
    assert made.n_groups == 25


def test_copies_across_parts_are_told_and_kept_together_when_asked():
    raw = labelled(100)
    for n in range(0, 100, 2):
        raw[n + 1]["text"] = raw[n]["text"].upper() + "!"
    assert sum(one.n for one in parted(raw).leaks) > 10
    made = parted(raw, together=True)
    assert made.leaks == ()
    assert all(made.parts[n] == made.parts[n + 1] for n in range(0, 100, 2))


def test_near_duplicates_are_kept_together_too():
    pytest.importorskip("datasketch")
    long = "the parcel came on {} and was left with the neighbours, who were not at home then"
    raw = [{"id": str(n), "text": f"{n} {n * 7919} another text", "label": "a"} for n in range(40)]
    raw += [{"id": f"x{n}", "text": long.format(day), "label": "a"}
            for n, day in enumerate(["Monday", "Sunday", "Friday"])]  # fmt: skip
    assert len(set(parted(raw, together=True).parts[-3:])) == 1


def test_time_makes_the_newest_rows_the_test():
    raw = [{**row, "date": f"2024-01-{n % 28 + 1:02d}"} for n, row in enumerate(labelled(280))]
    made = parted(raw, time_field="date", fractions=(0.5, 0.25, 0.25))
    assert made.spans == {
        "train": ("2024-01-01", "2024-01-14"),
        "validation": ("2024-01-15", "2024-01-21"),
        "test": ("2024-01-22", "2024-01-28"),
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"fractions": (0.8, 0.3)}, "sum to 1.1; they must sum to 1"),
        ({"fractions": (1.0,)}, "give the shares"),
        ({"fractions": (0.8, 0.2), "sizes": {"test": 3}}, "not both"),
        ({"sizes": {"test": 101}}, "there are 100 rows; ask for fewer"),
        ({"sizes": {"test": 100}}, "ask for fewer"),
        ({"sizes": {"train": 10}}, "make no two parts"),
        ({"sizes": {"test": 0}}, "--test 0: give 1 row or more"),
        ({"time_field": "t", "group_field": "g"}, "give one of them"),
        ({"time_field": "t", "together": True}, "give one of them"),
    ],
)
def test_what_cannot_be_is_one_line(options, told):
    with pytest.raises(SpecError) as caught:
        parted(labelled(100), **options)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_without_a_group_are_named():
    raw = [{**row, "user": "u"} for row in labelled(10)]
    raw[3]["user"] = " "
    with pytest.raises(DataError, match=r"rows\.csv line 5: nothing in the column 'user'"):
        parted(raw, group_field="user")
    with pytest.raises(DataError, match="it has id, text, label, user"):
        parted(raw, group_field="customer")


def test_an_id_that_stands_twice_is_named_by_both_rows():
    raw = labelled(10)
    raw[4]["id"] = "2"
    with pytest.raises(DataError, match=r"line 6: id '2' was already used on rows\.csv line 4"):
        parted(raw)


def test_sizes_are_rounded_and_sum_to_all():
    assert target_sizes(7, None, {}) == {"train": 5, "validation": 1, "test": 1}
    assert target_sizes(10, (0.8, 0.1, 0.1), {}) == {"train": 8, "validation": 1, "test": 1}
    for n in range(4, 60):
        assert sum(target_sizes(n, (0.6, 0.2, 0.2), {}).values()) == n


def test_lists_of_labels_are_kept_by_whole_lists_or_their_rarest_label():
    labels = [("x",)] * 20 + [("x", "y")] * 3 + [("y", "x", "z")] * 2 + [None, ()]
    assert Counter(strata(labels)) == {'["x"]': 20, '"y"': 3, '"z"': 2, "null": 1, "[]": 1}
    assert strata(['["b", "a"]'] * 12) == ['["a","b"]'] * 12
    made = parted([{"id": str(n), "label": ("x", "y") if n % 3 else ("x",)} for n in range(90)],
                  fractions=(0.5, 0.5))  # fmt: skip
    assert made.counts()["test"] == {("x",): 15, ("x", "y"): 30}


def test_ratings_are_kept_by_their_tenths():
    ratings = [n / 10 for n in range(100)]
    assert Counter(strata(ratings)) == {str(n): 10 for n in range(10)}
    assert strata([str(one) for one in ratings]) == strata(ratings)
    made = parted([{"id": str(n), "label": one} for n, one in enumerate(ratings)])
    means = [
        sum(label * n for label, n in own.items()) / sum(own.values())
        for own in made.counts().values()
    ]
    assert max(means) - min(means) < 0.5


def test_a_label_of_one_row_is_to_learn_from():
    raw = [*labelled(100), {"id": "x", "text": "x", "label": "rare"}]
    assert parted(raw).parts[-1] == "train"
