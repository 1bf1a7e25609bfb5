"""The map, the points behind it, the balance chart and the gallery: pure functions from tables."""

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.components.shared.balance import class_shares, total_variation
from dashboard.components.shared.gallery import Card, gallery_html, point_cards
from dashboard.components.shared.map import figure as map_module
from dashboard.components.shared.map.figure import colour_options, map_figure, map_note, selected_positions
from dashboard.components.shared.map.linked_views import ticked_positions
from dashboard.components.shared.points import class_order, is_chosen, linked_points, merge_points
from dashboard.components.shared.theme import POOL_COLOUR
from dashboard.components.workbench.balance import balance_figure
from dashboard.components.workbench.map_view import direction_pairs

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


def traces(figure: go.Figure) -> list[go.Scattergl]:
    """Those that hold points of the pool."""
    return [trace for trace in figure.data if trace.customdata is not None]


def look(figure: go.Figure, name: str) -> dict[int, Any]:
    """A property of the markers by position in the pool."""
    found = {}
    for trace in traces(figure):
        value = trace.marker[name]
        each = value if isinstance(value, np.ndarray | tuple | list) else [value] * len(trace.customdata)
        found.update(zip(trace.customdata.tolist(), each, strict=True))
    return found


@pytest.mark.parametrize("colour", ["label", "chosen", "leverage"])
def test_the_map_holds_every_point_once_with_chosen_points_on_top(points: pd.DataFrame, colour: str) -> None:
    figure = map_figure(points, budget=3, colour=colour)
    drawn = [position for trace in traces(figure) for position in trace.customdata.tolist()]
    assert sorted(drawn) == list(range(SIZE))
    assert set(drawn[-3:]) == set(PICKED[:3])
    assert all(trace.type == "scattergl" for trace in traces(figure))
    for trace in traces(figure):
        assert trace.x.tolist() == trace.customdata.tolist()
    sizes = look(figure, "size")
    assert min(sizes[position] for position in PICKED[:3]) > sizes[PICKED[3]]


def test_chosen_points_are_larger_the_more_they_weigh(points: pd.DataFrame) -> None:
    sizes = look(map_figure(points, budget=4, colour="chosen"), "size")
    assert [sizes[position] for position in PICKED] == sorted(sizes[position] for position in PICKED)
    assert sizes[PICKED[0]] < sizes[PICKED[3]]
    even = look(map_figure(points.assign(weight=0.25), budget=4, colour="chosen"), "size")
    assert len({even[position] for position in PICKED}) == 1


def test_the_legend_counts_chosen_and_pool_and_leaves_one_class_alone(points: pd.DataFrame) -> None:
    figure = map_figure(points, budget=3, colour="label")  # chosen: 7, 3, 41 → "10", "2", "cat"
    keys = {trace.name: trace.legendgroup for trace in figure.data if trace.showlegend}
    assert list(keys) == ["2 · 1 / 17", "10 · 1 / 17", "cat · 1 / 16"]
    assert figure.layout.legend.itemclick == "toggleothers"
    groups = look_by_group(figure)
    assert {group: len(found) for group, found in groups.items()} == dict(zip(keys.values(), (17, 17, 16), strict=True))
    whole = [trace.name for trace in map_figure(points, budget=3, colour="leverage").data if trace.showlegend]
    assert whole == ["Pool 47", "Chosen 3 / 50"]


def look_by_group(figure: go.Figure) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for trace in traces(figure):
        found.setdefault(trace.legendgroup, set()).update(trace.customdata.tolist())
    return found


def test_many_classes_share_one_entry_beyond_the_largest(points: pd.DataFrame) -> None:
    names = [f"c{i % 20}" for i in range(SIZE)]
    figure = map_figure(points.assign(label=names), budget=4, colour="label")
    keys = [trace.name for trace in figure.data if trace.showlegend]
    assert len(keys) == 12
    assert keys[-1].startswith("9 other classes · ")
    counts = [tuple(int(n) for n in key.rsplit(" · ", 1)[1].split(" / ")) for key in keys]
    assert [sum(part) for part in zip(*counts, strict=True)] == [4, SIZE]
    assert sorted(position for found in look_by_group(figure).values() for position in found) == list(range(SIZE))


