#!/usr/bin/env bash
# scikit-activeml 1.0.1, Badge: the second row is not drawn in proportion to its squared distance from the first.
# What is seen: BADGE is the seeding of k-means++ on gradient embeddings g. After the first row s, the chance of a row
#   is to be proportional to ‖g - s‖². In scikit-activeml it is proportional to min(‖g‖², ‖g - s‖²): the squared norms
#   that choose the first row are kept as "distance so far", so that the origin counts as a row that was drawn. Rows
#   whose prediction is sure lie near the origin and are then hardly ever drawn, however far they are from all picks.
# Expected from the paper: chances in proportion to ‖g - s‖². They are not, while min(‖g‖², ‖g - s‖²) fits to 1e-12.
# What follows for a user: picks are more like those of uncertainty sampling than BADGE's; results of the two are not the
#   same method. In the authors' code the distances start anew after the first row.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "scikit-activeml==1.0.1" 2>/dev/null
cat > "$folder/look.py" <<'PY'
import warnings

import numpy as np
import skactiveml
from skactiveml.classifier import SklearnClassifier
from skactiveml.pool import Badge
from sklearn.linear_model import LogisticRegression

warnings.simplefilter("ignore")
x = np.random.default_rng(0).normal(size=(60, 5))
y = np.full(60, np.nan)
y[:10] = x[:10, 0] > 0
model = SklearnClassifier(LogisticRegression(), classes=[0, 1])
picks, chances = Badge(random_state=0).query(x, y, model, batch_size=2, return_utilities=True)

p = model.fit(x, y).predict_proba(x)
errors = p - np.eye(2)[p.argmax(axis=1)]
g = (errors[:, :, None] * x[:, None]).reshape(60, -1)
apart, norms = ((g - g[picks[0]]) ** 2).sum(axis=1), (g**2).sum(axis=1)
unlabelled = np.isnan(y)


def gap(weights):
    weights = np.where(unlabelled, weights, 0)
    return float(np.abs(np.nan_to_num(chances[1]) - weights / weights.sum()).max())


published, seen = gap(apart), gap(np.minimum(apart, norms))
print(f"scikit-activeml {skactiveml.__version__}")
print(f"largest gap of a chance to ‖g - s‖² / sum: {published:.3f}")
print(f"largest gap of a chance to min(‖g‖², ‖g - s‖²) / sum: {seen:.0e}")
raise SystemExit(not (published > 0.02 and seen < 1e-12))
PY
"$folder/env/bin/python" "$folder/look.py"
