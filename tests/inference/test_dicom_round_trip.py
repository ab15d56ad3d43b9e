"""Volumes of DICOM series, through the network's grid and back, and of a real chest CT beside its raters' outlines."""

from __future__ import annotations

import json
import tarfile

import numpy as np
import pytest
import torch
from dicom_grid import AXIAL, CORONAL, FLIPPED, OBLIQUE, SAGITTAL, THRESHOLD, Grid, measured_volume_mm3
from dicom_phantoms import clean_series, write
from monai.transforms import Compose, Invertd, Orientationd, Spacingd

from caveat.transforms.study.inspect_study import inspect_study
from caveat.transforms.study.load_study import LoadStudyd

ORIENTATIONS = {"axial": AXIAL, "flipped": FLIPPED, "coronal": CORONAL, "sagittal": SAGITTAL, "oblique": OBLIQUE}


def volume_ml(mask: torch.Tensor) -> float:
    """Of a mask with its affine, mL."""
    return float(mask.sum()) * abs(float(torch.linalg.det(mask.affine[:3, :3]))) / 1000


@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS.keys())
def test_39_a_volume_survives_the_network_grid_and_the_way_back(orientation, tmp_path):
    grid = Grid(shape=(48, 44, 40), spacing_mm=(0.8, 0.9, 1.2), orientation=orientation)
    files = write(clean_series(grid, modality="MR"), tmp_path)
    preprocessing = Compose(
        [
            LoadStudyd("image", kinds=["dicom"]),
            Orientationd("image", axcodes="RAS", labels=None),
            Spacingd("image", pixdim=(1.0, 1.0, 1.0), mode="bilinear"),
        ]
    )
    study = preprocessing({"image": [str(file) for file in files]})
    study["mask"] = study["image"].clone()
    study["mask"][:] = (study["image"] > THRESHOLD + 30).float()
    truth = measured_volume_mm3(*_read(files)) / 1000
    tolerance = max(0.005 * truth, 2 * 0.8 * 0.9 * 1.2 / 1000)
    assert volume_ml(study["mask"]) == pytest.approx(truth, abs=tolerance)
    back = Invertd("mask", preprocessing, orig_keys="image", nearest_interp=False)(study)["mask"]
    back[:] = (back >= 0.5).float()
    assert back.shape[1:] == grid.shape
    assert volume_ml(back) == pytest.approx(truth, abs=tolerance)
    np.testing.assert_allclose(back.affine, grid.affine, atol=1e-6)


def _read(files):
    image = inspect_study(files).image
    return image.voxels[0], image.affine


def test_the_nodules_of_a_real_chest_ct_have_their_raters_volumes(shared_data, tmp_path):
    folder = shared_data / "lidc_whole"
    with tarfile.open(folder / "LIDC-IDRI-0003_116slices.tar.bz2") as archive:
        archive.extractall(tmp_path, filter="data")
    found = inspect_study(tmp_path)
    assert found.kind == "dicom" and found.image.voxels.shape == (1, 512, 512, 116)
    facts = json.loads((folder / "LIDC-IDRI-0003_readers.json").read_text())
    element = abs(np.linalg.det(found.image.affine[:3, :3]))
    masks = np.load(folder / "LIDC-IDRI-0003_readers.npz")
    for nodule in facts["nodules"]:
        stored = raters_masks(masks, nodule)  # (raters, z, y, x)
        for mask, volume in zip(stored, nodule["volume_mm3_per_reader"], strict=True):
            assert mask.sum() * element == pytest.approx(volume, rel=0.005)
        z, y, x = (np.array(nodule["offset_zyx"])[:, None] + np.argwhere(stored.any(axis=0)).T).round().astype(int)
        assert found.image.voxels[0][x, y, z].mean() == pytest.approx(nodule["mean_hu_union"], abs=1)
        centre = found.image.affine @ [*(np.array([x, y, z]).mean(axis=1)), 1]
        np.testing.assert_allclose(centre[:3] * (-1, -1, 1), nodule["centre_lps_mm"], atol=3)


def raters_masks(masks, nodule):
    """(raters, z, y, x) bool."""
    shape = (nodule["n_readers"], *nodule["shape_zyx"])
    return np.unpackbits(masks[nodule["name"] + "_packed"], count=int(np.prod(shape))).reshape(shape).astype(bool)
