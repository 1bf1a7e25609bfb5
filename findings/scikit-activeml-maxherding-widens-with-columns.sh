#!/usr/bin/env bash
# scikit-activeml 1.0.1, MaxHerding: the default kernel widens with the number of columns, until all rows look alike.
# What is seen: rows are scaled to unit length, so that no two are farther apart than 2, whatever their number of columns.
#   The paper's kernel is exp(-‖x - y‖²/σ²) with σ = 1. The default here is that of scikit-learn's rbf, exp(-‖x - y‖²/d),
#   made for columns of variance 1: at 512 columns even opposite rows are alike to exp(-4/512) = 0.992, and the least
#   similarity of 200 normal rows is 0.995 (with σ = 1 it is 0.1). The picks are other ones than those of the paper's.
# Expected from the paper: the same picks with the defaults as with metric_dict={"gamma": 1.0}. They are not.
# What follows for a user: pass metric_dict={"gamma": 1.0}; a benchmark of the defaults on features of a network does not
#   measure the published method.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "scikit-activeml==1.0.1" 2>/dev/null
cat > "$folder/look.py" <<'PY'
import warnings

import numpy as np
import skactiveml
from skactiveml.pool import MaxHerding
from sklearn.metrics.pairwise import rbf_kernel

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
x = rng.normal(size=(200, 512))
unit = x / np.linalg.norm(x, axis=1, keepdims=True)
labels = np.full(200, np.nan)
default = MaxHerding(random_state=0).query(x, labels, batch_size=20)
paper = MaxHerding(metric_dict={"gamma": 1.0}, random_state=0).query(x, labels, batch_size=20)
least = [float(rbf_kernel(unit, gamma=gamma).min()) for gamma in (None, 1.0)]
shared = len(set(default.tolist()) & set(paper.tolist()))
print(f"scikit-activeml {skactiveml.__version__}, 200 normal rows of 512 columns")
print(f"least similarity: {least[0]:.3f} by default, {least[1]:.3f} with gamma = 1")
print(f"of 20 picks by default, with gamma = 1 remain: {shared}")
raise SystemExit(not (least[0] > 0.99 and least[1] < 0.15 and shared < 20))
PY
"$folder/env/bin/python" "$folder/look.py"
