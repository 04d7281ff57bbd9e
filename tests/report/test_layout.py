from promptkit.report.layout import Flow, bullets, pairs
from promptkit.report.plain import cell
from tests.report.samples import printed


def test_a_flow_breaks_between_items_only() -> None:
    flow = Flow(["aaaa bbbb", "", "cccc dddd", "eeee ffff"])
    assert printed(flow, 80).splitlines() == ["aaaa bbbb · cccc dddd · eeee ffff"]
    assert printed(flow, 22).splitlines() == ["aaaa bbbb · cccc dddd", "eeee ffff"]


def test_long_notes_are_indented() -> None:
    lines = printed(bullets([cell("one two three four five")]), 12).splitlines()
    assert [line.rstrip() for line in lines] == ["• one two", "  three four", "  five"]


def test_pairs_stand_in_two_columns() -> None:
    lines = printed(pairs([("a", cell("x")), ("longer", cell("y"))])).splitlines()
    assert [line.rstrip() for line in lines] == ["a       x", "longer  y"]
