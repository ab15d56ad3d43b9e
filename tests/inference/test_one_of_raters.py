"""One of exchangeable raters is the truth, and the mean of their volumes another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from phantoms import write_nifti

from caveat.inference.stored.one_of_raters import OneOfRaters
from caveat.inference.stored.stored_study import StoredStudy
from caveat.inference.stored.true_value import true_value
from caveat.inference.targets.mean_volume import MeanVolume
from caveat.inference.targets.volume import Volume
from caveat.reasons import StudyRefused

SHAPE = (6, 5, 4)
AFFINE = np.diag([-1.0, -1.0, 2.5, 1.0])
INPUT = {"shape": SHAPE, "affine": AFFINE.tolist(), "spacing_source": "NIfTI header"}
STUDY = StoredStudy("a", {"input": INPUT}, {"segmentation": np.zeros(SHAPE, np.uint8)})


def entry(folder: Path, sizes: list[int], sha256: str = "5eed") -> dict:
    """Rater k has drawn sizes[k] voxels."""
    for rater, size in enumerate(sizes):
        mask = (np.arange(np.prod(SHAPE)).reshape(SHAPE) < size).astype(np.uint8)
        write_nifti(folder / f"rater{rater}.nii.gz", voxels=mask, affine=AFFINE)
    return {"label": [f"rater{rater}.nii.gz" for rater in range(len(sizes))], "unit": "patient", "sha256": sha256}


def sizes_of(truths):
    return [int(truth.labels.sum()) for truth in truths]


def test_each_rater_is_the_truth_of_as_many_studies_whatever_the_order_of_the_list(tmp_path):
    listed = entry(tmp_path, [10, 20, 40])
    chosen = []
    for number in range(150):
        named = {**listed, "sha256": f"{number:04x}"}
        truths = OneOfRaters().read(named, tmp_path, STUDY)
        turned = OneOfRaters().read({**named, "label": listed["label"][::-1]}, tmp_path, STUDY)
        assert sizes_of(truths) == sizes_of(turned) and truths[0].labels.sum() != truths[1].labels.sum()
        assert sorted([*sizes_of(truths[:1]), *(int(labels.sum()) for labels in truths[0].others)]) == [10, 20, 40]
        chosen.append(sizes_of(truths)[0])
    assert all(35 < count < 65 for count in Counter(chosen).values())
    other_seed = [sizes_of(OneOfRaters(1).read({**listed, "sha256": f"{n:04x}"}, tmp_path, STUDY))[0] for n in range(20)]
    assert other_seed != chosen[:20]
    assert [truth.rater for truth in truths] == ["one rater", "another rater"]


def test_the_truth_of_a_volume_is_one_raters_or_their_mean(tmp_path):
    """2.5 mm3 a voxel: 10, 20 and 45 voxels are 62.5 mm3 on average."""
    for truth in OneOfRaters().read(entry(tmp_path, [10, 20, 45]), tmp_path, STUDY):
        one, mean = (true_value(kind("volume", "Lesion", (1,)), truth, STUDY.result) for kind in (Volume, MeanVolume))
        assert one == pytest.approx(float(truth.labels.sum()) * 2.5e-3) and mean == pytest.approx(62.5e-3)


def test_one_rater_alone_is_refused(tmp_path):
    with pytest.raises(StudyRefused, match="NO_TRUTH: the list names fewer than two raters"):
        OneOfRaters().read(entry(tmp_path, [10]), tmp_path, STUDY)
