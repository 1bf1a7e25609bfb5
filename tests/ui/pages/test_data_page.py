"""Data in every state: nothing chosen, built-in, upload, server path, and every mistake in one line."""

import io

import numpy as np
import pandas as pd
import pytest

from dashboard.services.sources import recall
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder

GOOD = b"name,x1,x2,label\n" + b"".join(f"p{i},{i * 5 % 12},{i * i % 7},{'ab'[i % 2]}\n".encode() for i in range(12))


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def choose(app, kind):
    app.segmented_control(key="data:kind").set_value(kind).run()
    return app


def upload(app, name, content, key="data:file"):
    app.file_uploader(key=key).set_value((name, content, "application/octet-stream")).run()
    return app


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def test_nothing_chosen_says_what_to_do(empty, visit):
    app = visit("data")
    assert not app.exception
    assert not app.error
    assert "Choose a dataset" in app.info[0].value
    assert not [button for button in app.button if button.key == "use"]


def test_a_builtin_is_previewed_and_used(empty, visit, words):
    app = visit("data")
    app.radio(key="data:builtin").set_value("digits").run()
    assert not app.exception
    assert metrics(app) == {"Pool": "1,078", "Features": "64", "Task": "Classification", "Classes": "10",
                            "Held out": "719"}  # fmt: skip
    assert "10 classes of about equal size" in words(app)
    assert "skmm-gallery" in "".join(each.proto.body for each in app.get("html"))
    app.button(key="use").click().run()
    assert not app.exception
    assert app.number_input(key=next(k for k in keys(app.number_input) if k.endswith(":budget:1078"))).value == 100
    assert "data" in app.query_params


def keys(elements):
    return [element.key for element in elements]


def test_options_of_the_mixture_change_its_source(empty, visit):
    app = visit("data")
    app.radio(key="data:builtin").set_value("gmm").run()
    app.number_input(key="data:gmm:N").set_value(90)
    app.number_input(key="data:gmm:r").set_value(12)
    app.run()
    assert not app.exception
    assert metrics(app)["Pool"] == "90"
    assert metrics(app)["Features"] == "12"
    assert metrics(app)["Task"] == "Regression"


MIXED = b"dollars,share,y\n" + b"".join(f"{9000 * i * i},{i % 5 / 9:.3f},{i / 7}\n".encode() for i in range(12))


def test_a_table_in_mixed_units_is_warned_of_and_scaled_with_one_press(empty, visit, words):
    app = upload(choose(visit("data"), "Upload"), "houses.csv", MIXED)
    toggle = next(each for each in app.toggle if str(each.key).endswith(":scale"))
    assert not toggle.value
    assert "column 'dollars' alone makes up more than 99 % of all variance" in words(app)
    app.button(key="data:scale").click().run()
    assert not app.exception
    assert next(each for each in app.toggle if str(each.key).endswith(":scale")).value
    assert "alone makes up" not in words(app)
    assert "Columns were scaled" in words(app)
    assert "data:scale" not in keys(app.button)
    app.button(key="use").click().run()
    assert recall(app.query_params["data"]).scale_columns


