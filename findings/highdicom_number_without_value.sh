#!/bin/sh
# highdicom writes no, and reads no, numeric content item that has a reason in place of a number.
#
# Expected: DICOM PS3.3, table C.18.1-1: Measured Value Sequence is of type 2, "zero or one Item"; where a value could not be found,
#   the sequence is empty and the Numeric Value Qualifier Code Sequence says why, such as (114006, DCM, "Measurement failure").
#   A reader would give no value, and the qualifier.
# Seen (highdicom 0.28.2): `NumContentItem.from_dataset` of such an item ends in "IndexError: list index out of range"; of the same
#   item with a value it reads value and qualifier. `NumContentItem(...)` asks for a value, so that none can be made.
# Exits with 0 while this is so.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip --quiet install --no-compile --target "$place/packages" highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
cd "$place"
PYTHONPATH="$place/packages" python3 - <<'PYTHON'
import inspect
import sys

import highdicom
from highdicom.sr import CodedConcept, NumContentItem
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

print("highdicom", highdicom.__version__)
needed = inspect.signature(NumContentItem).parameters["value"].default is inspect.Parameter.empty
print("a value is asked for:", needed)
made = NumContentItem(codes.SCT.Volume, 1.0, CodedConcept("mL", "UCUM", "milliliter"), qualifier=codes.DCM.MeasurementFailure)
made.RelationshipType = "CONTAINS"
item = Dataset.from_json(made.to_json())
with_value = NumContentItem.from_dataset(item).value
print("with a value:", with_value)
item.MeasuredValueSequence = Sequence([])
try:
    found = f"read, value {NumContentItem.from_dataset(item).value}"
except Exception as error:
    found = f"{type(error).__name__}: {error}"
print("without:", found)
sys.exit((needed, with_value, found) != (True, 1.0, "IndexError: list index out of range"))
PYTHON
