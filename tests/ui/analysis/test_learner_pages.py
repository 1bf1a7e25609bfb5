"""Learners on the pages: one choice filters every number, is kept across pages, and names what it stands for."""

import json

import pandas as pd
import pytest

from dashboard.components.compare.learner_form import asked_learners
from dashboard.components.compare.learners import learner_table, together_table, winners
from dashboard.components.shared.comparisons.headline import headline
from dashboard.components.shared.comparisons.learner_choice import result_under
from dashboard.components.shared.comparisons.methods import Methods
from skmm_core.comparison import against_linear, summarise_learners
from skmm_core.comparison.score_log import read_scores
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.config import CompareJob, FinetuneParams, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError
from skmm_core.probes import primary_metric
from skmm_core.runs import read_result
from tests.contracts.test_learner_comparisons import CURVES, _scores
from tests.ui.analysis.conftest import DIGITS, make_run
from tests.ui.analysis.test_present import texts

ACCURACY = primary_metric("classification")
METHODS = Methods({"uniform": "Uniform", "good": "Good", "same": "Same"})
KEYS = ("linear", "prototype", "propagate", "auto")


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """A home with two selections of digits and a comparison of their methods under all learners that fit."""
    from skmm_core.runs import RunStore

    store = RunStore(tmp_path_factory.mktemp("several"))
    for method in ("uniform", "skmm_kernel"):
        make_run(store, DIGITS, SelectJob(method=method, budget=40))
    make_run(store, DIGITS, CompareJob(methods=("skmm_kernel", "uniform"), budgets=(20, 40), seeds=5))
    return store


@pytest.fixture
def many(several, empty_home):
    import shutil

    from skmm_core.runs import RunStore

    shutil.copytree(several.home, empty_home.home, dirs_exist_ok=True)
    return RunStore(empty_home.home)


def choice(app):
    return next((group for group in app.segmented_control if group.label == "Learner"), None)


def paper_cells(app):
    return next(table.value for table in app.table if "n = 20" in table.value.columns)


def mean_of(run, learner, method, budget):
    rows = read_scores(run.folder).query(f"learner == '{learner}' and method == '{method}' and budget == {budget}")
    return 100 * rows.loc[rows["metric"] == "accuracy", "value"].mean()


def test_compare_starts_with_auto_and_one_choice_filters_every_number(many, visit):
    run = many.records(kind="compare")[0]
    app = visit("compare", run=run.id)
    assert not app.exception
    assert tuple(choice(app).options) == ("Linear probe", "Class means", "Propagation", "Automatic")
    assert choice(app).value == "auto"
    for learner in ("auto", "linear", "prototype"):
        choice(app).set_value(learner).run()
        assert not app.exception
        for method, title in (("uniform", "Uniform"), ("skmm_kernel", "SkMM kernel")):
            cell = paper_cells(app).loc[title, "n = 40"]
            assert f"{mean_of(run, learner, method, 40):.1f} ±" in cell
    shown = texts(app)
    assert "on rows partly whitened by the whole pool" in shown
    assert "Which picks come first under which learner?" in shown
    assert "What the automatic learner settled on, without any test row: at 20 points" in shown
    assert "What do picks and class means save together?" in shown
    choice(app).set_value("linear").run()
    assert "save together?" not in texts(app), "a linear probe beside itself"


def test_the_table_of_learners_has_the_means_of_each(many, visit):
    run = many.records(kind="compare")[0]
    app = visit("compare", run=run.id)
    table = next(table.value for table in app.table if "Propagation" in table.value.columns)
    assert list(table.columns) == ["Linear probe", "Class means", "Propagation", "Automatic"]
    for learner, title in zip(KEYS, table.columns, strict=True):
        assert f"{mean_of(run, learner, 'uniform', 40):.1f} ±" in table.loc["Uniform", title]
    app.select_slider(f"learners:{run.id}").set_value(20).run()
    table = next(table.value for table in app.table if "Propagation" in table.value.columns)
    assert f"{mean_of(run, 'linear', 'skmm_kernel', 20):.1f} ±" in table.loc["SkMM kernel", "Linear probe"]


