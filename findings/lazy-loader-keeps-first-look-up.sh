#!/usr/bin/env bash
# lazy_loader: since 0.6 a name handed on by a package is looked up once and kept; before, it was looked up at each use.
# What is seen: a package hands on pkg.work.f with lazy_loader.attach. A test replaces f in pkg.work for a moment, as
#   unittest.mock.patch.object does, and asks for pkg.f meanwhile for the first time.
#   0.5: the package gives the replacement during the patch and the original after it.
#   0.6: the package gives the replacement for good; undoing the patch in pkg.work does not undo it in pkg.
# Guess written before the run: both versions look the name up again each time. Wrong for 0.6.
# What follows for a user: patch the package's name, not the submodule's, or one test leaks into the next.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/pkg"
cat > "$folder/pkg/__init__.py" <<'PY'
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"work": ["f"]})
PY
echo 'def f(): return "original"' > "$folder/pkg/work.py"
cat > "$folder/look.py" <<'PY'
from unittest import mock

import pkg
import pkg.work

with mock.patch.object(pkg.work, "f", lambda: "replacement"):
    during = pkg.f()
print(during, pkg.f(), pkg.work.f())
PY
seen() {
  python3 -m pip install --quiet --disable-pip-version-check --target "$folder/lib-$1" "lazy_loader==$1" 2>/dev/null
  (cd "$folder" && PYTHONPATH="$folder/lib-$1:$folder" python3 look.py)
}
old=$(seen 0.5)
new=$(seen 0.6)
echo "lazy_loader 0.5: during, after, submodule after: $old"
echo "lazy_loader 0.6: during, after, submodule after: $new"
[ "$old" = "replacement original original" ]
[ "$new" = "replacement replacement original" ]
