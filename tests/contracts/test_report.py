"""A report stands alone, shows the numbers of the run's files, and lets no text from a file become markup."""

import base64
import gzip
import html
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly
import pytest
from PIL import Image

from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.diagnostics import verdict_text
from skmm_core.jobs.execute import execute
from skmm_core.report import method_styles
from skmm_core.report.page import _code
from skmm_core.runs.files import read_result, read_table, write_config

HOSTILE = "</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would load and show."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.scripts: dict[str, str] = {}
        self.words: list[str] = []
        self._script: str | None = None
        self.feed((folder / "report.html").read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given["href"])
        elif tag == "img":
            self.images.append(given["src"])
        else:
            self.loaded += [given[name] for name in ("src", "href", "data", "action", "srcset") if name in given]
        self._script = given.get("id", "code") if tag == "script" else None
        assert not [name for name in given if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.words.append(data)
        else:
            self.scripts[self._script] = data

    @property
    def figures(self) -> dict[str, Any]:
        return {figure["key"]: figure for figure in json.loads(self.scripts["figures"])}


def made(folder: Path, config: RunConfig) -> Path:
    folder.mkdir(exist_ok=True)
    write_config(folder, config)
    execute(folder)
    return folder


@pytest.fixture(scope="module")
def selection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    job = SelectJob(method="leverage", budget=70)
    return made(tmp_path_factory.mktemp("select"), RunConfig(dataset=DatasetConfig(source="digits"), job=job))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    job = CompareJob(methods=("leverage", "uniform"), budgets=(15, 30), seeds=5, learners=("linear", "propagate"))
    return made(tmp_path_factory.mktemp("compare"), RunConfig(dataset=DatasetConfig(source="diabetes"), job=job))


@pytest.mark.parametrize("kind", ["selection", "comparison"])
def test_nothing_is_loaded_from_outside(kind: str, request: pytest.FixtureRequest) -> None:
    page = Page(request.getfixturevalue(kind))
    assert page.loaded == []
    assert all(source.startswith("data:image/png;base64,") for source in page.images)
    assert page.links
    assert all(link.startswith("https://") for link in page.links), "plain links to papers only"
    text = (request.getfixturevalue(kind) / "report.html").read_text()
    assert "default-src 'none'" in text
    assert "import(" not in page.scripts["code"]
    assert "fetch(" not in page.scripts["code"]


def test_plotly_in_the_page_is_the_installed_one(selection: Path) -> None:
    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    assert gzip.decompress(base64.b64decode(Page(selection).scripts["plotly"])) == source.read_bytes()


def test_figures_and_tables_of_a_selection_hold_the_numbers_of_its_files(selection: Path) -> None:
    page, chosen = Page(selection), read_table(selection, "selection")
    places = read_table(selection, "map").set_index("position")
    pool, picked = page.figures["map"]["data"]
    assert len(pool["x"]) == len(places)
    np.testing.assert_allclose(picked["x"], places.loc[chosen["position"], "pca_1"], rtol=1e-4)
    assert picked["text"][0].startswith(str(chosen["id"][0]))
    words, found = " ".join(page.words), read_result(selection)
    for value in (found["diagnostics"]["bias"], found["diagnostics"]["variance"], found["diagnostics"]["c_s"]):
        assert f"{value:,.4g}" in words
    assert verdict_text(found) in words
    row = next(row for row in found["band"]["measures"] if row["key"] == "moment_error")
    assert f"{np.median(row['random']):.3g}, from {min(row['random']):.3g} to {max(row['random']):.3g}" in words
    assert [trace.get("name") for trace in page.figures["spectrum"]["data"]] == [None, "random picks", "pool", "chosen"]
    for line in (found["fingerprint"], found["command"], found["versions"]["torch"], "arXiv 2407.06120", "Mahoney"):
        assert line in words
    risk = page.figures["risk"]["data"][-1]
    assert risk["x"] == [found["diagnostics"]["rank"]]


def test_thumbnails_are_those_of_the_first_chosen(selection: Path) -> None:
    from skmm_core.data.load import load_dataset

    images, chosen = Page(selection).images, read_table(selection, "selection")
    assert len(images) == 60, "the first 60 of 70"
    dataset = load_dataset(DatasetConfig(source="digits"))
    assert dataset.images is not None
    for place in (0, 59):
        row = int(dataset.split.train[chosen["position"][place]])
        shown = Image.open(io.BytesIO(base64.b64decode(images[place].split(",")[1])))
        stored = Image.open(io.BytesIO(dataset.images.png(row, size=8)))
        np.testing.assert_array_equal(np.asarray(shown.convert("L")), np.asarray(stored.convert("L")))


def test_figures_and_tables_of_a_comparison_hold_the_numbers_of_its_files(comparison: Path) -> None:
    page, summary = Page(comparison), pd.read_csv(comparison / "summary.csv")
    for trace, method in zip(page.figures["curves"]["data"], ("leverage", "uniform"), strict=True):
        rows = summary.query(f"method == '{method}' and metric == 'mae' and learner == 'linear'")
        np.testing.assert_allclose(trace["y"], rows["mean"])
        np.testing.assert_allclose(trace["error_y"]["array"], rows["hi"] - rows["mean"])
    words = " ".join(page.words)
    assert "no clear difference" in words
    assert "About data like these: each seed picks from its own" in words
    for saving in read_result(comparison)["savings"]:
        assert saving["text"] in words


def test_text_from_a_file_never_becomes_markup(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 3))
    names = np.array([f"{HOSTILE}{i}" for i in range(30)])
    np.savez(tmp_path / "points.npz", X=rows, ids=names, y=np.array([HOSTILE, "b"])[np.arange(30) % 2])
    config = RunConfig(
        dataset=DatasetConfig(source=str(tmp_path / "points.npz")), job=SelectJob(method="uniform", budget=4)
    )
    page = Page(made(tmp_path / "run", config))
    assert page.images == []
    assert page.loaded == []
    text = page.figures["map"]["data"][1]["text"][0]
    assert "<img" not in text
    assert "&lt;img" in text


def test_methods_look_in_a_report_as_they_do_on_pages(comparison: Path) -> None:
    drawn = {trace["name"]: trace for trace in Page(comparison).figures["curves"]["data"]}
    for method, style in method_styles(["leverage", "uniform"]).items():
        line = drawn[method.capitalize()]
        assert (line["line"]["color"], line["line"]["dash"]) == (style.colour, style.dash)
        assert line["marker"]["symbol"] == style.symbol
    words = (comparison / "report.html").read_text()
    saving = next(s for s in read_result(comparison)["savings"] if (s["method"], s["budget"]) == ("leverage", 30))
    assert f'<p class="headline">Leverage: {html.escape(saving["text"])}</p>' in words


def test_code_in_a_sentence_is_set_as_code_and_stays_text() -> None:
    assert _code("as `a<b>` allows <i>") == "as <code>a&lt;b&gt;</code> allows &lt;i&gt;"
