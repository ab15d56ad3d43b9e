"""The bundle of lung lesions from a crop to its volume and its hypotheses, with a small network."""

from __future__ import annotations

import nibabel
import numpy as np
from lesion_bundle import small_bundle
from phantoms import write_lung_crop, write_nifti
from result_schema import read_valid

from caveat.cli import main


def test_a_crop_is_measured_and_what_is_no_lung_is_refused(tmp_path, monkeypatch, capsys):
    bundle = small_bundle(tmp_path / "bundles")
    monkeypatch.setenv("CAVEAT_BUNDLES", str(bundle.parent))
    given = tmp_path / "in"
    given.mkdir()
    image = write_lung_crop(given / "lung.nii.gz")
    (given / "lung_label.nii.gz").unlink()
    stored = nibabel.load(image)
    for name, voxels in (
        ("scaled", np.asarray(stored.dataobj) + 1024),
        ("air", np.full(stored.shape, -990) + np.eye(32)[..., None]),
    ):
        write_nifti(given / f"{name}.nii.gz", voxels=np.broadcast_to(voxels, stored.shape).astype(np.int16), affine=stored.affine)
    write_nifti(given / "thick.nii.gz", voxels=np.asarray(stored.dataobj), affine=stored.affine @ np.diag([1, 1, 2, 1]))
    write_nifti(given / "small.nii.gz", voxels=np.asarray(stored.dataobj)[8:24], affine=stored.affine)
    assert main(["predict", str(bundle), "-i", str(given), "-o", str(tmp_path / "out"), "--device", "cpu", "--workers", "0"]) == 0
    assert "4 refused" in capsys.readouterr().out
    results = {path.parent.name: read_valid(path) for path in (tmp_path / "out").glob("*/result.json")}
    codes = {name: result["reasons"][0]["code"] for name, result in results.items() if result["status"] == "REFUSED"}
    assert codes == {
        "scaled": "NO_LUNG",
        "air": "NO_LUNG",
        "thick": "SPACING_NOT_MEASURED",
        "small": "FIELD_OF_VIEW_MISMATCH",
    }
    result = results["lung"]
    assert result["sampling"]["sampler"] == "LatentSlices" and result["sampling"]["grid_spacing_mm"] == [0.5, 0.5, 2.5]
    assert result["sampling"]["source"] == "rater" and result["answers"][0]["draws"]["n"] == 4
    table = result["hypotheses"]
    assert sum(row["draws"] for row in table) == 4 and [row["size"] for row in table] == sorted(row["size"] for row in table)
    stack = nibabel.load(tmp_path / "out" / "lung" / "hypotheses.nii.gz")
    assert stack.shape == (32, 32, 5, len(table))
    counts = np.asarray(stack.dataobj).reshape(-1, len(table)).sum(axis=0)
    np.testing.assert_allclose(counts * 0.8**2 * 2.5e-3, [row["size"] for row in table], rtol=1e-5)
