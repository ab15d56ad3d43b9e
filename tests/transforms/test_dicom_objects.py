"""DICOM objects: where their masks lie, what their numbers say, what is in them and what is not. Read back by other libraries."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pytest
import torch
from dicom_grid import CORONAL, FLIPPED, OBLIQUE, SAGITTAL, Grid
from dicom_phantoms import clean_series, enhanced_series, radiograph, raw_number, write
from dicom_results import CODES, PROMISE, answer, content, measured, name_of, numbers, texts
from pydicom import Dataset, dcmread
from pydicom.uid import JPEGLSLossless

from caveat.bundle_folders import read_metadata, settings_of, shipped_bundles
from caveat.reasons import StudyRefused
from caveat.transforms.objects.codes import BundleCodes
from caveat.transforms.output.study_folder import WriteStudyd
from caveat.transforms.study.input_sha256 import input_sha256
from caveat.transforms.writers.dicom_entropy import DicomEntropyWriter
from caveat.transforms.writers.dicom_picture import DicomPictureWriter
from caveat.transforms.writers.dicom_probability import DicomProbabilityWriter
from caveat.transforms.writers.dicom_report import DicomReportWriter
from caveat.transforms.writers.dicom_segmentation import DicomSegmentationWriter
from caveat.transforms.writers.result_json import ResultJsonWriter

SMALL = (12, 10, 8)
ORIENTATIONS = {"flipped": FLIPPED, "coronal": CORONAL, "sagittal": SAGITTAL, "oblique": OBLIQUE}
CANARY = "Kanarienvogel"
TEXTS = (
    *("StudyDescription", "SeriesDescription", "ProtocolName", "InstitutionName", "StationName", "OperatorsName"),
    *("PatientComments", "AdditionalPatientHistory", "EthnicGroup", "Occupation", "PositionReferenceIndicator", "ImageComments"),
    *("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "PatientAddress", "OtherPatientIDs", "MedicalAlerts"),
)
OBJECTS = ("segmentation.dcm", "measurements.dcm", "picture-1.dcm", "picture-2.dcm", "picture-3.dcm", "picture-4.dcm")
ON_REQUEST = ("probability.dcm", "entropy.dcm")


def writers() -> list:
    on_request = [DicomProbabilityWriter(CODES), DicomEntropyWriter()]
    return [DicomSegmentationWriter(CODES), DicomReportWriter(CODES), DicomPictureWriter(64), *on_request]


def doubted(study: dict) -> dict:
    """The study with maps, of which the mask is not the arg-max."""
    probability = np.random.default_rng(0).dirichlet([1, 1, 1], study["segmentation"].shape[1:]).transpose(3, 0, 1, 2)
    entropy = -(probability * np.log(probability)).sum(0, keepdims=True)
    return study | {"probability": torch.from_numpy(probability).float(), "entropy": torch.from_numpy(entropy).float()}


def written(study: dict, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for writer in writers():
        writer.write(doubted(study) if "segmentation" in study else study, folder)
    return folder


@pytest.fixture(scope="module", params=[*ORIENTATIONS, "enhanced", "with a gap", "tilted"])
def oriented(request, tmp_path_factory) -> tuple[dict, Path]:
    """A study of a series that lies otherwise than usual, or was resampled to be read, and the folder of its objects."""
    folder = tmp_path_factory.mktemp("oriented")
    tilt = 15.0 if request.param == "tilted" else 0.0
    grid = Grid(SMALL, orientation=ORIENTATIONS.get(request.param, OBLIQUE), tilt_degrees=tilt)
    objects = [enhanced_series(grid, "MR")] if request.param == "enhanced" else clean_series(grid, "MR")
    if request.param == "with a gap":
        del objects[3]
    study = measured(write(objects, folder / "series"))
    return study, written(study, folder / "out")


@pytest.fixture(scope="module")
def oblique(tmp_path_factory) -> tuple[dict, Path]:
    folder = tmp_path_factory.mktemp("oblique")
    study = measured(write(clean_series(Grid(SMALL, orientation=OBLIQUE), "MR"), folder / "series"))
    return study, written(study, folder / "out")


def places(labels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Middles of the voxels that are set, mm, sorted."""
    found = np.argwhere(labels) @ affine[:3, :3].T + affine[:3, 3]
    return found[np.lexsort(found.round(2).T)]


def expected_places(study: dict, label: int) -> np.ndarray:
    """RAS, mm."""
    return places(study["segmentation"][0].numpy() == label, study["input"].affine.numpy())


