#!/usr/bin/env bash
# Pillow: since some version after 11 a resize that shrinks both sides may scale the columns first; before, rows came first.
# What is seen: a 333 × 500 picture of noise is scaled to 224 × 224, bicubic, in one call and side by side in two.
#   11.0: one call gives what the width first and then the height gives.
#   13.0: one call gives what the height first and then the width gives; pixels differ by up to 7 levels of 255, since
#   what overshoots is cut off between the two steps.
# Guess written before the run: all versions scale the width first. Wrong for 13.0.
# What follows for a user: to get the same pixels with each version, scale one side at a time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
import numpy as np
from PIL import Image

picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (500, 333, 3), dtype=np.uint8))


def scaled(*sizes):
    found = picture
    for size in sizes:
        found = found.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(found).astype(int)


once = scaled((224, 224))
print(*(int(abs(once - other).max()) for other in (scaled((224, 500), (224, 224)), scaled((333, 224), (224, 224)))))
PY
seen() {
  python3 -m pip install --quiet --disable-pip-version-check --target "$folder/lib-$1" "pillow==$1" numpy 2>/dev/null
  PYTHONPATH="$folder/lib-$1" python3 "$folder/look.py"
}
old=$(seen 11.0.0)
new=$(seen 13.0.0)
echo "pillow 11.0: levels apart from width first, from height first: $old"
echo "pillow 13.0: levels apart from width first, from height first: $new"
[ "${old%% *}" = 0 ] && [ "${old##* }" -gt 0 ]
[ "${new%% *}" -gt 0 ] && [ "${new##* }" = 0 ]
