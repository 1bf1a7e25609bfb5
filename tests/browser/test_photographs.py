"""From a zip file of photographs to a selection with thumbnails, in a real browser."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from skmm_core.runs import RunState, read_result
from skmm_core.runs.files import read_table

pytestmark = pytest.mark.browser
CLASSES = ("daisy", "rose")
EACH = 15


@pytest.fixture
def photographs(tmp_path):
    """Small pictures in class folders under one folder, and a text file in its root."""
    path, draw = tmp_path / "flowers.zip", np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("flowers/ATTRIBUTION.txt", "by many")
        for place, name in enumerate(CLASSES):
            for number in range(EACH):
                buffer = io.BytesIO()
                pixels = draw.integers(0, 120, (90, 120, 3), dtype=np.uint8)
                pixels[..., place] += 120
                Image.fromarray(pixels).save(buffer, "JPEG")
                archive.writestr(f"flowers/{name}/{number:02}.jpg", buffer.getvalue())
    return path


def test_a_zip_of_photographs_becomes_a_selection_with_thumbnails(visitor, store, photographs):
    page = visitor.page
    visitor.open("data")
    page.get_by_text("Images", exact=True).first.click()
    visitor.settle()
    visitor.upload(photographs, label="Archive, pictures or shards")
    visitor.settle()
    page.get_by_role("combobox", name=re.compile("Encoder: what turns")).first.click()
    page.get_by_role("option", name="Built-in map, not trained").click()
    visitor.settle()
    make = visitor.button(re.compile("Make features of 30 pictures"))
    visitor.expect_visible(make)
    visitor.expect_visible(page.get_by_text("1 file skipped").first)
    expect(page.locator(".skmm-gallery img")).to_have_count(2 * EACH)
    assert {text.strip() for text in page.locator(".skmm-gallery figcaption").all_inner_texts()} == set(CLASSES)
    make.click()
    pick = visitor.button("Pick points from it")
    visitor.expect_visible(pick)
    visitor.expect_visible(page.get_by_text("30 pictures, 1,090 features each by the built-in map").first)
    page.reload()  # the upload is gone, the features are not
    visitor.expect_visible(pick)
    visitor.settle()
    assert visitor.trouble() is None
    visitor.press("Pick points from it")
    budget = page.get_by_label("Points to pick", exact=True)
    visitor.settle()
    budget.fill("6")
    budget.press("Enter")
    visitor.press(re.compile("Pick 6"))
    pictures = page.locator("button.card img")
    expect(pictures).to_have_count(6)
    visitor.settle()
    visitor.expect_picture(pictures.first)
    visitor.expect_visible(page.get_by_text("a pretrained encoder does better").first)
    run = store.get(visitor.run_id())
    assert (run.kind, run.state, run.dataset) == ("select", RunState.DONE, "flowers")
    assert set(read_table(run.folder, "selection")["label"]) <= set(CLASSES)
    assert any("does better" in note for note in read_result(run.folder)["notes"])
    assert visitor.trouble() is None
