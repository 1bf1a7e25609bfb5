"""The page of benchmarks says what the committed figures say."""

from tests.bench.benchmarks_page import FIGURES, PAGE, page


def test_the_page_is_what_the_figures_make_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.bench.benchmarks_page`"


def test_every_file_of_figures_is_named_in_the_docs() -> None:
    documents = "\n".join(file.read_text(encoding="utf-8") for file in PAGE.parent.glob("*.md"))
    for file in FIGURES.glob("*.json"):
        assert f"{file.stem}.json" in documents, f"no document says what {file.name} is"
