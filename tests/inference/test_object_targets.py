"""Counts and areas of objects: a rater's are those that he told apart, whatever touches."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.measure import label, regionprops

from caveat.inference.engine.study_grid import GridElement
from caveat.inference.metrics.object_overlap import aggregated_jaccard, average_precision, object_iou
from caveat.inference.stored.object_truths import ObjectTruths
from caveat.inference.stored.stored_study import StoredStudy
from caveat.inference.stored.true_value import true_value
from caveat.inference.targets.count import Count
from caveat.inference.targets.drawn import Drawn
from caveat.inference.targets.object_area import ObjectArea
from caveat.inference.targets.odd_shapes import OddShapes, solidity

PICTURE = {"affine": np.eye(4).tolist(), "spacing_source": ""}


def test_a_rater_s_objects_are_his_own(tmp_path):
    label = np.zeros((20, 30), np.uint16)
    label[2:10, 2:10], label[2:10, 10:18], label[12:16, 20:24] = 7, 300, 12  # two squares that share a side
    Image.fromarray(label).save(tmp_path / "label.png")
    study = StoredStudy("one", {"input": PICTURE}, {"segmentation": np.zeros((20, 30), np.uint8)})
    (truth,) = ObjectTruths().read({"label": "label.png"}, tmp_path, study)
    assert truth.labels.dtype == np.uint8 and truth.labels.sum() == (label > 0).sum()
    assert np.unique(truth.numbered).tolist() == [0, 1, 2, 3] and truth.numbered[3, 12] == 3
    values = [true_value(target, truth, {"input": PICTURE}) for target in targets()]
    assert values == [3.0, 144.0, 48.0]
    mask = Drawn.of_labels(GridElement(1.0, "pixels", (1.0, 1.0)), truth.labels, 2, label.size)
    assert targets()[0].of(mask) < 3, "of the mask alone they are not known"


def targets():
    area = ("area", "Area", (1,))
    return [Count("count", "Objects", (1,), "nuclei"), ObjectArea(*area), ObjectArea(*area, mean=True)]


def test_a_picture_in_mm_has_areas_in_mm2_and_counts_in_what_is_counted():
    assert [one.unit(GridElement(0.25, "mm2", (0.5, 0.5))) for one in targets()] == ["nuclei", "mm2", "mm2"]
    for one in targets():
        with pytest.raises(ValueError, match="pictures"):
            one.unit(GridElement(1.0, "mm3", (1.0, 1.0, 1.0)))


TRUTH = np.array([[1, 1, 1, 1, 0, 2, 2, 0, 3]])
FOUND = np.array([[1, 1, 1, 0, 0, 2, 2, 2, 0]])


def test_agreement_of_objects_by_hand():
    iou = object_iou(TRUTH, FOUND)
    np.testing.assert_allclose(iou, [[3 / 4, 0], [0, 2 / 3], [0, 0]])
    assert average_precision(iou, 0.5) == 2 / 3 and average_precision(iou, 0.7) == 1 / 4 and average_precision(iou, 0.9) == 0
    assert aggregated_jaccard(TRUTH, FOUND) == 5 / 8  # 3 + 2 shared; 4 + 3 + 1 in either


def test_what_is_left_over_counts_against_it():
    extra = np.array([[1, 1, 1, 1, 0, 2, 2, 0, 3, 0, 4, 4]])
    assert aggregated_jaccard(np.pad(TRUTH, ((0, 0), (0, 3))), extra) == 7 / 9
    assert aggregated_jaccard(TRUTH, TRUTH) == 1 and aggregated_jaccard(TRUTH, TRUTH * 0) == 0
    assert aggregated_jaccard(TRUTH * 0, TRUTH * 0) == 1 and average_precision(object_iou(TRUTH * 0, TRUTH * 0), 0.5) == 1


def test_below_a_half_a_match_is_not_unique():
    with pytest.raises(ValueError, match="two others"):
        average_precision(object_iou(TRUTH, FOUND), 0.4)


def test_odd_shapes_are_those_far_from_their_convex_hull():
    numbered = np.zeros((40, 60), int)
    numbered[2:12, 2:12] = 1
    numbered[20:36, 5:11], numbered[30:36, 11:21] = 2, 2  # an L: 156 of some 210 pixels of its hull
    numbered[20:30, 40:50] = 3
    odd, drawn = OddShapes("odd", "Odd", (1,), "nuclei"), Drawn(GridElement(1.0, "pixels", (1.0, 1.0)), [0, 0], 0, None, numbered)
    assert odd.of(drawn) == 1 and odd.unit(drawn.element) == "nuclei"
    assert OddShapes("odd", "Odd", (1,), solidity=0.6).of(drawn) == 0
    assert odd.found(0.0), "none of odd shape is an answer"


def test_solidity_is_that_of_another_library():
    rough = gaussian_filter(np.random.default_rng(0).normal(size=(90, 90)), 3) > 0.05
    shapes = [one for one in regionprops(label(rough)) if one.area >= 100]
    assert len(shapes) > 3
    for one in shapes:
        assert solidity(one.image) == pytest.approx(one.solidity, rel=0.05)
