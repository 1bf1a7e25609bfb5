#!/usr/bin/env bash
# polars: an Arrow file holds no stream after its first eight bytes, as the format says and files of pyarrow do.
# What is seen: the format says that a file is ARROW1, padding, a stream, and a footer that lists the same blocks. Readers
#   without random access skip eight bytes and read the stream.
#   pyarrow 26.0.1, write_feather: the stream has the rows of the file.
#   polars 2.1.0, write_ipc: the schema stands there without its length, so reading the stream fails; by the footer all
#   rows are there. Its write_ipc_stream writes a good stream.
# Guess written before the run: both hold a stream. Wrong for polars.
# What follows for a user: read such files by their footer (open_file, not open_stream), or have polars write a stream.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
import io
import sys

import polars
import pyarrow as pa
import pyarrow.feather

made = polars.DataFrame({"a": [1, 2, 3]})
polars_file, pyarrow_file, stream = (f"{sys.argv[1]}/{name}" for name in ("polars", "pyarrow", "stream"))
made.write_ipc(polars_file)
pyarrow.feather.write_feather(pa.table({"a": [1, 2, 3]}), pyarrow_file, compression="uncompressed")
made.write_ipc_stream(stream)


def rows(read, path, skipped):
    try:
        return read(io.BytesIO(open(path, "rb").read()[skipped:])).read_all().num_rows
    except (OSError, pa.ArrowInvalid):
        return "none"


print(rows(pa.ipc.open_file, pyarrow_file, 0), rows(pa.ipc.open_stream, pyarrow_file, 8))
print(rows(pa.ipc.open_file, polars_file, 0), rows(pa.ipc.open_stream, polars_file, 8), rows(pa.ipc.open_stream, stream, 0))
PY
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/lib" polars==2.1.0 pyarrow==26.0.1 2>/dev/null
mapfile -t seen < <(PYTHONPATH="$folder/lib" python3 "$folder/look.py" "$folder")
echo "pyarrow 26.0.1: rows by the footer, rows of the stream in the file: ${seen[0]}"
echo "polars 2.1.0: rows by the footer, rows of the stream in the file, rows of its own stream: ${seen[1]}"
[ "${seen[0]}" = "3 3" ]
[ "${seen[1]}" = "3 none 3" ]