def test_the_mask_lies_where_it_was_measured(oriented):
    study, folder = oriented
    volume = hd.seg.segread(folder / "segmentation.dcm").get_volume(combine_segments=True)
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    for label in (1, 2):
        expected = expected_places(study, label)
        assert len(expected) > 20
        np.testing.assert_allclose(places(volume.array == label, to_ras), expected, atol=0.01)


def test_a_label_map_on_request_lies_there_too(oblique, tmp_path):
    DicomSegmentationWriter(CODES, labelmap=True).write(oblique[0], tmp_path)
    segmentation = hd.seg.segread(tmp_path / "segmentation.dcm")
    assert segmentation.SegmentationType == "LABELMAP"
    volume = segmentation.get_volume(combine_segments=True)
    for label in (1, 2):
        found = places(volume.array == label, np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine)
        np.testing.assert_allclose(found, expected_places(oblique[0], label), atol=0.01)


def at_its_places(volume: hd.Volume, study: dict) -> np.ndarray:
    """Values of an object's volume on the study's grid, (x, y, z, ...)."""
    to_index = np.linalg.inv(np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine) @ study["input"].affine.numpy()
    index = np.indices(study["segmentation"].shape[1:]).reshape(3, -1)
    found = to_index[:3, :3] @ index + to_index[:3, 3:]
    np.testing.assert_allclose(found, found.round(), atol=1e-3)
    return volume.array[tuple(found.round().astype(int))].reshape(*study["segmentation"].shape[1:], *volume.array.shape[3:])


def test_on_request_doubt_is_a_map_in_bits_where_it_was_computed(oriented):
    study, made = doubted(oriented[0]), hd.imread(oriented[1] / "entropy.dcm")
    found = at_its_places(made.get_volume(apply_real_world_transform=True), study)
    np.testing.assert_allclose(found, study["entropy"][0].numpy() / np.log(2), atol=np.log2(3) / 2**16)
    assert made.file_meta.TransferSyntaxUID == JPEGLSLossless and made.BitsAllocated == 16
    mapping = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "bit"


def test_on_request_probabilities_are_a_fractional_segmentation(oriented):
    study, made = doubted(oriented[0]), hd.seg.segread(oriented[1] / "probability.dcm")
    assert (made.SegmentationType, made.SegmentationFractionalType) == ("FRACTIONAL", "PROBABILITY")
    found = at_its_places(made.get_volume(), study)
    np.testing.assert_allclose(found, study["probability"][1:].numpy().transpose(1, 2, 3, 0), atol=1 / 510 + 1e-6)


