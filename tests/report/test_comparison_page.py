"""The report as one page: whole, safe, and by itself."""

import re
from html.parser import HTMLParser

import pytest

from promptkit.report.chart import Scale, frame, style
from promptkit.report.comparison_charts import colours, learning, pareto, reliability
from promptkit.report.comparison_page import comparison_page
from promptkit.runs.compare.ledger import Prices
from tests.runs.compare.made import CHEAP, breakdown, comparison


class Tags(HTMLParser):
    """Counts tags and sees that they close."""

    VOID = ("meta", "br")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids, self.links, self.text = [], [], [], [], ""

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.seen.append((tag, told))
        if "id" in told:
            self.ids.append(told["id"])
        if tag == "a":
            self.links.append(told["href"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def made():
    return comparison()


@pytest.fixture(scope="module")
def read(made):
    tags = Tags()
    tags.feed(comparison_page(made))
    assert tags.open == []
    return tags


def test_the_verdict_stands_first_and_every_section_is_linked(read, made):
    assert read.text.index(made.recommendation.headline) < read.text.index("macro-F1")
    assert [link.removeprefix("#") for link in read.links] == read.ids
    assert {"verdict", "cost", "curves", "differences", "labels", "confidence", "rows"} <= {
        *read.ids
    }


def test_nothing_is_fetched_and_nothing_runs(made):
    page = comparison_page(made)
    assert "<script" not in page
    assert all(link.startswith("#") for link in re.findall(r"(?:src|href)=\"([^\"]*)", page))
    assert "url(" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_texts_of_rows_are_text(read, made):
    page = comparison_page(made)
    assert "<b>number" not in page
    assert "&lt;b&gt;number" in page


def test_charts_can_be_reached_by_key_and_read_aloud(read):
    marks = [told for tag, told in read.seen if told.get("class", "").endswith(" mark")]
    assert len(marks) > 10
    assert all(told["tabindex"] == "0" and told["aria-label"] for told in marks)
    assert all(told.get("aria-label") for tag, told in read.seen if tag == "svg")
    regions = [told for _, told in read.seen if told.get("class") == "wide"]
    assert regions
    assert all(told["role"] == "region" for told in regions)


def test_light_dark_print_and_phone_are_thought_of(made):
    page = comparison_page(made)
    for rule in ("prefers-color-scheme: dark", "@media print", "width=device-width"):
        assert rule in page


def test_the_page_says_what_terminals_say(read, made):
    for sentence in (*made.recommendation.reasons, *made.recommendation.firm, made.command):
        assert sentence in read.text
    assert "Rows on which the ways differ" in read.text


def test_many_labels_have_their_mistakes_told_in_place_of_a_table(made):
    from dataclasses import replace

    labels = tuple(f"l{n}" for n in range(20))
    many = replace(made, plan=replace(made.plan, labels=labels))
    page = comparison_page(many)
    assert "Most frequent mistakes" in page
    assert "<h4>Confusion" not in page


def test_with_prices_money_is_the_scale():
    page = comparison_page(comparison(prices=Prices(hour=1.0, currency="EUR")))
    assert "EUR for 1,000 predictions" in page
    assert "to adapt price" in page


def test_points_on_the_front_are_those_that_none_beats_in_both(made):
    chart = pareto(made)
    assert chart.svg.count("<circle") == 3
    assert "zero-shot: accuracy" in chart.svg
    assert pareto(made, "adapt").title == "accuracy against time to adapt"


def test_learning_curves_go_on_to_twice_the_rows(made):
    chart = learning(made)
    assert f">{2 * made.plan.n_rows}<" in chart.svg
    assert chart.svg.count("band") == 1  # of the recommended way alone


def test_a_chart_is_a_file_of_its_own_too(made, tmp_path):
    chart = reliability(made, CHEAP, breakdown().reliability(CHEAP))
    chart.save(tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    assert style() in chart._repr_html_()


def test_each_way_keeps_its_colour(made):
    assert len(set(colours(made).values())) == 3


def test_ticks_are_round_numbers():
    assert Scale(0.31, 0.78, 0, 100).ticks() == pytest.approx([0.4, 0.5, 0.6, 0.7])
    assert Scale(0.5, 2000, 0, 100, log=True).ticks() == [1, 10, 100, 1000]
    x, y = frame([1, 100], [0.5, 0.9])
    assert x(1) < x(10) < x(100)
    assert y(0.9) < y(0.5)
