"""Landmarks travel with their image: read, carried through resizing, padding and random affine transforms, and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import ApplyTransformToPointsd, Compose, DivisiblePadd, RandAffined, Resized

from caveat.inference.engine.heatmaps import positions_of
from caveat.reasons import StudyRefused
from caveat.transforms.landmarks.gaussian_heatmaps import GaussianHeatmapsd, gaussian_heatmaps
from caveat.transforms.landmarks.load_points import LoadPointsd
from caveat.transforms.landmarks.points_table import read_points

NAMES = ("Sella", "Nasion", "Menton")
POINTS = np.array([[40.25, 61.5], [90.0, 120.75], [130.5, 30.0]])


def table(path, points=POINTS, names=NAMES, rater="senior"):
    rows = [f"{rater},{name},{row},{column}" for name, (row, column) in zip(names, points)]
    path.write_text("\n".join(["rater,name,axis0,axis1", *rows, "junior,Sella,1,2"]) + "\n")
    return path


def blobs(points: np.ndarray, size: tuple[int, int], width: float = 4.0) -> torch.Tensor:
    """A smooth bright spot at each point, a channel each."""
    row, column = np.mgrid[: size[0], : size[1]]
    return torch.tensor(np.stack([np.exp(-((row - r) ** 2 + (column - c) ** 2) / 2 / width**2) for r, c in points]))


def study(path, spacing: float = 1.0) -> dict:
    affine = torch.diag(torch.tensor([spacing, spacing, 1.0, 1.0], dtype=torch.float64))
    return {"image": MetaTensor(blobs(POINTS, (160, 150)).float(), affine=affine), "points": str(path)}


@pytest.mark.parametrize("spacing", [1.0, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_points_stay_on_what_they_mark(tmp_path, spacing, seed):
    """The spot's middle, found in the transformed image itself, is where the transformed point is."""
    transform = Compose(
        [
            LoadPointsd("points", "image", "senior", NAMES),
            Resized("image", spatial_size=80, size_mode="longest", anti_aliasing=False),
            DivisiblePadd("image", k=16),
            ApplyTransformToPointsd("points", "image"),
            RandAffined("image", prob=1, spatial_size=(96, 80), rotate_range=0.17, scale_range=0.1, translate_range=3),
            ApplyTransformToPointsd("points", "image"),
        ]
    ).set_random_state(seed)
    out = transform(study(table(tmp_path / "points.csv"), spacing))
    found = positions_of(out["image"].as_tensor(), radius=9)
    assert out["image"].shape == (3, 96, 80) and out["points"].shape == (1, 3, 2)
    torch.testing.assert_close(out["points"].as_tensor()[0].float(), found, atol=0.06, rtol=0)


def test_the_inverse_brings_points_back(tmp_path):
    loaded = LoadPointsd("points", "image", "senior", NAMES)(study(table(tmp_path / "points.csv"), 0.2))
    to_grid = ApplyTransformToPointsd("points", "image")
    there = to_grid(Resized("image", spatial_size=(60, 90))(loaded))
    assert float((there["points"] - loaded["points"]).abs().max()) > 10
    back = ApplyTransformToPointsd("points", "input")({**there, "input": loaded["image"]})
    np.testing.assert_allclose(back["points"].numpy()[0], POINTS, atol=1e-9)


def test_the_middle_of_a_heatmap_is_the_point_and_not_the_nearest_element():
    points = torch.tensor([[10.3, 20.45], [15.0, 17.5]])
    maps = gaussian_heatmaps(points, (40, 50), sigma=1.5)
    torch.testing.assert_close(maps.flatten(1).sum(1), torch.ones(2))
    torch.testing.assert_close(positions_of(maps, radius=50), points, atol=1e-4, rtol=0)
    assert float(maps[0, 10, 20] / maps[0, 10, 23]) == pytest.approx(np.exp((2.55**2 - 0.45**2) / 2 / 1.5**2), rel=1e-4)


def test_a_point_outside_has_an_empty_heatmap():
    maps = gaussian_heatmaps(torch.tensor([[-0.4, 3.0], [-0.6, 3.0], [9.6, 3.0], [9.4, 9.4], [1e6, 0]]), (10, 10), sigma=1.0)
    assert [float(total) for total in maps.flatten(1).sum(1)] == pytest.approx([1, 0, 0, 1, 0], abs=1e-5)


def test_the_dictionary_transform_takes_the_grid_of_its_reference():
    data = {"image": torch.zeros(1, 30, 20), "points": torch.tensor([[[3.0, 4.0]]])}
    out = GaussianHeatmapsd("points", "image", "label", sigma=2.0)(data)
    assert out["label"].shape == (1, 30, 20) and int(out["label"].argmax()) == 3 * 20 + 4


def test_a_table_is_read_by_rater_in_the_order_of_the_names(tmp_path):
    path = table(tmp_path / "points.csv")
    np.testing.assert_array_equal(read_points(path, "senior", NAMES[::-1]), POINTS[::-1])
    np.testing.assert_array_equal(read_points(path, "junior", ("Sella",)), [[1, 2]])


def test_a_mark_before_the_first_title_is_none_of_it(tmp_path):
    """As Excel's "CSV UTF-8" has it."""
    path = table(tmp_path / "points.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    np.testing.assert_array_equal(read_points(path, "senior", NAMES), POINTS)


def test_landmarks_of_a_volume_are_none_of_a_picture(tmp_path):
    (tmp_path / "points.csv").write_text("rater,name,axis0,axis1,axis2\nsenior,Sella,1,2,3\n")
    image = MetaTensor(torch.zeros(1, 30, 20))
    with pytest.raises(StudyRefused, match="3 coordinates a point, and an image of 2 axes"):
        LoadPointsd("points", "image", "senior", ["Sella"])({"image": image, "points": tmp_path / "points.csv"})


@pytest.mark.parametrize(
    "text,code",
    [
        (None, "NO_TRUTH"),
        ("rater,name,axis0,axis1\nsenior,Sella,1,2\n", "POINTS_INCOMPLETE"),
        ("rater,name,axis0,axis1\nsenior,Sella,1,2\nsenior,Nasion,1,2\nsenior,Nasion,3,4\n", "POINTS_INCOMPLETE"),
        ("rater,name,axis0,axis1\nsenior,Sella,1,2\nsenior,Nasion,1,nan\n", "POINTS_INCOMPLETE"),
        ("rater,name,axis0,axis1\nsenior,Sella,1,2\nsenior,Nasion,1,\n", "POINTS_INCOMPLETE"),
        ("rater,name,axis0\nsenior,Sella,1\nsenior,Nasion,1\n", "POINTS_INCOMPLETE"),
        ("something else", "POINTS_INCOMPLETE"),
        ("rater,name,axis0,axis1\nsenior,Sella,1,2\nsenior,Nasion,1,2,3\n", "POINTS_INCOMPLETE"),
        ("rater,name,axis0,axis1\nsenior,Sella,1,2\nsenior,Nasion,1,2\nj\xe9r\xf4me,Nasion,1,2\n", "POINTS_INCOMPLETE"),
        (f"rater,name,axis0,axis1\nsenior,Sella,1,2\nsenior,Nasion,1,2\nsenior,{'x' * 200_000},1,2\n", "POINTS_INCOMPLETE"),
    ],
)
def test_a_table_that_is_no_such_table_is_refused(tmp_path, text, code):
    path = tmp_path / "points.csv"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(StudyRefused) as refused:
        read_points(path, "senior", ("Sella", "Nasion"))
    assert refused.value.code == code
