"""The first page draws before anything heavy is imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import sys
import dashboard.services.demo, dashboard.components.workbench.page, dashboard.components.overview.example
import dashboard.components.shared.job_panel, dashboard.services.figures
import dashboard.components.shared.map.marked_points
import dashboard.components.overview.sentence as said
said.sentence(dashboard.services.figures.digits_splits(), title="SkMM")
print(sorted({"torch", "umap", "open_clip", "sklearn"} & set(sys.modules)))
"""


def test_modules_of_the_first_page_import_neither_torch_nor_scikit_learn() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