def test_the_map_of_a_table_in_mixed_units_has_the_warning_beside_it(empty, visit, words, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    (tmp_path / "houses.csv").write_bytes(MIXED)
    for scaled in (False, True):
        dataset = DatasetConfig(source=str(tmp_path / "houses.csv"), scale_columns=scaled)
        run = empty.create(
            RunConfig(dataset=dataset, job=SelectJob(method="uniform", budget=4)), load_dataset(dataset).fingerprint
        )
        run_folder(run.folder, home=empty.home)
        for page in ("select", "diagnose"):
            app = visit(page, run=run.id)
            assert not app.exception
            assert ("alone makes up" in words(app)) != scaled


def test_an_upload_is_kept_read_and_previewed(empty, visit, words):
    app = upload(choose(visit("data"), "Upload"), "../we ird.csv", GOOD)
    assert not app.exception
    assert not app.error
    assert metrics(app)["Pool"] == "12"
    assert metrics(app)["Task"] == "Classification"
    kept = list((empty.home / "uploads").rglob("*.csv"))
    assert [path.name for path in kept] == ["we-ird.csv"]
    assert kept[0].read_bytes() == GOOD


def test_columns_task_and_holdout_are_options_of_a_table(empty, visit):
    app = upload(choose(visit("data"), "Upload"), "a.csv", GOOD)
    option = {key.rsplit(":", 1)[-1]: key for key in [*keys(app.selectbox), *keys(app.number_input), *keys(app.toggle)]}
    assert app.selectbox(key=option["target"]).options == ["name", "x1", "x2", "label"]
    app.selectbox(key=option["target"]).set_value("x2")
    app.selectbox(key=option["id"]).set_value("name")
    app.selectbox(key=option["task"]).set_value("regression")
    app.number_input(key=option["holdout"]).set_value(25)
    app.run()
    assert not app.exception
    assert not app.error
    assert metrics(app)["Task"] == "Regression"
    assert metrics(app)["Pool"] == "9"
    assert metrics(app)["Held out"] == "3"


def test_labels_and_test_files_go_with_an_upload(empty, visit):
    app = upload(choose(visit("data"), "Upload"), "x.npy", npy(np.eye(8)))
    assert "No targets" in "".join(info.value for info in app.info)
    upload(app, "y.npy", npy(np.arange(8) % 2), key="data:labels")
    assert not app.error
    assert metrics(app)["Classes"] == "2"
    app = upload(choose(visit("data"), "Upload"), "x.npz", npz(X=np.eye(8), y=np.arange(8) % 2))
    upload(app, "t.npz", npz(X=np.eye(8)[:4], y=np.arange(4) % 2), key="data:test")
    assert not app.error
    assert metrics(app)["Held out"] == "4"


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.csv", b"", "is empty"),
        ("text.csv", b"a,b\nx,y\nz,w\n", "numeric"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "line"),
        ("nan.npy", npy(np.array([[1.0, np.nan], [1, 2]])), "NaN"),
        ("objects.npy", npy(np.array([[{}]], dtype=object), allow_pickle=True), "object"),
        ("cut.npz", npz(X=np.eye(9))[:100], "cut.npz"),
        ("cut.parquet", b"PAR1 nothing", "cut.parquet"),
        ("<b>$x$.csv", b"a,b\nx,y\n", "numeric"),
    ],
)
def test_a_bad_upload_is_one_clear_line_and_the_open_dataset_stays(empty, visit, name, content, word):
    app = visit("data")
    app.radio(key="data:builtin").set_value("diabetes").run()
    app.button(key="use").click().run()
    before = app.query_params["data"]
    app.switch_page("app_pages/data.py").run()
    upload(choose(app, "Upload"), name, content)
    assert not app.exception
    assert len(app.error) == 1
    line = app.error[0].value
    assert word in line.replace("\\", "")
    assert "\n" not in line
    assert "Traceback" not in line
    assert "<b>" not in line
    assert app.query_params["data"] == before


def test_server_paths_are_off_and_say_how_to_turn_them_on(empty, visit):
    app = choose(visit("data"), "Server path")
    assert not app.exception
    assert app.text_input(key="data:path").disabled
    assert "SKMM_DATA_ROOTS" in "".join(info.value for info in app.info)


def test_a_server_path_inside_the_roots_is_read_and_others_are_refused(empty, visit, tmp_path, monkeypatch):
    root = tmp_path / "data"
    root.mkdir()
    (root / "good.csv").write_bytes(GOOD)
    (tmp_path / "secret.csv").write_bytes(GOOD)
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(root))
    app = choose(visit("data"), "Server path")
    app.text_input(key="data:path").set_value("good.csv").run()
    assert not app.error
    assert metrics(app)["Pool"] == "12"
    for text in ("../secret.csv", "link.csv", "/etc/passwd"):
        app.text_input(key="data:path").set_value(text).run()
        assert not app.exception
        assert "outside the folders" in app.error[0].value.replace("\\", "")
        assert not app.metric


def test_a_dataset_in_the_url_is_opened_again_but_only_one_that_was_used_here(empty, visit):
    from dashboard.services.sources import remember

    key = remember(DatasetConfig(source="diabetes"))
    assert metrics(visit("data", data=key))["Pool"] == "265"
    assert not visit("data", data="f" * 16).metric
    hostile = remember(DatasetConfig(source="/etc/passwd.csv"))
    app = visit("data", data=hostile)
    assert not app.exception
    assert "cannot be read from here" in app.error[0].value.replace("\\", "")


def parquet(**columns):
    buffer = io.BytesIO()
    pd.DataFrame(columns).to_parquet(buffer)
    return buffer.getvalue()


def read_table(app):
    """The table of how the file was read: what each part was taken for."""
    (table,) = [each.value for each in app.table if "Taken" in each.value]
    return [(part, taken.replace("\\", "")) for part, taken in zip(table["Part"], table["Taken"], strict=True)]


