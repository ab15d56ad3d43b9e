"""What a viewer gets of a result: nested levels, discs, names with answers, files; and what it may ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK
import torch
from monai.data import MetaTensor

from caveat.api.result import Result
from caveat.monai_label.doubts import doubts_of
from caveat.monai_label.label_file import write_label
from caveat.monai_label.options import Options
from caveat.monai_label.segments import discs, nested, reported, with_answers
from caveat.reasons import StudyRefused


def result_of(
    answers: list[dict[str, Any]], shape: tuple[int, ...], scores: dict[str, float] | None = None, **maps: Any
) -> Result:
    facts = {"status": "OK", "flags": [], "answers": answers, "study_scores": scores or {}, "input": {"shape": list(shape)}}
    image = MetaTensor(torch.zeros(1, *shape), affine=torch.eye(4))
    return Result({"result": facts, "input": image, **{name: torch.as_tensor(value) for name, value in maps.items()}})


def measured(name: str, value: float | None, classes: list[int], region: dict[str, Any] | None = None) -> dict[str, Any]:
    about = {"kind": "measurement", "unit": "mL", "statement": f"{name} ...", "region": region}
    return {"name": name, "value": value, "classes": classes, **about}


def test_a_level_is_told_by_how_many_draws_give_a_voxel_its_class():
    draws = np.array([[1, 1, 1, 2, 0], [1, 1, 0, 2, 0], [1, 2, 0, 2, 0], [1, 0, 0, 2, 0]], np.uint8).reshape(4, 5, 1, 1)
    found = nested(result_of([], (5, 1, 1), samples=draws), ["a", "b"])
    # of four draws: all a; two a and one b, which is no majority; one a; all b; none
    assert found.labels.ravel().tolist() == [1, 3, 3, 4, 0]
    assert found.names == {"a, all draws": 1, "a, any draw": 3, "b, all draws": 4}


def test_names_are_of_values_that_are_there():
    found = reported(result_of([], (3, 1, 1), segmentation=np.array([0, 2, 2]).reshape(1, 3, 1, 1)), {"a": 1, "b": 2})
    assert found.names == {"b": 2}, "Slicer would call the value 2 by the first name"


def test_a_hypothesis_is_chosen_by_its_number():
    stack = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1)
    result = result_of([], (1, 1, 1), segmentation=stack[:1], ordered_hypotheses=stack)
    assert [int(reported(result, {"a": 1, "b": 2}, number).labels.item()) for number in (0, 2, 3)] == [0, 1, 2]
    with pytest.raises(StudyRefused, match="3 hypotheses"):
        reported(result, {"a": 1}, 4)


def test_a_landmark_off_the_image_has_no_disc():
    about = {"kind": "landmark", "unit": "mm", "statement": "", "region": None}
    there = {"name": "Sella", "value": [1.0, 1.0], "index_on_input_grid": [20.0, 30.0], **about}
    gone = {"name": "Nasion", "value": None, "index_on_input_grid": [-3.0, 2.0], **about}
    found = discs(result_of([there, gone], (100, 200)), {"Sella": 1, "Nasion": 2})
    assert found.names == {"Sella": 1} and found.labels[20, 32] == 1 and found.labels[20, 33] == 0
    np.testing.assert_allclose(np.argwhere(found.labels).mean(axis=0), [20, 30])


def test_a_name_says_what_was_measured_and_whether_it_was_promised():
    region = {"kind": "interval", "level": 0.9, "lower": 1.431, "upper": 2.111}
    answers = [measured("both", 3.0, [1, 2]), measured("front", 1.771, [1], region), measured("back", 1.25, [2])]
    result = result_of(answers, (2, 1, 1), segmentation=np.array([1, 2]).reshape(1, 2, 1, 1))
    names = {"front": 1, "back": 2}
    assert with_answers(reported(result, names), result, names).names == {
        "front: 1.771 mL (90 % 1.431 to 2.111)": 1,
        "back: 1.250 mL (not calibrated)": 2,
    }


def test_doubts_are_numbers_where_there_are_any():
    region = {"kind": "interval", "level": 0.9, "lower": 1.0, "upper": 2.0}
    maps = {"probability": np.array([[0.99, 0.5], [0.01, 0.5]]), "mutual_information": np.array([[0.9, 0.2]])}
    maps = {name: values.reshape(-1, 2, 1, 1) for name, values in maps.items()}
    found = doubts_of(result_of([measured("a", 2.0, [1], region)], (2, 1, 1), {"pooled_pairwise_dice": 0.75}, **maps))
    assert found == {"disagreement": 0.25, "mutual_information": pytest.approx(0.2), "interval_width": 0.5}
    assert doubts_of(result_of([measured("a", 2.0, [1])], (2, 2))) == dict.fromkeys(found)


@pytest.mark.parametrize("extension", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_a_volumes_label_lies_where_the_image_does(extension):
    labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    affine = np.array([[0, -2.0, 0, 5], [1, 0, 0, -7], [0, 0, 3, 9], [0, 0, 0, 1]])
    path = write_label(labels, affine, extension, "uint16")
    image = SimpleITK.ReadImage(str(path))
    path.unlink()
    assert path.name.endswith(extension) and image.GetPixelIDTypeAsString() == "16-bit unsigned integer"
    for index in ((0, 0, 0), (1, 2, 3)):
        assert image.GetPixel(*index) == labels[index]
        place = np.array([-1, -1, 1]) * (affine @ [*index, 1])[:3]  # ITK counts towards left and back
        np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(index), place, atol=1e-6)


def test_a_pictures_label_has_its_rows_and_columns():
    path = write_label(np.array([[1, 2, 3], [4, 5, 6]], np.uint8), np.eye(4), ".nrrd")
    assert SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).tolist() == [[1, 2, 3], [4, 5, 6]]
    path.unlink()


def test_a_client_may_send_options_back_as_it_got_them():
    options = Options.of({"sampler": ["ensemble", "dropout"], "draws": 0, "seed": "3", "answers_in_names": "true", "level": 0.9})
    assert (options.sampling.sampler, options.sampling.draws, options.sampling.seed) == ("ensemble", None, 3)
    assert options.answers_in_names and options.point is None
    assert Options.of({"foreground": [[1, 2, 3], [4, 5, 6]]}).index == (4, 5, 6)
    assert Options.of({"point": "1,-2.5,3"}).point == (1, -2.5, 3)


@pytest.mark.parametrize(
    "request_",
    [
        {"draws": -1},
        {"draws": 10**9},
        {"draws": "$x"},
        {"seed": {}},
        {"level": "nan"},
        {"point": [1, 2]},
        {"point": "1,2,inf"},
        {"foreground": "all"},
        {"foreground": [[1, 2, "x"]]},
        {"result_dtype": "object"},
        {"hypothesis": 1e99},
    ],
)
def test_what_makes_no_sense_is_wrong_usage(request_):
    with pytest.raises(StudyRefused, match="WRONG_USAGE"):
        Options.of(request_)
