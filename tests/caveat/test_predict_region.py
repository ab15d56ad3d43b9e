"""`caveat predict --roi MASK`, `--point MASK`: the region that is meant is measured, or the study is refused and told why."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from dicom_grid import Grid
from dicom_phantoms import encoded
from lesion_bundle import small_bundle
from phantoms import nifti_bytes, write_lung_crop
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian
from region_phantoms import segmentation, structures, write_region

from caveat.cli import main
from caveat.inference.answers.run_studies import run_studies
from caveat.reasons import REASONS, StudyRefused

BOX = (slice(1, 31), slice(1, 31), slice(0, 5))
BOX_MM = [-24.4, -0.4, -24.4, -0.4, -1.25, 11.25]
GRID = Grid(shape=(32, 32, 5), spacing_mm=(0.8, 0.8, 2.5), centre_mm=(12.4, 12.4, 5.0))
"""That of the crop, LPS."""


@pytest.fixture
def predict(tmp_path, monkeypatch, capsys):
    """Run on a crop with a mask. Returns: result.json, and what was said on stderr."""
    bundle = small_bundle(tmp_path / "bundles")
    monkeypatch.setenv("CAVEAT_BUNDLES", str(bundle.parent))
    image = write_lung_crop(tmp_path / "lung.nii.gz")
    affine = nib.load(image).affine

    def run(out, values, *options, option="--roi"):
        mask = tmp_path / "mask.nii"
        if isinstance(values, Dataset):
            mask = write_region(values, tmp_path / f"{out}_region")
        else:
            mask.write_bytes(nifti_bytes(values, affine))
        given = ["-i", str(image), "-o", str(tmp_path / out), option, str(mask), "--device", "cpu", "--workers", "0", *options]
        assert main(["predict", str(bundle), *given]) == 0
        return json.loads((tmp_path / out / "lung" / "result.json").read_text()), capsys.readouterr().err

    return run


def test_one_label_of_several_is_measured_where_it_is_named(predict):
    labels = np.zeros((32, 32, 5), np.uint8)
    labels[BOX] = 2
    labels[0, 0, 0] = 7
    refused, said = predict("several", labels)
    assert refused["reasons"][0]["code"] == "AMBIGUOUS_REGION"
    assert "AMBIGUOUS_REGION: " in said and ": 2 labels: 2, 7\n\nhint: " + REASONS["AMBIGUOUS_REGION"].what_to_do in said
    named, _ = predict("named", labels, "--label", "2")
    alone, _ = predict("alone", np.where(labels == 2, 1, 0).astype(np.uint8))
    assert named["status"] == alone["status"] != "REFUSED" and named["answers"] == alone["answers"]
    assert named["input"]["crop"] == alone["input"]["crop"] == {"source": "box", "box_mm": BOX_MM}


def test_probabilities_are_a_mask_and_the_image_is_none(predict):
    chances = np.full((32, 32, 5), 0.25, np.float32)
    chances[BOX] = 0.75
    likely, _ = predict("likely", chances)
    assert likely["input"]["crop"]["box_mm"] == BOX_MM
    image, _ = predict("image", np.random.default_rng(0).normal(-800, 100, (32, 32, 5)).astype(np.float32))
    assert image["reasons"][0]["code"] == "REGION_UNREADABLE"


def boxes(*places) -> np.ndarray:
    """A mask of the crop, true in these boxes."""
    mask = np.zeros(GRID.shape, bool)
    for place in places:
        mask[place] = True
    return mask


def outlines(*squares: tuple[float, ...]) -> Dataset:
    """An RTSTRUCT of one structure. Args: squares: (low x, high x, low y, high y), RAS mm, in every plane of the crop."""
    corners = [np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) for x0, x1, y0, y1 in squares]
    corners = [np.column_stack([square, np.full(4, z)]) for square in corners for z in np.arange(5) * 2.5]
    return structures([corners])


def in_big_endian(header: Dataset) -> Dataset:
    """Single bits in words, the higher byte first."""
    changed = encoded(header, ExplicitVRBigEndian)
    changed["PixelData"].VR = "OW"
    return changed


@pytest.mark.parametrize(
    "region",
    [
        segmentation(GRID, [boxes(BOX)]),
        in_big_endian(segmentation(GRID, [boxes(BOX)])),
        segmentation(GRID, [boxes(BOX).astype(np.float32) * 0.6], "FRACTIONAL"),
        outlines(BOX_MM[:4]),
    ],
    ids=["segmentation", "big endian", "fractions", "contours"],
)
def test_a_region_in_dicom_is_the_box_that_it_is(region, predict):
    result, _ = predict("out", region)
    assert result["status"] != "REFUSED" and result["input"]["crop"] == {"source": "box", "box_mm": BOX_MM}


LEFT, RIGHT = (slice(1, 8), slice(1, 31), slice(0, 5)), (slice(22, 31), slice(1, 31), slice(0, 5))


@pytest.mark.parametrize(
    "region",
    [
        boxes(LEFT, RIGHT).astype(np.uint8),
        segmentation(GRID, [boxes(LEFT, RIGHT)]),
        outlines((-6, -1, -24, -1), (-24, -17, -24, -1)),
    ],
    ids=["mask", "segmentation", "contours"],
)
def test_a_point_is_not_put_between_two_parts(region, predict):
    result, said = predict("out", region, option="--point")
    assert result["reasons"][0]["code"] == "AMBIGUOUS_REGION"
    assert "2 parts that do not touch, and a point between them\n\nhint: " in said


def test_contours_that_say_two_things_are_no_region(predict):
    drawn = outlines(BOX_MM[:4])
    drawn.ROIContourSequence[0].ContourSequence[2].ContourGeometricType = "OPEN_PLANAR"
    result, said = predict("out", drawn)
    assert result["reasons"][0]["code"] == "REGION_UNREADABLE" and "a contour that is open" in said


@pytest.mark.parametrize("option", ["--roi", "--point"])
def test_a_mask_is_of_one_image(option, tmp_path, monkeypatch, capsys):
    """In the next patient it would be a box around whatever lies there."""
    bundle = small_bundle(tmp_path / "bundles")
    monkeypatch.setenv("CAVEAT_BUNDLES", str(bundle.parent))
    for name in ("a", "b"):
        (tmp_path / "in").mkdir(exist_ok=True)
        write_lung_crop(tmp_path / "in" / f"{name}.nii.gz")
    given = ["-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), option, str(tmp_path / "in" / "a.nii.gz")]
    assert main(["predict", str(bundle), *given]) == 2
    assert "is of one image, here are " in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_mask_is_of_one_image_in_a_config_too(tmp_path):
    (tmp_path / "mask.nii").write_bytes(b"")
    for where in ("roi", "point"):
        with pytest.raises(StudyRefused, match="is of one image, here are 2"):
            run_studies(None, None, [{}, {}], {where: str(tmp_path / "mask.nii")})