def test_points_without_a_class_have_an_entry_of_their_own(points: pd.DataFrame) -> None:
    some = points.assign(label=points["label"].where(points["position"] % 5 > 0))
    keys = [trace.name for trace in map_figure(some, budget=4, colour="label").data if trace.showlegend]
    assert keys[-1] == "no label · 0 / 10"


def test_a_point_without_a_label_says_so_in_hover_and_gallery(points: pd.DataFrame) -> None:
    some = points.assign(label=points["label"].astype("string").where(points["position"] % 2 > 0))
    texts = [text for trace in traces(map_figure(some, budget=4, colour="chosen")) for text in trace.text]
    assert sum("no label" in text for text in texts) == SIZE // 2
    cards = point_cards(linked_points(some, 4, ())[0], lambda _: b"")
    assert [card.caption.endswith(f"p{position}") for position, card in zip(PICKED, cards, strict=True)] == [
        position % 2 == 0 for position in PICKED
    ], "without a label the id stands there"
    assert not any(
        "nan" in text.lower() or "na>" in text.lower() for text in (*texts, *(card.caption for card in cards))
    )


def test_every_point_of_a_partly_labelled_pool_with_many_classes_is_drawn(points: pd.DataFrame) -> None:
    """Plotly's own coloured groups leave out points without a value."""
    names = pd.Series([f"c{i % 20}" for i in range(SIZE)]).where(points["position"] % 2 > 0)
    figure = map_figure(points.assign(label=names), budget=4, colour="label")
    found = look_by_group(figure)
    assert sorted(position for each in found.values() for position in each) == list(range(SIZE))
    assert found["unlabelled"] == set(range(0, SIZE, 2))
    keys = {trace.legendgroup: trace.name for trace in figure.data if trace.showlegend}
    assert keys["unlabelled"] == f"no label · {sum(position % 2 == 0 for position in PICKED)} / {SIZE // 2}"
    assert not any("other" in name for name in keys.values()), "ten classes have an entry each"


def test_a_column_of_the_data_colours_the_map_under_its_own_name(points: pd.DataFrame) -> None:
    figure = map_figure(points.assign(column=np.arange(SIZE) / 7), budget=4, colour="column", title="<width>")
    bar = next(trace for trace in figure.data if trace.marker.showscale)
    assert bar.marker.colorbar.title.text == "&lt;width&gt;"
    colours = look(figure, "color")
    assert len(set(colours.values())) > 10
    assert colours[0] != colours[SIZE - 1]


def test_ticked_pinned_and_barred_points_get_signs_that_no_lasso_finds(points: pd.DataFrame) -> None:
    figure = map_figure(points, budget=4, colour="chosen", ringed=(5, 8), pinned=(9,), barred=(1, 2, 3))
    signs = {trace.marker.symbol: trace for trace in figure.data if str(trace.marker.symbol).endswith("-open")}
    assert signs["circle-open"].x.tolist() == [5, 8]
    assert signs["star-open"].x.tolist() == [9]
    assert signs["x-open"].x.tolist() == [1, 2, 3]
    assert [signs[name].name for name in ("star-open", "x-open")] == ["Always choose 1", "Never choose 3"]
    assert all(trace.customdata is None for trace in signs.values())
    more = map_figure(points, budget=2, colour="chosen", ringed=(5,), pinned=(9, 10), barred=(1,))
    groups = {trace.legendgroup for trace in more.data}
    assert {trace.legendgroup for trace in signs.values()} < groups, "what the legend hides stays hidden"


