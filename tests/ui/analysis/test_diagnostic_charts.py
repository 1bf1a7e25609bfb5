import dataclasses
import math

import numpy as np
import pytest
import torch

from dashboard.components.shared.answered_chart import plain
from dashboard.components.shared.diagnostics.charts import objective_trace, ridge_bars, risk_curve, spectrum_match
from dashboard.components.shared.diagnostics.diagnosed_runs import DiagnosedRun, sketch_text
from dashboard.components.shared.diagnostics.distortion import distortion_histogram
from dashboard.components.shared.diagnostics.histograms import coverage_histogram, leverage_histogram
from dashboard.components.shared.diagnostics.table import metrics_table
from dashboard.components.shared.diagnostics.view import ANSWERS
from skmm_core.config import SketchParams
from skmm_core.diagnostics import QUANTITIES
from skmm_core.diagnostics.measure import diagnose
from skmm_core.pool.making import make_pool
from skmm_core.report import method_styles, run_style


@pytest.fixture(scope="module")
def pool():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(200, 12, generator=generator) * torch.linspace(3, 0.3, 12)
    return make_pool(rows, targets=rows.sum(dim=1), sketch=SketchParams(kind="none"))


@pytest.fixture(scope="module")
def runs(pool):
    chosen = {"first forty": torch.arange(40), "every fifth": torch.arange(0, 200, 5)}
    return [
        DiagnosedRun(label, diagnose(pool, indices), indices.numpy(), sketch="none 12, seed 0", style=run_style(number))
        for number, (label, indices) in enumerate(chosen.items())
    ]


@pytest.fixture(scope="module")
def few(pool):
    """Fewer points than directions: no certificate."""
    return DiagnosedRun("five", diagnose(pool, torch.arange(5)), np.arange(5), sketch="none 12, seed 0")


def changed(run, **values):
    return dataclasses.replace(run, diagnostics=dataclasses.replace(run.diagnostics, **values))


def test_the_star_of_the_risk_curve_is_the_minimum_of_the_drawn_sum(runs):
    for panel in risk_curve(runs).panels:
        bias, variance, whole, lowest = panel.figure.data
        assert [bias.name, variance.name, whole.name] == ["bias term", "variance term", "bound on the error"]
        total = np.asarray(whole.y)
        assert lowest.y[0] == np.nanmin(total)
        assert lowest.x[0] == whole.x[int(np.nanargmin(total))]
        assert np.nanmax(np.abs(np.nan_to_num(bias.y) + variance.y - total)) < 1e-9


def test_panels_of_several_runs_share_their_axes(runs):
    for make in (risk_curve, coverage_histogram, leverage_histogram):
        panels = make(runs).panels
        assert [panel.title for panel in panels] == [run.label for run in runs]
        assert len({tuple(panel.figure.layout.xaxis.range) for panel in panels}) == 1
        assert len({tuple(panel.figure.layout.yaxis.range) for panel in panels}) == 1
        assert make is risk_curve or panels[0].figure.layout.yaxis.range[1] >= max(
            max(trace.y) for panel in panels for trace in panel.figure.data
        )


def test_spectrum_sentence_counts_the_directions_that_match(runs):
    run = changed(runs[0], spectrum_pool=np.array([8.0, 4.0, 2.0]), spectrum_selection=np.array([8.0, 1.0, 3.9]))
    sentence = spectrum_match([run]).sentence
    assert "2 of 3 directions" in sentence
    assert "number 2, at 0.25 × the pool" in sentence


def test_a_direction_without_energy_leaves_a_gap_on_the_log_axis(runs):
    run = changed(runs[0], spectrum_pool=np.array([8.0, 4.0]), spectrum_selection=np.array([8.0, 0.0]))
    drawn = spectrum_match([run]).panels[0].figure.data[1].y
    assert drawn[0] == 8.0
    assert math.isnan(drawn[1])


