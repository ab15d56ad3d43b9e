"""`caveat predict --roi MASK`: the region that is meant is measured, or the study is refused and told why."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from lesion_bundle import small_bundle
from phantoms import nifti_bytes, write_lung_crop

from caveat.cli import main
from caveat.reasons import REASONS

BOX = (slice(1, 31), slice(1, 31), slice(0, 5))
BOX_MM = [-24.4, -0.4, -24.4, -0.4, -1.25, 11.25]


@pytest.fixture
def predict(tmp_path, monkeypatch, capsys):
    """Run on a crop with a mask. Returns: result.json, and what was said on stderr."""
    bundle = small_bundle(tmp_path / "bundles")
    monkeypatch.setenv("CAVEAT_BUNDLES", str(bundle.parent))
    image = write_lung_crop(tmp_path / "lung.nii.gz")
    affine = nib.load(image).affine

    def run(out, values, *options):
        (tmp_path / "mask.nii").write_bytes(nifti_bytes(values, affine))
        given = [
            "-i",
            str(image),
            "-o",
            str(tmp_path / out),
            "--roi",
            str(tmp_path / "mask.nii"),
            "--device",
            "cpu",
            "--workers",
            "0",
            *options,
        ]
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
    assert named["status"] == alone["status"] != "REFUSED" and named["measurements"] == alone["measurements"]
    assert named["input"]["crop"] == alone["input"]["crop"] == {"source": "box", "box_mm": BOX_MM}


def test_probabilities_are_a_mask_and_the_image_is_none(predict):
    chances = np.full((32, 32, 5), 0.25, np.float32)
    chances[BOX] = 0.75
    likely, _ = predict("likely", chances)
    assert likely["input"]["crop"]["box_mm"] == BOX_MM
    image, _ = predict("image", np.random.default_rng(0).normal(-800, 100, (32, 32, 5)).astype(np.float32))
    assert image["reasons"][0]["code"] == "REGION_UNREADABLE"
