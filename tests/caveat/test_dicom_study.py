"""A DICOM study from end to end: the volumes of the NIfTI route, and no word of the patient anywhere."""

from __future__ import annotations

import copy
import csv
import gzip
import json
import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_grid import Grid
from dicom_phantoms import clean_series, set_pixels, write
from phantoms import hippocampus_crop
from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword

from caveat.cli import main
from caveat.commands.run_report import as_text
from caveat.transforms.dicom import volume

CANARY = "Kanarienvogel"
DATE = "19011231"
TEXTS = (
    *("PatientName", "PatientComments", "OtherPatientNames", "PatientAddress", "PatientBirthName", "AdditionalPatientHistory"),
    *("AccessionNumber", "InstitutionName", "InstitutionAddress", "ReferringPhysicianName", "PerformingPhysicianName"),
    *(
        "OperatorsName",
        "StationName",
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "StudyID",
        "RequestedProcedureDescription",
    ),
    *("ImageComments", "DeviceSerialNumber", "ManufacturerModelName", "DerivationDescription", "AdmittingDiagnosesDescription"),
    *("EthnicGroup", "Occupation", "MilitaryRank", "RequestingService", "CurrentPatientLocation", "PerformedStationAETitle"),
)
"""Elements that hold free text; the name is told from the number by being cut to what the element may hold."""


def crop_as_objects(seed: int = 0) -> tuple[list[Dataset], np.ndarray, Grid]:
    """A made-up hippocampus as an MR series. Returns: its objects, the stored numbers (x, y, z), the grid."""
    image, _ = hippocampus_crop(seed)
    stored = np.rint((image[::-1, ::-1] - image.min()) / np.ptp(image) * 4000)  # columns run to the left, rows to the back
    grid = Grid(shape=stored.shape, spacing_mm=(1.0, 1.0, 1.0))
    objects = clean_series(grid, modality="MR")
    for index, header in enumerate(objects):
        set_pixels(header, stored[:, :, index].T)
    return objects, stored, grid


def with_canary(objects: list[Dataset]) -> list[Dataset]:
    """The same with a word in every text element, in private ones, and in a nested one."""
    marked = copy.deepcopy(objects)
    for header in marked:
        for keyword in TEXTS:
            setattr(header, keyword, CANARY if dictionary_VR(tag_for_keyword(keyword)) != "SH" else CANARY[:16])
        header.PatientBirthDate = DATE
        inner = Dataset()
        inner.CodeMeaning = CANARY
        header.ProcedureCodeSequence = [inner]
        block = header.private_block(0x0011, CANARY, create=True)
        block.add_new(1, "LT", CANARY)
    return marked


def values(out: Path) -> list[list[float]]:
    found = sorted(out.glob("*/result.json"))
    return [[entry["value"] for entry in json.loads(path.read_text())["answers"]] for path in found]


def traces(folder: Path) -> list[str]:
    """Files below a folder whose bytes, or what is compressed in them, hold the canary or the date; the owner's key aside."""
    found = []
    for file in (path for path in folder.rglob("*") if path.is_file() and path.name != "key.csv"):
        data = file.read_bytes()
        data += gzip.decompress(data) if data[:2] == b"\x1f\x8b" else b""
        if CANARY.encode() in data or DATE.encode() in data:
            found.append(str(file.relative_to(folder)))
    return found + [str(path) for path in folder.rglob("*") if CANARY in path.name]


def test_a_dicom_crop_is_measured_as_the_same_voxels_in_nifti_are_and_names_nobody(tmp_path, capfd, caplog):
    objects, stored, grid = crop_as_objects()
    place = tmp_path / "in" / f"{CANARY}^Anna" / "series"
    write(with_canary(objects), place, names=[f"{CANARY}{number}" for number in range(len(objects))])
    nib.save(nib.Nifti1Image(stored.astype(np.int16), grid.affine), tmp_path / "in" / "zz.nii.gz")
    gap = clean_series(Grid(shape=(32, 32, 30)), modality="MR", series=2, study=2)
    write(with_canary(gap[:3] + gap[5:]), tmp_path / "in" / CANARY)
    with caplog.at_level(logging.DEBUG):
        assert (
            main(
                [
                    "predict",
                    "hippocampus_volume",
                    "-i",
                    str(tmp_path / "in"),
                    "-o",
                    str(tmp_path / "out"),
                    "--verbose",
                    "--workers",
                    "0",
                ]
            )
            == 0
        )
        assert main(["check", str(tmp_path / "in")]) == 0
    said = capfd.readouterr()
    assert "2 measured, 0 nothing found, 1 refused" in said.out
    text = said.out + said.err + caplog.text
    assert CANARY not in text and DATE not in text
    assert traces(tmp_path / "out") == []
    assert CANARY in (tmp_path / "out" / "key.csv").read_text()
    measured = [found for found in values(tmp_path / "out") if found]
    assert len(measured) == 2 and measured[0][0] > 0
    assert measured[0] == measured[1]
    rows = list(csv.DictReader((tmp_path / "out" / "summary.csv").open()))
    assert {row["reasons"] for row in rows if row["status"] == "REFUSED"} == {"SLICE_GAP"}


def test_dicom_objects_are_asked_of_what_reads_dicom(tmp_path, capfd):
    (tmp_path / "in").mkdir()
    assert main(["predict", "retinal_vessels", "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--dicom"]) == 2
    assert "--dicom is for bundles that read DICOM" in capfd.readouterr().err


def test_the_last_lines_say_where_no_dicom_objects_are_and_why():
    study = {"name": "x", "statements": [], "flags": ["NO_DICOM_SOURCE"]}
    counts = {"measured": 1, "nothing_found": 0, "refused": 0}
    said = as_text({"counts": counts, "not_begun": 0, "index": "out/index.html", "studies": [study, study | {"flags": []}]})
    assert said.startswith("no DICOM objects of 1 study: the study came as no DICOM")


@pytest.mark.parametrize("stage", ["read_instances", "read_values", "lay_out"])
def test_78_a_crash_while_reading_names_nobody(stage, tmp_path, capfd, monkeypatch):
    def crash(*_args, **_kwargs):
        raise RuntimeError(f"cannot read {CANARY}")

    monkeypatch.setattr(volume, stage, crash)
    write(with_canary(crop_as_objects()[0]), tmp_path / "in")
    status = main(["predict", "hippocampus_volume", "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--workers", "0"])
    said = capfd.readouterr()
    assert status == 1 and "0 measured, 0 nothing found, 1 refused" in said.out
    assert CANARY not in said.out + said.err
    assert traces(tmp_path / "out") == []
    assert "UNEXPECTED_ERROR" in (tmp_path / "out" / "study-0001" / "result.json").read_text()
