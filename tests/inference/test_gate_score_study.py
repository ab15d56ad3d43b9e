"""What ScoreStudyd adds to a result."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from caveat.inference.gate.reference import Reference
from caveat.inference.gate.score_study import ScoreStudyd

BUNDLE = {"name": "b", "version": "1", "weights_sha256": "w", "preprocessing_sha256": "p"}


@pytest.fixture
def study() -> dict:
    """A study as ReportOnInputGridd leaves it; the input's grid is not the network's."""
    rng = np.random.default_rng(0)
    segmentation = np.zeros((1, 12, 12, 12), dtype=np.uint8)
    segmentation[0, 4:8, 4:8, 4:8] = [[1], [2], [1], [2]]
    result = {
        "study_scores": {"pooled_pairwise_dice": 0.9},
        "features": [1.0, 2.0],
        "sampling": {"draws": 5},
        "flags": ["GRID_MATTERS"],
    }
    return {
        "image": MetaTensor(torch.as_tensor(rng.normal(size=(1, 16, 16, 16)).astype(np.float32))),
        "segmentation": torch.as_tensor(segmentation),
        "entropy": torch.full((1, 12, 12, 12), 0.5),
        "result": result,
    }


@pytest.fixture
def stored(tmp_path):
    """A reference's file."""
    Reference((0.0, 2.0), ((0.25, 0.0), (0.0, 1.0)), 9, "w", "p").write(tmp_path / "features.json")
    return tmp_path / "features.json"


def test_scores_stand_beside_those_of_the_reducers_and_the_study_is_not_changed(study, stored):
    before = dict(study["result"])
    result = ScoreStudyd("image", stored, BUNDLE)(study)["result"]
    assert set(result["study_scores"]) == {
        "pooled_pairwise_dice",
        "noise",
        "relative_noise",
        "blur",
        "shading",
        "structure_entropy",
        "feature_distance",
    }
    assert result["study_scores"]["feature_distance"] == pytest.approx(2)
    assert result["study_scores"]["structure_entropy"] == pytest.approx(0.5 * 12**3 / 64)
    assert result["study_scores"]["noise"] == pytest.approx(1, rel=0.1)
    assert result["flags"] == ["GRID_MATTERS"] and len(result["sampling"]["feature_reference"]) == 64
    assert study["result"] == before


def test_without_a_file_there_is_no_distance(study, tmp_path):
    result = ScoreStudyd("image", tmp_path / "none.json", BUNDLE)(study)["result"]
    assert "feature_distance" not in result["study_scores"] and result["flags"] == ["GRID_MATTERS"]
    assert result["sampling"]["feature_reference"] is None


@pytest.mark.parametrize("key", ["weights_sha256", "preprocessing_sha256"])
def test_a_reference_of_another_bundle_is_not_used_and_said_so(key, study, stored):
    result = ScoreStudyd("image", stored, BUNDLE | {key: "other"})(study)["result"]
    assert "feature_distance" not in result["study_scores"] and result["sampling"]["feature_reference"] is None
    assert result["flags"] == ["FEATURE_REFERENCE_MISMATCH", "GRID_MATTERS"]


def test_no_features_no_structure_no_maps(study, stored):
    score = ScoreStudyd("image", stored, BUNDLE)
    study["result"]["features"] = []
    study["segmentation"] = torch.zeros_like(study["segmentation"])
    scores = score(study)["result"]["study_scores"]
    assert "feature_distance" not in scores and math.isnan(scores["structure_entropy"])
    del study["entropy"]
    assert "structure_entropy" not in score(study)["result"]["study_scores"]
