"""What the tumour bundle makes of images: heads pass with what they are, everything else is refused or flagged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import pytest
from dicom_phantoms import SOP_CLASSES, image_header, set_pixels, write
from monai.bundle import ConfigParser
from phantoms import HEAD_SPACING_MM, head, hippocampus_crop, nifti_bytes, write_head, write_nifti

from caveat.reasons import StudyRefused
from caveat.run_bundle import run_bundle
from caveat.transforms.study.discover import find_studies

(BUNDLE,) = (Path(__file__).resolve().parents[2] / "bundles").glob("*tumour_volume")
CONFIGS = BUNDLE / "configs"
AFFINE = np.diag([-HEAD_SPACING_MM[0], -HEAD_SPACING_MM[1], HEAD_SPACING_MM[2], 1.0])


@pytest.fixture(scope="module")
def preprocessing():
    parser = ConfigParser()
    parser.read_config(str(CONFIGS / "inference.yaml"))
    parser.read_meta(str(CONFIGS / "metadata.json"))
    return parser.get_parsed_content("preprocessing")


def refusal(preprocessing, voxels, tmp_path, affine=AFFINE) -> str:
    path = write_nifti(tmp_path / "one.nii.gz", voxels=voxels.astype(np.float32), affine=affine)
    with pytest.raises(RuntimeError) as caught:
        preprocessing({"image": path})
    cause: BaseException | None = caught.value
    while cause is not None and not isinstance(cause, StudyRefused):
        cause = cause.__cause__
    return cause.code


@pytest.mark.parametrize(("skull", "word"), [(True, "with skull"), (False, "stripped")])
def test_a_head_is_taken_as_it_was_prepared(preprocessing, tmp_path, skull, word):
    image = preprocessing({"image": write_head(tmp_path / "head.nii.gz", skull=skull)})["image"]
    assert image.meta["preparation"] == word and "flags" not in image.meta
    assert image.shape == (3, 112, 112, 26)  # 160 x 176 of 1.25 mm are 100 x 110 of 2 mm; multiples of 16
    assert float(image.min()) == 0 and 2 < float(image[1][image[1] > 0].mean()) < 3


def test_a_cut_head_is_flagged(preprocessing, tmp_path):
    voxels, _ = head(skull=False)
    voxels[:, 100:] = 0
    path = write_nifti(tmp_path / "cut.nii.gz", voxels=voxels, affine=AFFINE)
    assert "HEAD_CUT" in preprocessing({"image": path})["image"].meta["flags"]


def test_what_is_no_flair_of_a_whole_head_is_refused(preprocessing, tmp_path):
    voxels, _ = head()
    assert refusal(preprocessing, voxels[..., :9], tmp_path) == "FIELD_OF_VIEW_MISMATCH"
    assert refusal(preprocessing, hippocampus_crop()[0], tmp_path, np.eye(4)) == "FIELD_OF_VIEW_MISMATCH"
    assert refusal(preprocessing, voxels - 1000, tmp_path) == "NOT_THIS_KIND"


def test_voxels_of_unknown_size_fill_the_frame(preprocessing, tmp_path):
    voxels, _ = head()
    data = nifti_bytes(voxels, affine=np.diag([-1.0, -1.0, 1.0, 1.0]), xyzt_units=0, pixdim=[1, 0, 0, 0, 1, 1, 1, 1])
    (tmp_path / "unknown.nii").write_bytes(data)
    image = preprocessing({"image": tmp_path / "unknown.nii"})["image"]
    assert image.shape == (3, 128, 128, 26) and image.meta["spacing_source"] == ""  # 176 pixels are 128


def write_series(folder: Path, voxels: np.ndarray, spacing_mm: Sequence[float], origin: Sequence[float] = (0, 0, 0)) -> Path:
    """An MR series, a file a slice. Args: voxels: (x, y, z), whole numbers, left, back and up. origin: LPS, in mm."""
    slices = []
    for number in range(voxels.shape[2]):
        header = image_header("MR", SOP_CLASSES["MR"], 1, 1, number + 1)
        header.ImagePositionPatient = [*map(float, origin[:2]), float(origin[2] + number * spacing_mm[2])]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.PixelSpacing = [spacing_mm[1], spacing_mm[0]]
        header.SliceThickness = spacing_mm[2]
        set_pixels(header, voxels[:, :, number].T, bits_stored=16)
        slices.append(header)
    write(slices, folder)
    return folder


@pytest.mark.parametrize("skull", [True, False])
def test_a_dicom_series_is_the_same_head(preprocessing, tmp_path, skull):
    voxels = np.rint(head(skull=skull)[0])
    volume = preprocessing({"image": write_nifti(tmp_path / "head.nii.gz", voxels=voxels.astype(np.int16), affine=AFFINE)})
    (study,) = find_studies(write_series(tmp_path / "series", voxels, HEAD_SPACING_MM))
    series = preprocessing({"image": study["image"]})
    np.testing.assert_array_equal(series["image"], volume["image"])
    np.testing.assert_allclose(series["image"].affine, volume["image"].affine, atol=1e-6)
    assert series["image"].meta["preparation"] == volume["image"].meta["preparation"]


@pytest.mark.slow
def test_a_stripped_patient_has_one_volume_as_nifti_and_as_dicom(shared_data, tmp_path):
    """The whole bundle on one network's deterministic pass; its pieces lie where the outline is."""
    source = shared_data / "brain_tumour_brats_more" / "Brats18_CBICA_ABM_1_flair.nii.gz"
    flair = nibabel.load(source)
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ flair.affine
    assert np.allclose(to_lps[:3, :3], np.eye(3)), "the voxels lie left, back and up"
    write_series(tmp_path / "in" / "series", np.rint(flair.get_fdata()), (1, 1, 1), to_lps[:3, 3])
    (tmp_path / "in" / source.name).write_bytes(source.read_bytes())
    writers = [{"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"}]
    overrides = {"datalist": find_studies(tmp_path / "in"), "output_dir": tmp_path / "out", "writers": writers}
    run_bundle(BUNDLE, [CONFIGS / "inference.yaml", CONFIGS / "single.yaml"], overrides)
    one, other = (json.loads(path.read_text(encoding="utf-8")) for path in sorted((tmp_path / "out").glob("*/result.json")))
    assert one["status"] == other["status"] == "OK"
    assert one["input"]["preparation"] == other["input"]["preparation"] == "stripped"
    assert one["answers"][0]["unit"] == "mL" and one["answers"][0]["value"] == other["answers"][0]["value"]
    outline = nibabel.load(str(source).replace("flair", "seg"))
    true = np.argwhere(np.asarray(outline.dataobj) > 0)
    middle = nibabel.affines.apply_affine(outline.affine, true.mean(axis=0))
    largest = one["lesions"][0]
    assert np.linalg.norm(np.subtract(largest["centre"], middle)) < 15
    np.testing.assert_allclose(other["lesions"][0]["centre"], largest["centre"], atol=1e-3)