def test_the_choice_is_kept_across_pages(many, visit, turn):
    run = many.records(kind="compare")[0]
    app = visit("compare", run=run.id)
    choice(app).set_value("propagate").run()
    turn(app, "present").run()  # in the first run AppTest gives kept widgets their default
    assert not app.exception
    assert choice(app).value == "propagate"
    assert "Scored with propagation." in texts(app)
    app.toggle[0].set_value(True).run()
    assert choice(app) is None, "nothing to choose in front of a room"
    assert "Scored with propagation." in texts(app)


def test_present_tells_its_headline_and_curve_under_the_learner(many, visit):
    run = many.records(kind="compare")[0]
    result = read_result(run.folder)
    app = visit("present", run=run.id)
    for learner in ("auto", "linear", "propagate"):
        choice(app).set_value(learner).run()
        assert not app.exception
        own = result["by_learner"][learner]
        saving = next(row for row in own["savings"] if (row["method"], row["budget"]) == ("skmm_kernel", 40))
        share = 100 * saving["score"] / own["full"]["accuracy"]
        assert f"SkMM kernel reaches {share:.0f} % of the full-data accuracy" in texts(app)
        together = [
            row["text"] for row in own["against_linear"] if row["method"] == "skmm_kernel" and row["budget"] == 40
        ]
        assert len(together) == (learner != "linear")
        assert all(text in texts(app) for text in together)
        assert ("uniform with a linear probe" in texts(app)) == (learner != "linear")


def test_a_selection_is_presented_under_the_learners_of_its_comparison(many, visit):
    made = next(run for run in many.records(kind="select") if run.method == "skmm_kernel")
    app = visit("present", run=made.id)
    assert not app.exception
    choice(app).set_value("prototype").run()
    assert "Scored with class means." in texts(app)


def test_selections_are_scored_under_the_learner(many, visit, turn):
    run, made = many.records(kind="compare")[0], many.records(kind="select")
    from streamlit.testing.v1 import AppTest

    from tests.ui.analysis.conftest import APP

    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["runs"] = ",".join(each.id for each in made)
    turn(app, "selections")
    assert not app.exception
    for learner, phrase in (("auto", "the automatic learner"), ("linear", "a linear probe")):
        choice(app).set_value(learner).run()
        assert not app.exception
        shown = texts(app)
        assert f"With {phrase}, over 5 seeds of the comparison" in shown
        for letter, each in zip("AB", made, strict=True):
            assert f"{letter} {mean_of(run, learner, each.method, 40):.1f} %" in shown


def test_a_comparison_of_an_earlier_version_has_no_choice_and_the_same_numbers(home, visit):
    run = home.records(kind="compare")[0]
    path = run.folder / "scores.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.drop(columns=["learner", "settled"]).to_csv(path, index=False, lineterminator="\n")
    result = json.loads((run.folder / "result.json").read_text())
    for key in ("learner", "learners", "by_learner", "settled"):
        del result[key]
    (run.folder / "result.json").write_text(json.dumps(result))
    for page in ("compare", "present"):
        app = visit(page, run=run.id)
        assert not app.exception
        assert choice(app) is None
        assert "under which learner" not in texts(app)
    rows = frame.query("method == 'uniform' and budget == '40' and metric == 'accuracy'")
    mean = 100 * rows["value"].astype(float).mean()
    assert f"{mean:.1f} ±" in paper_cells(visit("compare", run=run.id)).loc["Uniform", "n = 40"]


