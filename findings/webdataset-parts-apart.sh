#!/usr/bin/env bash
# webdataset: a sample whose files do not lie side by side in the tar file comes as several samples, each with a part of it.
# What is seen: a tar file of two pictures and their two classes.
#   each picture followed by its class: 2 samples with picture and class.
#   both pictures first, then both classes, as `tar` packs folders of jpg and cls files: 4 samples, 2 of them with a
#   picture only and 2 with a class only, without a word.
# Guess written before the run: files of one key are one sample wherever they lie, or an error says that they are apart.
# What follows for a user: pack with sorted names (`tar --sort=name`), or join by key.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/lib" "webdataset==0.2.111" numpy 2>/dev/null
cat > "$folder/look.py" <<'PY'
import io
import sys
import tarfile

import webdataset


def count(names):
    path = f"{sys.argv[1]}/set.tar"
    with tarfile.open(path, "w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"1"))
    samples = list(webdataset.WebDataset(path, shardshuffle=False))
    return len(samples), sum("jpg" in each and "cls" in each for each in samples)


print(*count(["a.jpg", "a.cls", "b.jpg", "b.cls"]), *count(["a.jpg", "b.jpg", "a.cls", "b.cls"]))
PY
found=$(PYTHONPATH="$folder/lib" python3 "$folder/look.py" "$folder" 2>/dev/null)
echo "webdataset 0.2.111: samples, whole ones, side by side and then apart: $found"
[ "$found" = "2 2 4 0" ]
