#!/usr/bin/env bash
# polars: the Arrow files that write_ipc makes have a schema message without its size before it. The columnar format
# describes a file as magic, the stream format, footer; in the stream format every message follows FF FF FF FF and its
# size.
# What is seen: polars 2.1.0, a file of one column of whole numbers.
#   pyarrow.ipc.open_file reads it, since it goes by the footer, which holds the schema once more.
#   pyarrow.ipc.MessageReader from byte 8 on fails at the first message with "Invalid flatbuffers message"; of the same
#   file written by pyarrow it reads two messages, the schema and the rows.
#   The message of the rows follows its size as it should: the first FF FF FF FF of the file of polars is there.
# Guess written before the run: files of both are read as streams from byte 8 on. Wrong for polars.
# What follows for a user: who looks at the messages of a file, such as to know their sizes before they are unpacked, has
# to take their places from the footer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/lib" polars==2.1.0 pyarrow==26.0.1 2>/dev/null
cat > "$folder/look.py" <<'PY'
import io

import polars
import pyarrow as pa

frame = polars.DataFrame({"a": [1, 2, 3]})
files = {"polars": io.BytesIO(), "pyarrow": io.BytesIO()}
frame.write_ipc(files["polars"])
table = frame.to_arrow()
with pa.ipc.new_file(files["pyarrow"], table.schema) as out:
    out.write_table(table)


def messages(content, start):
    """How many messages are read from a byte on, and how reading ends."""
    reader, count = pa.ipc.MessageReader.open_stream(pa.BufferReader(content[start:])), 0
    try:
        while True:
            reader.read_next_message()
            count += 1
    except StopIteration:
        return count, "the end"
    except OSError as error:
        return count, str(error)


seen = {}
for writer, file in files.items():
    content = file.getvalue()
    rows = pa.ipc.open_file(content).read_all().num_rows
    sized = content.find(b"\xff" * 4, 8)
    seen[writer] = (rows, messages(content, 8), sized > 8, messages(content, sized)[0])
    print(f"{writer}: {rows} rows by the footer; from byte 8 on {seen[writer][1][0]} messages, then: {seen[writer][1][1]}")
print(f"polars {polars.__version__}, pyarrow {pa.__version__}")
assert seen["pyarrow"] == (3, (2, "the end"), False, 2), seen
assert seen["polars"] == (3, (0, "Invalid flatbuffers message."), True, 1), seen
PY
PYTHONPATH="$folder/lib" python3 "$folder/look.py"