def test_ticks_of_a_spectrum_over_many_decades_leave_room_for_their_labels(runs):
    for pool, decades in ((np.array([4e8, 3e-3, 1e-3, 9e-4]), 12), (np.array([8.0, 0.5]), 2)):
        run = changed(runs[0], spectrum_pool=pool, spectrum_selection=pool * [1.1, *([0.0] * (len(pool) - 1))])
        step = spectrum_match([run]).panels[0].figure.layout.yaxis.dtick
        assert step == int(step) >= 1
        assert decades / step <= 6


def test_ridge_bars_stack_to_the_exact_error(runs):
    answer = ridge_bars(runs)
    bias, variance = answer.panels[0].figure.data
    for run, b, v in zip(runs, bias.x, variance.x, strict=True):
        assert b + v == pytest.approx(run.diagnostics.ridge_bias2 + run.diagnostics.ridge_variance)
    assert bias.marker.pattern.shape != variance.marker.pattern.shape


def test_without_targets_there_are_no_ridge_bars(runs):
    assert ridge_bars([changed(run, ridge_bias2=None, ridge_variance=None) for run in runs]) is None


def test_histograms_show_every_point_once(runs):
    for make, series in ((coverage_histogram, 1), (leverage_histogram, 2)):
        for panel in make(runs).panels:
            assert len(panel.figure.data) == series
            assert all(sum(trace.y) == pytest.approx(1.0) for trace in panel.figure.data)


def test_leverage_sentence_gives_the_factor_of_the_chosen(runs):
    run = changed(runs[0], leverage=np.array([1.0, 1.0, 4.0, 2.0], dtype=np.float32))
    run = dataclasses.replace(run, chosen=np.array([2]))
    assert "2 × that of the pool" in leverage_histogram([run]).sentence


def test_objective_is_drawn_for_the_runs_that_have_one(runs):
    assert objective_trace(runs) is None
    with_trace = dataclasses.replace(runs[0], objective=np.array([1.0, 0.1, 0.01]))
    answer = objective_trace([with_trace, runs[1]])
    assert [trace.name for trace in answer.panels[0].figure.data] == ["first forty"]
    assert "from 1 to 0.01 in 2 steps" in answer.sentence


@pytest.mark.parametrize("count", [1, 2])
def test_every_answer_has_a_question_a_sentence_and_alt_texts(runs, few, count):
    shown = [*runs, few][-count:]
    for make, _ in ANSWERS:
        answer = make(shown)
        if answer is None:
            continue
        assert answer.question.endswith("?")
        assert answer.sentence.endswith(".")
        assert "nan" not in answer.sentence
        for panel in answer.panels:
            assert len(plain(panel.alt)) > 20
            assert "**" not in plain(panel.alt)


def test_one_panel_a_sketch_shows_every_pair_beside_its_bounds():
    rows = torch.randn(300, 200, generator=torch.Generator().manual_seed(1))
    shown = []
    for number, (dim, seed) in enumerate(((16, 0), (16, 0), (64, 0))):
        pool = make_pool(rows, sketch=SketchParams(dim=dim), seed=seed)
        found, label = diagnose(pool, torch.arange(40 + number)), f"run {number}"
        shown.append(DiagnosedRun(label, found, np.arange(40 + number), sketch=f"gaussian {dim}, seed 0"))
    answer = distortion_histogram(shown)
    assert [panel.title for panel in answer.panels] == ["gaussian 16, seed 0", "gaussian 64, seed 0"]
    for panel, run in zip(answer.panels, (shown[0], shown[2]), strict=True):
        bars, d = panel.figure.data[0], run.diagnostics
        edges = np.append(np.asarray(bars.x) - bars.width / 2, bars.x[-1] + bars.width / 2)
        counts = np.histogram(d.distortion_ratios, edges + np.array([-1e-9, *[0] * (len(edges) - 2), 1e-9]))[0]
        assert counts.sum() == len(d.distortion_ratios) == 1000
        assert np.allclose(bars.y, counts / 1000, atol=2e-3)
        places = {line.x0 for line in panel.figure.layout.shapes}
        assert {d.distortion_pair_low, d.distortion_pair_high} <= places
        middle = sum(panel.figure.layout.xaxis.range) / 2
        for words in panel.figure.layout.annotations:  # towards the middle, where there is room
            assert words.xanchor == ("right" if words.x > middle else "left")
        assert "1,000 random pairs" in panel.alt
    assert shown[2].diagnostics.distortion_rms < shown[0].diagnostics.distortion_rms