def test_how_a_file_was_read_is_told_and_every_line_can_be_said_otherwise(empty, visit, words):
    label = ["ant" if row % 2 else "bee" for row in range(20)] + [None] * 20
    vectors = list(np.random.default_rng(0).normal(size=(40, 3)))
    content = parquet(image=vectors, text=[row[:2] for row in vectors], price=np.arange(40) % 7, label=label)
    app = upload(choose(visit("data"), "Upload"), "a.parquet", content)
    assert "choose one with --features, or under Features" in app.error[0].value.replace("\\", "")
    option = {str(each.key).rsplit(":", 1)[-1]: each.key for each in [*app.multiselect, *app.text_input, *app.toggle]}
    app.multiselect(key=option["features"]).set_value(["image"]).run()
    assert not app.error
    assert not app.exception
    told = read_table(app)
    assert ("Features", "image: 3 numbers a row") in told
    assert ("Target", "label: 20 of 40 rows have a label") in told
    assert metrics(app)["Pool"] == "40"
    assert "A part of the pool is labelled: labels in 20 of 40 rows" in "".join(info.value for info in app.info)
    app.toggle(key=option["labelled"]).set_value(True).run()
    assert metrics(app)["Pool"] == "20"
    assert metrics(app)["Classes"] == "2"
    app.toggle(key=option["labelled"]).set_value(False)
    app.text_input(key=option["unlabelled"]).set_value("ant")
    app.multiselect(key=option["ignore"]).set_value(["price"]).run()
    assert ("Target", "label: 10 of 40 rows have a label") in read_table(app)
    app.button(key="use").click().run()
    config = recall(app.query_params["data"])
    assert (config.features, config.ignore, config.unlabelled) == ("image", "price", "ant")


def test_a_partly_labelled_pool_is_drawn_with_its_known_labels_and_columns(empty, visit, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    label = ["ant" if row % 2 else "bee" for row in range(20)] + [None] * 20
    vectors = list(np.random.default_rng(0).normal(size=(40, 3)))
    (tmp_path / "a.parquet").write_bytes(parquet(v=vectors, price=np.arange(40) % 7, label=label))
    dataset = DatasetConfig(source=str(tmp_path / "a.parquet"))
    run = empty.create(
        RunConfig(dataset=dataset, job=SelectJob(method="uniform", budget=8)), load_dataset(dataset).fingerprint
    )
    run_folder(run.folder, home=empty.home)
    for page in ("select", "diagnose", "present"):
        app = visit(page, run=run.id)
        assert not app.exception
    app = visit("select", run=run.id)
    colour = app.selectbox(key=f"{run.fingerprint[-12:]}:colour")
    assert {"Class", "price"} <= set(colour.options)
    colour.set_value("column: price").run()
    assert not app.exception
    assert "price" in app.get("plotly_chart")[0].proto.spec
    assert "needs" not in "".join(error.value for error in app.error)


def test_the_columns_offered_are_those_that_the_engine_reads(empty, visit):
    content = b"sep=;\n a ; b ;label\n" + b"".join(
        f"{i * 7 % 12},5;{i * 5 % 12},25;{i % 2}\n".encode() for i in range(12)
    )
    app = upload(choose(visit("data"), "Upload"), "a.csv", content)
    assert not app.error
    target = next(each for each in app.selectbox if str(each.key).endswith(":target"))
    assert target.options == ["a", "b", "label"]
    assert metrics(app)["Features"] == "2"
    assert metrics(app)["Classes"] == "2"


def test_a_folder_on_the_server_is_read_as_one_dataset(empty, visit, tmp_path, monkeypatch):
    root = tmp_path / "data"
    (root / "parts").mkdir(parents=True)
    rows = np.random.default_rng(0).normal(size=(12, 3))
    for part in range(3):
        (root / "parts" / f"part-{part}.parquet").write_bytes(parquet(v=list(rows[4 * part : 4 * part + 4])))
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(root))
    app = choose(visit("data"), "Server path")
    app.text_input(key="data:path").set_value("parts").run()
    assert not app.error
    assert metrics(app)["Pool"] == "12"
    (tmp_path / "secret.parquet").write_bytes(parquet(v=list(rows)))
    (root / "parts" / "part-9.parquet").symlink_to(tmp_path / "secret.parquet")
    app.text_input(key="data:path").set_value("parts/").run()
    assert "holds a link to outside of the folders" in app.error[0].value
