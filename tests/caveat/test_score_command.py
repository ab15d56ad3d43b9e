"""`caveat score`: the likelihood of an outline in closed form, and what is no outline of the image is refused."""

from __future__ import annotations

import json
import math

import nibabel
import numpy as np
import pytest
from lesion_bundle import small_bundle
from phantoms import write_lung_crop, write_nifti

from caveat.cli import main


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """A bundle to which every outline is equally likely, and one of random weights."""
    even, random = (tmp_path_factory.mktemp(name) for name in ("even", "random"))
    return {"even": small_bundle(even, sure=False), "random": small_bundle(random)}


@pytest.fixture
def scored(bundles, tmp_path, monkeypatch, capsys):
    """Runs the command on a ball in a lung. Returns: exit status, what was printed, what was said on stderr."""
    image = write_lung_crop(tmp_path / "lung.nii.gz")

    def run(*options, bundle="even", mask=tmp_path / "lung_label.nii.gz", given=image):
        monkeypatch.setenv("CAVEAT_BUNDLES", str(bundles[bundle].parent))
        status = main(["score", str(bundles[bundle]), "-i", str(given), "--mask", str(mask), "--samples", "8", *options])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def changed(tmp_path, change):
    """The ball's mask after a change. Args: change: of voxels and affine."""
    stored = nibabel.load(tmp_path / "lung_label.nii.gz")
    voxels, affine = change(np.asarray(stored.dataobj).copy(), stored.affine.copy())
    return write_nifti(tmp_path / "changed.nii.gz", voxels=voxels, affine=affine)


def test_the_image_is_not_replaced_by_its_score(scored, tmp_path):
    for name in ("lung.nii.gz", "lung_label.nii.gz"):
        before = (tmp_path / name).read_bytes()
        status, _, said = scored("-o", str(tmp_path / name), "--draws", "1")
        assert status == 2 and said.startswith("caveat: OUTPUT_OCCUPIED: ") and (tmp_path / name).read_bytes() == before


def test_where_every_outline_is_equally_likely_each_voxel_costs_ln_2(scored, tmp_path):
    """Every draw is background throughout, a tie, and exactly as likely: a half of them count as below."""
    out = tmp_path / "score.json"
    status, printed, _ = scored("-o", str(out), "--draws", "5")
    found = json.loads(out.read_text())
    assert status == 0 and found["grid"][2] == 5 and found["grid"][0] == pytest.approx(32 * 0.8 / 0.5, abs=1)
    nats = -math.prod(found["grid"]) * math.log(2)
    assert found["log_likelihood"] == pytest.approx(nats, rel=1e-6)
    assert found["effective_samples"] == pytest.approx(8) and found["rank"] == {"less_likely_draws": 2.5, "draws": 5}
    drawn = np.asarray(nibabel.load(tmp_path / "lung_label.nii.gz").dataobj).sum()
    assert found["outline_voxels"] * 0.5**2 == pytest.approx(drawn * 0.8**2, rel=0.03)
    assert printed.splitlines()[0] == f"log-likelihood {nats:.1f} nats (8 samples, 8.0 effective)"
    assert printed.splitlines()[1].startswith("likelier than 2.5 of the model's own 5 draws")
    assert found["flags"] == [] and "lung" not in json.dumps({**found, "bundle": ""}), "no name of a file"


def test_a_score_repeats_and_a_seed_is_stated(scored, tmp_path):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert scored("-o", str(tmp_path / name), "--draws", "1", "--seed", seed, bundle="random")[0] == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()
    assert json.loads((tmp_path / "c").read_text())["sampling"]["seed"] == 4


def test_an_outline_at_the_border_is_flagged(scored, tmp_path):
    mask = changed(tmp_path, lambda voxels, affine: (np.roll(voxels, 2, axis=2), affine))
    assert "flags: TOUCHES_BORDER" in scored("--draws", "1", mask=mask)[1]


OFF = {
    "another size": (lambda voxels, affine: (voxels[:-1], affine), "LABEL_OFF_GRID"),
    "another place": (
        lambda voxels, affine: (voxels, affine + np.eye(4)[:, [0, 1, 2, 0]] @ np.diag([0, 0, 0, 1])),
        "LABEL_OFF_GRID",
    ),
    "empty": (lambda voxels, affine: (voxels * 0, affine), "EMPTY_OUTLINE"),
    "other values": (lambda voxels, affine: (voxels * 2, affine), "LABEL_WITHOUT_CLASS"),
}


@pytest.mark.parametrize(("change", "code"), OFF.values(), ids=OFF.keys())
def test_what_is_no_outline_of_the_image_is_refused(change, code, scored, tmp_path):
    status, printed, said = scored(mask=changed(tmp_path, change))
    assert status == 2 and printed == "" and said.startswith(f"caveat: {code}: ") and "\n\nhint: " in said


def test_files_that_are_not_there_and_samplers_without_a_posterior_are_refused(scored, tmp_path):
    assert scored(mask=tmp_path / "nowhere.nii.gz")[2].startswith("caveat: WRONG_USAGE: --mask names no file")
    assert scored(given=tmp_path / "nowhere.nii.gz")[0] == 2
    assert scored("--sampler", "low_rank_logits", bundle="random")[2].startswith("caveat: NO_POSTERIOR: SliceBySlice")
    assert scored(given=tmp_path)[2].startswith("caveat: WRONG_USAGE: an outline belongs to one image, here are 2")
    assert scored("--draws", "0")[2].startswith("caveat: WRONG_USAGE: ")
    write_nifti(tmp_path / "liver.nii.gz", voxels=np.arange(32 * 32 * 5, dtype=np.int16).reshape(32, 32, 5) % 200)
    assert scored(given=tmp_path / "liver.nii.gz")[0] == 2