def test_the_form_asks_for_learners(many, visit, submitted):
    app = visit("compare", run=many.records(kind="compare")[0].id)
    box = next(each for each in app.multiselect if each.label == "Learners")
    assert tuple(box.value) == KEYS
    app.text_input[0].set_value("30").run()
    app.button("compare-start").click().run()
    assert submitted[-1].job.learners == (), "all that fit, as without a choice"
    app = visit("compare", run=many.records(kind="compare")[-1].id)
    box = next(each for each in app.multiselect if each.label == "Learners")
    box.set_value(["propagate", "linear"]).run()
    app.text_input[0].set_value("35").run()
    app.button("compare-start").click().run()
    assert submitted[-1].job.learners == ("linear", "propagate")
    box = next(each for each in app.multiselect if each.label == "Learners")
    box.set_value([]).run()
    assert not app.exception
    assert "no learner is chosen" in texts(app)
    assert app.button("compare-start").disabled


def test_what_is_asked_for() -> None:
    assert asked_learners(KEYS, None, "classification") == ()
    assert asked_learners(KEYS, FinetuneParams(), "classification") == ()
    assert asked_learners(("propagate", "linear"), FinetuneParams(), "classification") == (
        "linear", "propagate", "finetune",
    )  # fmt: skip
    assert asked_learners((), FinetuneParams(), "classification") == ("finetune",)
    with pytest.raises(InputError, match="no learner is chosen"):
        asked_learners((), None, "classification")


def test_the_table_marks_the_best_and_its_ties_within_each_learner() -> None:
    found = summarise_learners(_scores(CURVES), {}, "classification")
    table = learner_table(found, ACCURACY, METHODS, 20)
    assert table.loc["Good", "Linear probe"].startswith("**70.")
    assert "≈" not in table.loc["Uniform", "Linear probe"]
    assert table.loc["Same", "Automatic"].startswith("**85.") or table.loc["Same", "Automatic"].startswith("**84.")
    assert "**" not in table.loc["Good", "Automatic"]
    said = winners(found, ACCURACY, METHODS, 20)
    assert said.endswith("Good with a linear probe; Same with the automatic learner.")
    aware = Methods(METHODS.titles, frozenset({"same"}))
    assert "Same" not in winners(found, ACCURACY, aware, 20)
    apart = learner_table(found, ACCURACY, aware, 20)
    assert apart.loc["Same †", "Automatic"].startswith(("84.", "85.")), "alone in its league, it is not marked"


def test_what_picks_and_learner_save_together_is_a_table_of_the_rows() -> None:
    rows = against_linear(_scores(CURVES), "auto", "classification")
    table = together_table(rows, ACCURACY, METHODS)
    first = table[(table["Method"] == "Good") & (table["Points"] == "10")].iloc[0]
    assert first["Random picks, linear probe"] in {"39", "40", "41"}
    assert first["Verdict"] == "better"
    last = table[(table["Method"] == "Same") & (table["Points"] == "80")].iloc[0]
    assert last["Random picks, linear probe"] == "more than 80"
    assert last["Times as many"] == "–"


def test_a_headline_is_made_of_the_learner_asked_for(many) -> None:
    result = read_result(many.records(kind="compare")[0].folder)
    told = {}
    for learner in KEYS:
        said = headline(
            result_under(result, learner), method="skmm_kernel", title="K", budget=40, pool_size=1078, seeds=5
        )
        assert said is not None
        told[learner] = said.saving["score"]
        assert said.saving["score"] == next(
            row["score"]
            for row in result["by_learner"][learner]["savings"]
            if (row["method"], row["budget"]) == ("skmm_kernel", 40)
        )
    assert len(set(told.values())) > 1


def test_scores_that_come_in_are_shown_under_the_learner(many, visit, start_running):
    done = many.records(kind="compare")[0]
    config = RunConfig(dataset=DIGITS, job=CompareJob(methods=("skmm_kernel", "uniform"), budgets=(20, 40), seeds=9))
    run = many.create(config, load_dataset(DIGITS).fingerprint)
    rows = read_scores(done.folder)
    rows[rows["seed"] == 0].to_csv(run.folder / "scores.csv", index=False)
    start_running(many, run.id)
    app = visit("compare", run=run.id)
    assert not app.exception
    assert "4 of 36 selections scored so far" in texts(app)
    assert choice(app).value == "auto"
    assert set(SCORE_COLUMNS) <= set(rows)