def test_the_variance_at_the_star_is_in_sight_also_far_below_the_bias(few):
    weight = few.diagnostics.variance_weight * 100
    figure = risk_curve([changed(few, variance_weight=weight)]).panels[0].figure
    curves = {trace.name: np.asarray(trace.y, dtype=float) for trace in figure.data}
    at_the_star = few.diagnostics.rank - 1
    assert curves["variance term"][at_the_star] < 1e-2 * curves["bias term"][at_the_star], (
        "far below the bias, or nothing is tested"
    )
    assert figure.layout.yaxis.range[0] < np.log10(curves["variance term"][at_the_star])


def test_without_a_sketch_no_distortion_is_drawn(runs):
    assert distortion_histogram(runs) is None


def test_names_from_files_are_shown_as_text_never_as_markup(runs):
    wild = [dataclasses.replace(run, label=f"[x](http://a.b) {number}") for number, run in enumerate(runs)]
    assert "](http" not in risk_curve(wild).sentence


def test_best_is_marked_where_it_means_something(runs):
    table, legend = metrics_table(runs)
    assert "★" in legend
    errors = [run.diagnostics.moment_error for run in runs]
    row = list(table.loc[QUANTITIES["moment_error"].title])
    assert "★" in row[int(np.argmin(errors))]
    assert sum("★" in cell for cell in row) == 1
    assert not any("★" in cell for cell in table.loc["Points chosen"])


def test_bias_and_variance_at_different_ranks_have_no_best(runs):
    low = changed(runs[1], rank=1, variance=0.01, bias=0.6)
    table, _ = metrics_table([runs[0], low])
    for key in ("bias", "variance", "bias_term", "variance_term"):
        assert "★" not in "".join(table.loc[QUANTITIES[key].title])


def test_only_a_drawn_sketch_depends_on_the_seed():
    texts = {sketch_text({"sketch": {"kind": "none", "dim": 10}, "seed": seed}) for seed in (0, 1)}
    assert len(texts) == 1
    texts = {sketch_text({"sketch": {"kind": "gaussian", "dim": 10}, "seed": seed}) for seed in (0, 1)}
    assert len(texts) == 2


def test_a_pool_without_energy_is_drawn():
    pool = make_pool(torch.zeros(20, 3), sketch=SketchParams(kind="none"))
    run = DiagnosedRun("zero", diagnose(pool, torch.arange(4)), np.arange(4))
    assert "no energy" in spectrum_match([run]).sentence


def test_no_best_between_different_budgets_or_in_different_sketches(runs, few):
    table, legend = metrics_table([runs[0], few])
    assert "★" not in "".join(table.to_numpy().ravel())
    assert "different numbers of points" in legend
    other = dataclasses.replace(runs[1], sketch="none 12, seed 1")
    table, legend = metrics_table([runs[0], other])
    assert "★" not in "".join(table.loc["Certificate c_S"])
    assert "★" in "".join(table.loc[QUANTITIES["coverage_mean"].title])
    assert "different sketches" in legend


def test_an_infinite_certificate_is_shown_and_never_best(few, runs):
    infinite = changed(runs[1], c_s=math.inf)
    row = list(metrics_table([runs[0], infinite])[0].loc["Certificate c_S"])
    assert row[1] == "∞"
    assert "★" in row[0]


def test_equal_values_have_no_best(runs):
    twin = dataclasses.replace(runs[0], label="twin")
    table, _ = metrics_table([runs[0], twin])
    assert "★" not in "".join(table.to_numpy().ravel())


def test_styles_differ_in_colour_and_in_shape():
    styles = method_styles([f"m{number}" for number in range(6)] + ["uniform"])
    assert len({style.colour for style in styles.values()}) == 7
    assert len({style.symbol for style in styles.values()}) == 7
