"""The map, the points behind it, the balance chart and the gallery: pure functions from tables."""

import json

import numpy as np
import pandas as pd
import pytest

from dashboard.components import map as map_module
from dashboard.components.balance import balance_figure, class_shares, total_variation
from dashboard.components.gallery import Card, gallery_html, point_cards
from dashboard.components.map import colour_options, map_figure, map_note, selected_positions
from dashboard.components.points import class_order, is_chosen, linked_points, merge_points

SIZE = 50
PICKED = (7, 3, 41, 12)  # in pick order


@pytest.fixture
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    order = pd.array([pd.NA] * SIZE, dtype="Int64")
    weight = np.zeros(SIZE)
    for rank, position in enumerate(PICKED):
        order[position], weight[position] = rank, (rank + 1) / 10
    scores = pd.DataFrame(
        {
            "position": np.arange(SIZE),
            "row": np.arange(SIZE) * 2,
            "id": [f"p{i}" for i in range(SIZE)],
            "target": np.arange(SIZE) % 3,
            "label": [("2", "10", "cat")[i % 3] for i in range(SIZE)],
            "score": rng.normal(size=SIZE),
            "leverage": rng.random(SIZE),
            "distance": rng.random(SIZE),
            "order": order,
            "weight": weight,
        }
    )
    shuffled = rng.permutation(SIZE)
    places = pd.DataFrame({"position": shuffled, "pca_1": shuffled * 1.0, "pca_2": shuffled * -1.0})
    return places, scores


