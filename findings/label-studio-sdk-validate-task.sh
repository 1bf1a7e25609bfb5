#!/usr/bin/env bash
# label-studio-sdk: LabelInterface.validate_task fails on every task that has predictions or annotations.
# What is seen: one interface with one choice, one task that fits it, alone and with a prediction and an annotation that
#   validate_prediction and validate_annotation accept.
#   label-studio-sdk 2.1.2: the task alone is valid; with either, validate_task ends with a TypeError, since it calls
#   these two checks without saying what to check.
# Guess written before the run: validate_task returns True in all three cases. Wrong for two.
# What follows for a user: check tasks before an import in parts: {"data": …} with validate_task, each prediction with
#   validate_prediction, each annotation with validate_annotation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
from label_studio_sdk.label_interface import LabelInterface

interface = LabelInterface(
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text"><Choice value="cat"/></Choices></View>'
)
region = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["cat"]}}
task = {"data": {"text": "x"}}
print(interface.validate_task(task))
for name, check in (("predictions", interface.validate_prediction), ("annotations", interface.validate_annotation)):
    one = {"result": [region]}
    try:
        whole = interface.validate_task({**task, name: [one]})
    except TypeError:
        whole = "TypeError"
    print(check(one), whole)
PY
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check label-studio-sdk==2.1.2 2>/dev/null
mapfile -t seen < <("$folder/env/bin/python" "$folder/look.py" 2>/dev/null)
echo "label-studio-sdk 2.1.2, validate_task of a task alone:                             ${seen[0]}"
echo "label-studio-sdk 2.1.2, validate_prediction, validate_task of a task with it:      ${seen[1]}"
echo "label-studio-sdk 2.1.2, validate_annotation, validate_task of a task with it:      ${seen[2]}"
[ "${seen[0]}" = "True" ]
[ "${seen[1]}" = "True TypeError" ]
[ "${seen[2]}" = "True TypeError" ]
