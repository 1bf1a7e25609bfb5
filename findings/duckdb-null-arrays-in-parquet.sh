#!/usr/bin/env bash
# DuckDB and pyarrow: a parquet file with a null in a column of type FLOAT[2] (array) is read by all but pyarrow.
# What is seen: DuckDB writes three rows, [1, 2], null and [5, 6], with COPY … TO.
#   As FLOAT[2]: DuckDB, polars and fastparquet read the three rows; pyarrow says "Length spanned by list offsets (5)
#   larger than values array (4)". So do pandas and datasets, which read with pyarrow.
#   As FLOAT[] (list), or without the null: all read it.
# Guess written before the run: an array is stored as a list is, so that all read it. Wrong for pyarrow.
# What follows for a user: write embeddings of which some are missing with vector::FLOAT[].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
import sys

import duckdb
import fastparquet
import polars
import pyarrow.parquet as pq

READERS = {
    "duckdb": lambda path: [row[0] for row in duckdb.sql(f"SELECT v FROM '{path}' ORDER BY id").fetchall()],
    "polars": lambda path: polars.read_parquet(path)["v"].to_list(),
    "fastparquet": lambda path: fastparquet.ParquetFile(path).to_pandas()["v"].tolist(),
    "pyarrow": lambda path: pq.read_table(path)["v"].to_pylist(),
}
for kind in ("FLOAT[2]", "FLOAT[]"):
    path = f"{sys.argv[1]}/a.parquet"
    rows = f"VALUES (0, [1.0, 2.0]::{kind}), (1, NULL), (2, [5.0, 6.0]::{kind})"
    duckdb.sql(f"COPY (SELECT id, v::{kind} AS v FROM ({rows}) t(id, v)) TO '{path}'")
    found = []
    for name, read in READERS.items():
        try:
            values = [None if each is None else [float(one) for one in each] for each in read(path)]
            found.append(f"{name} {'reads it' if values == [[1, 2], None, [5, 6]] else values}")
        except OSError as error:
            found.append(f"{name} says {error}")
        except ValueError as error:
            found.append(f"{name} says {error}")
    print(f"{kind}: {', '.join(found)}")
PY
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/lib" \
  duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0 fastparquet==2026.9.0 pandas==2.3.3 2>/dev/null
mapfile -t seen < <(PYTHONPATH="$folder/lib" python3 "$folder/look.py" "$folder")
printf 'written by DuckDB 2.0.1 as %s\n' "${seen[@]}"
[[ "${seen[0]}" == "FLOAT[2]: duckdb reads it, polars reads it, fastparquet reads it, pyarrow says Length spanned by list offsets"* ]]
[ "${seen[1]}" = "FLOAT[]: duckdb reads it, polars reads it, fastparquet reads it, pyarrow reads it" ]
