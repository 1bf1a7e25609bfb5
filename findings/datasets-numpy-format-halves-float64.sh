#!/usr/bin/env bash
# datasets: with_format("numpy") gives a float64 column as float32, so that seconds since 1970 fall together.
# What is seen: a column of type float64 with 1700000001, 1700000002 and 1700000003.
#   As Python numbers: three values. With the format numpy: one value, 1.7e9, in float32, without a word.
#   With the format pandas or arrow: three values in float64. Whole numbers of type int64 keep all digits with numpy.
# Guess written before the run: the format numpy keeps the type of the column. Wrong.
# What follows for a user: ask for with_format("numpy", dtype="float64"), or go through arrow, for times and coordinates.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
from datasets import Dataset, Features, Value

seconds = [1700000001.0, 1700000002.0, 1700000003.0]
made = Dataset.from_dict({"t": seconds}, features=Features({"t": Value("float64")}))
whole = Dataset.from_dict({"t": [int(each) for each in seconds]})
kept = made.with_format("numpy")["t"][:]
asked = made.with_format("numpy", dtype="float64")["t"][:]
print(made.features["t"].dtype, len(set(made["t"][:])), kept.dtype, len(set(kept.tolist())))
print(len(set(made.with_format("pandas")["t"][:])), len(set(whole.with_format("numpy")["t"][:].tolist())), len(set(asked)))
PY
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pandas==2.3.3 numpy==2.4.6 2>/dev/null
mapfile -t seen < <(HF_HUB_OFFLINE=1 HF_HOME="$folder/home" "$folder/env/bin/python" "$folder/look.py" 2>/dev/null)
echo "datasets 5.2.0: type of the column and its values, then type and values with the format numpy: ${seen[0]}"
echo "datasets 5.2.0: values with pandas, of whole numbers with numpy, with numpy and dtype=float64: ${seen[1]}"
[ "${seen[0]}" = "float64 3 float32 1" ]
[ "${seen[1]}" = "3 3 3" ]
