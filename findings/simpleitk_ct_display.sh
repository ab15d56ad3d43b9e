#!/usr/bin/env bash
# SimpleITK reads a CT whose values come from a lookup table as its stored values, and a CT stored as MONOCHROME1 upside down.
#
# Expected: DICOM PS3.3, C.11.1: the Modality LUT (a table or a slope) transforms stored values into those of the modality, Hounsfield
# units for a CT; C.7.6.3.1.2: MONOCHROME1 says that the lowest value is to be *displayed* as white, after any VOI transformation. It
# changes no value: a CT in Hounsfield units is the same CT in either polarity.
# Seen (SimpleITK 2.5.7): the table is passed over, so stored values come out as if they were Hounsfield units; of MONOCHROME1 the
# values are turned round (-1000 HU, air, comes out as 999). No exception; neither is said in what is returned.
# Exit status: 0 while it is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "SimpleITK==2.5.7" "pydicom==3.0.2" "numpy==2.2.6"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import SimpleITK as sitk
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

HOUNSFIELD = np.array([[-1000, -500], [0, 100]])


def write(name, stored, **tags):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.Modality = CTImageStorage, "CT"
    data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID = (generate_uid() for _ in range(3))
    data.ImagePositionPatient, data.ImageOrientationPatient, data.PixelSpacing = [0, 0, 0], [1, 0, 0, 0, 1, 0], [1, 1]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows = data.Columns = 2
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelData = stored.astype("<i2").tobytes()
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.save_as(name, enforce_file_format=True)
    return sitk.GetArrayFromImage(sitk.ReadImage(name))[0].tolist()


table = Dataset()
table.LUTDescriptor, table.ModalityLUTType = [4, 0, 16], "HU"
table.add_new("LUTData", "OW", np.array([24, 524, 1024, 1124], dtype="<u2").tobytes())
slope = {"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "HU"}
print("SimpleITK", sitk.Version.VersionString())
print("true", HOUNSFIELD.tolist())
plain = write("plain.dcm", HOUNSFIELD, **slope)
inverted = write("inverted.dcm", HOUNSFIELD, PhotometricInterpretation="MONOCHROME1", **slope)
by_table = write("table.dcm", np.arange(4).reshape(2, 2), ModalityLUTSequence=[table])
print("MONOCHROME2", plain, "\nMONOCHROME1", inverted, "\nby a table [24, 524, 1024, 1124]:", by_table)
sys.exit(0 if plain == HOUNSFIELD.tolist() and inverted != plain and by_table == [[0, 1], [2, 3]] else 1)
PYTHON
