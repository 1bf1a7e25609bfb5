#!/usr/bin/env bash
# lightly-mundig: what "diverse" picks depends on the unit of the rows; in a small or a large one it is the file's order.
# What is seen: five points on a line at 0, 0.2, 0.4, 0.5 and 1, and four picks.
#   As they are: 0, 4, 3, 1. From the first row on, the farthest row is added each time.
#   All times 0.0001: 0, 1, 2, 3, the order of the file. All times 100,000: 0, 1, 2, 4. Nothing is said.
#   Typicality of 50 normal rows about 10,000 in four columns, 5 neighbours: all NaN; about 100 it is 0.2 and more.
# Guess written before the run: the farthest row is the farthest in any unit, so the picks are the same. Wrong.
# What follows for a user: make rows unit length, or subtract their mean and divide by their spread, before selecting
#   with it; columns of tables, such as seconds or prices, can be far out of its range.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
import math
import random

from lightly_mundig import Selection, Typicality

line = [0.0, 0.2, 0.4, 0.5, 1.0]
for unit in (1.0, 1e-4, 1e5):
    selection = Selection()
    selection.add_diversifying_strategy([[unit * x, 0.0] for x in line], 1.0)
    print(selection.run_selection([], len(line), 4))
draw = random.Random(0)
rows = [[draw.gauss(0, 1) for _ in range(4)] for _ in range(50)]
for middle in (1e2, 1e4):
    found = Typicality([[middle + x for x in row] for row in rows]).calculate_typicality(5)
    print(sum(math.isnan(value) for value in found), "of 50 are NaN")
PY
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check lightly-mundig==0.1.16 2>/dev/null
mapfile -t seen < <("$folder/env/bin/python" "$folder/look.py")
echo "lightly-mundig 0.1.16, diverse, rows as they are:    ${seen[0]}"
echo "lightly-mundig 0.1.16, diverse, rows times 0.0001:   ${seen[1]}"
echo "lightly-mundig 0.1.16, diverse, rows times 100,000:  ${seen[2]}"
echo "lightly-mundig 0.1.16, typicality about 100:         ${seen[3]}"
echo "lightly-mundig 0.1.16, typicality about 10,000:      ${seen[4]}"
[ "${seen[0]}" = "[0, 4, 3, 1]" ]
[ "${seen[1]}" = "[0, 1, 2, 3]" ]
[ "${seen[2]}" = "[0, 1, 2, 4]" ]
[ "${seen[3]}" = "0 of 50 are NaN" ]
[ "${seen[4]}" = "50 of 50 are NaN" ]
