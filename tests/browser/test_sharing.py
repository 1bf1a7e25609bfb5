"""Telling others in a real browser: the presentation, the report, the bundle of a run, a chart as a file."""

import hashlib
import re
import zipfile
from xml.etree import ElementTree

import pytest
from driver import CHART
from PIL import Image
from playwright.sync_api import expect

from dashboard.services import demo
from skmm_core.config import CompareJob, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunState, RunStore

pytestmark = pytest.mark.browser
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
COMPARE = RunConfig(
    dataset=demo.SELECT.dataset, job=CompareJob(methods=("leverage", "uniform"), budgets=(15, 30), seeds=2)
)
SELECT = RunConfig(dataset=demo.SELECT.dataset, job=SelectJob(method="leverage", budget=30))


@pytest.fixture
def runs(store):
    """A selection and a comparison, small and finished."""
    found = {}
    for config in (SELECT, COMPARE):
        record = store.create(config, load_dataset(config.dataset).fingerprint)
        run_folder(record.folder, home=store.home)
        found[record.kind] = store.get(record.id)
    return found


def test_a_link_opens_the_presentation_and_esc_ends_it(visitor, runs):
    visitor.open(f"present?run={runs['compare'].id}&present=true")
    visitor.expect_visible(visitor.page.get_by_role("heading", name=re.compile(r"With 30 of 1,078 training points")))
    visitor.expect_visible(visitor.page.locator(CHART).nth(1))
    expect(visitor.page.locator('[data-testid="stHeader"]')).to_be_hidden()
    expect(visitor.page.get_by_label("Finished run")).to_have_count(0)
    assert visitor.trouble() is None
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator('[data-testid="stHeader"]')).to_be_visible()
    visitor.expect_visible(visitor.page.locator('[data-testid="stSelectbox"]').first)
    assert visitor.trouble() is None


def test_the_report_draws_zooms_saves_and_prints_without_asking_anyone(visitor, runs, tmp_path):
    visitor.open(f"compare?run={runs['compare'].id}")
    with visitor.page.expect_download() as download:
        visitor.button("Report (html)").click()
    path = tmp_path / "report.html"
    download.value.save_as(path)
    page = visitor.page.context.new_page()
    asked, troubles = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_function("document.documentElement.dataset.drawn === '2'")
    assert page.locator("#figure-curves .scatterlayer .trace").count() == 2
    page.locator("#figure-curves").hover()
    with page.expect_download() as saved:
        page.locator('#figure-curves [data-title="Save as SVG"]').click()
    assert saved.value.suggested_filename.endswith(".svg")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("[...document.querySelectorAll('.figure .main-svg')].every(svg => svg.clientWidth <= 700)")
    assert len(page.pdf(format="A4")) > 20_000
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert troubles == []
    page.close()


def contents(bundle):
    """Digest by name of the files of a bundle; the report is made anew, from the same files."""
    with zipfile.ZipFile(bundle) as archive:
        return {name: hashlib.sha256(archive.read(name)).digest() for name in archive.namelist()}


def test_a_run_of_another_machine_comes_in_and_goes_out_unchanged(visitor, store, tmp_path):
    elsewhere = RunStore(tmp_path / "elsewhere")
    config = SELECT.model_copy(update={"job": SelectJob(method="leverage", budget=31)})
    run = elsewhere.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(run.folder, home=elsewhere.home)
    elsewhere.export(run.id, tmp_path / "sent.zip")
    visitor.open("runs")
    visitor.press("Import")
    visitor.upload(tmp_path / "sent.zip", label="Zip file of a run")
    visitor.expect_visible(visitor.page.get_by_text("Imported").first)
    assert store.get(run.id).state is RunState.DONE
    visitor.open(f"runs?run={run.id}")
    with visitor.page.expect_download() as download:
        visitor.button("Export").click()
    download.value.save_as(tmp_path / "returned.zip")
    assert contents(tmp_path / "returned.zip") == contents(tmp_path / "sent.zip")
    assert visitor.trouble() is None


def saved_chart(visitor, number, path, *, button):
    """A chart of the page, saved by the camera button of its own menu; returns the name of the file."""
    visitor.settle()
    visitor.drawn()
    chart = visitor.page.locator(CHART).filter(has=visitor.page.locator(f'[data-title="{button}"]')).nth(number)
    chart.hover()
    with visitor.page.expect_download() as download:
        chart.locator(f'[data-title="{button}"]').click()
    download.value.save_as(path)
    return download.value.suggested_filename


def test_a_chart_is_saved_as_a_picture_by_its_own_menu(visitor, runs, tmp_path):
    run = runs["select"].id
    visitor.open(f"select?run={run}")
    visitor.expect_visible(visitor.page.locator(CHART).first)
    visitor.page.get_by_text("Numbers and balance").click()
    visitor.expect_visible(visitor.page.locator(CHART).nth(1))
    picture = tmp_path / "map.png"
    assert saved_chart(visitor, 0, picture, button="Download plot as a PNG") == f"map-{run}.png"
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width > 1000  # twice what is on the page
        assert len(image.getcolors(2**24)) > 20

    visitor.button(re.compile("Export")).click()
    visitor.page.get_by_role("radio", name="SVG").or_(visitor.button("SVG")).first.click()
    visitor.settle()
    visitor.page.keyboard.press("Escape")
    drawing = tmp_path / "map.svg"
    assert saved_chart(visitor, 0, drawing, button="Download plot") == f"map-{run}.svg"
    words = words_of(drawing)
    assert {"PCA 1", "PCA 2"} <= words
    assert len([word for word in words if re.fullmatch(r"\d · \d+ / \d+", word)]) == 10
    images = ElementTree.parse(drawing).getroot().iter(f"{SVG}image")
    assert any(image.get(f"{XLINK}href", "").startswith("data:image/png") for image in images)  # WebGL's points
    assert saved_chart(visitor, 1, tmp_path / "balance.svg", button="Download plot") == "balance.svg"
    balance = ElementTree.parse(tmp_path / "balance.svg").getroot()
    assert len(balance.findall(f".//{SVG}g[@class='point']/{SVG}path")) >= 10
    assert visitor.trouble() is None


def words_of(path):
    """The texts of an SVG file."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{SVG}svg"
    return {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