@pytest.fixture
def points(tables: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return merge_points(*tables)


def test_points_are_joined_by_position_and_ranked_from_zero(points: pd.DataFrame) -> None:
    assert list(points["position"]) == list(range(SIZE))
    assert (points["pca_1"] == points["position"]).all()
    ranks = points["rank"]
    assert [int(ranks[position]) for position in PICKED] == [0, 1, 2, 3]
    assert (ranks.drop(list(PICKED)) == -1).all()


def test_an_order_that_starts_at_one_gives_the_same_ranks(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    places, scores = tables
    moved = merge_points(places, scores.assign(order=scores["order"] + 1))
    assert [int(moved["rank"][position]) for position in PICKED] == [0, 1, 2, 3]


@pytest.mark.parametrize("budget", [1, 2, 4])
def test_a_smaller_budget_is_a_prefix_of_the_pick_order(points: pd.DataFrame, budget: int) -> None:
    assert set(np.flatnonzero(is_chosen(points, budget))) == set(PICKED[:budget])


def test_the_map_is_one_trace_with_positions_and_chosen_points_on_top(points: pd.DataFrame) -> None:
    figure = map_figure(points, budget=3, colour="label")
    drawn = [trace for trace in figure.data if trace.type == "scattergl"]
    assert len(drawn) == 1
    trace = drawn[0]
    positions = list(trace.customdata)
    assert sorted(positions) == list(range(SIZE))
    assert set(positions[-3:]) == set(PICKED[:3])
    assert all(x == position for x, position in zip(trace.x, positions, strict=True))
    sizes = dict(zip(positions, trace.marker.size, strict=True))
    assert min(sizes[position] for position in PICKED[:3]) > sizes[PICKED[3]]


def test_equal_arguments_give_a_byte_identical_figure(points: pd.DataFrame) -> None:
    for colour in colour_options(points):
        first = map_figure(points, budget=4, colour=colour).to_json()
        assert first == map_figure(points.copy(), budget=4, colour=colour).to_json()


def test_each_class_has_a_look_of_its_own_in_colour_and_shape(points: pd.DataFrame) -> None:
    figure = map_figure(points, budget=4, colour="label")
    keys = [trace for trace in figure.data if trace.showlegend]
    assert [trace.name for trace in keys] == ["2", "10", "cat"]
    assert len({trace.marker.color for trace in keys}) == len({trace.marker.symbol for trace in keys}) == 3


def test_chosen_points_have_another_shape_when_classes_do_not_take_the_shapes(points: pd.DataFrame) -> None:
    trace = map_figure(points, budget=4, colour="leverage").data[0]
    shapes = dict(zip(trace.customdata, trace.marker.symbol, strict=True))
    assert {shapes[position] for position in PICKED} == {"diamond"}
    assert {shape for position, shape in shapes.items() if position not in PICKED} == {"circle"}


def test_numbers_that_are_missing_are_drawn_in_the_pool_colour(points: pd.DataFrame) -> None:
    trace = map_figure(points, budget=4, colour="weight").data[0]
    colours = dict(zip(trace.customdata, trace.marker.color, strict=True))
    assert colours[0] == map_module.POOL_COLOUR
    assert len({colours[position] for position in PICKED}) == len(PICKED)


def test_only_columns_that_vary_are_offered_as_colours(points: pd.DataFrame) -> None:
    plain = points.assign(label=None, target=None, score=np.nan, weight=0.25)
    assert set(colour_options(plain)) == {"chosen", "leverage", "distance"}
    assert "target" in colour_options(points.assign(label=None))
    assert "target" not in colour_options(points)


def test_names_from_files_are_escaped_in_hover_and_legend(points: pd.DataFrame) -> None:
    evil = points.assign(id="<img src=x>", label="<script>")
    text = map_figure(evil, budget=4, colour="label").to_json()
    assert "<script>" not in text
    assert "<img" not in text
    assert "\\u003cscript" not in text


def test_a_large_pool_is_thinned_but_every_chosen_point_is_drawn(
    points: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "are drawn" not in map_note(points)
    monkeypatch.setattr(map_module, "MAX_DRAWN", 10)
    trace = map_figure(points, budget=2, colour="chosen").data[0]
    assert len(trace.customdata) == 10
    assert set(PICKED) <= set(trace.customdata)
    assert "10 of 50" in map_note(points)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (None, ()),
        ({"selection": {"points": []}}, ()),
        ({"selection": {"points": [{"customdata": 7}, {"customdata": [3]}, {"customdata": 7}]}}, (7, 3)),
        ({"selection": {"points": [{"x": 1.0}]}}, ()),
    ],
)
def test_marked_positions_are_read_from_the_event(event: object, expected: tuple[int, ...]) -> None:
    assert selected_positions(event) == expected


def test_linked_views_show_the_chosen_points_in_pick_order_or_the_marked_ones(points: pd.DataFrame) -> None:
    shown, heading = linked_points(points, 3, ())
    assert list(shown["position"]) == list(PICKED[:3])
    assert heading == "3 chosen points"
    shown, heading = linked_points(points, 3, (20, 41, 12))
    assert list(shown["position"]) == [41, 12, 20]
    assert list(shown["chosen"]) == [True, False, False]
    assert heading == "3 points marked on the map, 1 of them chosen"


def test_classes_are_ordered_by_number_then_word(points: pd.DataFrame) -> None:
    assert class_order(points) == ["2", "10", "cat"]
    assert class_order(pd.DataFrame({"label": ["m²", "²", "3"]})) == ["3", "m²", "²"]


def test_class_shares_sum_to_one_and_give_the_total_variation(points: pd.DataFrame) -> None:
    shares = class_shares(points, 2)  # positions 7 and 3: classes "10" and "2"
    assert shares["pool"].sum() == pytest.approx(1)
    assert list(shares["chosen"]) == [0.5, 0.5, 0]
    assert total_variation(shares) == pytest.approx(float(shares["pool"].iloc[2]))


def test_balance_says_which_classes_are_unseen(points: pd.DataFrame) -> None:
    found = balance_figure(points, 2)
    assert found is not None
    assert "1 of 3 classes have no chosen point" in found[2]


def test_balance_of_a_numeric_target_compares_means(points: pd.DataFrame) -> None:
    found = balance_figure(points.assign(label=None), 4)
    assert found is not None
    shares = found[0].data
    assert sum(shares[0].y) == pytest.approx(1)
    assert sum(shares[1].y) == pytest.approx(1)
    assert balance_figure(points.assign(label=None, target=None), 4) is None


def test_gallery_escapes_text_and_frames_the_chosen(points: pd.DataFrame) -> None:
    shown, _ = linked_points(points.assign(id='"><script>alert(1)</script>'), 2, (7, 20))
    cards = point_cards(shown, lambda position: f"png{position}".encode())
    assert [card.chosen for card in cards] == [True, False]
    assert cards[0].png == b"png7"
    html = gallery_html(cards)
    assert "<script>" not in html
    assert html.count('class="chosen"') == 1
    assert gallery_html([Card(b"", "<b>", "a", False)]).count("<b>") == 0


def test_figures_are_valid_json_without_nan(points: pd.DataFrame) -> None:
    for colour in colour_options(points):
        json.loads(map_figure(points, budget=4, colour=colour).to_json(), parse_constant=pytest.fail)
