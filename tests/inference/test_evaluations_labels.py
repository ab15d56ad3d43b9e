"""Each class under its own name: overlap, surfaces, and labels that cannot be compared."""

import math

import nibabel
import numpy as np
import pytest

from caveat.inference.figures.labels import label_overlap, label_surfaces
from caveat.inference.metrics.overlap import dice
from caveat.inference.metrics.surface_distance import surface_distances
from caveat.inference.stored.stored_study import StoredStudy
from caveat.inference.stored.true_value import true_value
from caveat.inference.stored.truths import MaskTruths, Truth
from caveat.inference.targets.volume import Volume
from caveat.reasons import StudyRefused

NAMES = ["background", "anterior", "posterior"]
SHAPE = (16, 18, 12)
AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def labels(shift=0):
    """Two boxes, one behind the other."""
    array = np.zeros(SHAPE, np.uint8)
    array[4:10, 3 + shift : 8 + shift, 3:8] = 1
    array[4:10, 8 + shift : 13 + shift, 3:8] = 2
    return array


def study(array=None):
    about = {"affine": AFFINE.tolist(), "spacing_mm": [1.0, 1.0, 2.0], "spacing_source": "header", "shape": list(SHAPE)}
    return StoredStudy("scan", {"input": about}, {"segmentation": labels() if array is None else array})


def truth(array, region=None):
    return Truth("truth", array, np.ones(SHAPE, bool) if region is None else region)


def test_dice_of_each_class_by_name():
    found = label_overlap(study(), truth(labels(shift=1)), NAMES)
    assert list(found) == ["Dice, anterior", "Dice, posterior"]
    assert found["Dice, anterior"] == dice(labels() == 1, labels(1) == 1, np.ones(SHAPE, bool)) == pytest.approx(0.8)


def test_classes_that_are_swapped_do_not_match():
    swapped = np.array([0, 2, 1], np.uint8)[labels()]
    assert set(label_overlap(study(swapped), truth(labels()), NAMES).values()) == {0}


def test_surfaces_in_mm_of_each_class_and_of_the_whole():
    found = label_surfaces(study(), truth(labels(shift=1)), NAMES, whole="both parts")
    assert found["95 % Hausdorff distance, anterior, mm"] == 1
    assert found["surface Dice at 1 mm, both parts"] == 1
    assert 0 < found["average surface distance, posterior, mm"] < 1
    assert len(found) == 12
    assert {value for name, value in found.items() if name.startswith("missed")} == {0.0}


def test_a_structure_that_was_missed_is_counted_since_it_has_no_distance():
    """Else the mean distance is of the others alone."""
    nothing = np.where(labels() == 1, labels(), 0)  # no posterior part
    found = label_surfaces(study(nothing), truth(labels()), NAMES)
    assert (found["missed, anterior"], found["missed, posterior"]) == (0, 1)
    assert math.isnan(found["average surface distance, posterior, mm"])
    absent = label_surfaces(study(), truth(nothing), NAMES)
    assert math.isnan(absent["missed, posterior"])
    region = np.ones(SHAPE, bool)
    region[:, 8:] = False
    assert math.isnan(label_surfaces(study(), truth(nothing, region), NAMES)["missed, posterior"])


def test_surfaces_count_inside_the_region_alone():
    region = np.ones(SHAPE, bool)
    region[:, 13:] = False
    outside = labels()
    outside[4:10, 14:16, 3:8] = 2  # beyond the region
    assert label_surfaces(study(outside), truth(labels(), region), NAMES)["average surface distance, posterior, mm"] == 0


def test_distances_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    first, second = np.zeros((2, 9, 8), bool)
    first[2:7, 2:6], second[3:8, 1:6] = True, True
    second &= rng.random((9, 8)) > 0.1

    def surface(mask):
        padded = np.pad(mask, 1)
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        return np.argwhere(mask & ~inner) * [1.0, 2.0]

    between = np.linalg.norm(surface(first)[:, None] - surface(second)[None], axis=-1)
    expected = np.concatenate([between.min(axis=1), between.min(axis=0)]).mean()
    assert surface_distances(first, second, (1.0, 2.0), 1.0)["average"] == pytest.approx(expected)


def test_an_empty_mask_has_no_surface():
    empty, box = np.zeros(SHAPE, bool), labels() > 0
    one, both = surface_distances(empty, box, (1, 1, 2), 1.0), surface_distances(empty, empty, (1, 1, 2), 1.0)
    assert math.isnan(one["average"]) and math.isnan(one["hausdorff"]) and one["dice"] == 0
    assert math.isnan(both["dice"])


def test_a_mask_that_fills_the_image_has_its_border_as_surface():
    full = np.ones((6, 6, 6), bool)
    assert surface_distances(full, full, (1, 1, 1), 1.0) == {"average": 0, "hausdorff": 0, "dice": 1}


def test_the_true_volume_is_of_the_classes_and_of_the_spacing():
    anterior, both = Volume("a", "A", [1]), Volume("b", "B", [1, 2])
    result = study().result
    assert true_value(anterior, truth(labels()), result) == pytest.approx(6 * 5 * 5 * 2 / 1000)
    assert true_value(both, truth(labels()), result) == pytest.approx(2 * 6 * 5 * 5 * 2 / 1000)


@pytest.fixture
def entry(tmp_path):
    def write(array, affine=AFFINE):
        nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "label.nii.gz")
        return {"label": ["label.nii.gz"]}, tmp_path

    return write


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.int16])
def test_labels_are_read_as_classes_whatever_their_type(entry, kind):
    read = MaskTruths(classes=[1, 2]).read(*entry(labels().astype(kind)), study())[0]
    assert read.labels.dtype == np.uint8 and (read.labels == labels()).all()
    assert (read.mask == (labels() > 0)).all()


def test_masks_of_one_structure_are_class_one(entry):
    assert set(np.unique(MaskTruths().read(*entry(labels() * 100), study())[0].labels)) == {0, 1}


@pytest.mark.parametrize(
    "wrong",
    [np.minimum(labels(), 1), labels() * 17, np.where(labels() == 2, 2.5, labels()), np.where(labels() == 2, np.nan, labels())],
)
def test_a_label_of_other_classes_is_refused(entry, wrong):
    with pytest.raises(StudyRefused, match="LABEL_WITHOUT_CLASS"):
        MaskTruths(classes=[1, 2]).read(*entry(wrong.astype(np.float32)), study())


def test_a_label_off_the_grid_is_refused(entry):
    for array, affine in ((labels()[1:], AFFINE), (labels(), np.diag([1.0, 1.0, 1.0, 1.0]))):
        with pytest.raises(StudyRefused, match="LABEL_OFF_GRID"):
            MaskTruths(classes=[1, 2]).read(*entry(array, affine), study())