def dcmqi(tool: str, *options: str | Path) -> None:
    """Run one of dcmqi's programs, of this environment or the system."""
    program = shutil.which(tool, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("dcmqi is not installed; it is part of caveat[test]")
    subprocess.run([program, *map(str, options)], check=True, capture_output=True)


def test_dcmqi_finds_the_same_places_and_volumes(oblique, tmp_path):
    study, folder = oblique
    dcmqi("segimage2itkimage", "--inputDICOM", folder / "segmentation.dcm", "--outputDirectory", tmp_path, "-t", "nii")
    for label in (1, 2):
        image = nib.load(next(path for path in tmp_path.iterdir() if path.name.startswith(f"{label}.nii")))
        np.testing.assert_allclose(places(np.asarray(image.dataobj) > 0, image.affine), expected_places(study, label), atol=0.01)


def test_every_frame_names_the_image_it_was_drawn_on(oblique):
    segmentation = dcmread(oblique[1] / "segmentation.dcm")
    source = {header.SOPInstanceUID: header for header in map(dcmread, json.loads(oblique[0]["dicom_files"]))}
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        named = source[frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID]
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(np.array(position, float), np.array(named.ImagePositionPatient, float), atol=0.01)


def test_dcmqi_finds_the_same_numbers(oblique, tmp_path):
    """Of a report in which every number has a value: like highdicom it reads no other."""
    study = oblique[0] | {"result": copy.deepcopy(oblique[0]["result"])}
    del study["result"]["answers"][2]
    first = study["result"]["answers"][1]
    first["region"] = PROMISE | {"lower": 0.25, "upper": first["value"] + 0.5}
    folder = Path(shutil.copytree(oblique[1], tmp_path / "out"))
    DicomReportWriter(CODES).write(study, folder)
    dcmqi("tid1500reader", "--inputDICOM", folder / "measurements.dcm", "--outputMetadata", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    values = {float(item["value"]) for group in found["Measurements"] for item in group["measurementItems"]}
    for expected in (first["value"], first["region"]["lower"], first["region"]["upper"]):
        assert any(value == pytest.approx(expected, rel=1e-5) for value in values), values


def test_segments_have_the_codes_of_the_bundle(oblique):
    first, second = dcmread(oblique[1] / "segmentation.dcm").SegmentSequence
    assert first.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "91723000"
    kind = first.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue) == ("5366008", "255549009")
    assert "SegmentedPropertyTypeModifierCodeSequence" not in second.SegmentedPropertyTypeCodeSequence[0]
    assert second.AnatomicRegionSequence[0].CodeValue == "12738006"
    algorithm = first.SegmentationAlgorithmIdentificationSequence[0]
    assert all(word in algorithm.AlgorithmParameters for word in ("ab" * 32, "sampler", "draws", "seed"))


def test_an_interval_is_ranges_and_bounds_in_the_unit_of_the_value(oblique):
    study, folder = oblique
    report = dcmread(folder / "measurements.dcm")
    both = study["result"]["answers"][0]
    assert numbers(report, "+, range of upper measurement uncertainty") == [(0.75, "mL")]
    assert numbers(report, "-, range of lower measurement uncertainty") == [(0.5, "mL")]
    for side in ("lower", "upper"):
        found = numbers(report, f"{side.capitalize()} bound of the 90 % interval")
        assert found == [(pytest.approx(both["region"][side], rel=1e-5), "mL")]
    bound = next(item for item in content(report) if name_of(item).startswith("Lower bound"))
    said = {name_of(item): item.get("TextValue") or float(item.MeasuredValueSequence[0].NumericValue) for item in content(bound)}
    assert said["Level of the interval"] == 0.9 and said["Units of the calibration"] == 36
    assert {PROMISE[key] for key in ("promise", "truth", "unit", "record")} <= set(said.values())


def test_a_spread_is_no_uncertainty_of_a_measurement(oblique):
    """Of two values one is calibrated; the draws of all, and of the lesion, stand as a standard deviation that says so."""
    report = dcmread(oblique[1] / "measurements.dcm")
    deviations = [item for item in content(report) if item.ValueType == "NUM" and "386136009" in str(item.get("ContentSequence"))]
    assert len(deviations) == 3 and all("Spread of the draws, not calibrated" in str(item) for item in deviations)
    assert str(report).count("371886008") == 1


def test_what_was_not_found_has_no_value_and_says_why(oblique):
    report = dcmread(oblique[1] / "measurements.dcm")
    empty = [item for item in content(report) if item.ValueType == "NUM" and not item.MeasuredValueSequence]
    assert [item.NumericValueQualifierCodeSequence[0].CodeValue for item in empty] == ["114006"]
    assert "not a measurement of zero" in texts(report)


def test_a_bound_on_the_other_side_of_the_value_is_no_negative_range(oblique, tmp_path):
    study = oblique[0] | {"result": copy.deepcopy(oblique[0]["result"])}
    value = study["result"]["answers"][0]["value"]
    study["result"]["answers"][0]["region"] |= {"lower": value + 0.1, "upper": value + 0.2}
    report = dcmread(written(study, tmp_path) / "measurements.dcm")
    assert numbers(report, "-, range of lower measurement uncertainty") == []
    assert numbers(report, "+, range of upper measurement uncertainty") == [(pytest.approx(0.2, abs=1e-5), "mL")]
    assert numbers(report, "Lower bound of the 90 % interval") == [(pytest.approx(value + 0.1, rel=1e-5), "mL")]


def read_by_highdicom(folder: Path) -> hd.sr.Comprehensive3DSR:
    """A report; numbers without a value, which the standard knows and highdicom cannot read, left out."""
    report = dcmread(folder / "measurements.dcm")
    for group in report.ContentSequence[-1].ContentSequence:
        group.ContentSequence = [item for item in group.ContentSequence if item.get("MeasuredValueSequence") != []]
    return hd.sr.Comprehensive3DSR.from_dataset(report)


def test_highdicom_finds_one_group_a_class_and_one_of_both(oblique):
    report = read_by_highdicom(oblique[1])
    of_images = [group.tracking_identifier for group in report.content.get_image_measurement_groups()]
    of_segments = report.content.get_volumetric_roi_measurement_groups()
    assert of_images == ["phantom study", "phantom both", "phantom second"]
    assert [(group.tracking_identifier, list(group.referenced_segment.referenced_segment_numbers)) for group in of_segments] == [
        ("phantom first", [1])
    ]
    both, region = report.content.get_image_measurement_groups()[1], oblique[0]["result"]["answers"][0]["region"]
    found = {measurement.name.meaning: measurement.value for measurement in both.get_measurements()}
    assert found["Lower bound of the 90 % interval"] == pytest.approx(region["lower"], rel=1e-5)
    assert found["Upper bound of the 90 % interval"] == pytest.approx(region["upper"], rel=1e-5)
    segmentation = dcmread(oblique[1] / "segmentation.dcm")
    assert of_segments[0].tracking_uid == segmentation.SegmentSequence[0].TrackingUID


def test_objects_are_of_the_study_and_marked_as_research(oblique):
    source = dcmread(json.loads(oblique[0]["dicom_files"])[0])
    found = {name: dcmread(oblique[1] / name) for name in OBJECTS}
    assert {one.StudyInstanceUID for one in found.values()} == {source.StudyInstanceUID}
    assert {one.PatientID for one in found.values()} == {"P1"}
    assert source.SeriesInstanceUID not in {one.SeriesInstanceUID for one in found.values()}
    assert (
        len({one.SeriesInstanceUID for one in found.values()}) == 3 and len({one.SOPInstanceUID for one in found.values()}) == 6
    )
    assert found["segmentation.dcm"].FrameOfReferenceUID == source.FrameOfReferenceUID
    assert all(one.SeriesDescription.startswith("RESEARCH") for one in found.values())
    report = found["measurements.dcm"]
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert {found[name].BurnedInAnnotation for name in OBJECTS[2:]} == {"YES"}
    assert {found[name].pixel_array.shape for name in OBJECTS[2:]} == {(512, 512, 3)}


def test_whatever_differs_has_another_identifier(oblique, tmp_path):
    changes = {
        "weights": lambda study: study["result"]["bundle"].update(weights_sha256="cd" * 32),
        "record": lambda study: study["result"]["answers"][0]["region"].update(record="5eed" * 16),
        "version": lambda study: study["result"].update(run={"versions": {"caveat": "99"}}),
    }
    before = dcmread(oblique[1] / "measurements.dcm").SOPInstanceUID
    found = {before}
    for name, change in changes.items():
        study = oblique[0] | {"result": copy.deepcopy(oblique[0]["result"])}
        change(study)
        folder = Path(shutil.copytree(oblique[1], tmp_path / name))
        DicomReportWriter(CODES).write(study, folder)
        found.add(dcmread(folder / "measurements.dcm").SOPInstanceUID)
    assert len(found) == 1 + len(changes)


@pytest.fixture(scope="module")
def talkative(tmp_path_factory) -> Path:
    """Objects of a series that has a word in every element of text, and lacks all that may be absent."""
    folder = tmp_path_factory.mktemp("talkative")
    series = clean_series(Grid(SMALL), "MR")
    for header in series:
        for keyword in TEXTS:
            setattr(header, keyword, CANARY)
        header.private_block(0x0011, CANARY, create=True).add_new(0x01, "LO", CANARY)
        raw_number(header, "PatientBirthDate", "1 May 1960", "DA")  # no date
        for keyword in ("StudyTime", "StudyID"):
            delattr(header, keyword)
    study = measured(write(series, folder / "series"))
    return written(study, folder / "out")


def test_no_text_of_the_source_is_copied_but_whose_it_is(talkative):
    for name in OBJECTS + ON_REQUEST:
        data = (talkative / name).read_bytes()
        assert CANARY.encode() not in data and b"Phantom^1" in data, name


def test_a_name_that_highdicom_doubts_is_not_quoted(tmp_path, caplog, capfd):
    series = clean_series(Grid(SMALL), "MR")
    for header in series:
        header.PatientName = f"{CANARY}^^^^^^=1=2=3"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = measured(write(series, tmp_path / "series"))
    capfd.readouterr()
    with caplog.at_level("DEBUG"), warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = written(study, tmp_path / "out")
    assert CANARY not in caplog.text + "".join(capfd.readouterr())
    assert CANARY in str(dcmread(folder / "measurements.dcm").PatientName)


def test_a_lesion_has_its_centre_and_the_share_of_draws_that_have_it(oblique):
    report = dcmread(oblique[1] / "measurements.dcm")
    assert numbers(report, "Share of the draws that have a part of it") == [(0.75, "1")]
    centre = next(item for item in content(report) if item.ValueType == "SCOORD3D")
    assert list(centre.GraphicData) == [-1.0, -2.0, 3.0], "LPS"
    assert centre.ReferencedFrameOfReferenceUID == dcmread(oblique[1] / "segmentation.dcm").FrameOfReferenceUID


def test_absent_and_malformed_elements_are_empty(talkative):
    for name in OBJECTS + ON_REQUEST:
        header = dcmread(talkative / name)
        assert (header.PatientBirthDate, header.StudyTime, header.PatientSex, header.StudyID) == ("", "", "", ""), name


def validate(folder: Path) -> None:
    """By dciodvfy, which `make test-pacs` fails without."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools is not installed")
    paths = sorted(folder.glob("*.dcm"))
    assert paths
    for path in paths:
        said = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True).stderr
        assert "Error" not in said, (path.name, said)


def test_dciodvfy_has_no_errors(oblique, oriented, talkative):
    for folder in (oblique[1], oriented[1], talkative):
        validate(folder)


@pytest.mark.parametrize("bundle", [name for name, folder in shipped_bundles().items() if "dicom" in settings_of(folder)])
def test_dciodvfy_has_no_errors_in_what_a_bundle_answers(bundle, tmp_path):
    """Its classes, measurements and landmarks with their codes, numbers made up."""
    config, codes = settings_of(shipped_bundles()[bundle]), read_metadata(shipped_bundles()[bundle])["dicom"]
    if "measurements" in config:
        study = measured(write(clean_series(Grid(SMALL), "CT"), tmp_path / "series"))
        study["result"]["classes"] = config["class_names"]
        study["segmentation"] = study["segmentation"].clamp(max=len(config["class_names"]) - 1)
        study["result"]["answers"] = [
            answer(one["name"], one["classes"], 1.5, PROMISE | {"lower": 1.0, "upper": 2.0}) for one in config["measurements"]
        ]
    else:
        study = measured(write([radiograph(PixelSpacing=[0.5, 0.5])], tmp_path / "series"), ("radiograph",))
        ellipse = PROMISE | {"kind": "ellipse", "semi_axes": [3.0, 1.0], "directions": [[0.6, 0.8], [0.8, -0.6]], "area": 9.4}
        study["result"] |= {"answers": [landmark(name, [20.0, 10.0], ellipse) for name in config["landmarks"]], "lesions": []}
        del study["segmentation"]
    (tmp_path / "out").mkdir()
    for writer in (DicomSegmentationWriter(codes), DicomReportWriter(codes), DicomPictureWriter(64)):
        writer.write(study, tmp_path / "out")
    validate(tmp_path / "out")


def test_a_study_that_was_no_dicom_is_flagged(tmp_path):
    study = measured(write(clean_series(Grid(SMALL), "MR"), tmp_path / "series"))
    del study["dicom_files"]
    write_study = WriteStudyd(tmp_path / "out", [*writers(), ResultJsonWriter()])
    write_study(study)
    assert {path.name for path in (tmp_path / "out" / "x").iterdir()} == {"result.json", "files.json"}
    assert "NO_DICOM_SOURCE" in json.loads((tmp_path / "out" / "x" / "result.json").read_text())["flags"]


@pytest.mark.parametrize("is_refused", [False, True])
def test_an_object_that_cannot_be_made_costs_the_object_alone(is_refused, tmp_path, monkeypatch, caplog):
    """And what the writer had written of it, whose pages belong together."""

    def half_written(page: Dataset, path: Path) -> None:
        path.write_bytes(b"half")
        raise ValueError("Doe^Jane")

    monkeypatch.setattr("caveat.transforms.writers.dicom_picture.write_object", half_written)
    study = measured(write(clean_series(Grid(SMALL), "MR"), tmp_path / "series"))
    write_study = WriteStudyd(tmp_path / "out", [*writers(), ResultJsonWriter()])
    write_study.refuse(study, StudyRefused("NOT_THIS_KIND")) if is_refused else write_study(study)
    files = {path.name for path in (tmp_path / "out" / "x").iterdir()}
    assert files == {"result.json", "files.json", "measurements.dcm"} | (set() if is_refused else {"segmentation.dcm"})
    assert json.loads((tmp_path / "out" / "x" / "result.json").read_text())["flags"][-1] == "DICOM_NOT_WRITTEN"
    assert "DICOM_NOT_WRITTEN" in caplog.text and "Doe" not in caplog.text


def refused(objects: list[Dataset], folder: Path) -> Path:
    paths = write(objects, folder / "series")
    entry = {"name": "x", "number": 1, "image": [str(path) for path in paths]}
    WriteStudyd(folder / "out", writers()).refuse(entry, StudyRefused("SLICE_GAP", "2 of 8 slices missing"))
    return folder / "out" / "x"


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_mask_does_not_come_to_whoever_lies_there_by_now(is_refused, tmp_path):
    """The files were another patient's when they were read."""
    paths = write(clean_series(Grid(SMALL), "MR"), tmp_path / "series")
    study = {"name": "x", "number": 1, "image": [str(path) for path in paths], "input_sha256": input_sha256(paths)}
    if not is_refused:
        study = measured(paths)
    write(clean_series(Grid(SMALL), "MR", study=2), tmp_path / "series")
    write_study = WriteStudyd(tmp_path / "out", [*writers(), ResultJsonWriter()])
    write_study.refuse(study, StudyRefused("SLICE_GAP")) if is_refused else write_study(study)
    assert {path.name for path in (tmp_path / "out" / "x").iterdir()} == {"result.json", "files.json"}
    assert "NO_DICOM_SOURCE" in json.loads((tmp_path / "out" / "x" / "result.json").read_text())["flags"]


def test_a_refusal_is_a_report_without_a_number(tmp_path):
    folder = refused(clean_series(Grid(SMALL), "MR"), tmp_path)
    report = dcmread(folder / "measurements.dcm")
    assert not [item for item in content(report) if item.ValueType == "NUM"]
    assert "SLICE_GAP" in texts(report) and "REFUSED" in texts(report) and report.PatientID == "P1"
    assert {path.name for path in folder.iterdir()} == {"measurements.dcm", "picture-1.dcm", "files.json"}


def test_a_refusal_of_two_patients_is_nobodys(tmp_path):
    series = [header for study in (1, 2) for header in clean_series(Grid(SMALL), "MR", study=study)]
    assert {path.name for path in refused(series, tmp_path).iterdir()} == {"files.json"}


def test_landmarks_are_points_and_regions_on_the_radiograph(tmp_path):
    study = measured(write([radiograph(ImagerPixelSpacing=[0.5, 0.5])], tmp_path / "series"), ("radiograph",))
    disc = PROMISE | {"kind": "disc", "radius": 2.0, "area": 12.6}
    marks = [landmark("inside", [20.0, 10.0], disc), landmark("beside", None, None)]
    study["result"] |= {"answers": marks, "classes": [], "lesions": []}
    del study["segmentation"]
    report = hd.sr.srread(written(study, tmp_path / "out") / "measurements.dcm")
    point, outline = (group.roi for group in report.content.get_planar_roi_measurement_groups())
    assert point.GraphicData == [10.5, 20.5], "column and row, from the corner of the first pixel"
    around = np.reshape(outline.GraphicData, (-1, 2))
    np.testing.assert_allclose(np.linalg.norm(around - [10.5, 20.5], axis=1), 4.0, rtol=1e-5)
    assert [group.tracking_identifier for group in report.content.get_image_measurement_groups()] == [
        "phantom study",
        "phantom beside",
    ]
    validate(tmp_path / "out")


def landmark(name: str, index: list[float] | None, region: dict | None) -> dict:
    place = index or [60.0, 10.0]
    about = answer(name, [1], None, None) | {"kind": "landmark", "unit": "mm", "region": region, "outside_image": index is None}
    draws = {"n": 2, "mean": place, "covariance": None, "values": [place] * 2}
    shapes = {"heatmap_covariance": [[1.0, 0.0], [0.0, 1.0]], "total_covariance": [[1.0, 0.0], [0.0, 1.0]], "draws": draws}
    return about | shapes | {"value": index and [0.5 * one for one in index], "index_on_input_grid": place}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda codes: codes["classes"].pop("2"), "class 2 has no codes"),
        (lambda codes: codes["measurements"].pop("both"), "'both' has no code"),
        (lambda codes: codes["classes"]["2"].update(type=["12738006", "SCT", "Brain"]), "several types"),
        (lambda codes: codes["classes"]["1"].update(region=["12738006", "SCT", "Hippocampus"]), "not in the dictionary"),
    ],
)
def test_codes_are_checked_when_a_bundle_is_made(change, said):
    measurements = {"both": [1, 2], "first": [1], "second": [2]}
    BundleCodes.of(CODES).check(["background", "first", "second"], measurements)
    codes = copy.deepcopy(CODES)
    change(codes)
    with pytest.raises(ValueError, match=said):
        BundleCodes.of(codes).check(["background", "first", "second"], measurements)