def test_axes_of_the_sketch_are_named_as_directions(points: pd.DataFrame) -> None:
    placed = points.assign(sketch_3=points["position"] * 2.0, sketch_4=0.0)
    figure = map_figure(placed, budget=4, colour="chosen", axes=("sketch_3", "sketch_4"))
    assert figure.layout.xaxis.title.text == "Sketch direction 3"
    assert all(trace.x.tolist() == (2 * trace.customdata).tolist() for trace in traces(figure))


def test_equal_arguments_give_a_byte_identical_figure(points: pd.DataFrame) -> None:
    for colour in colour_options(points):
        first = map_figure(points, budget=4, colour=colour).to_json()
        assert first == map_figure(points.copy(), budget=4, colour=colour).to_json()


def test_each_class_has_a_look_of_its_own_in_colour_and_shape(points: pd.DataFrame) -> None:
    figure = map_figure(points, budget=4, colour="label")
    keys = [trace for trace in figure.data if trace.showlegend]
    assert len({trace.marker.color for trace in keys}) == len({trace.marker.symbol for trace in keys}) == 3
    assert {look(figure, "color")[position] for position in range(0, SIZE, 3)} == {keys[0].marker.color}


def test_chosen_points_have_another_shape_when_classes_do_not_take_the_shapes(points: pd.DataFrame) -> None:
    shapes = look(map_figure(points, budget=4, colour="leverage"), "symbol")
    assert {shapes[position] for position in PICKED} == {"diamond"}
    assert {shape for position, shape in shapes.items() if position not in PICKED} == {"circle"}


def test_numbers_that_are_missing_are_drawn_in_the_pool_colour(points: pd.DataFrame) -> None:
    colours = look(map_figure(points, budget=4, colour="weight"), "color")
    assert colours[0] == POOL_COLOUR
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
    drawn = [set(look(map_figure(points, budget=budget, colour="label"), "symbol")) for budget in (2, 4)]
    assert len(drawn[0]) == 10
    assert drawn[0] == drawn[1], "the slider moves no point in or out"
    assert set(PICKED) <= drawn[0]
    assert 20 in look(map_figure(points, budget=2, colour="chosen", pinned=(20,)), "symbol")
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


def test_balance_of_a_pool_labelled_in_part_says_how_few_points_it_counts(points: pd.DataFrame) -> None:
    known = points["label"].where(points["position"] != PICKED[0], None)
    found = balance_figure(points.assign(label=known), 2)
    assert found is not None
    assert "Only the 1 of 2 chosen points with a label count." in found[2]
    assert "2 of 3 classes have no chosen point with this label." in found[2]
    assert balance_figure(points.assign(label=known), 1) is None  # nothing is known of the one that is chosen


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


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (None, ()),
        ({"selection": {"rows": [2, 0]}}, (41, 7)),
        ({"selection": {"rows": [9]}}, ()),
        ({"selection": {}}, ()),
    ],
)
def test_ticked_rows_are_read_as_positions(event: object, expected: tuple[int, ...]) -> None:
    assert ticked_positions(event, (7, 3, 41)) == expected


def test_directions_of_the_sketch_come_in_pairs(points: pd.DataFrame) -> None:
    assert direction_pairs(points) == []
    three = points.assign(sketch_1=0.0, sketch_2=0.0, sketch_3=0.0)
    assert direction_pairs(three) == [("sketch_1", "sketch_2")]
    assert len(direction_pairs(three.assign(sketch_4=0.0))) == 2


def test_points_that_pass_no_filter_are_faint_and_cannot_be_marked(points: pd.DataFrame) -> None:
    shown = np.arange(SIZE) < 20
    figure = map_figure(points, budget=4, colour="chosen", shown=shown)
    marked = np.concatenate([trace.customdata for trace in figure.data if trace.customdata is not None])
    assert sorted(marked.tolist()) == list(range(20))
    faint = figure.data[0]
    assert (len(faint.x), faint.hoverinfo, faint.customdata) == (30, "skip", None)
