"""At the door: several volumes in one series are never read as one, and one volume in several series is."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, enhanced_series, item, set_pixels, stored_pixels, uid, write
from dicom_reading import assert_is_phantom, at_the_door
from pydicom import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from caveat.cli import main
from caveat.transforms.dicom import stored_values

GRID = Grid(shape=(8, 9, 12))
IMAGE_TYPES = (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])
CLASSIC = [
    ("TemporalPositionIdentifier", (1, 2)),
    ("EchoTime", (10.0, 80.0)),
    ("EchoNumbers", (1, 2)),
    ("ImageType", IMAGE_TYPES),
    ("KVP", (80, 140)),
    ("DiffusionBValue", (0.0, 800.0)),
    ("DiffusionGradientOrientation", ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])),
    ("InversionTime", (700, 2500)),
    ("FlipAngle", (4, 25)),
    ("SequenceName", ("ep_b0", "ep_b800")),
    ("ContrastBolusAgent", ("", "agent")),
    ("ConvolutionKernel", ("B30f", "B70f")),
    ("FilterType", ("HEAD", "BODY")),
    ("ComplexImageComponent", ("MAGNITUDE", "PHASE")),
    ("CorrectedImage", (["DECY", "ATTN"], ["DECY"])),
    ("AttenuationCorrectionMethod", ("CT", "none")),
    ("MRAcquisitionType", ("2D", "3D")),
    ("DecayCorrection", ("START", "NONE")),
    ("ReconstructionMethod", ("OSEM", "FBP")),
    ("NominalPercentageOfCardiacPhase", (40, 75)),
    ("SeriesNumber", (1, 2)),
]
ENHANCED = {
    "stack": ("FrameContentSequence", {"StackID": ("1", "2")}),
    "temporal position": ("FrameContentSequence", {"TemporalPositionIndex": (1, 2)}),
    "echo": ("MREchoSequence", {"EffectiveEchoTime": (10.0, 80.0)}),
    "b-value": ("MRDiffusionSequence", {"DiffusionBValue": (0.0, 800.0)}),
    "frame type": ("MRImageFrameTypeSequence", {"FrameType": IMAGE_TYPES}),
    "component": ("MRImageFrameTypeSequence", {"ComplexImageComponent": ("MAGNITUDE", "PHASE")}),
    "flip angle": ("MRTimingAndRelatedParametersSequence", {"FlipAngle": (4.0, 25.0)}),
    "inversion": ("MRModifierSequence", {"InversionTimes": (700.0, 2500.0)}),
    "energy": ("CTXRayDetailsSequence", {"KVP": (80.0, 140.0)}),
    "kernel": ("CTReconstructionSequence", {"ConvolutionKernel": ("B30f", "B70f")}),
    "velocity": ("MRVelocityEncodingSequence", {"VelocityEncodingMaximumValue": (0.0, 150.0)}),
    "labelling": ("MRArterialSpinLabelingSequence", {"ASLContext": ("LABEL", "CONTROL")}),
    "cardiac phase": ("CardiacSynchronizationSequence", {"NominalPercentageOfCardiacPhase": (40.0, 75.0)}),
    "temporal offset": ("TemporalPositionSequence", {"TemporalPositionTimeOffset": (0.0, 1.5)}),
    "directionality": ("MRDiffusionSequence", {"DiffusionDirectionality": ("NONE", "ISOTROPIC")}),
    "algorithm": ("CTReconstructionSequence", {"ReconstructionAlgorithm": ("FILTER_BACK_PROJ", "ITERATIVE")}),
    "converted echo": ("UnassignedPerFrameConvertedAttributesSequence", {"EchoTime": (10.0, 80.0)}),
    "converted energy": ("UnassignedPerFrameConvertedAttributesSequence", {"KVP": (80.0, 140.0)}),
}


@pytest.mark.parametrize(
    "halves", [lambda n: n % 2, lambda n: int(n >= 6), lambda n: int(n == 11)], ids=["mixed", "stacked", "last"]
)
@pytest.mark.parametrize(("tag", "values"), CLASSIC, ids=[tag for tag, _ in CLASSIC])
def test_slices_of_two_volumes_at_places_of_their_own(tag, values, halves, tmp_path):
    series = clean_series(GRID)
    for number, header in enumerate(series):
        setattr(header, tag, values[halves(number)])
    write(series, tmp_path)
    assert at_the_door(tmp_path) in (["AMBIGUOUS_TEMPORAL"], ["CONFLICTING_IDENTITY"])


MAKERS = {
    "Siemens": (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", (0, 800)),
    "Philips": (0x2001, "Philips Imaging DD 001", 0x03, "FL", (0.0, 800.0)),
    "GE": (0x0043, "GEMS_PARM_01", 0x39, "IS", ([0, 8, 0, 0], [1000000800, 8, 0, 0])),
    "GE, phase": (0x0043, "GEMS_PARM_01", 0x2F, "SS", (0, 1)),
    "Philips, phase": (0x2005, "Philips MR Imaging DD 001", 0x11, "CS", ("M", "P")),
}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(("group", "creator", "element", "vr", "values"), MAKERS.values(), ids=MAKERS)
def test_volumes_that_only_elements_of_the_maker_tell_apart(group, creator, element, vr, values, syntax, tmp_path):
    series = clean_series(GRID, "MR")
    for number, header in enumerate(series):
        header.private_block(group, creator, create=True).add_new(element, vr, values[number % 2])
    write(series, tmp_path, syntax)
    assert at_the_door(tmp_path) == ["AMBIGUOUS_TEMPORAL"]


def test_each_of_two_volumes_is_read_by_its_number_and_says_so(tmp_path):
    series = clean_series(GRID)
    for number, header in enumerate(series):
        header.EchoTime = (10, 80)[number % 2]
    write(series, tmp_path)
    for number in (1, 2):
        (image,) = at_the_door(tmp_path, series=number)
        np.testing.assert_array_equal(image.voxels[0], phantom(GRID)[:, :, number - 1 :: 2])
        assert "ONE_OF_SEVERAL" in image.flags


def with_frames(tags: dict[str, tuple], sequence: str, turn: int, modality: str) -> Dataset:
    """An enhanced object, the frames of which have values in turn."""
    header = enhanced_series(GRID, modality=modality)
    for number, groups in enumerate(header.PerFrameFunctionalGroupsSequence):
        if sequence not in groups:
            setattr(groups, sequence, Items([item()]))
        for name, values in tags.items():
            setattr(groups[sequence][0], name, values[number % turn])
    return header


@pytest.mark.parametrize(("sequence", "tags"), ENHANCED.values(), ids=ENHANCED)
def test_frames_of_two_volumes_at_places_of_their_own(sequence, tags, tmp_path):
    write([with_frames(tags, sequence, 2, "CT" if sequence.startswith("CT") else "MR")], tmp_path)
    assert at_the_door(tmp_path) == ["AMBIGUOUS_TEMPORAL"]


@pytest.mark.parametrize(
    ("pointers", "indices", "code"),
    [
        (("StackID", "InStackPositionNumber", "EffectiveEchoTime"), lambda n: [1, n // 2 + 1, n % 2 + 1], "AMBIGUOUS_TEMPORAL"),
        (("StackID", "InStackPositionNumber", "TriggerTime"), lambda n: [1, n + 1, n + 1], ""),
        (("ImagePositionPatient",), lambda n: [n // 2 + 1], ""),
        (("StackID", "InStackPositionNumber"), lambda n: [1, n + 1, n % 2], ""),
    ],
    ids=["another dimension", "numbered", "places alone", "not described"],
)
def test_dimensions_of_an_object(pointers, indices, code, tmp_path):
    header = enhanced_series(GRID, modality="MR")
    header.DimensionIndexSequence = Items([item(DimensionIndexPointer=Tag(keyword)) for keyword in pointers])
    for number, groups in enumerate(header.PerFrameFunctionalGroupsSequence):
        groups.FrameContentSequence[0].DimensionIndexValues = indices(number)
    write([header], tmp_path)
    (found,) = at_the_door(tmp_path)
    if code:
        assert found == code
    else:
        np.testing.assert_array_equal(found.voxels[0], phantom(GRID))


def test_three_stacks_of_one_object_are_said_to_be_three(tmp_path, capsys):
    write([with_frames({"StackID": ("1", "2", "3")}, "FrameContentSequence", 3, "MR")], tmp_path)
    assert main(["check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for number in (1, 2, 3):
        assert f"AMBIGUOUS_TEMPORAL: 3 volumes in one series; --series {number} reads this one" in out
    assert "0 can be read, 3 refused" in out


@pytest.mark.parametrize(
    "tags",
    [
        {"AcquisitionNumber": (1, 2)},
        {"AcquisitionTime": ("101500", "101530")},
        {"InstanceCreationTime": ("1", "2")},
        {"XRayTubeCurrent": (100, 200)},
        {"TriggerTime": (30, 60)},
        {"RepetitionTime": (900, 910)},
        {"EchoTime": (2.46, 2.4600000381)},
        {"WindowCenter": (40, 50)},
        {"SeriesTime": ("101500", "101530")},
        {"ContentDate": ("20200102", "20200103")},
    ],
    ids=lambda tags: next(iter(tags)),
)
def test_what_may_differ_within_one_volume(tags, tmp_path):
    series = clean_series()
    for number, header in enumerate(series):
        for name, values in tags.items():
            setattr(header, name, values[number % 2])
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)


def test_frames_of_one_volume_may_be_triggered_at_different_times(tmp_path):
    tags = {"NominalCardiacTriggerDelayTime": (10.0, 20.0, 30.0)}
    write([with_frames(tags, "CardiacSynchronizationSequence", 3, "MR")], tmp_path)
    np.testing.assert_array_equal(at_the_door(tmp_path)[0].voxels[0], phantom(GRID))


@pytest.mark.parametrize("tag", ["TriggerTime", "AcquisitionNumber"])
def test_what_may_differ_tells_volumes_apart_where_their_slices_lie_at_one_place(tag, tmp_path):
    """Two beats of a heart, each with its own values."""
    beats = [copy.deepcopy(clean_series(GRID)) for _ in range(2)]
    for beat, headers in enumerate(beats):
        for header in headers:
            header.SOPInstanceUID = uid(beat, header.SOPInstanceUID)
            set_pixels(header, stored_pixels(header) + beat)
            setattr(header, tag, 30 * beat)
    write(beats[0] + beats[1], tmp_path)
    assert at_the_door(tmp_path) == ["AMBIGUOUS_TEMPORAL"]
    (image,) = at_the_door(tmp_path, series=2)
    np.testing.assert_array_equal(image.voxels[0], phantom(GRID) + 1)


@pytest.mark.parametrize("tag", ["TemporalPositionIdentifier", "AcquisitionNumber", "EchoNumbers"])
def test_a_key_that_numbers_the_slices_makes_no_volumes(tag, tmp_path):
    series = clean_series()
    for number, header in enumerate(series, start=1):
        setattr(header, tag, number)
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)


def one_series_each(series: list[Dataset]) -> list[Dataset]:
    for number, header in enumerate(series):
        header.SeriesInstanceUID = uid("single", number)
    return series


def test_slices_that_each_are_a_series_are_one(tmp_path):
    write(one_series_each(clean_series()), tmp_path)
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)
    assert image.flags == ("SERIES_JOINED",)


@pytest.mark.parametrize(
    ("tag", "value"), [("SeriesNumber", 7), ("SeriesDescription", "another"), ("FrameOfReferenceUID", "2.25.3")]
)
def test_slices_that_differ_are_not_joined(tag, value, tmp_path):
    series = one_series_each(clean_series(GRID))
    for header in series[::2]:
        setattr(header, tag, value)
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["AMBIGUOUS_SERIES"]


def test_slices_that_each_have_a_series_number_are_refused_with_the_cause(tmp_path, capsys):
    series = one_series_each(clean_series(GRID))
    for number, header in enumerate(series):
        header.SeriesNumber = number
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["AMBIGUOUS_SERIES"]


@pytest.mark.parametrize("equal", [True, False])
def test_a_compressed_object_of_many_volumes_is_parsed_a_few_times_and_not_once_a_pair(equal, tmp_path, monkeypatch):
    """Four times the same places, and nothing that tells them apart."""
    header = enhanced_series(GRID)
    groups = list(header.PerFrameFunctionalGroupsSequence)
    values = np.frombuffer(header.PixelData, "<u2").reshape(12, 9, 8)
    header.PixelData = np.concatenate([values + (0 if equal else turn) for turn in range(4)]).tobytes()
    header.NumberOfFrames = 48
    header.PerFrameFunctionalGroupsSequence = Items([copy.deepcopy(group) for _ in range(4) for group in groups])
    header.compress(RLELossless, generate_instance_uid=False)
    parsed, parse = [], stored_values.encoded_frames
    monkeypatch.setattr(stored_values, "encoded_frames", lambda *args: parsed.append(1) or parse(*args))
    write([header], tmp_path, RLELossless)
    (found,) = at_the_door(tmp_path)
    if equal:
        np.testing.assert_array_equal(found.voxels[0], phantom(GRID))
    else:
        assert found == "AMBIGUOUS_TEMPORAL"
    assert len(parsed) <= 3
