"""What the writers of maps put down, another library reads back."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
from PIL import Image
from scipy.spatial.transform import Rotation

from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.maps import MapsWriter
from caveat.transforms.writers.samples import SamplesWriter
from caveat.transforms.writers.segmentation import SegmentationWriter

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def affine(rotation_vector=(0.0, 0.0, 0.0), spacing=(0.9, 1.2, 2.5), flips=(1, 1, 1), origin=(-31.5, 12.25, 70.125)):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rotation_vector).as_matrix() @ np.diag(np.multiply(spacing, flips))
    matrix[:3, 3] = origin
    return matrix


AFFINES = {
    "straight": affine(),
    "left-handed": affine(flips=(-1, 1, 1)),
    "all flipped": affine(flips=(-1, -1, -1)),
    "oblique": affine((0.3, -0.2, 0.5)),
    "oblique and flipped": affine((-0.7, 0.4, 1.2), flips=(1, -1, 1)),
    "axes permuted": np.array([[0, 0, 2.5, 5], [-0.9, 0, 0, 7], [0, 1.2, 0, -9], [0, 0, 0, 1.0]]),
}


@pytest.mark.parametrize("matrix", AFFINES.values(), ids=AFFINES.keys())
def test_simpleitk_finds_every_voxel_where_the_study_had_it(matrix, tmp_path):
    study = example_study("nifti", matrix)
    MapsWriter().write(study, tmp_path)
    SegmentationWriter().write(study, tmp_path)
    for name in ("entropy", "segmentation", "region"):
        image = sitk.ReadImage(str(tmp_path / f"{name}.nii.gz"))
        expected = study[name][0].numpy()
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image).transpose(), expected)
        assert sitk.GetArrayFromImage(image).dtype == expected.dtype
        for voxel in ((0, 0, 0), (19, 0, 0), (0, 15, 11), (19, 15, 11)):
            where = (TO_LPS @ matrix @ [*voxel, 1])[:3]
            np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(voxel), where, atol=1e-3)


def test_nifti_header_is_fresh_and_holds_no_text(tmp_path):
    study = example_study("nifti", AFFINES["oblique"])
    SegmentationWriter().write(study, tmp_path)
    raw = (tmp_path / "segmentation.nii.gz").read_bytes()
    assert raw[3] == 0, "gzip flags: no file name"
    assert raw[4:8] == b"\0\0\0\0", "gzip time"
    header = nibabel.load(tmp_path / "segmentation.nii.gz").header
    assert (header["sform_code"], header["qform_code"]) == (1, 1)
    assert header.get_xyzt_units()[0] == "mm"
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        assert header[field].item() == b""
    assert not header.extensions
    np.testing.assert_allclose(header.get_qform(), AFFINES["oblique"], atol=1e-4)
    content = gzip.decompress(raw)
    assert len(content) == 352 + 20 * 16 * 12


def test_three_classes_and_draws_lie_on_the_last_axis_of_nifti(tmp_path):
    study = example_study("nifti", classes=3)
    MapsWriter().write(study, tmp_path)
    SamplesWriter().write(study, tmp_path)
    probability = nibabel.load(tmp_path / "probability.nii.gz")
    np.testing.assert_array_equal(np.asarray(probability.dataobj), np.moveaxis(study["probability"].numpy(), 0, -1))
    samples = nibabel.load(tmp_path / "samples.nii.gz")
    np.testing.assert_array_equal(np.asarray(samples.dataobj), np.moveaxis(study["samples"].numpy(), 0, -1))
    assert samples.get_data_dtype() == np.uint8


def test_pil_reads_the_labels_of_a_picture(tmp_path):
    study = example_study("picture", classes=3)
    SegmentationWriter().write(study, tmp_path)
    for name in ("segmentation", "region"):
        image = Image.open(tmp_path / f"{name}.png")
        assert (image.mode, image.info) == ("L", {})
        np.testing.assert_array_equal(np.asarray(image), study[name][0].numpy())


@pytest.mark.parametrize(("classes", "pages"), [(2, 1), (3, 3), (4, 4)])
def test_tifffile_reads_maps_of_a_picture(classes, pages, tmp_path):
    study = example_study("picture", classes=classes)
    MapsWriter().write(study, tmp_path)
    expected = study["probability"].numpy()[1 if classes == 2 else 0 :]
    with tifffile.TiffFile(tmp_path / "probability.tif") as file:
        assert len(file.pages) == pages
        for page, channel in zip(file.pages, expected, strict=True):
            assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
            assert not {"Software", "DateTime", "ImageDescription", "Artist", "DocumentName", "HostComputer"} & {
                tag.name for tag in page.tags
            }
            np.testing.assert_array_equal(page.asarray(), channel)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "entropy.tif"), study["entropy"][0].numpy())
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "variance.tif")), study["variance"][0].numpy())


@pytest.mark.parametrize("draws", [1, 3, 4])
def test_samples_of_a_picture_are_pages(draws, tmp_path):
    study = example_study("picture")
    study["samples"] = study["samples"][:draws]
    SamplesWriter().write(study, tmp_path)
    pages = tifffile.imread(tmp_path / "samples.tif").reshape(draws, 40, 30)
    np.testing.assert_array_equal(pages, study["samples"].numpy())
    assert pages.dtype == np.uint8


def test_only_the_maps_asked_for_are_written(tmp_path):
    MapsWriter("some").write(example_study(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mutual_information.tif", "probability.tif"]


def test_maps_stored_in_another_order_of_memory_come_out_right(tmp_path):
    study = example_study("picture")
    turned = study["entropy"].transpose(1, 2).contiguous().transpose(1, 2)
    MapsWriter().write(study | {"entropy": turned}, tmp_path)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "entropy.tif"), study["entropy"][0].numpy())
