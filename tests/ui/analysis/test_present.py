"""The Present page in every state, and the sentences of its story."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from dashboard.components.present.story import bare_headline, best_at_middle, cast_of, presentable, saving_line
from dashboard.components.shared.theme import fmt_percent
from skmm_core.comparison.planner import Costs
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.runs import read_result


def texts(app):
    parts = [*app.markdown, *app.caption, *app.error, *app.info]
    return "\n".join(str(part.value) for part in parts).replace("\u00a0", " ").replace("**", "")


def newest(store, kind, method=None):
    return next(run for run in store.records(kind=kind) if method in (None, run.method) and run.dataset == "digits")


def saving(**changed):
    row = {"budget": 60, "uniform_budget": 86.4, "relation": "about", "bound": None, "lo": 1.3, "hi": 1.6, "tie": False}
    return row | changed


def test_an_empty_home_says_what_to_do(empty_home, visit):
    app = visit("present")
    assert not app.exception
    assert "Nothing finished to present yet" in texts(app)
    assert app.get("page_link")


def test_a_selection_with_its_comparison_tells_the_whole_story(home, visit):
    run = newest(home, "select", "skmm_kernel")
    app = visit("present", run=run.id)
    assert not app.exception
    result = read_result(newest(home, "compare").folder)
    saving = next(s for s in result["savings"] if (s["method"], s["budget"]) == ("skmm_kernel", 40))
    share = 100 * saving["score"] / result["full"]["accuracy"]
    assert f"With 40 of 1,078 training points (3.7 %) SkMM kernel reaches {share:.0f} % of the full-data" in texts(app)
    assert "A tie with random picks: no saving is proven." in texts(app), "three seeds prove nothing"
    assert len(app.get("plotly_chart")) == 2
    app.number_input("costs:label").set_value(2.0).run()
    assert not app.exception
    assert "€" not in texts(app), "a saving that is not proven is not turned into money"


def test_a_comparison_without_its_map_offers_to_pick_the_points(home, visit, submitted):
    run = newest(home, "compare")
    home.delete(newest(home, "select", "skmm_kernel").id)
    app = visit("present", run=run.id)
    assert not app.exception
    assert "No map yet" in texts(app)
    assert len(app.get("plotly_chart")) == 1
    next(button for button in app.button if button.label == "Pick them").click().run()
    assert not app.exception
    job = submitted[-1].job
    assert (job.kind, job.method, job.budget, submitted[-1].dataset) == (
        "select",
        "skmm_kernel",
        40,
        run.config.dataset,
    )


def test_a_selection_without_a_comparison_claims_no_saving(home, visit):
    run = newest(home, "select", "skmm")
    app = visit("present", run=run.id)
    assert not app.exception
    seen = fmt_percent(read_result(run.folder)["diagnostics"]["represented"], 1).replace("\u00a0", " ")
    assert (
        f"40 of 1,078 points (3.7 %), picked by SkMM, represent {seen} of the variation in your data (random: "
        in texts(app)
    )
    assert "not measured yet" in texts(app)
    assert "saved" not in texts(app)
    assert len(app.get("plotly_chart")) == 2


def test_presenter_mode_leaves_the_story_alone(home, visit):
    app = visit("present", run=newest(home, "compare").id)
    assert app.selectbox
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert not app.selectbox
    assert not app.number_input
    assert len(app.get("plotly_chart")) == 2
    app.button("present-end").click().run()
    assert not app.toggle[0].value
    assert app.selectbox


def test_the_budget_is_chosen_and_stepped_before_a_room_and_every_budget_is_told(home, visit):
    run = newest(home, "compare")
    app = visit("present", run=run.id)
    assert "With 40 of 1,078" in texts(app)
    told = next(each.value for each in app.markdown if "at every budget" in each.value)
    assert "20 → " in told
    assert "40 → " in told
    app.selectbox(f"present:budget:{run.id}").set_value(20).run()
    assert "With 20 of 1,078" in texts(app)
    app.toggle[0].set_value(True).run()
    assert "With 20 of 1,078" in texts(app), "the choice holds before a room"
    assert app.button("present-fewer").disabled
    app.button("present-more").click().run()
    assert not app.exception
    assert "With 40 of 1,078" in texts(app)


def test_before_a_room_a_missing_map_leaves_no_empty_half(home, visit):
    home.delete(newest(home, "select", "skmm_kernel").id)
    app = visit("present", run=newest(home, "compare").id)
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert len(app.columns) == 0


def test_another_run_can_be_chosen_and_is_then_the_open_one(home, visit):
    app = visit("present")
    run = newest(home, "select", "uniform")
    app.selectbox[0].set_value(run.id).run()
    assert not app.exception
    assert app.query_params["run"] == run.id
    assert app.selectbox[0].value == run.id


def test_a_running_run_is_followed_above_a_finished_one(home, visit):
    config = RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(method="uniform", budget=11))
    run = home.create(config, load_dataset(config.dataset).fingerprint)
    app = visit("present", run=run.id)
    assert not app.exception
    assert "Waiting for the run before this one" in texts(app)
    assert app.selectbox
    assert app.query_params["run"] == run.id, "the running one stays open"


def test_a_damaged_file_is_one_line(home, visit):
    run = newest(home, "select", "skmm")
    (run.folder / "map.parquet").write_bytes(b"PAR1 damaged")
    app = visit("present", run=run.id)
    assert not app.exception
    assert len(app.error) == 1
    assert "map" in app.error[0].value


def test_the_map_is_of_the_very_selection_that_the_headline_is_about(home):
    records = presentable(home.records())
    compared = newest(home, "compare")
    cast = cast_of(compared, records, read_result(compared.folder))
    assert (cast.method, cast.budget, cast.selection.method) == ("skmm_kernel", 40, "skmm_kernel")
    other = cast_of(newest(home, "select", "skmm"), records, None)
    assert (other.comparison, other.method) == (None, "skmm")


@pytest.mark.parametrize("other", [{"params": {"scale": 0.9}}, {"include": (3,)}])
def test_a_selection_is_not_credited_with_the_scores_of_other_options(home, other):
    records = presentable(home.records())
    run, compared = newest(home, "select", "skmm_kernel"), newest(home, "compare")
    changed = replace(run, config=run.config.model_copy(update={"job": run.config.job.model_copy(update=other)}))
    assert cast_of(run, records, None).comparison == compared
    assert cast_of(changed, records, None).comparison is None
    rest = [record for record in records if record.id != run.id]
    assert cast_of(compared, [changed, *rest], read_result(compared.folder)).selection is None


def test_the_headline_is_about_the_middle_budget_and_the_league_without_labels():
    rows = [
        {"method": method, "budget": budget, "score": score}
        for method, score in (("aware", 0.9), ("good", 0.8), ("bad", 0.5))
        for budget in (10, 20, 40)
    ]
    result = {"budgets": [40, 10, 20], "savings": rows, "label_aware": ["aware"], "metric": {"higher_is_better": True}}
    assert best_at_middle(result) == ("good", 20)
    assert best_at_middle(result | {"metric": {"higher_is_better": False}}) == ("bad", 20)
    assert best_at_middle(result | {"savings": []}) == ("uniform", 20)


def test_saving_line_has_interval_money_and_time_only_for_a_proven_saving():
    costs, nothing = Costs(0.5, 10, "€"), {"uniform_budget": None, "lo": None, "hi": None}
    assert saving_line(saving(), costs).replace("\u00a0", " ") == (
        "**27 points saved** for the same score (95 % interval 18 to 36). That saves **€13.50** of labels and "
        "**16 min 12 s**."
    )
    assert saving_line(saving(tie=True), costs) == "A tie with random picks: no saving is proven."
    none = "No points are saved: random picks need no more."
    assert saving_line(saving(uniform_budget=55.0), costs) == none
    assert saving_line(saving(**nothing, relation="less than", bound=20), costs) == none
    level = saving(**nothing, relation="saturated", bound=20, tie=True)
    assert saving_line(level, costs) == "No saving can be read from saturated scores."
    beyond = saving(**(nothing | {"lo": 1.2}), relation="more than", bound=100)
    assert (
        saving_line(beyond, Costs()) == "**More than 40 points saved** for the same score (95 % interval at least 12)."
    )
    assert "more than **€20.00**" in saving_line(beyond, costs)


@pytest.mark.parametrize("unlabelled", [True, False])
def test_a_selection_of_unlabelled_or_numeric_data_can_be_presented(
    unlabelled, empty_home, visit, tmp_path, monkeypatch
):
    from skmm_core.jobs.runner import run_folder

    frame = pd.DataFrame({f"x{i}": [math.sin((i + 1) * row) for row in range(60)] for i in range(4)})
    if not unlabelled:
        frame["y"] = frame["x0"] * 2 + 0.1
    frame.to_csv(tmp_path / "points.csv", index=False)
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    config = DatasetConfig(source=str(tmp_path / "points.csv"), holdout=None if unlabelled else 0.25)
    fingerprint = load_dataset(config).fingerprint
    jobs = [SelectJob(method="leverage", budget=8)]
    if not unlabelled:
        jobs.append(CompareJob(methods=("leverage",), budgets=(8, 16), seeds=2))
    for job in jobs:
        record = empty_home.create(RunConfig(dataset=config, job=job), fingerprint)
        run_folder(record.folder, home=empty_home.home)
    selection = next(run for run in empty_home.records(kind="select"))
    app = visit("present", run=selection.id)
    assert not app.exception
    if unlabelled:
        assert bare_headline(read_result(selection.folder), "Leverage").replace("**", "").replace(
            "\u00a0", " "
        ) in texts(app)
    else:
        result = read_result(next(run for run in empty_home.records(kind="compare")).folder)
        score = next(s["score"] for s in result["savings"] if s["budget"] == 8)
        assert f"With 8 of 45 training points (17.8 %) Leverage has a mean absolute error of {score:.3g}" in texts(app)
