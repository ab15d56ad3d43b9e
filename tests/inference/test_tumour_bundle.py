"""What the tumour bundle makes of images: heads pass with what they are, everything else is refused or flagged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigParser
from phantoms import HEAD_SPACING_MM, head, hippocampus_crop, nifti_bytes, write_head, write_nifti

from caveat.reasons import StudyRefused

CONFIGS = next((Path(__file__).resolve().parents[2] / "bundles").glob("*tumour_volume")) / "configs"
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
