#!/usr/bin/env bash
# datasets: to_json writes one number of every matrix of an Array2D column, and not of the right row; it says nothing.
# What is seen: two rows with ids 0 and 1 and 2 × 2 matrices [[1, 2], [3, 4]] and [[5, 6], [7, 8]].
#   As plain nested lists, the file holds both matrices.
#   As Array2D((2, 2)), it holds 1.0 for row 0 and 3.0 for row 1: the start of the two lines of the first matrix.
# Guess written before the run: both write nested lists. Wrong for Array2D.
# What follows for a user: cast to lists before to_json, or write parquet, which keeps them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
import json
import sys

import datasets
from datasets import Array2D, Dataset, Features, List, Value

datasets.disable_progress_bars()
matrices = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
for kind in (List(List(Value("float32"))), Array2D((2, 2), "float32")):
    made = Dataset.from_dict({"id": [0, 1], "m": matrices}, features=Features({"id": Value("int64"), "m": kind}))
    made.to_json(sys.argv[1])
    print([json.loads(line)["m"] for line in open(sys.argv[1])])
PY
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pandas==2.3.3 2>/dev/null
mapfile -t seen < <(HF_HUB_OFFLINE=1 HF_HOME="$folder/home" "$folder/env/bin/python" "$folder/look.py" "$folder/a.jsonl" 2>/dev/null)
echo "datasets 5.2.0, to_json of nested lists: ${seen[0]}"
echo "datasets 5.2.0, to_json of Array2D:      ${seen[1]}"
[ "${seen[0]}" = "[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]" ]
[ "${seen[1]}" = "[1.0, 3.0]" ]
